"""Pixels that two surfaces share, as layers."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.optics.aperture import Disc
from any2bokeh.optics.highlights import Highlights
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import reference
from any2bokeh.renderers.layered.layered_image import LayeredImage
from any2bokeh.renderers.layered.layers import BEHIND, HIDDEN, PATCH, SPLIT
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes

HEIGHT, WIDTH, MIDDLE = 40, 64, 30
NEAR, FAR = 0.8, 0.2
RED, BLUE = np.array([0.8, 0.1, 0.1], np.float32), np.array([0.1, 0.2, 0.7], np.float32)
SHARES = np.array([0.95, 0.8, 0.6, 0.4, 0.2, 0.05], np.float32)


def ramp() -> RenderInput:
    """A red surface whose right edge is six pixels wide, in front of a blue one; in linear light."""
    alpha = np.concatenate([np.ones(MIDDLE - 3), SHARES, np.zeros(WIDTH - MIDDLE - 3)]).astype(np.float32)
    pixels = (RED[:, None] * alpha + BLUE[:, None] * (1 - alpha)).astype(np.float32)
    disparity = np.where(alpha > 0.5, NEAR, FAR).astype(np.float32)

    def rows(line: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(np.broadcast_to(line[..., None, :], (*line.shape[:-1], HEIGHT, WIDTH)))

    mixed = np.where(alpha < 1, alpha, 0).astype(np.float32)
    of_mixed = (mixed > 0).astype(np.float32)
    bands = replace(
        EdgeBands.none(rows(disparity)[None]),
        band=rows(mixed) > 0,
        near=rows(NEAR * of_mixed),
        far=rows(FAR * of_mixed),
        alpha=rows(mixed),
        foreground=rows(RED[:, None] * of_mixed),
        background=rows(BLUE[:, None] * of_mixed),
    )
    strength = scenes.k_for(6, NEAR - FAR, HEIGHT, WIDTH)
    return RenderInput(rows(pixels), bands.disparity, NEAR, strength, bands=bands)


def whole_in_map() -> RenderInput:
    """The same, but the map has all six pixels as near, as it has hair: the far side begins beyond them."""
    frame = ramp()
    assert frame.bands is not None
    disparity = np.where(frame.bands.alpha > 0, np.float32(NEAR), frame.disparity)
    return replace(frame, disparity=disparity, bands=replace(frame.bands, disparity=disparity))


def seen_beside() -> RenderInput:
    """The same in focus behind, with half the shares: what is told of the background is part foreground. Other frames
    saw it."""
    frame = ramp()
    assert frame.bands is not None
    bands = frame.bands
    shares = bands.alpha / 2
    told = np.where(shares > 0, (frame.pixels - shares * RED[:, None, None]) / (1 - shares), 0).astype(np.float32)
    blue = np.broadcast_to(BLUE[:, None, None], frame.pixels.shape).astype(np.float32)
    hidden = HiddenBackground(blue, np.full_like(frame.disparity, FAR), np.ones(shares.shape, np.float32))
    bands = replace(bands, alpha=shares, background=told)
    return replace(frame, focus_disparity=FAR, bands=bands, hidden=hidden)


def before_a_wall() -> RenderInput:
    """The same in focus behind, where what is behind is a strip that ends beside the ramp, before a black wall."""
    frame = ramp()
    assert frame.bands is not None
    pixels, disparity = frame.pixels.copy(), frame.disparity.copy()
    pixels[:, :, MIDDLE + 5 :], disparity[:, :, MIDDLE + 5 :] = 0, 0.0
    bands = replace(frame.bands, disparity=disparity)
    strength = scenes.k_for(4, FAR, HEIGHT, WIDTH)
    return replace(frame, pixels=pixels, disparity=disparity, focus_disparity=FAR, blur_strength=strength, bands=bands)


def test_mixed_pixels_before_a_third_surface_keep_their_background():
    image = LayeredImage.of(before_a_wall(), transfer="linear")
    mixed = np.zeros((HEIGHT, WIDTH), bool)
    mixed[:, MIDDLE : MIDDLE + 3] = True  # those that have the disparity of the strip
    assert np.all(image.kind[mixed] & SPLIT)
    assert np.any(image.level[mixed] > 1), "hidden background comes to them"
    np.testing.assert_allclose(image.defocus[BEHIND][mixed], 0, atol=1e-5)
    behind = image.light[BEHIND][mixed][:, :3]
    np.testing.assert_allclose(behind, np.broadcast_to(BLUE, behind.shape), atol=1e-5)


def test_mixed_pixels_have_the_background_that_other_frames_saw():
    frame = seen_beside()
    image = LayeredImage.of(frame, transfer="linear")
    mixed = (image.level == 1) & (image.kind & SPLIT > 0)
    assert mixed.sum() >= HEIGHT
    behind, patch = image.light[BEHIND][mixed], image.light[PATCH][mixed]
    np.testing.assert_allclose(behind[:, :3], np.broadcast_to(BLUE, behind[:, :3].shape), atol=1e-5)
    share = patch[:, 3:]
    np.testing.assert_allclose(patch[:, :3] + (1 - share) * behind[:, :3], frame.pixels[:, mixed].T, atol=1e-5)
    assert (patch[:, :3] >= -1e-5).all()
    assert (patch[:, :3] <= share + 1e-5).all()


def test_a_background_that_is_not_known_stays_as_it_was_told():
    frame = seen_beside()
    assert frame.hidden is not None
    unknown = replace(frame, hidden=replace(frame.hidden, known=0 * frame.hidden.known))
    found, right = (LayeredImage.of(each, transfer="linear") for each in (unknown, replace(frame, hidden=None)))
    np.testing.assert_array_equal(
        found.light[BEHIND][found.kind & SPLIT > 0], right.light[BEHIND][right.kind & SPLIT > 0]
    )


def test_both_parts_add_up_to_the_pixel():
    frame = ramp()
    image = LayeredImage.of(frame, transfer="linear")
    across = slice(MIDDLE - 3, MIDDLE + 3)
    assert (image.kind[:, across] & (SPLIT | HIDDEN) == SPLIT | HIDDEN).all()
    patch, behind = image.light[PATCH][:, across], image.light[BEHIND][:, across]
    np.testing.assert_allclose(patch[..., 3], np.broadcast_to(SHARES, patch.shape[:2]), atol=1e-6)
    whole = patch[..., :3] + (1 - patch[..., 3:]) * behind[..., :3]
    np.testing.assert_allclose(whole.transpose(2, 0, 1), frame.pixels[:, :, across], atol=1e-6)
    np.testing.assert_allclose(behind[:, 3:, :3], np.broadcast_to(BLUE, (HEIGHT, 3, 3)), atol=1e-5)


@pytest.mark.parametrize("focus", [NEAR, FAR])
def test_a_wide_edge_is_rendered_as_its_two_surfaces(focus: float):
    """Against the picture of a red layer of known coverage in front of a blue wall, each blurred by itself."""
    frame = replace(ramp(), focus_disparity=focus)
    assert frame.bands is not None
    renderer = LayeredRenderer(transfer="linear", threads=1)
    coverage = np.where(frame.bands.alpha > 0, frame.bands.alpha, frame.disparity[0] == NEAR).astype(np.float32)
    if focus == FAR:
        flat = np.full_like(frame.disparity, NEAR)
        coverage = renderer.render_frame(RenderInput(np.stack([coverage] * 3), flat, FAR, frame.blur_strength))[0]
    truth = RED[:, None, None] * coverage + BLUE[:, None, None] * (1 - coverage)
    inside = (slice(None), slice(10, -10), slice(10, -10))
    off = {
        what: np.abs(renderer.render_frame(given) - truth)[inside]
        for what, given in (("with", frame), ("without", replace(frame, bands=None)))
    }
    # Worst seen 0.02 at one pixel, where the hidden background begins; without bands 0.2.
    assert off["with"].max() < 0.04
    assert off["with"].mean() < 0.25 * off["without"].mean()


def test_background_shows_between_hair_that_the_map_has_whole():
    """In focus, mixed pixels stay as they are, however far the map's edge is from them."""
    frame = whole_in_map()
    renderer = LayeredRenderer(transfer="linear", threads=1)
    off = np.abs(renderer.render_frame(frame) - frame.pixels)
    assert renderer.image is not None
    assert (renderer.image.kind[:, MIDDLE - 3 : MIDDLE + 3] & SPLIT > 0).all()
    # Worst seen 2e-7; where the wall was taken to show only near the map's edge, 0.4.
    assert off[:, 10:-10, MIDDLE - 3 : MIDDLE + 3].max() < 0.01


