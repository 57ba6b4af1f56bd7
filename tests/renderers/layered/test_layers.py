"""The layered depth image: mixed pixels and hidden background."""

import numpy as np
import pytest

from any2bokeh.optics.highlights import Highlights
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import layers
from any2bokeh.renderers.layered.layered_image import LayeredImage
from tests.renderers.layered import scenes


def layered(pixels, disparity, focus_disparity, blur_strength):
    """``(light, defocus, kind)`` of a frame in linear light."""
    frame = RenderInput(pixels, disparity, focus_disparity, blur_strength)
    image = LayeredImage.of(frame, transfer="linear")
    return image.light, image.defocus, image.kind


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45])
def test_mixed_pixel_is_split_into_its_two_colours(share):
    height, width, edge = 40, 60, 30
    near, far = np.array([0.9, 0.2, 0.1], np.float32), np.array([0.1, 0.3, 0.8], np.float32)
    pixels = np.empty((3, height, width), np.float32)
    pixels[:, :, :edge] = near[:, None, None]
    pixels[:, :, edge:] = far[:, None, None]
    pixels[:, :, edge] = (share * near + (1 - share) * far)[:, None]  # the edge runs through this column
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, :edge] = 0.9
    light, defocus, kind = layered(pixels, disparity, 0.9, scenes.k_for(10, 0.8, height, width))
    column = (slice(8, -8), edge)
    assert np.all(kind[column] & layers.SPLIT)
    np.testing.assert_allclose(light[layers.PATCH][column][:, 3], share, atol=1e-3)
    np.testing.assert_allclose(light[layers.PATCH][column][:, :3], np.tile(share * near, (24, 1)), atol=1e-3)
    np.testing.assert_allclose(light[layers.BEHIND][column][:, :3], np.tile(far, (24, 1)), atol=1e-3)
    np.testing.assert_allclose(defocus[layers.PATCH][column], 0, atol=1e-4)
    np.testing.assert_allclose(defocus[layers.BEHIND][column], -10, atol=1e-4)


