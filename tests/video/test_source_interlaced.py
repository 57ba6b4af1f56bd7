"""Interlaced video becomes whole frames, one for each, and says so."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video import Frame, Reading, open_sink, open_source
from any2bokeh.video.reading import Deinterlace
from tests.video.native_clips import cast_any, planes_of, write_clip
from tests.video.stream_surgery import field_coded

SIZE, FRAMES = 64, 9


def woven(index: int) -> NDArray[np.uint8]:
    """A bar that moves between the fields of a frame, the lower lines first, on a slope: ``(64, 64)`` luma."""
    luma = np.tile(np.linspace(40, 90, SIZE).astype(np.uint8), (SIZE, 1))
    for parity in (0, 1):
        left = 8 + 4 * index + 2 * (1 - parity)
        luma[parity::2, left : left + 12] = 220
    return luma


def interlaced_clip(path: Path, *, encoder: str = "libx264", options: dict[str, str] | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = cast_any(container.add_stream(encoder, rate=25, options=options or {"x264-params": "bff=1"}))
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(
                np.concatenate([woven(index), np.full((SIZE // 2, SIZE), 128, np.uint8)]), format="yuv420p"
            )
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path, deinterlace: Deinterlace = "auto", start: int = 0, stop: int | None = None) -> list[Frame]:
    with open_source(path, reading=Reading(deinterlace=deinterlace)) as source:
        return list(source.frames(start, stop))


def luma_of(frame: Frame) -> NDArray[np.uint8]:
    return frame.native.planes()[0][:, :SIZE]


def combing(frame: Frame) -> float:
    """How much lines differ from the mean of those beside them."""
    grey = frame.pixels.mean(axis=0)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


def test_whole_frames_are_made_of_fields(tmp_path: Path) -> None:
    path = interlaced_clip(tmp_path / "clip.mp4")
    whole, fields = read(path), read(path, "off")
    assert [f.time_s for f in whole] == [f.time_s for f in fields]
    assert [f.index for f in whole] == list(range(FRAMES))
    for made, recorded in zip(whole, fields, strict=True):
        # The field that comes first in time is kept as it is; the other is put where the first one is.
        assert np.array_equal(luma_of(made)[1::2], luma_of(recorded)[1::2])
        assert combing(made) < 0.2 * combing(recorded)


def test_interlaced_video_is_told(tmp_path: Path) -> None:
    path = interlaced_clip(tmp_path / "clip.mp4")
    told: dict[str, list[str]] = {"auto": [], "off": [], "progressive": []}
    for deinterlace, scan in (("auto", "deinterlaced"), ("off", "interlaced")):
        with open_source(path, reading=Reading(deinterlace=deinterlace)) as source:  # type: ignore[arg-type]
            assert source.info.scan == scan
            source.tell(told[deinterlace].append)
    with open_source(write_clip(tmp_path / "progressive.mp4")) as source:
        assert source.info.scan == "progressive"
        source.tell(told["progressive"].append, at_end=True)
    assert told == {
        "auto": [f"{path} is interlaced; whole frames are made of its fields (--deinterlace off leaves them)"],
        "off": [f"{path} is interlaced; its fields stay woven, and blur mixes them"],
        "progressive": [],
    }


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("clip.mp4", "libx264", {"x264-params": "bff=1", "bf": "2", "g": "4"}),
        ("clip.ts", "libx264", {"x264-params": "bff=1", "bf": "2", "g": "4"}),
        ("clip.mpg", "mpeg2video", {"flags": "+ildct+ilme", "g": "4"}),
        ("fields.ts", "", {}),
    ],
)
def test_any_start_gives_the_same_frames(tmp_path: Path, name: str, encoder: str, options: dict[str, str]) -> None:
    path = tmp_path / name
    if encoder:
        interlaced_clip(path, encoder=encoder, options=options)
    else:
        field_coded(path, FRAMES)
    whole = read(path)
    assert len(whole) == FRAMES
    assert any(not np.array_equal(a.pixels, b.pixels) for a, b in zip(whole, read(path, "off"), strict=True))
    for start in range(FRAMES):
        for frame in read(path, "auto", start, min(start + 2, FRAMES)):
            assert frame.time_s == whole[frame.index].time_s
            assert np.array_equal(frame.pixels, whole[frame.index].pixels), f"frame {frame.index} from {start}"


def test_untouched_frames_of_a_result_are_whole(tmp_path: Path) -> None:
    path = interlaced_clip(tmp_path / "clip.mp4")
    with open_source(path) as source, open_sink(tmp_path / "out.mkv", source) as sink:
        frames = list(source.frames())
        for frame in frames:
            sink.write(frame, frame.pixels)
    assert open_source(tmp_path / "out.mkv").info.scan == "progressive"
    assert len(planes_of(tmp_path / "out.mkv")) == FRAMES


def test_unknown_way_is_refused() -> None:
    with pytest.raises(InputError, match="deinterlace is 'bob'; allowed is auto or off"):
        Reading(deinterlace="bob")  # type: ignore[arg-type]
