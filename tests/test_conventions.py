"""Pins docs/conventions.md."""

from pathlib import Path

import numpy as np
import pytest

from any2bokeh.focus import FocusScript
from any2bokeh.optics.coc import coc_radius_px, defocus_px
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.transfer import hlg_decode, pq_encode
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer

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


def test_convention_points_are_fractions_of_the_displayed_frame():
    script = FocusScript.at_point(0.25, 0.75, 10)
    target = script.keyframes[0].target
    assert (getattr(target, "x", None), getattr(target, "y", None)) == (0.25, 0.75)


def test_convention_hdr_white():
    assert pq_encode(np.array([1.0]))[0] == pytest.approx(0.5807, abs=1e-3)
    assert hlg_decode(np.array([0.75]))[0] == pytest.approx(1)