def test_hidden_background_reaches_as_far_as_the_surfaces_shift():
    height, width, edge = 60, 120, 60
    pixels = np.full((3, height, width), 0.2, np.float32)
    pixels[:, :, :edge] = 0.8
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, :edge] = 0.9
    light, defocus, kind = layered(pixels, disparity, 0.5, scenes.k_for(12, 0.8, height, width))
    hidden = np.nonzero(kind[height // 2] & layers.HIDDEN)[0]
    hidden = hidden[hidden < edge]
    assert hidden.max() == edge - 1
    assert abs((edge - hidden.min()) - 12) <= 2.5  # the shift, and the margin
    np.testing.assert_allclose(light[layers.BEHIND, height // 2, hidden, :3], 0.2, atol=1e-4)
    np.testing.assert_allclose(defocus[layers.BEHIND, height // 2, hidden], -6, atol=1e-3)


def test_continuous_surface_stays_one_layer():
    _, _, kind = layered(scenes.noise(80, 60), scenes.slope(80, 60), 0.5, 200.0)
    assert not kind.any()


def test_hidden_background_comes_from_the_surface_beside_it():
    """Behind a card before two walls lies, on each side, the wall that is seen beside it there."""
    height, width = 60, 160
    pixels = np.full((3, height, width), 0.5, np.float32)
    disparity = np.full((1, height, width), 0.3, np.float32)
    pixels[:, :, width // 2 :] = 0.1
    disparity[:, :, width // 2 :] = 0.1
    pixels[:, :, 60:100] = 0.9
    disparity[:, :, 60:100] = 0.9
    light, _, kind = layered(pixels, disparity, 0.9, scenes.k_for(12, 0.8, height, width))
    middle = height // 2
    assert np.all(kind[middle, [61, 98]] & layers.HIDDEN)
    np.testing.assert_allclose(light[layers.BEHIND, middle, 61, :3], 0.5, atol=1e-3)
    np.testing.assert_allclose(light[layers.BEHIND, middle, 98, :3], 0.1, atol=1e-3)


def _edge(seen_disparity, known):
    """A card at 0.9 before a wall at 0.1, and what other frames saw behind it: hidden light and defocus of a row."""
    height, width, edge = 40, 80, 40
    pixels = np.full((3, height, width), 0.2, np.float32)
    pixels[:, :, :edge] = 0.8
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, :edge] = 0.9
    seen = HiddenBackground(
        np.full((3, height, width), 0.6, np.float32),
        np.full((1, height, width), seen_disparity, np.float32),
        np.full((height, width), known, np.float32),
    )
    frame = RenderInput(pixels, disparity, 0.9, scenes.k_for(10, 0.8, height, width), seen)
    image = LayeredImage.of(frame, transfer="linear")
    row = height // 2
    hidden = np.nonzero(image.kind[row] & layers.HIDDEN)[0]
    hidden = hidden[hidden < edge]
    return image.light[layers.BEHIND, row, hidden], image.defocus[layers.BEHIND, row, hidden]


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_what_other_frames_saw_is_hidden_there(known):
    light, defocus = _edge(0.2, known)
    assert len(light) >= 8
    np.testing.assert_allclose(light[:, :3], 0.2 + known * 0.4, atol=1e-4)
    np.testing.assert_allclose(light[:, 3], 1)
    np.testing.assert_allclose(defocus, -10 + known * 1.25, atol=1e-3)


def test_what_is_half_believed_is_half_continued():
    """Beside the step half of each; farther in what is continued is already half of what was seen."""
    light, _ = _edge(0.1, 0.5)
    np.testing.assert_allclose(light[-1, :3], 0.4, atol=1e-4)
    assert np.all(np.diff(light[:, 0]) <= 1e-6)
    assert light[0, 0] > 0.5


def test_what_does_not_lie_behind_is_not_hidden_there():
    light, defocus = _edge(0.9, 1.0)
    np.testing.assert_allclose(light[:, :3], 0.2, atol=1e-4)
    np.testing.assert_allclose(defocus, -10, atol=1e-3)


def test_seen_light_is_decoded_and_raised_as_the_frame():
    """Hidden samples of the frame's own picture, moved nowhere, are those of the picture."""
    pixels, disparity = 0.6 + 0.2 * scenes.noise(96, 96), np.full((1, 96, 96), 0.1, np.float32)
    disparity[:, :, :48] = 0.9
    seen = HiddenBackground(pixels, np.full_like(disparity, 0.1), np.ones((96, 96), np.float32))
    frame = RenderInput(pixels, disparity, 0.9, scenes.k_for(8, 0.8, 96, 96), seen)
    image = LayeredImage.of(frame, transfer="srgb", highlights=Highlights(gain=4, threshold=0.5))
    whole = LayeredImage.of(
        RenderInput(pixels, np.full_like(disparity, 0.1), 0.9, frame.blur_strength),
        transfer="srgb",
        highlights=Highlights(gain=4, threshold=0.5),
    )
    hidden = (image.kind & layers.HIDDEN > 0) & (disparity[0] > 0.5)
    assert hidden.sum() > 400
    np.testing.assert_allclose(image.light[layers.BEHIND][hidden], whole.light[layers.FRONT][hidden], atol=1e-6)


@pytest.mark.parametrize(("stitch", "bound"), [(1.0, "upper"), (0.0, "lower")])
def test_a_stitch_along_an_edge_does_not_shine_as_the_foreground(stitch, bound):
    """An edge pixel unlike both sides, as sharpening leaves it: its foreground part has the foreground's colours."""
    height, width, edge = 40, 60, 30
    near, far = np.array([0.6, 0.5, 0.4], np.float32), np.array([0.2, 0.2, 0.3], np.float32)
    pixels = np.empty((3, height, width), np.float32)
    pixels[:, :, :edge] = near[:, None, None]
    pixels[:, :, edge:] = far[:, None, None]
    pixels[:, :, edge] = np.array([0.45, 0.4, stitch], np.float32)[:, None]
    disparity = np.full((1, height, width), 0.1, np.float32)
    disparity[:, :, :edge] = 0.9
    light, _, kind = layered(pixels, disparity, 0.9, scenes.k_for(10, 0.8, height, width))
    column = (slice(8, -8), edge)
    assert np.all(kind[column] & layers.SPLIT)
    foreground = light[layers.PATCH][column][:, :3] / light[layers.PATCH][column][:, 3:]
    # Up to the grain that one surface may have.
    np.testing.assert_allclose(foreground[:, 2], near[2], rtol=0.16, err_msg=bound)


def test_an_oversharpened_edge_in_focus_has_no_stitches():
    """The worst case: halos of both signs along a ragged edge. Dark ones blur with the wall, bright ones are cut."""
    height, width = 48, 64
    rng = np.random.default_rng(2)
    edge = 30 + rng.integers(-1, 2, height)
    near, far = 0.5, 0.2
    is_near = np.arange(width)[None] < edge[:, None]
    plane = np.where(is_near, near, far).astype(np.float32)
    rows = np.arange(height)
    plane[rows, edge] = np.where(rows % 2, 1.0, 0.0)
    disparity = np.where(is_near, 0.9, 0.1).astype(np.float32)[None]
    given = np.repeat(plane[None], 3, axis=0)
    k = scenes.k_for(8, 0.8, height, width)
    picture = scenes.render(given, disparity, 0.9, k, transfer="linear", threads=1)
    beside = picture[0, rows, edge][4:-4]
    # Without an upper bound the brightest was 0.986; seen 0.144 to 0.373.
    assert beside.min() > far * 0.65
    assert beside.max() < near
