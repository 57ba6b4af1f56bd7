"""Nothing shines through a surface whose disparity rises, is coarse or is noisy."""

import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import reference
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes

HEIGHT, WIDTH, EDGE = 96, 192, 64
DARK, BRIGHT = 20 / 255, 235 / 255


def dark_surface(ramp: str, *, near: float = 0.55, nearest: float = 0.95, focus: float = 0.5, k: float) -> RenderInput:
    """A dark surface whose disparity rises from the edge to the frame's border, before a bright wall."""
    x = np.arange(WIDTH)
    rise = near + (nearest - near) * (x - EDGE) / (WIDTH - EDGE)
    disparity = np.broadcast_to(np.where(x >= EDGE, rise, 0.05), (HEIGHT, WIDTH)).copy()
    if ramp == "noisy":
        disparity[:, EDGE:] += np.random.default_rng(0).normal(0, 2 / 255, (HEIGHT, WIDTH - EDGE))
    steps = 65535 if ramp == "smooth" else 255
    disparity = (np.round(disparity.clip(0, 1) * steps) / steps).astype(np.float32)
    pixels = np.broadcast_to(np.where(x >= EDGE, DARK, BRIGHT).astype(np.float32), (3, HEIGHT, WIDTH)).copy()
    return RenderInput(pixels, disparity[None], focus, k)


def away_from_the_edge(given: RenderInput) -> np.ndarray:
    """Pixels of the surface that are farther from the wall than their own radius and 2 px."""
    radius = np.abs(given.disparity[0] - given.focus_disparity) * given.blur_strength * WIDTH / 1024
    x = np.arange(WIDTH)
    return (x >= EDGE) & (x - EDGE + 1 > radius + 2)


# Radii of up to 28 px, as K = 56 makes them in a frame of 1024 px. Without backstops the brightest was 34 to 203.
@pytest.mark.parametrize(("near", "nearest", "focus"), [(0.55, 0.95, 0.5), (0.9, 0.6, 0.9), (0.4, 0.9, 0.3)])
@pytest.mark.parametrize("k", [16.0, 32.0, 56.0])
@pytest.mark.parametrize("ramp", ["smooth", "8 bits", "noisy"])
def test_a_dark_surface_stays_dark_before_a_bright_wall(ramp, k, near, nearest, focus):
    given = dark_surface(ramp, near=near, nearest=nearest, focus=focus, k=k * 1024 / WIDTH)
    picture = LayeredRenderer(threads=1).render_frame(given)
    assert picture[:, away_from_the_edge(given)].max() * 255 < 24


def test_chromatic_aberration_lets_nothing_shine_through():
    given = dark_surface("noisy", k=32 * 1024 / WIDTH)
    picture = LayeredRenderer(threads=1, axial_chromatic=0.02).render_frame(given)
    assert picture[:, 20:-20, EDGE + 24 :].max() * 255 < 24


def test_parts_of_the_picture_hold_no_light_from_behind():
    given = dark_surface("noisy", k=32 * 1024 / WIDTH)
    light = LayeredRenderer(threads=1, transfer="none").render_separated(given)[:, :3].sum(axis=0)
    assert light[:, away_from_the_edge(given)].max() * 255 < 24


def test_the_wall_still_shows_past_the_edge():
    """A flat card 10 px out of focus: half of the wall's light reaches the edge, none the radius inside it."""
    given = dark_surface("smooth", near=0.9, nearest=0.9, focus=0.5, k=25 * 1024 / WIDTH)
    row = LayeredRenderer(threads=1, transfer="none").render_frame(given)[0, HEIGHT // 2] * 255
    assert row[EDGE] == pytest.approx(127, abs=8)
    assert row[EDGE + 3] > 70
    assert row[EDGE + 12] == pytest.approx(20, abs=0.5)


@pytest.mark.slow
def test_a_noisy_surface_equals_the_slow_twin():
    rng = np.random.default_rng(1)
    disparity = scenes.card(44, 60)
    disparity += (disparity > 0.5) * rng.normal(0, 0.05, disparity.shape).astype(np.float32)
    renderer = LayeredRenderer(transfer="linear", threads=1)
    fast = renderer.render_frame(RenderInput(scenes.waves(44, 60), disparity, 0.3, scenes.k_for(9, 1, 44, 60)))
    assert renderer.image is not None
    assert renderer.image.backstop.max() > 0
    difference = np.abs(fast - reference.render(renderer.image.samples(), Disc()))
    assert difference.max() < 0.03
    assert difference.mean() < 0.003
