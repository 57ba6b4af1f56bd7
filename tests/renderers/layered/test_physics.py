"""What a thin lens must do, whatever the method: checks that know nothing of how the engine works."""

import itertools

import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.optics.lens import Lens
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes


def test_k_zero_returns_the_very_source():
    pixels = scenes.noise(40, 50)
    assert scenes.render(pixels, scenes.card(40, 50), 0.5, 0.0) is pixels


@pytest.mark.parametrize("transfer", ["srgb", "none", "linear", "pq", "hlg"])
def test_circle_of_confusion_under_half_a_pixel_keeps_the_source(transfer):
    pixels = scenes.noise(90, 120)
    disparity = scenes.slope(90, 120)
    result = scenes.render(pixels, disparity, 0.5, scenes.k_for(0.49, 0.4, 90, 120), transfer=transfer)
    np.testing.assert_array_equal(result, pixels)


@pytest.mark.parametrize("blur_strength", [5e3, 1e7, 1e38, 1e300])
def test_circle_of_confusion_wider_than_the_frame_is_refused(blur_strength: float):
    with pytest.raises(InputError, match="at most the longer side fits"):
        scenes.render(scenes.noise(40, 50), scenes.card(40, 50), 0.5, blur_strength)


def test_sharp_subject_keeps_its_pixels_beside_a_blurred_background():
    pixels, disparity = scenes.noise(96, 128), scenes.card(96, 128)
    result = scenes.render(pixels, disparity, 0.9, scenes.k_for(9, 0.8, 96, 128))
    inside = disparity[0] > 0.5
    np.testing.assert_array_equal(result[:, inside], pixels[:, inside])


@pytest.mark.parametrize("size", [(180, 320), (320, 180), (240, 240)])
@pytest.mark.parametrize("radius_px", [4.0, 16.0, 40.0])
def test_constant_disparity_keeps_the_mean_brightness(size, radius_px):
    height, width = size
    y, x = np.mgrid[:height, :width]
    fade = np.clip(1.3 - 1.7 * np.hypot(x / width - 0.5, y / height - 0.5) * 2, 0, 1)
    fade[(np.minimum(x, width - 1 - x) < 44) | (np.minimum(y, height - 1 - y) < 44)] = 0
    pixels = (fade * scenes.noise(*size)).astype(np.float32)
    disparity = np.full((1, *size), 0.8, np.float32)
    result = scenes.render(pixels, disparity, 0.3, scenes.k_for(radius_px, 0.5, *size), transfer="linear")
    assert result.mean() == pytest.approx(pixels.mean(), rel=1e-4)


