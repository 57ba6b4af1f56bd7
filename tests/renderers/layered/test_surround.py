"""A frame with the margin that other frames saw."""

from dataclasses import replace

import numpy as np
import pytest

from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from tests.renderers.layered import scenes

MARGIN, HEIGHT, WIDTH = 12, 60, 90
WIDE_HEIGHT, WIDE_WIDTH = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
INNER = np.s_[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def wide_frame() -> RenderInput:
    """All of it blurred by 8 px, and a lamp outside the inner part, to the left of its middle."""
    pixels = 0.3 * scenes.noise(WIDE_HEIGHT, WIDE_WIDTH)
    pixels[:, WIDE_HEIGHT // 2 - 2 : WIDE_HEIGHT // 2 + 2, MARGIN - 5 : MARGIN - 2] = 1
    disparity = np.full((1, WIDE_HEIGHT, WIDE_WIDTH), 0.1, np.float32)
    return RenderInput(pixels, disparity, 0.9, scenes.k_for(8, 0.8, WIDE_HEIGHT, WIDE_WIDTH))


def inner_frame(wide: RenderInput, known: float) -> RenderInput:
    around = np.full((WIDE_HEIGHT, WIDE_WIDTH), known, np.float32)
    around[MARGIN:-MARGIN, MARGIN:-MARGIN] = 0
    return RenderInput(
        np.ascontiguousarray(wide.pixels[INNER]),
        np.ascontiguousarray(wide.disparity[INNER]),
        wide.focus_disparity,
        wide.blur_strength * WIDE_WIDTH / WIDTH,
        HiddenBackground(wide.pixels, wide.disparity, around, MARGIN),
    )


@pytest.mark.parametrize("look", [{}, {"axial_chromatic": 0.02}], ids=str)
def test_the_inner_part_is_that_of_the_wide_frame(look):
    wide, renderer = wide_frame(), LayeredRenderer(**look)
    whole = renderer.render_frame(wide)[INNER]
    np.testing.assert_allclose(renderer.render_frame(inner_frame(wide, 1.0)), whole, atol=1e-4)
    without = renderer.render_frame(replace(inner_frame(wide, 1.0), hidden=None))
    disc = np.s_[:, HEIGHT // 2, 1]
    assert (whole[disc] > without[disc] + 0.1).all(), "the disc of the lamp outside reaches in"


@pytest.mark.parametrize("look", [{}, {"vignetting": Vignetting(cat_eye=0.6)}], ids=str)
def test_an_unknown_margin_changes_nothing(look):
    frame, renderer = inner_frame(wide_frame(), 0.0), LayeredRenderer(**look)
    plain = renderer.render_frame(replace(frame, hidden=None))
    # The samples are the same, but their blocks lie elsewhere: sums are added up in another order, and what is repeated
    # beyond the border is bounded by the means of other blocks.
    np.testing.assert_allclose(renderer.render_frame(frame), plain, atol=3e-4)  # worst seen 1.3e-4


def test_separated_parts_have_the_size_of_the_frame():
    frame, renderer = inner_frame(wide_frame(), 1.0), LayeredRenderer(transfer="linear")
    parts = renderer.render_separated(frame)
    assert parts.shape == (3, 4, HEIGHT, WIDTH)
    np.testing.assert_allclose(parts[:, :3].sum(axis=0), renderer.render_frame(frame), atol=1e-5)


def test_what_others_saw_may_lie_beyond_all_that_is_seen():
    """It was written past the end of the sums, and spread no farther than what is seen."""
    disparity = scenes.card(HEIGHT, WIDTH, near=0.55, far=0.5)
    seen = HiddenBackground(
        np.ones((3, HEIGHT, WIDTH), np.float32), np.zeros_like(disparity), np.ones((HEIGHT, WIDTH), np.float32)
    )
    blur = scenes.k_for(20, 0.5, HEIGHT, WIDTH)
    frame = RenderInput(0.2 * scenes.noise(HEIGHT, WIDTH), disparity, 0.5, blur, hidden=seen)
    renderer = LayeredRenderer()
    picture = renderer.render_frame(frame)
    image = renderer.image
    assert image is not None
    assert image.farthest_px == pytest.approx(-20)
    assert image.widest_px == pytest.approx(20)
    assert image.samples().block_reach.max() >= 20
    assert np.isfinite(picture).all()
