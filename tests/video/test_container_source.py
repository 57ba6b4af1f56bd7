"""What a video file is, and that every frame of it comes back, in order and in time."""

import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.video import Frame, open_source
from tests.video.native_clips import FRAMES, HEIGHT, WIDTH, frame_planes, native_frame, planes_of, times_of, write_clip


def read(path: Path, start: int = 0, stop: int | None = None) -> list[Frame]:
    with open_source(path) as source:
        return list(source.frames(start, stop))


def test_describes_a_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", sound="aac", tags=(1, 1, 1, 1), sample_aspect=Fraction(4, 3))
    info = open_source(path).info
    assert (info.width, info.height, info.frame_count, info.fps) == (WIDTH, HEIGHT, FRAMES, 24)
    assert (info.codec, info.pixel_format, info.bit_depth, info.transfer) == ("h264", "yuv420p", 8, "srgb")
    assert (info.color.primaries, info.color.transfer, info.color.matrix, info.color.full_range) == (1, 1, 1, False)
    assert info.sample_aspect == Fraction(4, 3)
    assert info.duration_s == Fraction(FRAMES, 24)
    assert [(track.codec, track.sample_rate, track.channels) for track in info.audio] == [("aac", 48000, 1)]
    assert info.metadata["title"] == "a clip"


def test_untagged_clip_says_so(tmp_path: Path) -> None:
    color = open_source(write_clip(tmp_path / "clip.mkv", encoder="ffv1")).info.color
    assert (color.primaries, color.transfer, color.matrix, color.full_range) == (2, 2, 2, None)


@pytest.mark.parametrize(("transfer", "expected"), [(16, "pq"), (18, "hlg"), (8, "linear"), (13, "srgb"), (2, "srgb")])
def test_transfer_comes_from_the_tags(tmp_path: Path, transfer: int, expected: str) -> None:
    path = write_clip(tmp_path / "clip.mp4", tags=(9, transfer, 9, 1), frames=1)
    assert open_source(path).info.transfer == expected


@pytest.mark.parametrize(
    ("name", "encoder", "pixel_format", "options"),
    [
        ("b_frames.mp4", "libx264", "yuv420p", {"bf": "3", "g": "6"}),
        ("open_gop.mkv", "libx264", "yuv420p", {"bf": "3", "g": "4", "x264-params": "open-gop=1:scenecut=0"}),
        ("hevc.mp4", "libx265", "yuv420p10le", {"x265-params": "log-level=none:asm=0:keyint=4:open-gop=1:bframes=3"}),
        ("intra.mkv", "ffv1", "yuv422p", {}),
        ("transport.ts", "libx264", "yuv420p", {"bf": "2", "g": "5"}),
        ("old.avi", "mpeg4", "yuv420p", {"g": "5"}),
        ("vp9.webm", "libvpx-vp9", "yuv420p", {"g": "5", "auto-alt-ref": "1", "lag-in-frames": "8"}),
    ],
)
def test_any_start_gives_the_same_frames(
    tmp_path: Path, name: str, encoder: str, pixel_format: str, options: dict[str, str]
) -> None:
    path = write_clip(tmp_path / name, encoder=encoder, pixel_format=pixel_format, options=options, frames=14)
    whole = read(path)
    assert [frame.index for frame in whole] == list(range(14))
    assert open_source(path).info.frame_count == 14
    with open_source(path) as source:
        for start in range(14):
            frames = list(source.frames(start, min(start + 2, 14)))
            assert [frame.index for frame in frames] == list(range(start, min(start + 2, 14)))
            for frame in frames:
                assert frame.time_s == whole[frame.index].time_s
                assert np.array_equal(frame.pixels, whole[frame.index].pixels), f"frame {frame.index} from {start}"


def test_times_of_variable_rate_are_kept(tmp_path: Path) -> None:
    stamps = [300, 333, 400, 401, 500, 900, 931]
    path = write_clip(tmp_path / "clip.mp4", pts=stamps, time_base=Fraction(1, 1000), options={"bf": "2"})
    frames = read(path)
    assert [frame.time_s for frame in frames] == [Fraction(stamp, 1000) for stamp in stamps]
    assert [frame.duration_s for frame in frames[:-1]] == [Fraction(b - a, 1000) for a, b in pairwise(stamps)]
    assert open_source(path).info.start_time_s == Fraction(3, 10)


