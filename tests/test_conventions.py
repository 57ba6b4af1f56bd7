"""Pins docs/conventions.md."""

from pathlib import Path

import av
import numpy as np
import pytest

from any2bokeh.focus import FocusScript
from any2bokeh.optics.coc import coc_radius_px, defocus_px
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.transfer import hlg_decode, pq_encode
from any2bokeh.preview import preview
from any2bokeh.recipe import Recipe
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import open_source

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "conventions.md"


def test_convention_page_names_what_the_tests_pin():
    page = _PAGE.read_text()
    for word in (
        "1 = nearest",
        "longer side is 1024 px",
        "positive in front",
        "0..1 of the displayed frame",
        "203 cd/m2",
    ):
        assert word in page


def test_convention_defocus_is_signed_and_scales_with_the_longer_side():
    for width, height in ((1024, 576), (576, 1024)):
        assert defocus_px(0.9, 0.4, 20, max(width, height)) == pytest.approx(10)
    assert defocus_px(0.1, 0.4, 20, 2048) == pytest.approx(-12)
    assert coc_radius_px(0.1, 0.4, 20, 2048) == pytest.approx(12)


def test_convention_a_camera_turned_upright_blurs_alike():
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 1, (3, 60, 90)).astype(np.float32)
    disparity = np.full((1, 60, 90), 0.8, np.float32)
    renderer = LayeredRenderer()
    lying = renderer.render_frame(RenderInput(pixels, disparity, 0.2, 100))
    turned = RenderInput(pixels.transpose(0, 2, 1).copy(), disparity.transpose(0, 2, 1).copy(), 0.2, 100)
    standing = renderer.render_frame(turned).transpose(0, 2, 1)
    # Rows of the disc are exact spans, columns sums of rows: alike but not to the last bit. Worst seen 0.003.
    np.testing.assert_allclose(lying, standing, atol=0.006)


def test_convention_the_nearest_hides_the_farther():
    """1 = nearest: a blurred near card covers a sharp far wall, and not the other way round."""
    pixels = np.zeros((3, 64, 64), np.float32)
    pixels[0, :, :32] = 1
    disparity = np.full((1, 64, 64), 0.1, np.float32)
    disparity[:, :, :32] = 0.9
    result = LayeredRenderer().render_frame(RenderInput(pixels, disparity, 0.1, 200))
    assert result[0, 32, 34] > 0.2


def test_convention_a_lens_in_numbers_is_the_thin_lens():
    # 50 mm f/2 at 2 m: a point at infinity has a disc of f^2 / (N (z_f - f)) on the sensor.
    k = Lens(2, 50, sensor_width_mm=36, focus_distance_m=2).blur_strength(0.5)
    diameter_mm = 50**2 / (2 * (2000 - 50))
    assert coc_radius_px(0.0, 0.5, k, 1024) == pytest.approx(diameter_mm / 2 / 36 * 1024, rel=1e-6)


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, -90])
def test_convention_points_are_fractions_of_the_displayed_frame(tmp_path: Path, rotation_deg: int):
    """A click on a clip that a camera recorded turned: x and y are those of the picture as it is shown."""
    levels = np.array([[0.2, 0.4], [0.6, 0.8]])  # of the quarters of the displayed picture
    height, width = (48, 64) if rotation_deg % 180 == 0 else (64, 48)
    shown = np.kron(levels, np.ones((height // 2, width // 2)))
    clip = tmp_path / "clip.mov"
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=24, options={"crf": "5"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"  # type: ignore[attr-defined]
        video.set_display_rotation(rotation_deg)  # type: ignore[attr-defined]
        # A player turns what is stored counter-clockwise by the angle of the tag.
        stored = np.rint(255 * np.rot90(shown, -rotation_deg // 90)).astype(np.uint8)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.repeat(stored[..., None], 3, axis=2)), "rgb24")
        container.mux([*video.encode(picture), *video.encode(None)])  # type: ignore[attr-defined]
    disparity = tmp_path / "disparity.npy"
    np.save(disparity, shown.astype(np.float32)[None])
    with open_source(clip) as source:
        assert (source.info.width, source.info.height) == (width, height)
        for (row, column), level in np.ndenumerate(levels):
            script = FocusScript.at_point(0.25 + column / 2, 0.25 + row / 2, 10)
            given = preview(source, 0, Recipe(focus=script, disparity=disparity)).given
            assert given.focus_disparity == pytest.approx(level, abs=1e-3)
            # The picture has the same levels in the same places; H.264 at CRF 5 leaves flat grey within two codes.
            grey = given.pixels[:, height // 4 + row * height // 2, width // 4 + column * width // 2]
            assert grey == pytest.approx(level, abs=0.02)


def test_convention_hdr_white():
    assert pq_encode(np.array([1.0]))[0] == pytest.approx(0.5807, abs=1e-3)
    assert hlg_decode(np.array([0.75]))[0] == pytest.approx(1)
