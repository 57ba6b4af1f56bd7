"""What professionals hand in keeps its precision and its tags, from the file to the file."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from any2bokeh.focus import FocusScript
from any2bokeh.optics.aperture import Polygon
from any2bokeh.optics.transfer import Transfer
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import Encoding, open_source
from tests.video.native_clips import planes_of, write_clip

SIZE, FRAMES = (96, 64), 3
X265 = {"x265-params": "log-level=none:asm=0:lossless=1"}
# Name of the file, its encoder, its samples, its tags, what they mean; and what it is written as.
CLIPS = {
    "hlg": ("in.mp4", "libx265", "yuv420p10le", (9, 18, 9, 1), X265, Encoding("ffv1")),
    "pq": ("in.mp4", "libx265", "yuv420p10le", (9, 16, 9, 1), X265, Encoding("ffv1")),
    "srgb": ("in.mov", "prores_ks", "yuv422p10le", (1, 1, 1, 1), {"profile": "hq"}, Encoding("ffv1")),
}


@pytest.fixture(params=CLIPS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def made(kind: str, tmp_path: Path) -> Path:
    name, encoder, pixel_format, tags, options, _ = CLIPS[kind]
    path = tmp_path / name
    return write_clip(
        path, encoder=encoder, pixel_format=pixel_format, size=SIZE, frames=FRAMES, tags=tags, options=options
    )


def maps(tmp_path: Path) -> Path:
    """Disparity of a frame whose left half is in focus at 0.8; the rest is far behind."""
    path = tmp_path / "disparity.npy"
    disparity = np.full((FRAMES, 1, SIZE[1], SIZE[0]), 0.1, np.float32)
    disparity[:, :, :, : SIZE[0] // 2] = 0.8
    np.save(path, disparity)
    return path


def looks(transfer: Transfer) -> LayeredRenderer:
    return LayeredRenderer(aperture=Polygon(7), vignetting=Vignetting(0.5), transfer=transfer)


def test_a_clip_that_is_not_blurred_is_the_clip(kind: str, tmp_path: Path):
    clip = made(kind, tmp_path)
    refocus(
        clip,
        tmp_path / "out.mkv",
        Recipe(focus=FocusScript.constant(0.8, 0), disparity=maps(tmp_path)),
        encoding=CLIPS[kind][-1],
    )
    for found, expected in zip(planes_of(tmp_path / "out.mkv"), planes_of(clip), strict=True):
        for plane, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(plane, other)
    with open_source(clip) as source, open_source(tmp_path / "out.mkv") as result:
        assert source.info.transfer == kind
        assert result.info.color == source.info.color
        assert result.info.pixel_format == source.info.pixel_format


def test_a_blurred_clip_keeps_its_depth_its_tags_and_what_is_in_focus(kind: str, tmp_path: Path):
    clip = made(kind, tmp_path)
    with open_source(clip) as source:
        renderer = looks(source.info.transfer)
        refocus(
            source,
            tmp_path / "out.mkv",
            Recipe(focus=FocusScript.constant(0.8, 60), disparity=maps(tmp_path)),
            renderer=renderer,
            encoding=CLIPS[kind][-1],
        )
        color = source.info.color
    with open_source(tmp_path / "out.mkv") as result:
        assert (result.info.color, result.info.bit_depth, result.info.transfer) == (color, 10, kind)
    for found, expected in zip(planes_of(tmp_path / "out.mkv"), planes_of(clip), strict=True):
        for plane, other in zip(found, expected, strict=True):
            sharp = plane.shape[1] // 2 - 4  # up to where light from beyond the edge falls
            np.testing.assert_array_equal(plane[:, :sharp], other[:, :sharp])
    # The slopes are blurred in more steps than 8 bits have.
    luma = planes_of(tmp_path / "out.mkv")[0][0][:, SIZE[0] // 2 + 8 :]
    assert np.unique(luma).size > (int(luma.max()) - int(luma.min())) / 4 * 1.5


def sixteen_bits() -> NDArray:
    return np.random.default_rng(1).integers(0, 65536, (FRAMES, SIZE[1], SIZE[0], 3), np.uint16)


def half_floats() -> NDArray:
    """From far below black's last bit to 55 times white."""
    return np.exp(np.random.default_rng(2).uniform(-8, 4, (FRAMES, SIZE[1], SIZE[0], 3))).astype(np.float16)


@pytest.mark.parametrize(
    ("pictures", "sample_type", "extension", "transfer"),
    [(sixteen_bits(), "uint16", "png", "srgb"), (half_floats(), "half", "exr", "linear")],
    ids=["16-bit PNG", "half EXR"],
)
def test_pictures_keep_their_samples(
    tmp_path: Path, pictures: NDArray, sample_type: str, extension: str, transfer: Transfer
):
    (tmp_path / "in").mkdir()
    for index, picture in enumerate(pictures):
        _write(tmp_path / "in" / f"{index}.{extension}", picture, sample_type)
    for k, name in ((0.0, "same"), (60.0, "blurred")):
        focus, renderer = FocusScript.constant(0.8, k), looks(transfer)
        refocus(tmp_path / "in", tmp_path / name, Recipe(focus=focus, disparity=maps(tmp_path)), renderer=renderer)
    sharp, soft = slice(0, SIZE[0] // 2 - 4), slice(SIZE[0] // 2 + 8, None)
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(_read(tmp_path / "same" / f"{index}.{extension}"), picture)
        blurred = _read(tmp_path / "blurred" / f"{index}.{extension}")
        np.testing.assert_array_equal(blurred[:, sharp], picture[:, sharp])
        assert np.unique(blurred[:, soft]).size > 1000
        if transfer == "linear":
            assert blurred[:, soft].max() > 4  # brighter than white


def _write(path: Path, samples: NDArray, kind: str) -> None:
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    height, width, channels = samples.shape
    assert output.open(str(path), oiio.ImageSpec(width, height, channels, kind))
    assert output.write_image(np.ascontiguousarray(samples))
    assert output.close()


def _read(path: Path) -> NDArray:
    source = oiio.ImageInput.open(str(path))
    assert source is not None
    spec = source.spec()
    samples = source.read_image(spec.format)
    assert samples is not None
    return samples.reshape(spec.height, spec.width, -1)
