"""Drafts: what they keep of mixed pixels and of hidden background, and how near their edges come to the final ones."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.optics.transfer import decode, encode
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput, TakesHidden
from any2bokeh.renderers.layered.reduced import Quality, layered_renderer
from any2bokeh.renderers.layered.reduction import reduced

WIDTH, HEIGHT = 160, 96
NEAR, FAR = 0.9, 0.2
FOREGROUND, BACKGROUND = np.array([[0.9, 0.2, 0.1], [0.1, 0.6, 0.9]], np.float32)


def disc_frame() -> tuple[RenderInput, NDArray[np.float32]]:
    """A red disc before a blue ground with a soft outline 5 px wide, its bands told, and its matte."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    matte = np.clip((30 - np.hypot(x - 80, y - 48)) / 5 + 0.5, 0, 1)
    ground = BACKGROUND[:, None, None] * (0.75 + 0.25 * np.sin(x / 3))
    red = np.broadcast_to(FOREGROUND[:, None, None], ground.shape)
    light = matte * decode(red, "srgb") + (1 - matte) * decode(ground, "srgb")
    pixels = encode(light, "srgb")
    disparity = np.where(matte >= 0.5, NEAR, FAR).astype(np.float32)[None]
    mixed = (matte > 0) & (matte < 1)
    bands = EdgeBands(
        disparity,
        mixed,
        *(np.where(mixed, value, 0).astype(np.float32) for value in (NEAR, FAR, matte, matte)),
        *(np.where(mixed, colour, 0).astype(np.float32) for colour in (red, ground)),
    )
    return RenderInput(pixels, disparity, FAR, 24.0, bands=bands), matte


def test_a_smaller_frame_has_the_mean_share_of_its_mixed_pixels():
    frame, matte = disc_frame()
    small = reduced(frame, (WIDTH // 4, HEIGHT // 4), "srgb")
    wanted = matte.reshape(HEIGHT // 4, 4, WIDTH // 4, 4).mean(axis=(1, 3))
    assert small.bands is not None
    mixed = small.bands.band
    np.testing.assert_allclose(small.bands.alpha[mixed], wanted[mixed], atol=1e-5)
    has_mixed = ((matte > 0) & (matte < 1)).reshape(HEIGHT // 4, 4, WIDTH // 4, 4).any(axis=(1, 3))
    assert np.array_equal(mixed, has_mixed & (wanted >= 0.02) & (wanted <= 0.98))
    # Its surfaces are those of the disc and of the ground, never one between them.
    assert np.minimum(np.abs(small.disparity - NEAR), np.abs(small.disparity - FAR)).max() < 1e-6
    assert np.array_equal(small.disparity[0][has_mixed] > 0.5, wanted[has_mixed] >= 0.5)


def test_colours_of_a_smaller_frame_add_up_to_its_light():
    frame, _ = disc_frame()
    small = reduced(frame, (WIDTH // 4, HEIGHT // 4), "srgb")
    assert small.bands is not None
    mixed, alpha = small.bands.band, small.bands.alpha
    whole = decode(frame.pixels, "srgb").reshape(3, HEIGHT // 4, 4, WIDTH // 4, 4).mean(axis=(2, 4))
    near, far = decode(small.bands.foreground, "srgb"), decode(small.bands.background, "srgb")
    # Light is looked up in a table on the way. Worst seen: 4e-5.
    np.testing.assert_allclose((alpha * near + (1 - alpha) * far)[:, mixed], whole[:, mixed], atol=2e-4)
    clear = mixed & (alpha > 0.2)
    # Worst seen: 0.004, in the darkest channel.
    np.testing.assert_allclose(
        small.bands.foreground[:, clear], np.broadcast_to(FOREGROUND[:, None], (3, clear.sum())), atol=0.02
    )


def test_without_bands_and_hidden_background_a_smaller_frame_has_none():
    frame, _ = disc_frame()
    small = reduced(replace(frame, bands=None), (40, 24), "srgb")
    assert small.bands is None
    assert small.hidden is None
    assert small.pixels.shape == (3, 24, 40)
    assert (small.focus_disparity, small.blur_strength) == (frame.focus_disparity, frame.blur_strength)


@pytest.mark.parametrize("margin_px", [0, 7, 12])
def test_hidden_background_is_averaged_where_it_is_known(margin_px: int):
    frame, _ = disc_frame()
    shape = HEIGHT + 2 * margin_px, WIDTH + 2 * margin_px
    known = np.zeros(shape, np.float32)
    known[:, margin_px + 60 : margin_px + 101] = 1
    pixels = np.where(known, BACKGROUND[:, None, None], np.float32(7))  # of no meaning elsewhere
    disparity = np.where(known, np.float32(FAR), np.float32(0.7))[None]
    hidden = HiddenBackground(pixels.astype(np.float32), disparity, known, margin_px)
    small = reduced(replace(frame, hidden=hidden), (67, 40), "srgb").hidden
    assert small is not None
    assert small.known.shape == (40 + 2 * small.margin_px, 67 + 2 * small.margin_px)
    assert small.margin_px == int(margin_px * 40 / HEIGHT)
    told = small.known > 0
    np.testing.assert_allclose(small.disparity[0][told], FAR, atol=1e-5)
    np.testing.assert_allclose(small.pixels[:, told], np.broadcast_to(BACKGROUND[:, None], (3, told.sum())), atol=1e-5)
    inside = small.known[small.margin_px : small.margin_px + 40, small.margin_px : small.margin_px + 67]
    edges = 60 * 67 / WIDTH, 101 * 67 / WIDTH
    found = [float(inside[20, :33].sum()), float(inside[20, 33:].sum())]
    # A margin that is not a whole number of small pixels moves the middle by less than one of them.
    np.testing.assert_allclose(found, [33 - edges[0], edges[1] - 33], atol=0.6)


@pytest.mark.parametrize("quality", ["draft", "preview"])
def test_edges_of_drafts_look_like_the_final_ones(quality: Quality):
    frame, matte = disc_frame()
    frame = replace(frame, focus_disparity=NEAR, blur_strength=60.0)
    outline = cv2.dilate(np.asarray((matte > 0) & (matte < 1), np.uint8), np.ones((9, 9), np.uint8)) > 0
    final, draft = layered_renderer("final").render_frame(frame), layered_renderer(quality)
    errors = [
        float(np.square(draft.render_frame(given) - final)[:, outline].mean())
        for given in (frame, replace(frame, bands=None))
    ]
    assert errors[0] < 0.7 * errors[1]


@pytest.mark.parametrize("quality", ["draft", "preview"])
def test_drafts_show_the_hidden_background_that_the_final_picture_shows(quality: Quality):
    frame, matte = disc_frame()
    # A blurred disc before a sharp ground, which goes on behind it in another colour.
    behind = np.full((3, HEIGHT, WIDTH), 0.9, np.float32)
    far = np.full((1, HEIGHT, WIDTH), FAR, np.float32)
    frame = replace(frame, blur_strength=200.0, hidden=HiddenBackground(behind, far, (matte > 0).astype(np.float32)))
    final, draft = layered_renderer("final").render_frame(frame), layered_renderer(quality)
    assert isinstance(draft, TakesHidden)
    assert draft.render_frame(replace(frame, blur_strength=0.0)) is frame.pixels
    errors = [
        float(np.square(draft.render_frame(given) - final)[:, matte > 0].mean())
        for given in (frame, replace(frame, hidden=None))
    ]
    assert errors[0] < 0.2 * errors[1]