def test_index_at_finds_the_frame_of_a_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", pts=[300, 333, 400, 500], time_base=Fraction(1, 1000))
    source = open_source(path)
    assert [source.index_at(t) for t in (-1, 0, 0.02, 0.033, 0.1, 0.2, 9)] == [0, 0, 1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("pixel_format", "bits"), [("yuv420p", 8), ("yuv422p10le", 10), ("yuv444p12le", 12), ("gray", 8)]
)
def test_pixels_have_the_depth_of_the_samples(tmp_path: Path, pixel_format: str, bits: int) -> None:
    path = write_clip(tmp_path / "clip.mkv", encoder="ffv1", pixel_format=pixel_format, frames=2, noise=True)
    info = open_source(path).info
    frame = read(path)[0]
    assert info.bit_depth == bits
    assert frame.pixels.shape == (3, HEIGHT, WIDTH)
    assert frame.pixels.dtype == np.float32
    assert frame.pixels.flags.c_contiguous
    assert 0 <= frame.pixels.min() <= frame.pixels.max() <= 1
    if bits > 8:
        assert len(np.unique(np.rint(frame.pixels * 255 * 16))) > 1024  # finer than 8 bits could be


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (1, 1, 1, 2), (6, 6, 6, 1), (9, 14, 9, 1)])
def test_matrix_and_range_follow_the_tags(tmp_path: Path, tags: tuple[int, int, int, int]) -> None:
    path = write_clip(tmp_path / "clip.mkv", encoder="ffv1", pixel_format="yuv444p", tags=tags, frames=1)
    native = native_frame(0, WIDTH, HEIGHT, "yuv444p")
    names = {1: "ITU709", 6: "ITU601", 9: "BT2020"}
    expected = native.reformat(
        format="gbrp",
        src_colorspace=names[tags[2]],
        src_color_range="MPEG" if tags[3] == 1 else "JPEG",
        dst_color_range="JPEG",
        interpolation="FULL_CHR_H_INT",
    )
    green, blue, red = (plane.astype(float) for plane in frame_planes(expected))
    # FFmpeg rounds to 8 bits, we do not: half a code; worst seen 0.505.
    assert np.abs(read(path)[0].pixels * 255 - np.stack([red, green, blue])).max() < 0.52


@pytest.mark.parametrize(("size", "expected"), [((1280, 16), 1), ((16, 580), 1), ((720, 576), 6), ((48, 32), 6)])
def test_untagged_matrix_is_the_one_that_players_assume(size: tuple[int, int], expected: int) -> None:
    from any2bokeh.video.color import source_coding
    from any2bokeh.video.info import VideoInfo

    info = VideoInfo(Path("clip.mp4"), *size, Fraction(24), 1, 8, pixel_format="yuv420p", codec="h264")
    assert source_coding(info).matrix == expected
    assert not source_coding(info).full_range


@pytest.mark.parametrize(
    ("counter_clockwise", "expected"),
    [(-90, lambda p: np.rot90(p, -1)), (90, lambda p: np.rot90(p, 1)), (180, lambda p: p[::-1, ::-1])],
)
def test_rotation_is_applied(tmp_path: Path, counter_clockwise: int, expected: Callable) -> None:
    path = write_clip(
        tmp_path / "clip.mp4", rotation_deg=counter_clockwise, sample_aspect=Fraction(2), pixel_format="yuv444p"
    )
    upright = write_clip(tmp_path / "upright.mp4", pixel_format="yuv444p")
    turned, plain = read(path)[0].pixels, read(upright)[0].pixels
    assert np.array_equal(turned, np.stack([expected(plane) for plane in plain]))
    info = open_source(path).info
    assert info.rotation_deg == -counter_clockwise % 360
    quarter = counter_clockwise % 180 != 0
    assert (info.width, info.height) == ((HEIGHT, WIDTH) if quarter else (WIDTH, HEIGHT))
    assert info.sample_aspect == (Fraction(1, 2) if quarter else 2)


def test_frames_outside_the_edit_list_are_not_shown(tmp_path: Path) -> None:
    # A clip whose first frames precede time 0 is stored with an edit list that starts there.
    path = write_clip(tmp_path / "clip.mp4", pts=range(-4, 6), options={"bf": "0"})
    shown = times_of(path)
    source = open_source(path)
    frames = list(source.frames())
    assert source.info.frame_count == len(frames) == len(shown) < 10
    assert [frame.time_s for frame in frames] == shown
    assert np.array_equal(next(source.frames(3, 4)).pixels, frames[3].pixels)


def test_two_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4"))
    expected = [frame.pixels for frame in source.frames()]
    found: dict[int, list] = {}

    def run(number: int) -> None:
        found[number] = [frame.pixels for frame in source.frames()]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pixels in found.values():
        assert all(np.array_equal(a, b) for a, b in zip(pixels, expected, strict=True))


def test_close_ends_a_running_iteration(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4"))
    frames = source.frames()
    next(frames)
    source.close()
    assert list(frames) == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, FRAMES + 1), (5, 4)])
def test_range_outside_the_clip_is_refused(tmp_path: Path, start: int, stop: int) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4"))
    with pytest.raises(InputError, match=rf"frames {start} to {stop} are not in .*clip.mp4, which has {FRAMES}"):
        list(source.frames(start, stop))


def test_decoded_planes_equal_what_was_encoded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", encoder="ffv1", noise=True)
    for found, frame in zip(planes_of(path), read(path), strict=True):
        for a, b in zip(found, frame_planes(frame.native.frame), strict=True):
            assert np.array_equal(a, b)
