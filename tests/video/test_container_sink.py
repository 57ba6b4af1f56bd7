"""What is written is what was read: samples, times, colour tags, shape."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.video import Encoding, open_sink, open_source
from tests.video.exr_files import Part, write_parts
from tests.video.native_clips import FRAMES, HEIGHT, WIDTH, planes_of, times_of, write_clip

EIGHT_BITS = ["yuv420p", "yuv422p", "yuv444p", "yuv440p", "gray", "bgr0"]
DEEPER = ["yuv420p10le", "yuv422p12le", "yuv444p16le", "gray10le", "gbrp10le", "gbrp16le"]


def copy(
    source_path: Path,
    path: Path,
    encoding: Encoding | None = None,
    *,
    untouched: bool = True,
    start: int = 0,
    stop: int | None = None,
    notice: Callable[[str], None] | None = None,
) -> Path:
    """Read and write; ``untouched`` hands the very arrays on, else equal copies of them."""
    with (
        open_source(source_path) as source,
        open_sink(path, source, encoding=encoding, start=start, stop=stop, notice=notice) as sink,
    ):
        for frame in source.frames(start, stop):
            sink.write(frame, frame.pixels if untouched else frame.pixels.copy())
    return path


def assert_same_planes(found: list[list[NDArray]], expected: list[list[NDArray]]) -> None:
    for a, b in zip(found, expected, strict=True):
        for plane, other in zip(a, b, strict=True):
            assert np.array_equal(plane, other)


@pytest.mark.parametrize("untouched", [True, False])
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (47, 31)])
@pytest.mark.parametrize("pixel_format", [*EIGHT_BITS, *DEEPER])
def test_lossless_copy_is_bit_exact(tmp_path: Path, pixel_format: str, size: tuple[int, int], untouched: bool) -> None:
    # Equal copies of the pixels come back exactly too: where nothing changed, the sink takes the old samples.
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format=pixel_format, size=size, frames=3, noise=True)
    result = copy(clip, tmp_path / "out.mkv", Encoding("ffv1"), untouched=untouched)
    assert open_source(result).info.pixel_format == pixel_format
    found, expected = planes_of(result), planes_of(clip)
    if pixel_format == "bgr0":  # the fourth byte means nothing
        found = [[plane.reshape(size[1], -1) for plane in planes] for planes in found]
    assert_same_planes(found, expected)


@pytest.mark.parametrize("rotation_deg", [-90, 90, 180])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le"])
def test_rotation_is_applied_once_and_the_tag_cleared(tmp_path: Path, rotation_deg: int, pixel_format: str) -> None:
    aspect = Fraction(4, 3) if pixel_format == "yuv420p" else None
    clip = write_clip(tmp_path / "in.mov", rotation_deg=rotation_deg, pixel_format=pixel_format, sample_aspect=aspect)
    # Both are lossless; only H.264 keeps a pixel aspect, only FFV1 10 bits.
    result = copy(clip, tmp_path / "out.mkv", Encoding("h264", quality=0) if aspect else Encoding("ffv1"))
    before, after = open_source(clip).info, open_source(result).info
    assert (after.width, after.height) == (before.width, before.height)
    assert (after.rotation_deg, after.sample_aspect) == (0, before.sample_aspect)
    turned = [[np.rot90(plane, rotation_deg // 90) for plane in planes] for planes in planes_of(clip)]
    assert_same_planes(planes_of(result), turned)


@pytest.mark.parametrize("extension", [".mp4", ".mov"])
def test_time_stamps_are_kept_exactly(tmp_path: Path, extension: str) -> None:
    stamps = [1500, 4503, 7506, 7600, 16000, 90000, 90001]
    clip = write_clip(
        tmp_path / "in.mp4",
        pts=stamps,
        time_base=Fraction(1, 90000),
        options={"bf": "2"},
        container_options={"movie_timescale": "90000"},
    )
    result = copy(clip, tmp_path / f"out{extension}", untouched=False)
    assert times_of(result) == [Fraction(stamp, 90000) for stamp in stamps]


@pytest.mark.parametrize("extension", [".mkv", ".webm"])
def test_time_stamps_are_kept_to_the_millisecond_of_matroska(tmp_path: Path, extension: str) -> None:
    stamps = [0, 3003, 6006, 9009, 10000, 30000]
    clip = write_clip(tmp_path / "in.mp4", pts=stamps, time_base=Fraction(1, 90000))
    result = copy(clip, tmp_path / f"out{extension}")
    # Matroska counts milliseconds, so half of one is the most that rounding takes.
    errors = [abs(a - Fraction(b, 90000)) for a, b in zip(times_of(result), stamps, strict=True)]
    assert max(errors) <= Fraction(1, 2000)


@pytest.mark.parametrize("encoding", [Encoding(), Encoding("hevc"), Encoding("h264", preset="medium")])
def test_last_frame_is_shown_for_as_long_as_in_the_source(tmp_path: Path, encoding: Encoding) -> None:
    clip = write_clip(tmp_path / "in.mp4")
    result = copy(clip, tmp_path / "out.mp4", encoding)
    with av.open(str(result)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == Fraction(FRAMES, 24)


@pytest.mark.parametrize("size", [(96, 64), (160, 128)])
def test_few_frames_of_hevc(tmp_path: Path, size: tuple[int, int]) -> None:
    """x265 gives random decoding times to clips that are shorter than the delay of their B-frames."""
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format="yuv420p10le", size=size, frames=9)
    for count in (1, 1, 1, 2, 2, 2, 3, 7):
        result = tmp_path / f"{count}.mp4"
        result.unlink(missing_ok=True)
        with av.open(str(copy(clip, result, stop=count))) as container:
            stream = container.streams.video[0]
            times = [(packet.pts, packet.dts) for packet in container.demux(stream) if packet.size]
        assert len(times) == count
        assert times[0] == (0, 0)
        assert all(shown == decoded for shown, decoded in times)


def test_trimmed_range_begins_at_zero(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", options={"bf": "2", "g": "4"})
    result = copy(clip, tmp_path / "out.mp4", start=3, stop=7)
    assert times_of(result) == [Fraction(index, 24) for index in range(4)]
    before, after = planes_of(clip)[3:7], planes_of(result)
    # H.264 at its default quality; worst seen 0.34 codes of mean difference.
    assert max(np.abs(a[0].astype(int) - b[0]).mean() for a, b in zip(after, before, strict=True)) < 0.6


@pytest.mark.parametrize("extension", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize(
    "tags", [(1, 1, 1, 1), (1, 13, 1, 2), (6, 6, 6, 1), (9, 16, 9, 1), (9, 18, 9, 1), (2, 2, 2, 0), (2, 2, 2, 1)]
)
def test_colour_tags_are_kept(tmp_path: Path, tags: tuple[int, int, int, int], extension: str) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", tags=tags, frames=2)
    before = open_source(clip).info
    after = open_source(copy(clip, tmp_path / f"out{extension}")).info
    # VP9 always states a range, and limited is what an unstated one means.
    full_range = False if extension == ".webm" and before.color.full_range is None else before.color.full_range
    assert after.color == replace(before.color, full_range=full_range)
    assert after.transfer == before.transfer
    assert (before.color.primaries, before.color.transfer, before.color.matrix) == tags[:3]


@pytest.mark.parametrize("untouched", [True, False])
@pytest.mark.parametrize(
    ("source_format", "source_range", "name", "codec"),
    [
        ("yuv422p10le", 2, "out.mov", "prores"),
        ("yuv420p", 2, "out.mkv", "prores"),
        ("yuva444p10le", 2, "out.mov", "prores"),
        ("gray", 0, "out.mp4", "auto"),
        ("gray10le", 0, "out.mov", "prores"),
        ("gray16le", 0, "out.mkv", "hevc"),
        ("gray", 0, "out.webm", "auto"),
    ],
)
def test_full_range_that_a_result_cannot_tell_is_converted(
    tmp_path: Path, source_format: str, source_range: int, name: str, codec: Any, untouched: bool
) -> None:
    """ProRes has no full range; grey that says nothing is full, YUV that says nothing is limited."""
    tags = (2, 2, 2, source_range)
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format=source_format, size=(64, 48), tags=tags)
    result = copy(clip, tmp_path / name, Encoding(codec), untouched=untouched)
    assert open_source(result).info.color.full_range is False
    with open_source(clip) as before, open_source(result) as after:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            # Lossy codecs on slopes; worst seen 0.60 of 255 (grey in VP9). With the wrong range it is 2.8 and more.
            assert np.abs(old.pixels - new.pixels).mean() * 255 < 0.8


@pytest.mark.parametrize(
    ("name", "encoding", "source_format", "expected"),
    [
        ("out.mp4", Encoding(), "yuv420p", ("h264", "yuv420p")),
        ("out.mp4", Encoding(), "yuv444p", ("h264", "yuv420p")),
        ("out.mkv", Encoding(), "yuv444p", ("h264", "yuv444p")),
        ("out.mp4", Encoding("h264"), "yuv444p", ("h264", "yuv444p")),
        ("out.mov", Encoding(quality=0), "yuv444p", ("h264", "yuv444p")),
        ("out.mp4", Encoding(), "yuv420p10le", ("hevc", "yuv420p10le")),
        ("out.mp4", Encoding(), "gbrp16le", ("hevc", "yuv420p10le")),
        ("out.mkv", Encoding(), "yuv444p12le", ("hevc", "yuv444p10le")),
        ("out.mp4", Encoding(quality=0), "yuv422p12le", ("hevc", "yuv422p12le")),
        ("out.mkv", Encoding(), "yuv422p10le", ("hevc", "yuv422p10le")),
        ("out.mp4", Encoding("h264"), "yuv420p10le", ("h264", "yuv420p10le")),
        ("out.mov", Encoding("hevc"), "yuv420p", ("hevc", "yuv420p")),
        ("out.mov", Encoding("prores"), "yuv420p", ("prores", "yuv422p10le")),
        ("out.mov", Encoding("prores"), "yuv444p12le", ("prores", "yuv444p12le")),
        ("out.mkv", Encoding("ffv1"), "gbrp10le", ("ffv1", "gbrp10le")),
        ("out.webm", Encoding(), "yuv420p", ("vp9", "yuv420p")),
        ("out.webm", Encoding(pixel_format="yuv420p"), "yuv420p10le", ("vp9", "yuv420p")),
    ],
)
def test_codec_and_depth(
    tmp_path: Path, name: str, encoding: Encoding, source_format: str, expected: tuple[str, str]
) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format=source_format, size=(64, 48), tags=(1, 1, 1, 1))
    result = copy(clip, tmp_path / name, encoding, untouched=False)
    info = open_source(result).info
    assert (info.codec, info.pixel_format) == expected
    assert (info.width, info.height, info.frame_count) == (64, 48, FRAMES)
    with open_source(clip) as before, open_source(result) as after:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            # Lossy codecs on slopes; worst seen 1.18 of 255 (HEVC, 8 bits).
            assert np.abs(old.pixels - new.pixels).mean() * 255 < 1.5


@pytest.mark.parametrize(
    ("source_format", "name", "encoding", "expected"),
    [
        ("yuv444p", "out.mp4", Encoding(), "4:4:4 becomes 4:2:0, so that players open it"),
        ("yuv422p10le", "out.mov", Encoding(), "4:2:2 becomes 4:2:0, so that players open it"),
        ("yuv420p12le", "out.mkv", Encoding(), "12 bits become 10, so that players open it"),
        ("gray16le", "out.mp4", Encoding(), "16 bits become 10, so that players open it"),
        ("gbrp16le", "out.mkv", Encoding("hevc"), "16 bits become 12, as hevc has it"),
        ("yuv420p", "out.mp4", Encoding(), None),
        ("yuv420p10le", "out.mov", Encoding(), None),
    ],
)
def test_what_players_need_is_told(
    tmp_path: Path, source_format: str, name: str, encoding: Encoding, expected: str | None
) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format=source_format, size=(64, 48), frames=1)
    told: list[str] = []
    result = copy(clip, tmp_path / name, encoding, notice=told.append)
    remedy = ".mkv with --codec ffv1 keeps what there is"
    assert told == ([] if expected is None else [f"in {result}, {expected}; {remedy}"])


@pytest.mark.parametrize("bits", [16, 32])
def test_light_of_exr_in_a_video_is_told(tmp_path: Path, bits: int) -> None:
    image = np.full((48, 64, 3), 0.5, np.float32)
    write_parts(tmp_path / "0001.exr", Part(image, kind="half" if bits == 16 else "float"))
    told: list[str] = []
    result = copy(tmp_path / "0001.exr", tmp_path / "out.mp4", notice=told.append)
    assert open_source(result).info.pixel_format == "yuv420p10le"
    assert told == [
        f"in {result}, scene-linear light becomes 10 bits, so that players open it; a folder of exr keeps what there is"
    ]


@pytest.mark.parametrize("size", [(65, 48), (64, 49), (65, 49)])
@pytest.mark.parametrize("name", ["out.mkv", "out.webm", "hevc.mp4", "prores.mov"])
def test_odd_sizes_are_kept(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    codec: Any = {"hevc.mp4": "hevc", "prores.mov": "prores"}.get(name, "auto")
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", size=size, frames=2)
    result = copy(clip, tmp_path / name, Encoding(codec))
    info = open_source(result).info
    assert (info.width, info.height) == size
    with open_source(clip) as before, open_source(result) as after:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            # Lossy codecs on slopes; worst seen 1.07 of 255 (VP9).
            assert np.abs(old.pixels - new.pixels).mean() * 255 < 1.5


@pytest.mark.parametrize(("size", "written"), [((65, 48), (66, 48)), ((64, 49), (64, 50)), ((47, 31), (48, 32))])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("untouched", [True, False])
def test_odd_sizes_are_made_even_for_players(
    tmp_path: Path, size: tuple[int, int], written: tuple[int, int], pixel_format: str, untouched: bool
) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", size=size, pixel_format=pixel_format, frames=2)
    told: list[str] = []
    result = copy(clip, tmp_path / "out.mp4", untouched=untouched, notice=told.append)
    info = open_source(result).info
    assert (info.width, info.height) == written
    assert info.pixel_format == ("yuv420p10le" if "10" in pixel_format else "yuv420p")
    assert sum(f"{size[0]}x{size[1]} becomes {written[0]}x{written[1]}" in line for line in told) == 1
    with open_source(clip) as before, open_source(result) as after:
        for old, new in zip(before.frames(), after.frames(), strict=True):
            expected = np.pad(old.pixels, ((0, 0), (0, written[1] - size[1]), (0, written[0] - size[0])), mode="edge")
            # Lossy codecs on slopes; worst seen 0.78 of 255.
            assert np.abs(expected - new.pixels).mean() * 255 < 1.2


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_pixel_aspect_and_title_are_kept(tmp_path: Path, name: str) -> None:
    clip = write_clip(tmp_path / "in.mp4", sample_aspect=Fraction(16, 11))
    info = open_source(copy(clip, tmp_path / name)).info
    assert info.sample_aspect == Fraction(16, 11)
    assert info.metadata.get("title", info.metadata.get("TITLE")) == "a clip"


def test_pixel_aspect_that_would_be_lost_is_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", sample_aspect=Fraction(16, 11))
    with open_source(clip) as source, pytest.raises(InputError, match=r"pixel aspect 16/11 .* codec vp9; write \.mp4"):
        open_sink(tmp_path / "out.webm", source)
    assert open_source(copy(clip, tmp_path / "out.mp4", Encoding("vp9"))).info.sample_aspect == Fraction(16, 11)


def test_only_changed_samples_are_encoded_anew(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", noise=True, frames=2)
    with open_source(clip) as source, open_sink(tmp_path / "out.mkv", source, encoding=Encoding("ffv1")) as sink:
        for frame in source.frames():
            pixels = frame.pixels.copy()
            pixels[:, :, WIDTH // 2 :] = 0.5
            sink.write(frame, pixels)
    for before, after in zip(planes_of(clip), planes_of(tmp_path / "out.mkv"), strict=True):
        for old, new in zip(before, after, strict=True):
            assert np.array_equal(new[:, : old.shape[1] // 2], old[:, : old.shape[1] // 2])
        changed = after[0][:, WIDTH // 2 :]
        assert np.isin(changed, (125, 126)).all()
        assert changed.mean() == pytest.approx(125.5, abs=0.05)  # 0.5 between two codes, dithered


def test_repeated_time_stamps_keep_every_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4")
    with open_source(clip) as source, open_sink(tmp_path / "out.mp4", source) as sink:
        frame = next(source.frames())
        for _ in range(4):
            sink.write(frame, frame.pixels)
    assert len(times_of(tmp_path / "out.mp4")) == 4


@pytest.mark.parametrize(
    ("name", "source_format", "encoding", "message"),
    [
        ("out.webm", "yuv420p10le", Encoding(), r"vp9 cannot hold the 10 bits of .*hevc or ffv1.*yuv420p"),
        ("out.mp4", "yuv420p", Encoding("prores"), r"\.mp4 cannot hold codec prores; write \.mov or \.mkv"),
        ("out.webm", "yuv420p", Encoding("h264"), r"\.webm cannot hold codec h264; write \.mp4 .* choose vp9"),
        ("out.mov", "yuv420p", Encoding("vp9"), r"\.mov cannot hold codec vp9"),
        ("out.mp4", "yuv420p", Encoding("png"), r"codec png is for folders"),
        ("out.mp4", "yuv420p", Encoding(pixel_format="yuv420p16le"), r"h264 cannot hold pixel format yuv420p16le"),
        ("out.mp4", "yuv420p", Encoding(quality=99), r"quality is 99 for codec h264; give 0 \(best\) to 51"),
        ("out.mkv", "yuv420p", Encoding("ffv1", quality=5), r"codec ffv1 is lossless"),
        ("out.mp4", "yuv420p", Encoding(preset="brisk"), r"codec h264 .*preset brisk"),
        ("out.avi", "yuv420p", Encoding(), r"\.avi is not one of \.mp4"),
    ],
)
def test_what_does_not_fit_is_told_before_any_frame(
    tmp_path: Path, name: str, source_format: str, encoding: Encoding, message: str
) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format=source_format, frames=1)
    with open_source(clip) as source, pytest.raises(InputError, match=message) as caught:
        open_sink(tmp_path / name, source, encoding=encoding)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_odd_size_with_a_format_that_needs_even_sides(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", size=(47, 31), frames=1)
    with open_source(clip) as source, pytest.raises(InputError, match="47x31 as yuv420p, which needs even sides"):
        open_sink(tmp_path / "out.mp4", source, encoding=Encoding(pixel_format="yuv420p"))


def test_pixels_of_another_size_are_a_defect_of_ours(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4")
    with (
        open_source(clip) as source,
        pytest.raises(ValueError, match=r"pixels are \(3, 8, 8\)"),
        open_sink(tmp_path / "out.mp4", source) as sink,
    ):
        sink.write(next(source.frames()), np.zeros((3, 8, 8), np.float32))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
