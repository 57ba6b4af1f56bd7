"""Damage is concealed as players do, and told; a strict reading refuses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.focus.script import DisparityTarget, Keyframe
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.video import Frame, Reading, container_source, open_source
from tests.video.native_clips import planes_of, times_of, write_clip
from tests.video.stream_surgery import with_packets

FRAMES = 12


def damaged_clip(
    tmp_path: Path, change: Callable[[int, bytes], bytes | None], *, name: str = "clip.mkv", frames: int = FRAMES
) -> Path:
    """Every frame leans on the one before, but for those of 6 and of 12."""
    options = {"bf": "0", "g": "6", "x264-params": "scenecut=0:ref=1"}
    clip = write_clip(tmp_path / f"whole-{name}", noise=True, size=(96, 64), options=options, frames=frames)
    return with_packets(clip, tmp_path / name, change)


def without_slices(*numbers: int) -> Callable[[int, bytes], bytes]:
    """A decoder makes nothing of these packets."""
    return lambda number, data: b"\0\0\0\2\x6f\xff" if number in numbers else data


def half_of(number: int) -> Callable[[int, bytes], bytes]:
    """A packet whose second half is lost."""

    def change(at: int, data: bytes) -> bytes:
        return data if at != number else data[: len(data) // 2] + bytes(len(data) - len(data) // 2)

    return change


def read(path: Path, *, strict: bool = False) -> tuple[list[Frame], list[str]]:
    remarks: list[str] = []
    with open_source(path, reading=Reading(strict=strict)) as source:
        frames = list(source.frames())
        source.tell(remarks.append, at_end=True)
        source.tell(remarks.append, at_end=True)  # each is told once
    return frames, remarks


def refocused(path: Path, output: Path, remarks: list[str], **options: Any) -> int:
    # A slope: maps that are flat would be remarked upon.
    maps = np.broadcast_to(np.linspace(0, 1, 12, dtype=np.float32), (FRAMES, 1, 8, 12))
    np.save(output.with_suffix(".npy"), maps)
    focus = FocusScript(keyframes=(Keyframe(0, DisparityTarget(0.5), blur_strength=0.0),))
    result = refocus(
        path, output, Recipe(focus=focus, disparity=output.with_suffix(".npy")), notice=remarks.append, **options
    )
    assert len(result.track.focus_disparity) == result.frame_count
    return result.frame_count


def test_incomplete_frame_is_concealed_and_told(tmp_path: Path) -> None:
    path = damaged_clip(tmp_path, half_of(5))
    frames, remarks = read(path)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert remarks == [f"{path} is damaged: 1 frame is incomplete and concealed, at 0.208 s"]
    with pytest.raises(InputError, match=f"frame 5 of {FRAMES} is incomplete, 5 were decoded"):
        read(path, strict=True)


@pytest.mark.parametrize("threads", [1, 3])
def test_lost_frame_is_shown_as_the_one_before(tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_source, "_DECODER_THREADS", threads)
    path = damaged_clip(tmp_path, without_slices(4, 5, 8))
    frames, remarks = read(path)
    assert [round(frame.time_s * 24) for frame in frames] == list(range(FRAMES))
    for lost, shown in ((4, 3), (5, 3), (8, 7)):
        assert np.array_equal(frames[lost].pixels, frames[shown].pixels)
    assert f"{path} is damaged: 3 frames are lost and shown as the frame before, at 0.167, 0.208, 0.333 s" in remarks
    assert len([remark for remark in remarks if "lost" in remark]) == 1
    with open_source(path) as source:
        for start in (4, 5, 6, 8):
            [alone] = source.frames(start, start + 1)
            assert alone.index == start
            assert np.array_equal(alone.pixels, frames[start].pixels), f"frame {start}"
    with pytest.raises(InputError, match=f"frame 4 of {FRAMES} cannot be decoded"):
        read(path, strict=True)


def test_lost_packet_leaves_a_gap_in_time(tmp_path: Path) -> None:
    path = damaged_clip(tmp_path, lambda number, data: None if number in (3, 4) else data, name="clip.mp4")
    frames, _ = read(path)
    assert [round(frame.time_s * 24) for frame in frames] == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    assert [round(frame.duration_s * 24) for frame in frames][2] == 3


def test_end_that_comes_early_keeps_what_was_rendered(tmp_path: Path) -> None:
    path = damaged_clip(tmp_path, without_slices(9, 10, 11))
    frames, remarks = read(path)
    assert [frame.is_past_end for frame in frames] == [False] * 9 + [True] * 3
    assert all(np.array_equal(frame.pixels, frames[8].pixels) for frame in frames[9:])
    told = f"{path} ends early: 9 of {FRAMES} frames could be decoded"
    assert remarks == [told]
    remarks.clear()
    assert refocused(path, tmp_path / "out.mkv", remarks) == 9
    assert remarks == [told]
    assert times_of(tmp_path / "out.mkv") == [frame.time_s for frame in frames[:9]]
    assert len(planes_of(tmp_path / "out.mkv")) == 9
    with pytest.raises(InputError, match=f"ends early: 9 of its {FRAMES} frames could be decoded"):
        refocused(path, tmp_path / "strict.mkv", remarks, reading=Reading(strict=True))
    assert not (tmp_path / "strict.mkv").exists()


def test_part_beyond_an_early_end_is_refused(tmp_path: Path) -> None:
    path = damaged_clip(tmp_path, without_slices(9, 10, 11))
    with pytest.raises(InputError, match=r"no frame was written to .*out\.mkv"):
        refocused(path, tmp_path / "out.mkv", [], start_s=10 / 24)
    maps = tmp_path / "out.npy"
    focus = FocusScript(keyframes=(Keyframe(0, DisparityTarget(0.5), blur_strength=1.0),))
    with open_source(path) as source, pytest.raises(InputError, match="ends before frame 10"):
        preview(source, 10, Recipe(focus=focus, disparity=maps))


def test_damaged_clip_is_refocused_to_its_end(tmp_path: Path) -> None:
    path, remarks = damaged_clip(tmp_path, half_of(5)), list[str]()
    assert refocused(path, tmp_path / "out.mp4", remarks) == FRAMES
    assert remarks == [f"{path} is damaged: 1 frame is incomplete and concealed, at 0.208 s"]
