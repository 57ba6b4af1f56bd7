"""Bright discs are cut by what is in front of them, and borders repeat no lamps."""

import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import reference
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes

HEIGHT, WIDTH, EDGE = 80, 120, 60
LAMP, DARK = 40.0, 0.02


def lamp_beside_a_leaf(*, lamp_x: int, leaf_px: float, lamp_px: float, light: float = LAMP) -> RenderInput:
    """A lamp of one pixel, ``lamp_px`` out of focus, right of the edge of a dark leaf that is ``leaf_px`` out of it."""
    pixels = np.full((3, HEIGHT, WIDTH), DARK, np.float32)
    pixels[:, HEIGHT // 2, lamp_x] = light
    disparity = np.full((1, HEIGHT, WIDTH), 0.1, np.float32)
    disparity[:, :, :EDGE] = 0.9
    focus = 0.1 - 0.8 * lamp_px / (leaf_px - lamp_px)
    return RenderInput(pixels, disparity, focus, scenes.k_for(leaf_px - lamp_px, 0.8, HEIGHT, WIDTH))


def rendered(given: RenderInput, **look) -> np.ndarray:
    return LayeredRenderer(transfer="linear", threads=1, **look).render_frame(given)


def test_a_leaf_in_focus_cuts_a_disc_to_the_pixel():
    # Farther from the edge than the 4 px within which the pure colours of a mixed pixel are looked for.
    given = lamp_beside_a_leaf(lamp_x=EDGE + 6, leaf_px=0.0, lamp_px=-10.0)
    row = rendered(given)[0, HEIGHT // 2]
    disc = LAMP / (np.pi * 100)
    np.testing.assert_array_equal(row[:EDGE], given.pixels[0, HEIGHT // 2, :EDGE])
    np.testing.assert_allclose(row[EDGE : EDGE + 15], DARK + disc, rtol=0.03)
    np.testing.assert_allclose(row[EDGE + 19 :], DARK, rtol=0.03)


def test_a_blurred_leaf_casts_its_edge_into_the_disc():
    """Leaf at -4 px, lamp at -10: the edge falls into the disc where rays pass x = q + (own - leaf) u."""
    given = lamp_beside_a_leaf(lamp_x=EDGE + 2, leaf_px=-4.0, lamp_px=-10.0)
    row = rendered(given)[0, HEIGHT // 2] - DARK
    # A ray to p has u = (p - q) / -10 and passes the leaf at q + (-10 + 4) u = q + 0.6 (p - q): the edge is half a
    # pixel left of the column EDGE, 2.5 px from the lamp, so that the disc is cut 2.5 / 0.6 = 4.2 px left of it.
    at = np.arange(WIDTH) - (EDGE + 2)
    disc = LAMP / (np.pi * 100)
    np.testing.assert_allclose(row[(at > -2) & (at < 9)], disc, rtol=0.03)
    np.testing.assert_allclose(row[(at < -6) & (at > -20)], 0, atol=0.01 * disc)


def test_a_lamp_in_front_of_the_leaf_is_whole():
    given = lamp_beside_a_leaf(lamp_x=EDGE + 20, leaf_px=-8.0, lamp_px=-4.0)
    # Here the "leaf" is the farther surface: nothing is in front of the lamp.
    renderer = LayeredRenderer(transfer="linear", threads=1)
    total = (renderer.render_frame(given)[0] - DARK).sum()
    assert total == pytest.approx(LAMP - DARK, rel=0.01)
    assert renderer.image is not None
    assert not len(renderer.image.lamps[0])


@pytest.mark.parametrize(
    "look", [{}, {"axial_chromatic": 0.02}, {"vignetting": Vignetting(0.5)}, {"profile": BokehProfile(0.5)}], ids=str
)
def test_parts_hold_all_the_light_of_a_lamp(look):
    given = lamp_beside_a_leaf(lamp_x=EDGE + 4, leaf_px=3.0, lamp_px=-8.0)
    whole = rendered(given, **look)
    parts = LayeredRenderer(transfer="linear", threads=1, **look).render_separated(given)
    np.testing.assert_allclose(parts[:, :3].sum(axis=0), whole, atol=2e-5)


# The fast path fills rows, the reference counts overlaps. Worst seen, at the rim: 0.278 of the disc's light with a
# profile, which is a pile of few discs, 0.456 behind a vignetting barrel, whose rows are cut whole; below 0.25 otherwise.
@pytest.mark.parametrize(
    "look",
    [{}, {"aperture": Polygon(6)}, {"axial_chromatic": 0.03}, {"profile": BokehProfile(0.5)}, {"vignetting": Vignetting(0.5)}],
    ids=str,
)
def test_lamps_equal_the_slow_twin(look):
    given = lamp_beside_a_leaf(lamp_x=EDGE + 3, leaf_px=2.0, lamp_px=-7.0)
    given = RenderInput(
        np.ascontiguousarray(given.pixels[:, 16:64, 36:90]),
        np.ascontiguousarray(given.disparity[:, 16:64, 36:90]),
        given.focus_disparity,
        given.blur_strength * WIDTH / 54,
    )
    renderer = LayeredRenderer(transfer="linear", threads=1, **look)
    fast = renderer.render_frame(given)
    image = renderer.image
    assert image is not None
    assert len(image.lamps[0]) > 0
    slow = reference.render(
        image.samples(), look.get("aperture", Disc()), look.get("profile"), look.get("vignetting"), image.shift_px
    )
    disc = LAMP / (np.pi * 49)
    difference = np.abs(fast - slow) / disc
    assert difference.max() < (0.55 if "vignetting" in look else 0.35 if "profile" in look else 0.25)
    assert difference.mean() < 0.006


@pytest.mark.parametrize("radius_px", [6.0, 14.0])
@pytest.mark.parametrize("inside_px", [0, 1, 3])
def test_a_lamp_at_the_border_is_as_bright_as_it_is(radius_px, inside_px):
    """Of a lamp near the border, the part of its disc that lies in the frame: no more, and no less than half of it."""
    side = 96
    pixels = np.full((3, side, side), DARK, np.float32)
    pixels[:, side // 2 - 2 : side // 2 + 2, inside_px : inside_px + 3] = 5
    given = RenderInput(
        pixels, np.full((1, side, side), 0.2, np.float32), 0.8, scenes.k_for(radius_px, 0.6, side, side)
    )
    seen = (rendered(given)[0] - DARK).sum()
    wide = np.pad(pixels, ((0, 0), (0, 0), (32, 0)), constant_values=DARK)
    whole = RenderInput(
        wide, np.full((1, side, side + 32), 0.2, np.float32), 0.8, scenes.k_for(radius_px, 0.6, side, side + 32)
    )
    true = (rendered(whole)[0, :, 32:] - DARK).sum()
    assert 0.5 * true < seen < 1.3 * true
