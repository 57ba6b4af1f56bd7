"""A result begins at 0 with its sound in step, whatever clock the source has; and streams without one get one."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import open_sink, open_source
from tests.video.native_clips import native_frame, planes_of, sound_of, times_of, write_clip
from tests.video.stream_surgery import remuxed, with_dropped_frames

# Of the header that every AAC packet of a transport stream has.
_ADTS_BYTES = 7
# A transport stream counts 33 bits of 1/90000 s.
_WRAP_S = Fraction(1 << 33, 90_000)


def copied(path: Path, target: Path, *, start: int = 0) -> Path:
    with open_source(path) as source, open_sink(target, source, start=start) as sink:
        for frame in source.frames(start):
            sink.write(frame, frame.pixels)
    return target


def clip_with_sound(folder: Path) -> Path:
    return write_clip(folder / "clip.mp4", sound="aac", frames=24, options={"bf": "2"})


@pytest.mark.parametrize("extension", [".mp4", ".mkv"])
@pytest.mark.parametrize("start", [0, 12])
@pytest.mark.parametrize("shift_s", [Fraction(36_000), Fraction(7, 5), _WRAP_S - Fraction(1, 2), Fraction(0)])
def test_result_of_a_broadcast_begins_at_0(tmp_path: Path, extension: str, start: int, shift_s: Fraction) -> None:
    source = remuxed(clip_with_sound(tmp_path), tmp_path / "broadcast.ts", shift_s=shift_s)
    result = copied(source, tmp_path / f"out{extension}", start=start)
    times, sound = times_of(result), sound_of(result)
    assert times[0] == 0
    # Matroska counts milliseconds.
    assert all(abs(time - Fraction(n, 24)) <= Fraction(1, 1000) for n, time in enumerate(times))
    assert len(times) == 24 - start
    # The tone goes on from the first frame to the last; packets have 21 ms.
    assert 0 <= sound[0][1] < Fraction(22, 1000)
    assert abs(sound[-1][1] - times[-1]) < Fraction(1, 20)
    assert max(after - before for (_, before), (_, after) in pairwise(sound)) < Fraction(23, 1000)
    before = {data[_ADTS_BYTES:]: time for data, time in sound_of(source)}
    with open_source(source) as opened:
        begins = opened.info.start_time_s + Fraction(start, 24)
    # In step: every packet lies where it lay beside the pictures, to the millisecond.
    assert all(abs(before[data] - begins - time) <= Fraction(1, 1000) for data, time in sound)


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4"])
def test_other_containers_that_begin_late_begin_at_0(tmp_path: Path, name: str) -> None:
    source = remuxed(clip_with_sound(tmp_path), tmp_path / name, shift_s=Fraction(36_000))
    assert open_source(source).info.start_time_s > 35_999
    assert times_of(copied(source, tmp_path / "out.mp4"))[0] == 0
    # Matroska moves what begins before 0, here the sound that a decoder needs but does not play.
    assert times_of(copied(source, tmp_path / "out.mkv"))[0] < Fraction(1, 20)


@pytest.mark.parametrize("extension", [".mp4", ".mkv"])
@pytest.mark.parametrize("later_s", [Fraction(0), Fraction(5_000), _WRAP_S / 2])
def test_joined_recordings_go_on(tmp_path: Path, extension: str, later_s: Fraction) -> None:
    clip, joined = clip_with_sound(tmp_path), tmp_path / "joined.ts"
    first = remuxed(clip, tmp_path / "a.ts", shift_s=Fraction(1_000))
    second = remuxed(clip, tmp_path / "b.ts", shift_s=later_s)
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with open_source(joined) as source:
        frames = list(source.frames())
        assert source.info.frame_count == len(frames) == 48
        assert [f.time_s - frames[0].time_s for f in frames] == [Fraction(n, 24) for n in range(48)]
        assert np.array_equal(next(source.frames(30, 31)).pixels, frames[30].pixels)
    result = copied(joined, tmp_path / f"out{extension}", start=12)
    times, sound = times_of(result), sound_of(result)
    assert len(times) == 36
    assert times[0] == 0
    assert abs(sound[-1][1] - times[-1]) < Fraction(1, 20)
    gaps = [after - before for (_, before), (_, after) in pairwise(sound)]
    assert min(gaps) > 0
    assert max(gaps) < Fraction(43, 1000)  # at the joint a packet may be left out


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("clip.h264", "libx264", {"bf": "2"}),
        ("clip.h265", "libx265", {"x265-params": "log-level=none:asm=0"}),
        ("clip.m2v", "mpeg2video", {"bf": "2"}),
    ],
)
def test_stream_without_a_clock_has_the_rate_that_it_names(
    tmp_path: Path, name: str, encoder: str, options: dict[str, str]
) -> None:
    path = write_clip(
        tmp_path / name, encoder=encoder, options=options, rate=Fraction(30), time_base=Fraction(1, 30), frames=10
    )
    with open_source(path) as source:
        frames = list(source.frames())
        assert source.info.fps == 30
        assert source.info.duration_s == Fraction(1, 3)
        assert [frame.time_s for frame in frames] == [Fraction(n, 30) for n in range(10)]
        assert {frame.duration_s for frame in frames} == {Fraction(1, 30)}
        assert source.index_at(0.1) == 3
        assert np.array_equal(next(source.frames(7, 8)).pixels, frames[7].pixels)
        remarks: list[str] = []
        source.tell(remarks.append)
        assert remarks == []
    assert times_of(copied(path, tmp_path / "out.mp4")) == [Fraction(n, 30) for n in range(10)]
    with open_source(path, fps="23.976") as source:
        assert source.info.fps == Fraction(24_000, 1001)
        assert next(source.frames(9)).time_s == 9 * Fraction(1001, 24_000)


def test_rate_that_is_a_guess_is_told(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mjpeg", encoder="mjpeg", pixel_format="yuvj420p", frames=5)
    remarks: list[str] = []
    with open_source(path) as source:
        assert source.info.fps == 25
        source.tell(remarks.append)
    assert remarks == [
        f"{path} has no time stamps and names no frame rate; it is read at 25 frames a second unless --fps says another"
    ]
    with open_source(path, fps=12) as source:
        assert [frame.time_s for frame in source.frames()] == [Fraction(n, 12) for n in range(5)]
        source.tell(remarks.append)
    assert len(remarks) == 1


def test_rate_of_a_video_with_a_clock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"clip\.mp4 is a video with time stamps of its own"):
        open_source(write_clip(tmp_path / "clip.mp4"), fps=24)


def test_gaps_of_dropped_frames_are_kept(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", encoder="mjpeg", pixel_format="yuvj420p", frames=10)
    path = with_dropped_frames(clip, tmp_path / "captured.avi", (3, 6))
    result = copied(path, tmp_path / "out.mp4")
    assert [time * 24 for time in times_of(result)] == [0, 1, 2, 4, 5, 7, 8, 9]
    assert len(planes_of(result)) == 8


@pytest.mark.parametrize("frames", [1, 5])
def test_rate_of_raw_dv_is_that_of_its_frames(tmp_path: Path, frames: int) -> None:
    """FFmpeg gives the ticks of its clock for the rate."""
    encoder: Any = av.CodecContext.create("dvvideo", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 720, 576, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.thread_count = Fraction(1, 25), Fraction(25), 1
    packets = [packet for n in range(frames) for packet in encoder.encode(native_frame(n, 720, 576, "yuv420p"))]
    path = tmp_path / "clip.dv"
    path.write_bytes(b"".join(bytes(packet) for packet in [*packets, *encoder.encode(None)]))
    info = open_source(path).info
    assert info.frame_count == frames
    assert info.duration_s == Fraction(frames, 25)
    assert info.fps == 25