@pytest.mark.parametrize("focus", [0.1, 0.5, 0.9])
def test_bands_equal_the_reference(focus: float):
    frame = replace(ramp(), focus_disparity=focus)
    renderer = LayeredRenderer(aperture=Disc(), transfer="linear")
    fast = renderer.render_frame(frame)
    assert renderer.image is not None
    slow = reference.render(renderer.image.samples(), Disc())
    assert np.abs(fast - slow).max() < 0.014  # as test_cpu.test_hard_edges_of_a_card_equal_reference


def test_surfaces_less_than_a_step_apart_are_not_split():
    frame = ramp()
    weak = replace(frame, blur_strength=scenes.k_for(0.9, NEAR - FAR, HEIGHT, WIDTH))
    assert not (LayeredImage.of(weak, transfer="linear").kind & SPLIT).any()


def test_raised_light_is_left_whole():
    frame = ramp()
    assert frame.bands is not None
    bright = replace(frame, pixels=np.ones_like(frame.pixels))
    image = LayeredImage.of(bright, transfer="srgb", highlights=Highlights(gain=4.0))
    plain = LayeredImage.of(replace(bright, bands=None), transfer="srgb", highlights=Highlights(gain=4.0))
    np.testing.assert_array_equal(image.kind, plain.kind)
