"""Images of every kind: read whole, turned as they ask, with their alpha and the meaning of their colours."""

import os
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.optics.transfer import srgb_decode, srgb_encode
from any2bokeh.video import Encoding, open_sink, open_source
from any2bokeh.video.icc import read_profile
from any2bokeh.video.image import read_image
from any2bokeh.video.png import with_profile
from tests.video.exr_files import Part, flat, write_parts
from tests.video.icc_profiles import DISPLAY_P3, SRGB_CURVE, matrix_profile, parametric_curve, profile_of
from tests.video.png_files import exif, write_png_chunks
from tests.video.test_container_sink import copy

P3 = matrix_profile(DISPLAY_P3, parametric_curve(*SRGB_CURVE), name="Display P3")


def noise(dtype: str, channels: int = 3, size: tuple[int, int] = (24, 16)) -> NDArray[Any]:
    """``(H, W, C)``; floats of half precision from -1 to 3."""
    random = np.random.default_rng(5)
    shape = (size[1], size[0], channels)
    if dtype == "float32":
        return (random.random(shape) * 4 - 1).astype(np.float16).astype(np.float32)
    return random.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def write(path: Path, samples: NDArray[Any], kind: str = "", **attributes: Any) -> Path:
    """Write with OpenImageIO; ``__`` in the name of an attribute stands for a colon."""
    height, width, channels = samples.shape
    spec = oiio.ImageSpec(width, height, channels, kind or str(samples.dtype).replace("float32", "float"))
    if channels == 4 and "tiff__ColorSpace" not in attributes:
        spec.channelnames, spec.alpha_channel = ("R", "G", "B", "A"), 3
    elif channels == 4:
        spec.channelnames, spec.alpha_channel = tuple("CMYK"), -1
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    output: Any = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(samples), output.geterror()
    assert output.close()
    return path


def stored(path: Path) -> NDArray[Any]:
    """Samples as they lie in a result."""
    options = oiio.ImageSpec()
    options.attribute("oiio:UnassociatedAlpha", 1)
    source: Any = oiio.ImageInput.open(str(path), options)
    samples = source.read_image(source.spec().format)
    source.close()
    return samples


def remarks_of(path: Path) -> list[str]:
    told: list[str] = []
    with open_source(path) as source:
        source.tell(told.append)
    return told


LOSSLESS = [
    ("a.png", "uint8", 3), ("a.png", "uint16", 3), ("a.png", "uint8", 4), ("a.png", "uint16", 4), ("a.png", "uint8", 1),
    ("a.png", "uint16", 2), ("a.tif", "uint8", 3), ("a.tif", "uint16", 4), ("a.bmp", "uint8", 3), ("a.tga", "uint8", 4),
    ("a.webp", "uint8", 3), ("a.ppm", "uint16", 3), ("a.sgi", "uint8", 3), ("a.dpx", "uint16", 3), ("a.exr", "half", 3),
    ("a.exr", "half", 4), ("a.exr", "float32", 3), ("a.exr", "float32", 4), ("a.tif", "float32", 3),
    ("a.pfm", "float32", 3), ("a.hdr", "float32", 3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "dtype", "channels"), LOSSLESS)
def test_untouched_images_come_back_exactly(tmp_path: Path, name: str, dtype: str, channels: int) -> None:
    samples = noise("float32" if dtype == "half" else dtype, channels)
    if name == "a.hdr":
        samples = np.exp2(np.floor(samples))  # RGBE holds powers of two exactly
    extra = {"compression": "lossless"} if name == "a.webp" else {"oiio__UnassociatedAlpha": 1}
    write(tmp_path / name, samples, "half" if dtype == "half" else "", **({} if name.endswith("exr") else extra))
    expected = samples if channels in (3, 4) else samples[:, :, [0, 0, 0, *range(1, channels)]]
    result = next(copy(tmp_path / name, tmp_path / "out").iterdir())
    assert result.suffix == (".exr" if dtype in ("half", "float32") else ".png")
    found = stored(result)
    assert np.array_equal(found.astype(expected.dtype), expected)
    if dtype == "float32":
        assert found.dtype == np.float32
    elif dtype != "half":
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("kind", ["half", "float"])
def test_untouched_exr_keeps_what_is_not_finite(tmp_path: Path, kind: str) -> None:
    samples = noise("float32")
    samples[0, 0], samples[0, 1], samples[0, 2] = np.nan, np.inf, -np.inf
    write(tmp_path / "1001.exr", samples, kind)
    result = copy(tmp_path / "1001.exr", tmp_path / "out")
    found = np.asarray(stored(result / "1001.exr"), np.float32)
    assert np.array_equal(found, samples, equal_nan=True)
    pixels = next(open_source(tmp_path / "1001.exr").frames()).pixels
    assert np.isfinite(pixels).all()
    assert pixels.min() < 0  # out-of-gamut colours stay
    assert pixels[:, 0, 1].tolist() == [65504] * 3


