"""Bright discs are cut by what is in front of them, and borders repeat no lamps."""

import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import reference
from any2bokeh.renderers.layered.lamps import affordable
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


# A lamp within 4 px of the edge lies among the pixels from which the colours of mixed ones are told.
@pytest.mark.parametrize("away_px", [2, 3, 6])
def test_a_leaf_in_focus_cuts_a_disc_to_the_pixel(away_px):
    given = lamp_beside_a_leaf(lamp_x=EDGE + away_px, leaf_px=0.0, lamp_px=-10.0)
    row = rendered(given)[0, HEIGHT // 2]
    disc = LAMP / (np.pi * 100)
    np.testing.assert_array_equal(row[:EDGE], given.pixels[0, HEIGHT // 2, :EDGE])
    np.testing.assert_allclose(row[EDGE : EDGE + away_px + 9], DARK + disc, rtol=0.03)
    np.testing.assert_allclose(row[EDGE + away_px + 13 :], DARK, rtol=0.03)


@pytest.mark.parametrize("axial_chromatic", [0.125, -0.125])
def test_a_lamp_that_is_in_focus_in_one_channel_alone_stays_a_point_there(axial_chromatic):
    pixels = np.full((3, HEIGHT, WIDTH), DARK, np.float32)
    pixels[:, HEIGHT // 2, EDGE + 3] = LAMP
    disparity = np.full((1, HEIGHT, WIDTH), 0.25, np.float32)
    disparity[:, :, :EDGE] = 0.9375
    # 64 px a unit of disparity: the lamp is 8 px out of focus in green, and 0 px, exactly, in red or in blue.
    given = RenderInput(pixels, disparity, 0.375, 64 * 1024 / WIDTH)
    red, green, blue = rendered(given, axial_chromatic=axial_chromatic)[:, HEIGHT // 2, EDGE + 3]
    assert max(red, blue) > 0.5 * LAMP
    assert max(green, min(red, blue)) < 1


def test_a_lamp_behind_an_edge_leaves_no_stitch():
    """Edge pixels half leaf and half lamp, in focus: they belong to the leaf, and their lamp to the disc behind."""
    given = lamp_beside_a_leaf(lamp_x=EDGE, leaf_px=0.0, lamp_px=-10.0)
    pixels = given.pixels.copy()
    rows = slice(HEIGHT // 2 - 2, HEIGHT // 2 + 3)
    pixels[:, rows, EDGE : EDGE + 3] = LAMP
    pixels[:, rows, EDGE - 1] = 0.3 * LAMP + 0.7 * DARK
    picture = rendered(RenderInput(pixels, given.disparity, given.focus_disparity, given.blur_strength))[0]
    disc = 15 * LAMP / (np.pi * 100)
    assert picture[rows, EDGE - 1].max() < 0.5 * disc  # without: 12, a third of the lamp itself
    assert picture.max() < 1.4 * disc


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
# profile, which is a pile of few discs, 0.456 with vignetting, whose rows are cut whole; below 0.25 otherwise.
@pytest.mark.parametrize(
    "look",
    [
        {},
        {"aperture": Polygon(6)},
        {"axial_chromatic": 0.03},
        {"profile": BokehProfile(0.5)},
        pytest.param({"vignetting": Vignetting(0.5)}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_lamps_equal_the_slow_twin(look):
    given = lamp_beside_a_leaf(lamp_x=EDGE + 3, leaf_px=2.0, lamp_px=-7.0)
    given = RenderInput(
        np.ascontiguousarray(given.pixels[:, 24:56, 44:82]),
        np.ascontiguousarray(given.disparity[:, 24:56, 44:82]),
        given.focus_disparity,
        given.blur_strength * WIDTH / 38,
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


def test_a_lamp_that_grows_dim_does_not_jump():
    """From 20 times its surroundings to as bright as they are, behind a leaf that cuts its disc."""
    lights = DARK * np.geomspace(20_000, 1, 60)
    seen = []
    for light in lights:
        given = lamp_beside_a_leaf(lamp_x=EDGE + 3, leaf_px=0.0, lamp_px=-7.0, light=light)
        seen.append(rendered(given)[0, HEIGHT // 2, EDGE + 3] - DARK)
    share = np.array(seen[:-1]) / (lights[:-1] - DARK)
    # What a lamp has more than its surroundings shows whole, the rest as leaf and wall share it: here the same.
    np.testing.assert_allclose(share, share[0], rtol=0.03)
    assert np.all(np.diff(seen) < 0)


def test_more_lamps_than_can_be_afforded_leave_smoothly():
    """The share of each depends smoothly on its light and on the others, and what is followed stays affordable."""
    rng = np.random.default_rng(3)
    more = np.repeat(rng.uniform(1, 9, (4000, 1)).astype(np.float32), 3, axis=1)
    looks, radius = rng.uniform(500, 3000, 4000).astype(np.float32), np.full(4000, 9, np.float32)
    share = affordable(more, looks, radius)
    assert 0 < (looks[share > 0]).sum() <= 2.5e6
    assert np.all(np.diff(share[np.argsort(more[:, 0])]) >= 0)
    changed = more.copy()
    changed[17] *= 1.02
    changed[18:40] *= 0.99
    # Worst seen 0.011 for 2 % of light; a cut at a count of lamps would give 1.
    assert np.abs(affordable(changed, looks, radius) - share).max() < 0.05
    assert np.all(affordable(more[:50], looks[:50], radius[:50]) == 1)


@pytest.mark.parametrize("light", [0.25, 1.0, 8.0])  # 5, 20 and 160 times the wall around
@pytest.mark.parametrize("size_px", [2, 3])
def test_a_lamp_goes_out_slowly_at_the_border(size_px, light):
    """Its light falls from frame to frame, never above what a wider picture says by more than 1.3."""
    side, beyond, radius_px = 64, 24, 12.0
    around, seen, true = 0.05, [], []
    for left in np.arange(8, -size_px - 1, -1.0):
        x = np.arange(-beyond, side)
        covered = np.clip(np.minimum(x + 1, left + size_px) - np.maximum(x, left), 0, 1)
        wide = np.full((3, side, side + beyond), around, np.float32)
        wide[:, 30 : 30 + size_px] += (light - around) * covered.astype(np.float32)
        for pixels, sums in ((wide[:, :, beyond:], seen), (wide, true)):
            flat = np.full((1, *pixels.shape[1:]), 0.2, np.float32)
            k = scenes.k_for(radius_px, 0.6, *pixels.shape[1:])
            picture = rendered(RenderInput(np.ascontiguousarray(pixels), flat, 0.8, k))[0, :, -side:]
            sums.append((picture - around).sum() / ((light - around) * size_px**2))
    # Worst seen: no rise, and never above the true share. What is less than 4 times the wall may be a texture, which
    # goes on beyond the border.
    assert np.diff(seen).max() < 0.01
    assert np.all(np.array(seen) < 1.3 * np.array(true) + 0.01)
    inside = 3  # frames in which the lamp stands 6 px or more within the frame
    np.testing.assert_allclose(seen[:inside], true[:inside], rtol=0.05)
    # Of the lamp's light; half of it is seen at the border. Worst seen 0.37, of 2 px.
    assert -np.diff(seen).min() < 0.4


@pytest.mark.parametrize("light", [1.0, 8.0])
def test_of_a_lamp_that_the_border_cuts_the_rest_is_taken_to_be_round(light):
    """Its discs differ from those of a wider picture by less than where it is not continued."""
    side, beyond, radius_px, across_px = 64, 24, 12.0, 4
    x = np.arange(-beyond, side)
    covered = ((x >= -2) & (x < across_px - 2)).astype(np.float32)  # half of it is seen
    wide = np.full((3, side, side + beyond), 0.05, np.float32)
    wide[:, 30 : 30 + across_px] += (light - np.float32(0.05)) * covered
    sums = []
    for pixels in (wide[:, :, beyond:], wide):
        flat = np.full((1, *pixels.shape[1:]), 0.2, np.float32)
        k = scenes.k_for(radius_px, 0.6, *pixels.shape[1:])
        picture = rendered(RenderInput(np.ascontiguousarray(pixels), flat, 0.8, k))[0, :, -side:]
        sums.append((picture - 0.05).sum())
    assert 0.65 < sums[0] / sums[1] < 1.05  # seen: 0.76; 0.5 where nothing is added
