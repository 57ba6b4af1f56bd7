"""Packets are not frames: what is promised is what the decoder gives."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.disparity.grey_video import GreyVideo
from any2bokeh.errors import InputError
from any2bokeh.video import Frame, Reading, open_source
from any2bokeh.video.container_times import frame_times
from any2bokeh.video.packet_pictures import picture_counter
from tests.video.native_clips import planes_of, write_clip
from tests.video.stream_surgery import (
    field_coded,
    field_coded_picture,
    with_dropped_frames,
    with_packed_b_frames,
    with_packets,
)


def frames_of(path: Path, **reading: bool) -> list[Frame]:
    with open_source(path, reading=Reading(deinterlace="off", **reading)) as source:  # type: ignore[arg-type]
        frames = list(source.frames())
        assert source.info.frame_count == len(frames)
        assert not any(frame.is_past_end for frame in frames)
        for start in range(len(frames)):
            [alone] = source.frames(start, start + 1)
            assert alone.time_s == frames[start].time_s
            assert np.array_equal(alone.pixels, frames[start].pixels), f"frame {start}"
    return frames


def remarks_of(path: Path) -> list[str]:
    remarks: list[str] = []
    with open_source(path) as source:
        source.tell(remarks.append)
    return remarks


@pytest.mark.parametrize("name", ["avchd.ts", "avchd.mp4", "avchd.mkv", "avchd.h264"])
def test_two_fields_in_two_packets_are_one_frame(tmp_path: Path, name: str) -> None:
    path = field_coded(tmp_path / name, 10)
    frames = frames_of(path)
    assert [frame.time_s - frames[0].time_s for frame in frames] == [Fraction(n, 25) for n in range(10)]
    assert {frame.duration_s for frame in frames} == {Fraction(1, 25)}
    assert open_source(path).info.fps == 25
    for number, planes in enumerate(planes_of(path)):
        assert np.array_equal(planes[0], field_coded_picture(number))


def test_alternative_reference_frames_of_vp8_are_not_shown(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.webm", encoder="libvpx", options={"g": "50"}, frames=10)
    hidden = with_packets(clip, tmp_path / "hidden.webm", lambda n, data: data if n != 4 else _not_shown(data))
    assert len(frames_of(hidden)) == len(planes_of(hidden)) == 9


def test_hidden_packets_of_vp9_are_told_by_their_first_byte() -> None:
    count = picture_counter("vp9", None)
    assert count is not None
    shown, hidden, shown_again, superframe = 0b10000110, 0b10000100, 0b10001000, 0b11000001
    assert [count(bytes([first, 0])) for first in (shown, hidden, shown_again)] == [1, 0, 1]
    assert count(bytes([hidden, 0, superframe])) == 1
    assert [count(bytes([first, 0])) for first in (0b10110011, 0b10110010)] == [1, 0]  # profile 3


def test_frames_that_were_dropped_leave_the_one_before_on_show(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", encoder="mjpeg", pixel_format="yuvj420p", frames=10)
    path = with_dropped_frames(clip, tmp_path / "captured.avi", (3, 6))
    frames = frames_of(path, strict=True)
    assert [frame.time_s * 24 for frame in frames] == [0, 1, 2, 4, 5, 7, 8, 9]
    assert [frame.duration_s * 24 for frame in frames] == [1, 1, 2, 1, 2, 1, 1, 1]
    assert open_source(path).info.dropped_frames == (3, 6)
    assert remarks_of(path) == [
        f"{path}: 2 of its 10 frames were dropped when it was made; the frames before them are shown for longer"
    ]


def test_header_that_counts_too_many_is_told(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", encoder="mjpeg", pixel_format="yuvj420p", frames=6)
    data = bytearray(path.read_bytes())
    length = data.index(b"strh") + 8 + 32  # dwLength of the stream's header
    assert struct.unpack_from("<I", data, length) == (6,)
    struct.pack_into("<I", data, length, 9)
    path.write_bytes(data)
    assert len(frames_of(path)) == 6
    assert remarks_of(path) == [f"{path}: its header counts 9 frames but 6 are there"]
    with pytest.raises(InputError, match="its header counts 9 frames but 6 are there"):
        open_source(path, reading=Reading(strict=True))


def test_packed_b_frames_are_each_a_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", encoder="mpeg4", options={"bf": "1", "g": "50"}, frames=12)
    frames = frames_of(with_packed_b_frames(clip, tmp_path / "packed.avi"))
    assert len({frame.pixels.tobytes() for frame in frames}) == 12
    assert [frame.time_s - frames[0].time_s for frame in frames] == [Fraction(n, 24) for n in range(12)]


def test_reordered_frames_of_avi_are_in_order_and_in_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", options={"bf": "2"}, frames=10)
    frames = frames_of(path)
    assert [frame.time_s - frames[0].time_s for frame in frames] == [Fraction(n, 24) for n in range(10)]
    brightness = [frame.pixels.mean() for frame in frames]
    assert brightness == sorted(brightness)  # as the clip was drawn


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("clip.mp4", "libx264", {"bf": "2"}),
        ("woven.ts", "libx264", {"bf": "2", "x264-params": "tff=1"}),
        ("clip.mkv", "libx265", {"x265-params": "log-level=none:asm=0"}),
        ("clip.webm", "libvpx-vp9", {}),
        ("clip.mpg", "mpeg2video", {"bf": "2"}),
        ("clip.avi", "mpeg4", {}),
        ("clip.h264", "libx264", {"bf": "2"}),
    ],
)
def test_ordinary_files_are_not_decoded_to_be_counted(
    tmp_path: Path, name: str, encoder: str, options: dict[str, str]
) -> None:
    path = write_clip(tmp_path / name, encoder=encoder, options=options, frames=12)
    times = frame_times(path, Reading())
    assert len(times.times) == len(planes_of(path)) == 12
    assert not times.measured


def test_disparity_videos_are_counted_alike(tmp_path: Path) -> None:
    path = field_coded(tmp_path / "maps.ts", 6)
    maps = GreyVideo(path, noun="disparity")
    assert maps.frame_count == len(list(maps.frames(0, 6))) == 6


def _not_shown(data: bytes) -> bytes:
    return bytes([data[0] & ~16]) + data[1:]


def test_colour_range_of_mpeg_2_is_read(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mpg", encoder="mpeg2video", options={"bf": "2"}, frames=4)
    assert open_source(path).info.color.full_range is False
