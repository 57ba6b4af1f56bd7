"""Widths of edges."""

import cv2
import numpy as np
import pytest

from any2bokeh.source_blur.edge_widths import WIDEST, EdgeWidths
from any2bokeh.source_blur.estimate import edges_of_frame
from tests.source_blur import scenes


def edges(light: np.ndarray, disparity: np.ndarray | None = None) -> EdgeWidths:
    disparity = np.full((1, *light.shape), 0.5, np.float32) if disparity is None else disparity
    return edges_of_frame(scenes.codes(light), disparity, "srgb", long_side_px=max(light.shape))


@pytest.mark.parametrize("radius_px", [0.0, 1.0, 2.0, 3.0, 5.0])
def test_a_step_that_a_disc_has_blurred_is_as_wide_as_the_disc(radius_px: float):
    light = scenes.shapes(1)
    if radius_px:
        light = cv2.filter2D(light, -1, scenes.disc(radius_px), borderType=cv2.BORDER_REFLECT)
    found = edges(light)
    level = 0 if radius_px < WIDEST else 1
    widths = found.radius[found.level == level]
    # Corners, and edges that are close to one another, measure narrower or wider. Worst seen: 0.19 px, at 3 px.
    assert np.median(widths) == pytest.approx(radius_px, abs=0.3)
    assert len(widths) > 500


def test_contrast_does_not_matter():
    light = cv2.filter2D(scenes.shapes(1), -1, scenes.disc(2.0))
    full, faint = edges(light), edges(0.2 + 0.5 * (light - 0.2))
    # Worst seen: 0.0002 px.
    assert np.median(full.radius[full.level == 0]) == pytest.approx(np.median(faint.radius[faint.level == 0]), abs=0.01)


def test_edges_between_surfaces_do_not_count():
    light = scenes.shapes(2)
    near = (light > 0.4).astype(np.float32)[None]  # every edge is one of a surface, too
    alone, between = edges(light), edges(light, 0.3 + 0.4 * near)
    assert len(between) < 0.5 * len(alone)  # 0.4 seen: those of less contrast are left


def test_a_smooth_picture_has_none():
    assert len(edges(np.tile(np.linspace(0.1, 0.6, 640, dtype=np.float32), (384, 1)))) == 0
