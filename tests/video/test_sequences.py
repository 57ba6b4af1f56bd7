"""Folders, patterns and single images, in and out: exact, in order, linear where they are EXR."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from any2bokeh.video import Encoding, natural_sorted, open_sink, open_source
from any2bokeh.video.image import read_image
from tests.video.native_clips import write_clip
from tests.video.test_container_sink import copy


def image(index: int, dtype: str, size: tuple[int, int] = (24, 16)) -> NDArray:
    """``(H, W, 3)`` RGB noise; floats reach above 1."""
    random = np.random.default_rng(index)
    if dtype == "half":
        return (random.random((size[1], size[0], 3)) * 4).astype(np.float16).astype(np.float32)
    return random.integers(0, np.iinfo(dtype).max + 1, (size[1], size[0], 3)).astype(dtype)


def write(path: Path, samples: NDArray, kind: str) -> None:
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), oiio.ImageSpec(samples.shape[1], samples.shape[0], samples.shape[2], kind))
    assert output.write_image(samples)
    assert output.close()


def write_folder(folder: Path, kind: str, extension: str, count: int = 3) -> Path:
    folder.mkdir()
    for index in range(count):
        write(folder / f"f{index}.{extension}", image(index, kind), kind)
    return folder


def read(path: Path) -> NDArray:
    buffer = oiio.ImageInput.open(str(path))
    assert buffer is not None
    samples = buffer.read_image(buffer.spec().format)
    buffer.close()
    assert samples is not None
    return samples


def test_natural_order() -> None:
    names = ["f10.png", "f9.png", "f09.png", "F1.png", "a/f2.png", "f1.png", "f1b.png", "g.png"]
    ordered = [str(path) for path in natural_sorted(map(Path, names))]
    assert ordered == ["a/f2.png", "F1.png", "f1.png", "f1b.png", "f09.png", "f9.png", "f10.png", "g.png"]


def test_folder_is_read_in_natural_order_without_hidden_files(tmp_path: Path) -> None:
    for index in range(12):
        write(tmp_path / f"frame{index}.png", np.full((4, 4, 3), 20 * index, np.uint8), "uint8")
    (tmp_path / "._frame0.png").write_bytes(b"dropping")
    (tmp_path / "notes.txt").write_text("none")
    for given in (tmp_path, tmp_path / "frame*.png"):
        source = open_source(given)
        assert source.info.frame_count == 12
        assert [round(float(frame.pixels[0, 0, 0] * 255)) for frame in source.frames()] == list(range(0, 240, 20))
        assert [frame.index for frame in source.frames(5, 8)] == [5, 6, 7]


def test_one_image(tmp_path: Path) -> None:
    write(tmp_path / "still.png", image(0, "uint8"), "uint8")
    info = open_source(tmp_path / "still.png").info
    assert (info.frame_count, info.width, info.height, info.is_sequence) == (1, 24, 16, True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Fraction(24)),
        (29.97, Fraction(30000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rate_of_a_sequence(tmp_path: Path, given: float | str | None, expected: Fraction) -> None:
    source = open_source(write_folder(tmp_path / "in", "uint8", "png"), fps=given)
    assert source.info.fps == expected
    assert [frame.time_s for frame in source.frames()] == [index / expected for index in range(3)]
    assert source.index_at(1 / expected) == 1


@pytest.mark.parametrize(
    ("kind", "extension"), [("uint8", "png"), ("uint16", "png"), ("uint8", "tif"), ("uint16", "tif")]
)
@pytest.mark.parametrize("untouched", [True, False])
def test_images_come_back_exactly(tmp_path: Path, kind: str, extension: str, untouched: bool) -> None:
    source = write_folder(tmp_path / "in", kind, extension)
    assert open_source(source).info.bit_depth == (8 if kind == "uint8" else 16)
    result = copy(source, tmp_path / "out", untouched=untouched)
    assert sorted(path.name for path in result.iterdir()) == ["f0.png", "f1.png", "f2.png"]
    for index in range(3):
        found = read(result / f"f{index}.png")
        assert np.array_equal(found, image(index, kind))


def test_jpeg_is_read_as_its_decoder_gives_it(tmp_path: Path) -> None:
    smooth = cv2.resize(image(0, "uint8", (4, 3)), (40, 30), interpolation=cv2.INTER_CUBIC)
    assert cv2.imwrite(str(tmp_path / "0.jpg"), smooth)
    frame = next(open_source(tmp_path).frames())
    expected = np.asarray(cv2.imread(str(tmp_path / "0.jpg")))[:, :, ::-1]
    assert np.array_equal(np.rint(frame.pixels * 255), np.moveaxis(expected, 2, 0))


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey_is_repeated_and_alpha_left_out(tmp_path: Path, channels: int, dtype: str) -> None:
    samples = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (5, 7, channels)).astype(dtype)
    assert cv2.imwrite(str(tmp_path / "0.png"), samples)
    expected = samples[:, :, 2::-1] if channels == 4 else np.repeat(samples, 3, axis=2)
    assert np.array_equal(read_image(tmp_path / "0.png").samples, expected)


def test_exr_is_linear_and_comes_back_exactly(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "half", "exr")
    info = open_source(source).info
    assert (info.transfer, info.is_float, info.bit_depth) == ("linear", True, 16)
    frame = next(open_source(source).frames())
    assert frame.pixels.max() > 3
    assert np.array_equal(frame.pixels, np.moveaxis(image(0, "half"), 2, 0))
    result = copy(source, tmp_path / "out")
    for index in range(3):
        path = result / f"f{index}.exr"
        assert str(oiio.ImageInput.open(str(path)).spec().format) == "half"  # type: ignore[union-attr]
        assert np.array_equal(np.asarray(read(path), np.float32), image(index, "half"))


def test_undefined_pixels_of_exr_do_not_spread(tmp_path: Path) -> None:
    samples = image(0, "half")
    samples[0, 0] = np.nan
    samples[0, 1] = np.inf
    write(tmp_path / "0.exr", samples, "half")
    pixels = next(open_source(tmp_path).frames()).pixels
    assert (pixels[:, 0, 0] == 0).all()
    assert (pixels[:, 0, 1] == 65504).all()


def test_exr_channels_are_found_by_name(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(3, 2, 4, "half")
    spec.channelnames = ("B", "Z", "R", "G")
    output = oiio.ImageOutput.create(str(tmp_path / "0.exr"))
    assert output is not None
    output.open(str(tmp_path / "0.exr"), spec)
    output.write_image(np.tile(np.array([3, 9, 1, 2], np.float32), (2, 3, 1)))
    output.close()
    assert next(open_source(tmp_path).frames()).pixels[:, 0, 0].tolist() == [1, 2, 3]


def test_exr_is_encoded_to_srgb_in_png_and_video(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "half", "exr")
    expected = [srgb_encode(np.moveaxis(image(index, "half"), 2, 0)) for index in range(3)]
    images = copy(source, tmp_path / "out", Encoding("png"))
    assert open_source(images).info.bit_depth == 16
    for frame, codes in zip(open_source(images).frames(), expected, strict=True):
        assert np.abs(frame.pixels - codes).max() <= 0.5 / 65535 + 1e-7
    video = copy(source, tmp_path / "out.mkv", Encoding("ffv1"))
    info = open_source(video).info
    assert (info.transfer, info.color.primaries, info.color.transfer) == ("srgb", 1, 13)
    for frame, codes in zip(open_source(video).frames(), expected, strict=True):
        assert np.abs(frame.pixels - codes).max() <= 0.5 / 65535 + 1e-7


def test_srgb_is_decoded_in_exr(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "uint8", "png")
    result = copy(source, tmp_path / "out", Encoding("exr"))
    for index, frame in enumerate(open_source(result).frames()):
        expected = srgb_decode(np.moveaxis(image(index, "uint8"), 2, 0) / np.float32(255))
        # Half precision keeps 11 bits.
        assert np.abs(frame.pixels - expected).max() <= 2**-12


def test_hdr_video_is_not_written_as_exr(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", tags=(9, 16, 9, 1))
    with pytest.raises(InputError, match="is PQ, which EXR output does not cover"):
        open_sink(tmp_path / "out", open_source(clip), encoding=Encoding("exr"))


def test_ten_bit_video_gives_sixteen_bit_images(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", encoder="ffv1", pixel_format="yuv444p10le", frames=2, tags=(1, 1, 1, 1))
    result = copy(clip, tmp_path / "out")
    for frame, found in zip(open_source(clip).frames(), open_source(result).frames(), strict=True):
        assert np.abs(found.pixels - frame.pixels).max() <= 0.5 / 65535 + 1e-7


def test_images_become_tagged_video(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "uint8", "png")
    info = open_source(copy(source, tmp_path / "out.mp4")).info
    assert (info.codec, info.pixel_format, info.bit_depth) == ("h264", "yuv420p", 8)
    assert (info.color.primaries, info.color.transfer, info.color.matrix, info.color.full_range) == (1, 13, 1, False)
    lossless = copy(source, tmp_path / "out.mkv", Encoding("ffv1"))
    for index, frame in enumerate(open_source(lossless).frames()):
        assert np.array_equal(np.rint(frame.pixels * 255), np.moveaxis(image(index, "uint8"), 2, 0))


def test_folder_is_replaced_only_when_complete(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "uint8", "png")
    result = copy(source, tmp_path / "out")
    (result / "notes.txt").write_text("mine")
    before = (result / "f0.png").read_bytes()
    opened = open_source(source)

    def overwrite(*, fail: bool) -> None:
        with open_sink(result, opened, overwrite=True) as sink:
            for frame in opened.frames():
                sink.write(frame, 1 - frame.pixels)
            if fail:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        overwrite(fail=True)
    assert (result / "f0.png").read_bytes() == before
    overwrite(fail=False)
    assert np.array_equal(read(result / "f0.png"), 255 - image(0, "uint8"))
    assert sorted(path.name for path in result.iterdir()) == ["f0.png", "f1.png", "f2.png", "notes.txt"]
    assert (result / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["00003.png", "holiday.jpg", "00000.exr"])
def test_images_that_would_mix_with_the_result_are_not_deleted(tmp_path: Path, name: str) -> None:
    source = write_folder(tmp_path / "in", "uint8", "png")
    result = copy(source, tmp_path / "out")
    (result / name).write_bytes(b"mine")
    with pytest.raises(InputError, match=rf"holds 1 images that are not replaced by the 3 .*\(first: {name}\)"):
        open_sink(result, open_source(source), overwrite=True)
    assert (result / name).read_bytes() == b"mine"


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", "uint8", "png")
    (tmp_path / "out").mkdir()
    result = copy(source, tmp_path / "out", start=1)
    assert sorted(path.name for path in result.iterdir()) == ["f1.png", "f2.png"]
    assert np.array_equal(read(result / "f1.png"), image(1, "uint8"))


def test_video_file_is_replaced_only_when_complete(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in", "uint8", "png"))
    (tmp_path / "out.mp4").write_text("precious")

    def overwrite(*, fail: bool) -> None:
        with open_sink(tmp_path / "out.mp4", source, overwrite=True) as sink:
            for frame in source.frames():
                sink.write(frame, frame.pixels)
            assert (tmp_path / "out.mp4").read_text() == "precious"
            if fail:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        overwrite(fail=True)
    assert (tmp_path / "out.mp4").read_text() == "precious"
    overwrite(fail=False)
    assert open_source(tmp_path / "out.mp4").info.frame_count == 3