def test_light_without_end_does_not_spread(tmp_path: Path) -> None:
    from any2bokeh.refocusing import refocus_frames
    from any2bokeh.renderers.layered import LayeredRenderer

    samples = np.full((24, 64, 3), 0.01, np.float32)
    samples[12, 16] = [np.inf, 1e30, np.nan]
    write(tmp_path / "a.exr", samples)
    pixels = next(open_source(tmp_path / "a.exr").frames()).pixels
    disparity = np.full((1, 1, 24, 64), 0.2, np.float32)
    # 60 px of 1024 for each unit of disparity: a disc of 2.6 px.
    blurred = refocus_frames(pixels[None], disparity, 0.9, 60.0, renderer=LayeredRenderer(transfer="linear"))[0]
    assert np.isfinite(blurred).all()
    y, x = np.mgrid[:24, :64]
    # Rounding of sums of 32 bits beside a light of 65504: worst seen 2e-4.
    assert np.abs(blurred[:, np.hypot(y - 12, x - 16) > 6] - 0.01).max() < 1e-3


@pytest.mark.parametrize(
    ("depth", "colour", "rows", "extra", "expected", "alpha"),
    [
        (1, 0, [b"\xa0"], (), [[255] * 3, [0] * 3, [255] * 3], None),
        (2, 0, [b"\x1c"], (), [[0] * 3, [85] * 3, [255] * 3], None),
        (4, 3, [b"\x01\x20"], ((b"PLTE", bytes(range(9))),), [[0, 1, 2], [3, 4, 5], [6, 7, 8]], None),
        (
            8, 3, [b"\0\1\2"], ((b"PLTE", bytes(range(9))), (b"tRNS", b"\0\x80")),
            [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [0, 128, 255],
        ),
        (8, 0, [b"\5\6\7"], ((b"tRNS", b"\0\6"),), [[5] * 3, [6] * 3, [7] * 3], [255, 0, 255]),
        (16, 0, [struct.pack(">HHH", 1, 256, 65535)], (), [[1] * 3, [256] * 3, [65535] * 3], None),
        (8, 4, [b"\1\2\3\4\5\6"], (), [[1] * 3, [3] * 3, [5] * 3], [2, 4, 6]),
    ],
)  # fmt: skip
def test_kinds_of_png(
    tmp_path: Path, depth: int, colour: int, rows: list[bytes], extra: Any, expected: list, alpha: list | None
) -> None:
    image = read_image(write_png_chunks(tmp_path / "a.png", (3, 1), depth, colour, rows, *extra))
    assert image.samples[0].tolist() == expected
    assert (None if image.alpha is None else image.alpha[0].tolist()) == alpha


def test_one_bit_tiff(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", np.array([[[0], [255], [255], [0]]], np.uint8), oiio__BitsPerSample=1)
    assert read_image(tmp_path / "a.tif").samples[0, :, 0].tolist() == [0, 255, 255, 0]


# Where the four quarters of a picture, 1 2 over 3 4, are shown. Source: Exif 3.0, 4.6.5.1.
TURNED = {
    1: [[1, 2], [3, 4]], 2: [[2, 1], [4, 3]], 3: [[4, 3], [2, 1]], 4: [[3, 4], [1, 2]],
    5: [[1, 3], [2, 4]], 6: [[3, 1], [4, 2]], 7: [[4, 2], [3, 1]], 8: [[2, 4], [1, 3]],
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_orientation(tmp_path: Path, kind: str, orientation: int) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "png":
        write_png_chunks(path, (2, 2), 8, 0, [b"\1\2", b"\3\4"], exif(orientation))
    else:
        write(path, np.array([[[1], [2]], [[3], [4]]], np.uint8), Orientation=orientation)
    assert read_image(path).samples[:, :, 0].tolist() == TURNED[orientation]


def test_turned_picture_is_told_with_its_alpha(tmp_path: Path) -> None:
    samples = noise("uint8", 4, (6, 4))
    write(tmp_path / "a.tif", samples, Orientation=6, oiio__UnassociatedAlpha=1)
    with open_source(tmp_path / "a.tif") as source:
        assert (source.info.width, source.info.height, source.info.rotation_deg) == (4, 6, 90)
        frame = next(source.frames())
    assert frame.alpha is not None
    assert np.array_equal(np.rint(frame.alpha[0] * 255), np.rot90(samples[:, :, 3], -1))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_alpha_passes_the_blur_in_png(tmp_path: Path, dtype: str) -> None:
    samples = noise(dtype, 4)
    write(tmp_path / "0001.png", samples, oiio__UnassociatedAlpha=1)
    source, told = open_source(tmp_path / "0001.png"), []
    frame = next(source.frames())
    with open_sink(tmp_path / "out", source, notice=told.append) as sink:
        sink.write(frame, frame.pixels * np.float32(0.5))
    found = stored(tmp_path / "out" / "0001.png")
    assert np.array_equal(found[:, :, 3], samples[:, :, 3])
    assert np.abs(found[:, :, :3].astype(float) - samples[:, :, :3] / 2).max() <= 0.5
    assert told == [f"alpha of {tmp_path}/0001.png is kept unchanged and is not blurred with the picture"]


def test_alpha_between_png_and_exr(tmp_path: Path) -> None:
    samples = np.array([[[200, 100, 50, 128], [90, 80, 70, 0], [10, 20, 30, 255]]], np.uint8)
    write(tmp_path / "1.png", samples, oiio__UnassociatedAlpha=1)
    exr = stored(copy(tmp_path / "1.png", tmp_path / "exr", Encoding("exr")) / "1.exr")
    alpha = samples[:, :, 3:] / np.float32(255)
    light = srgb_decode(samples[:, :, :3] / np.float32(255)) * alpha
    # Half precision keeps 11 bits.
    assert np.abs(exr - np.concatenate([light, alpha], axis=2)).max() < 2**-11
    back = stored(copy(tmp_path / "exr" / "1.exr", tmp_path / "png", Encoding("png")) / "1.png")
    assert back.dtype == np.uint16
    # 11 bits of light, and less where it was multiplied by alpha: worst seen 30 of 65535.
    assert np.abs(back[0, [0, 2]].astype(float) - samples[0, [0, 2]] * 257.0).max() < 60
    assert back[0, 1].tolist() == [0, 0, 0, 0]


def test_associated_tiff_is_straight_in_png(tmp_path: Path) -> None:
    write(tmp_path / "1.tif", np.array([[[100, 50, 20, 128], [0, 0, 0, 0], [9, 8, 7, 255]]], np.uint8))
    found = stored(copy(tmp_path / "1.tif", tmp_path / "out") / "1.png")
    assert found[0].tolist() == [[199, 100, 40, 128], [0, 0, 0, 0], [9, 8, 7, 255]]


def test_alpha_of_exr_beside_blur(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "1.exr", Part(flat([0.4, 0.3, 0.2, 0.5]), "RGBA"))
    source = open_source(path)
    frame = next(source.frames())
    with open_sink(tmp_path / "out", source) as sink:
        sink.write(frame, frame.pixels * np.float32(2))
    found = np.asarray(stored(tmp_path / "out" / "1.exr"), np.float32)
    assert np.allclose(found[0, 0], [0.8, 0.6, 0.4, 0.5], atol=1e-3)


@pytest.mark.parametrize("untouched", [True, False])
def test_alpha_goes_from_images_to_video_and_back(tmp_path: Path, untouched: bool) -> None:
    samples = noise("uint8", 4)
    write(tmp_path / "0001.png", samples, oiio__UnassociatedAlpha=1)
    video = copy(tmp_path / "0001.png", tmp_path / "a.mkv", Encoding("ffv1"), untouched=untouched)
    with open_source(video) as source:
        frame = next(source.frames())
    assert frame.alpha is not None
    assert np.array_equal(np.rint(frame.alpha[0] * 255), samples[:, :, 3])
    back = copy(video, tmp_path / "out", untouched=untouched)
    assert np.array_equal(stored(back / "00000.png"), samples)


def test_alpha_of_exr_is_straight_in_video(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "1.exr", Part(flat([0.25, 0.125, 0.0625, 0.5]), "RGBA"))
    with open_source(copy(path, tmp_path / "a.mkv", Encoding("ffv1"))) as source:
        frame = next(source.frames())
    expected = srgb_encode(np.array([0.5, 0.25, 0.125], np.float32))
    assert np.allclose(frame.pixels[:, 0, 0], expected, atol=1e-4)
    assert frame.alpha is not None
    assert np.allclose(frame.alpha, 0.5, atol=1e-4)


def test_display_window_of_the_result(tmp_path: Path) -> None:
    samples = noise("float32", 3, (8, 6))
    path = write_parts(tmp_path / "1001.exr", Part(samples, at=(-2, 9)), display=(0, 10, 5, 8))
    told = "1001.exr: its overscan (8x6 px of data around a display window of 5x8) is cut off"
    assert remarks_of(path) == [f"{told}; disparity and masks must be of the display window"]
    result = copy(path, tmp_path / "out") / "1001.exr"
    spec = oiio.ImageInput.open(str(result)).spec()  # type: ignore[union-attr]
    assert (spec.x, spec.y, spec.width, spec.height) == (0, 10, 5, 8)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 10, 5, 8)
    found = np.asarray(stored(result), np.float32)
    assert np.array_equal(found[:5], samples[1:, 2:7])
    assert not found[5:].any()


def test_header_of_exr_is_kept(tmp_path: Path) -> None:
    aces = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
    header = {"chromaticities": ("float[8]", aces), "smpte:TimeCode": ("timecode", (0x01020304, 0)), "Copyright": "us"}
    path = write_parts(tmp_path / "1.exr", Part(flat([1, 1, 1])), header=header)
    assert "its primaries are not those of Rec. 709" in remarks_of(path)[0]
    result = oiio.ImageInput.open(str(copy(path, tmp_path / "out") / "1.exr"))
    assert result is not None
    spec = result.spec()
    assert np.allclose(spec.getattribute("chromaticities"), aces)
    assert tuple(spec.getattribute("smpte:TimeCode")) == (0x01020304, 0)
    assert spec.getattribute("Copyright") == "us"


def test_layer_is_chosen_and_the_others_told(tmp_path: Path) -> None:
    from any2bokeh.video import Reading

    path = write_parts(tmp_path / "1.exr", Part(flat([1, 2, 3, 7, 8, 9]), ["R", "G", "B", "ao.R", "ao.G", "ao.B"]))
    assert remarks_of(path) == ["1.exr: layer plain is read; not in the result: ao"]
    source = open_source(path, reading=Reading(layer="ao"))
    assert next(source.frames()).pixels[:, 0, 0].tolist() == [7, 8, 9]
    write(tmp_path / "2.png", noise("uint8"))
    with pytest.raises(InputError, match=r"2\.png has no layers; --layer \(ao\) is for EXR"):
        open_source(tmp_path / "2.png", reading=Reading(layer="ao"))


def write_profiled(path: Path, samples: NDArray[Any], profile: bytes) -> Path:
    write(path.with_suffix(".plain.png"), samples)
    path.write_bytes(with_profile(path.with_suffix(".plain.png").read_bytes(), profile))
    path.with_suffix(".plain.png").unlink()
    return path


def test_profile_is_kept_in_png(tmp_path: Path) -> None:
    samples = noise("uint8")
    path = write_profiled(tmp_path / "1.png", samples, P3)
    result = copy(path, tmp_path / "out") / "1.png"
    assert np.array_equal(stored(result), samples)
    profile = read_image(result).profile
    assert profile is not None
    assert profile.data == P3
    assert remarks_of(path) == [
        "1.png: its colour profile Display P3 is kept in PNG; EXR and video are converted to sRGB"
    ]


def test_profile_is_converted_in_video_and_exr(tmp_path: Path) -> None:
    samples = noise("uint8")
    path = write_profiled(tmp_path / "1.png", samples, P3)
    profile = read_profile(P3)
    assert profile is not None
    light = profile.linear_srgb(np.moveaxis(samples / 255, 2, 0).astype(np.float32))
    exr = stored(copy(path, tmp_path / "out", Encoding("exr")) / "1.exr")
    assert np.abs(exr - np.moveaxis(light, 0, 2)).max() < 2**-10
    video = open_source(copy(path, tmp_path / "out.mkv", Encoding("ffv1")))
    assert (video.info.color.primaries, video.info.color.transfer) == (1, 13)
    codes = np.rint(np.clip(srgb_encode(light), 0, 1) * 255)
    assert np.abs(next(video.frames()).pixels * 255 - codes).max() < 0.01


def test_srgb_profile_and_none_change_nothing(tmp_path: Path) -> None:
    from tests.video.icc_profiles import SRGB

    samples = noise("uint8")
    srgb = matrix_profile(SRGB, parametric_curve(*SRGB_CURVE))
    path = write_profiled(tmp_path / "1.png", samples, srgb)
    assert remarks_of(path) == []
    video = open_source(copy(path, tmp_path / "out.mkv", Encoding("ffv1")))
    assert np.array_equal(np.rint(next(video.frames()).pixels * 255), np.moveaxis(samples, 2, 0))


def test_profile_of_tables_is_told(tmp_path: Path) -> None:
    tables = profile_of({b"A2B0": b"mft2" + bytes(60)}, name="Printer")
    path = write_profiled(tmp_path / "1.png", noise("uint8"), tables)
    assert remarks_of(path) == [
        "1.png: its colour profile Printer works by tables; it is kept in PNG, and not converted"
    ]
    kept = read_image(copy(path, tmp_path / "out") / "1.png").profile
    assert kept is not None
    assert kept.data == tables


def test_profile_of_jpeg_in_pieces(tmp_path: Path) -> None:
    data = cv2.imencode(".jpg", noise("uint8"))[1].tobytes()
    half = len(P3) // 2
    pieces = [b"ICC_PROFILE\0" + bytes([number, 2]) + part for number, part in ((2, P3[half:]), (1, P3[:half]))]
    segments = b"".join(b"\xff\xe2" + struct.pack(">H", len(piece) + 2) + piece for piece in pieces)
    (tmp_path / "1.jpg").write_bytes(data[:2] + segments + data[2:])
    profile = read_image(tmp_path / "1.jpg").profile
    assert profile is not None
    assert (profile.data, profile.name) == (P3, "Display P3")


def test_code_points_of_png_are_kept(tmp_path: Path) -> None:
    path = write_png_chunks(tmp_path / "1.png", (2, 2), 16, 2, [bytes(12)] * 2, (b"cICP", bytes([9, 16, 0, 1])))
    info = open_source(path).info
    assert (info.transfer, info.color.primaries) == ("pq", 9)
    assert open_source(copy(path, tmp_path / "out")).info.transfer == "pq"
    video = open_source(copy(path, tmp_path / "out.mkv", Encoding("ffv1"))).info
    assert (video.transfer, video.color.primaries) == ("pq", 9)


def test_cmyk_is_told(tmp_path: Path) -> None:
    inks = np.zeros((4, 4, 4), np.uint8)
    inks[:, :, 0] = 255
    write(tmp_path / "a.tif", inks, tiff__ColorSpace="CMYK")
    assert "a.tif is CMYK; it is converted to RGB without its profile" in remarks_of(tmp_path / "a.tif")[0]
    assert read_image(tmp_path / "a.tif").samples[0, 0].tolist() == [0, 255, 255]


def test_cmyk_jpeg_is_told(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow writes JPEG in CMYK; OpenCV and OpenImageIO do not")
    pillow.fromarray(np.full((16, 16, 3), [200, 100, 50], np.uint8)).convert("CMYK").save(
        tmp_path / "a.jpg", quality=95
    )
    assert "a.jpg is CMYK; it is converted to RGB without its profile" in remarks_of(tmp_path / "a.jpg")[0]
    # Lossy: worst seen 1 code.
    assert np.abs(read_image(tmp_path / "a.jpg").samples[8, 8].astype(int) - [200, 100, 50]).max() <= 3


def test_log_dpx_is_told(tmp_path: Path) -> None:
    samples = noise("uint16") & 0xFFC0
    write(tmp_path / "a.dpx", samples, oiio__BitsPerSample=10, dpx__Transfer="Printing density")
    write(tmp_path / "b.dpx", samples, oiio__BitsPerSample=10)
    assert "a.dpx is log-encoded; its code values are kept" in remarks_of(tmp_path / "a.dpx")[0]
    assert remarks_of(tmp_path / "b.dpx") == []
    assert open_source(tmp_path / "b.dpx").info.bit_depth == 10
    # Ten bits, repeated below to fill 16.
    assert np.array_equal(np.asarray(read_image(tmp_path / "b.dpx").samples, np.uint16) >> 6, samples >> 6)


def test_linear_png_is_told(tmp_path: Path) -> None:
    gamma = (b"gAMA", struct.pack(">I", 100000))
    write_png_chunks(tmp_path / "a.png", (1, 1), 8, 2, [b"\1\2\3"], gamma)
    assert "a.png says that its uint8 samples are linear; they are taken as sRGB" in remarks_of(tmp_path / "a.png")


def test_pages_of_tiff_are_told(tmp_path: Path) -> None:
    pages = [np.full((8, 8, 3), value, np.uint8) for value in (10, 20)]
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), pages)
    assert "a.tif holds 2 pictures; the first one is read" in remarks_of(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif").samples[0, 0, 0] == 10


def test_photoshop_file(tmp_path: Path) -> None:
    # Its composite, uncompressed: planes of R, G and B. Source: Adobe Photoshop File Formats Specification.
    planes = np.arange(3 * 2 * 4, dtype=np.uint8)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 2, 4, 8, 3) + bytes(12)
    (tmp_path / "a.psd").write_bytes(head + struct.pack(">H", 0) + planes.tobytes())
    assert np.array_equal(read_image(tmp_path / "a.psd").samples, np.moveaxis(planes.reshape(3, 2, 4), 0, 2))


@pytest.mark.parametrize(("extension", "depth"), [("jp2", 8), ("jp2", 16), ("jxl", 8)])
def test_newer_kinds(tmp_path: Path, extension: str, depth: int) -> None:
    if extension == "jxl" and "jpegxl" not in str(oiio.get_string_attribute("format_list")):
        pytest.skip("this OpenImageIO reads no JPEG XL")
    smooth = cv2.resize(noise(f"uint{depth}", 3, (4, 4)), (64, 64), interpolation=cv2.INTER_LINEAR)
    path = tmp_path / f"a.{extension}"
    try:
        if extension == "jxl":
            write(path, smooth)
        else:
            assert cv2.imwrite(str(path), smooth[:, :, ::-1], [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    except (cv2.error, AssertionError):
        pytest.skip(f"nothing here writes {extension} of {depth} bits")
    image = read_image(path)
    assert image.bit_depth == depth
    # Lossy: worst seen 4% of full scale, for JPEG XL.
    assert np.abs(image.samples.astype(float) - smooth).max() < 0.06 * (2**depth - 1)


@pytest.mark.parametrize("name", [b"\xff.png", b"\xfe.tif", b"\xfe.exr", b"\xc3\x28.jpg"])
def test_names_that_are_no_utf_8(tmp_path: Path, name: bytes) -> None:
    extension = name.rpartition(b".")[2].decode()
    write(tmp_path / f"plain.{extension}", noise("float32" if extension == "exr" else "uint8"))
    folder = tmp_path / "in"
    folder.mkdir()
    names = [name.replace(b".", b"%d." % number) for number in (7, 8)]
    for each in names:
        (folder / os.fsdecode(each)).write_bytes((tmp_path / f"plain.{extension}").read_bytes())
    assert open_source(tmp_path / "in").info.frame_count == 2
    result = copy(tmp_path / "in", tmp_path / "out")
    kind = b"exr" if extension == "exr" else b"png"
    written = sorted(os.fsencode(path.name) for path in result.iterdir())
    assert written == sorted(each.rpartition(b".")[0] + b"." + kind for each in names)
    expected = read_image(tmp_path / f"plain.{extension}").samples
    for path in result.iterdir():
        assert np.array_equal(read_image(path).samples, expected)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("a.cr2", "develop it to TIFF or EXR"), ("a.SVG", "export it as PNG"), ("a.cin", "convert it to EXR or DPX")],
)
def test_kinds_that_are_not_read(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(InputError, match=f"picture, a kind that is not read; {remedy}"):
        open_source(tmp_path / name)
    with pytest.raises(InputError, match=rf"holds no images but {Path(name).suffix.lower()} files; put"):
        open_source(tmp_path)


def test_samples_that_are_not_read(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.tif"), noise("uint8").astype(np.int32))
    with pytest.raises(InputError, match="has int samples; allowed are 8 and 16 bit, half and float"):
        open_source(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.tga", "a.webp", "a.dpx", "a.hdr", "a.ppm", "a.exr"])
def test_damaged_images_are_told(tmp_path: Path, name: str) -> None:
    samples = noise("float32" if name[2:] in ("hdr", "exr") else "uint8", 3, (64, 64))
    whole = write(tmp_path / name, np.abs(samples) if name == "a.hdr" else samples).read_bytes()
    for end in (3, len(whole) // 2):
        (tmp_path / name).write_bytes(whole[:end])
        with pytest.raises(InputError) as caught:
            next(open_source(tmp_path / name).frames())
        assert "\n" not in str(caught.value)