@pytest.mark.parametrize("size", [(151, 261), (261, 151), (201, 201)])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("radius_px", [1.0, 1.4, 2.0, 3.3, 5.0, 8.0, 16.0, 31.0, 64.0])
def test_point_light_becomes_a_disc_of_the_circle_of_confusion(size, side, radius_px):
    height, width = size
    pixels = np.zeros((3, height, width), np.float32)
    pixels[:, height // 2, width // 2] = 1000
    disparity = np.full((1, height, width), 0.5 + side * 0.25, np.float32)
    disc = scenes.render(pixels, disparity, 0.5, scenes.k_for(radius_px, 0.25, *size), transfer="linear")[0]
    # A disc of even light holds energy = peak * area.
    assert np.sqrt(disc.sum() / (np.pi * disc.max())) == pytest.approx(radius_px, rel=0.02)
    assert disc.sum() == pytest.approx(1000, rel=1e-3)
    if radius_px >= 3:  # below, the lattice of pixels adds to the second moment
        y, x = np.mgrid[:height, :width]
        second = (disc * ((y - height // 2) ** 2 + (x - width // 2) ** 2)).sum() / disc.sum()
        assert np.sqrt(2 * (second - 1 / 6)) == pytest.approx(radius_px, rel=0.02)


@pytest.mark.parametrize(
    ("f_number", "focal_length_mm", "sensor_width_mm", "focus_m", "point_m"),
    [(1.4, 85, 36, 2.0, 5.0), (2.0, 50, 36, 1.5, 1.2), (1.2, 56, 23.5, 1.0, 40.0), (2.8, 200, 36, 6.0, 7.5)],
)
def test_a_lens_blurs_a_point_at_a_distance_as_the_textbook_says(
    f_number, focal_length_mm, sensor_width_mm, focus_m, point_m
):
    height, width, nearest_m = 211, 321, 1.0
    focal_m = focal_length_mm / 1000
    # Hecht, Optics, 5.2.3: where the lens forms the image of the point, and the cone of light on the sensor before it.
    image_m, sensor_m = (focal_m * z / (z - focal_m) for z in (point_m, focus_m))
    radius_px = abs(image_m - sensor_m) / image_m * focal_m / f_number / 2 / (sensor_width_mm / 1000) * width
    pixels = np.zeros((3, height, width), np.float32)
    pixels[:, height // 2, width // 2] = 1000
    disparity = np.full((1, height, width), nearest_m / point_m, np.float32)
    focus_disparity = nearest_m / focus_m
    k = Lens(f_number, focal_length_mm, sensor_width_mm).blur_strength(focus_disparity, 1 / nearest_m)
    disc = scenes.render(pixels, disparity, focus_disparity, k, transfer="linear")[0]
    assert np.sqrt(disc.sum() / (np.pi * disc.max())) == pytest.approx(radius_px, rel=0.02)


def test_frame_borders_do_not_darken():
    pixels = np.full((3, 80, 120), 0.7, np.float32)
    for disparity in (np.full((1, 80, 120), 0.9, np.float32), scenes.slope(80, 120), scenes.card(80, 120)):
        np.testing.assert_allclose(scenes.render(pixels, disparity, 0.3, 100.0), 0.7, atol=1e-3)


def test_blurred_foreground_turns_see_through_over_a_sharp_background():
    """A half plane of disparity 0.9 before a striped wall in focus: the wall shows through the blurred edge."""
    height, width, radius = 96, 160, 12.0
    edge = width // 2
    x = np.arange(width)
    stripes = np.where(x // 4 % 2 == 0, 0.2, 0.8).astype(np.float32)
    pixels = np.broadcast_to(stripes, (3, height, width)).copy()
    pixels[:, :, :edge] = np.array([0.0, 0.3, 0.9], np.float32)[:, None, None]
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, :edge] = 0.9
    result = scenes.render(pixels, disparity, 0.1, scenes.k_for(radius, 0.8, height, width), transfer="linear")
    row = result[:, height // 2]
    # Share of the aperture that the half plane fills at x: the disc cut by a line (circular segment).
    t = np.clip((edge - (x + 0.5)) / radius, -1, 1)
    filled = 0.5 + (t * np.sqrt(1 - t * t) + np.arcsin(t)) / np.pi
    seen = filled * np.array([0.0, 0.3, 0.9], np.float32)[:, None] + (1 - filled) * stripes
    visible = x >= edge + 1  # there the wall's own colour is known
    np.testing.assert_allclose(row[:, visible], seen[:, visible], atol=0.01)
    # Behind the half plane nobody knows the stripes; but the light of the wall must be there, neither black nor the
    # foreground's: between the stripes' values once the foreground is taken out.
    behind = (x < edge - 1) & (filled < 0.9)
    wall = (row - filled * np.array([0.0, 0.3, 0.9], np.float32)[:, None])[:, behind] / (1 - filled[behind])
    assert wall.min() > 0.19
    assert wall.max() < 0.81


def test_sharp_foreground_does_not_bleed_into_a_blurred_background():
    height, width = 96, 160
    pixels = np.zeros((3, height, width), np.float32)
    pixels[:, :, : width // 2] = 1  # a white subject in focus before a black wall out of focus
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, : width // 2] = 0.9
    result = scenes.render(pixels, disparity, 0.9, scenes.k_for(12, 0.8, height, width), transfer="linear")
    np.testing.assert_allclose(result[:, :, width // 2 :], 0, atol=1e-3)
    np.testing.assert_allclose(result[:, :, : width // 2], 1, atol=1e-3)


def test_slope_of_one_colour_shows_no_seams():
    pixels = np.full((3, 200, 120), 0.5, np.float32)
    for focus in (0.1, 0.37, 0.9):
        result = scenes.render(pixels, scenes.slope(200, 120), focus, 150.0, transfer="linear")
        np.testing.assert_allclose(result, 0.5, atol=1e-3)


def test_defocus_varies_the_picture_smoothly():
    """Sub-pixel discs: no jump when the radius passes a whole number of pixels."""
    pixels, disparity = scenes.noise(64, 64), np.full((1, 64, 64), 0.9, np.float32)
    renderer = LayeredRenderer()
    radii = np.arange(2.0, 4.0, 0.125)
    pictures = [
        renderer.render_frame(RenderInput(pixels, disparity, 0.4, scenes.k_for(radius, 0.5, 64, 64)))
        for radius in radii
    ]
    steps = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(pictures)]
    assert max(steps) < 2.5 * float(np.median(steps))
