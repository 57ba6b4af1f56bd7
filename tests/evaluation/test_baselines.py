"""Gather and scatter against slow twins."""

import numpy as np
import pytest

from any2bokeh.evaluation.baselines import GatherRenderer, ScatterRenderer, SourceRenderer
from any2bokeh.renderers.base import RenderInput
from tests.evaluation.pictures import disparity_map, picture

WIDTH, HEIGHT = 32, 24


@pytest.fixture
def given() -> RenderInput:
    pixels = np.ascontiguousarray(picture(0, width=WIDTH, height=HEIGHT).transpose(2, 0, 1))
    # Radii of 3.6 px in front, 0 in focus: K of 192 at 32 px is 6 px for a disparity difference of 1.
    return RenderInput(pixels, disparity_map(width=WIDTH, height=HEIGHT)[None], 0.2, 192.0)


def disc(radius: float, y: int, x: int):
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.clip(max(radius + 0.5, 1) - np.hypot(rows - y, columns - x), 0, 1)


def radii(given):
    return 6.0 * np.abs(given.disparity[0] - 0.2)


def test_gather_averages_the_disc_around_each_pixel(given):
    [result] = GatherRenderer(transfer="none").render([given])
    expected = np.empty_like(given.pixels)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            weight = disc(radii(given)[y, x], y, x)
            expected[:, y, x] = (given.pixels * weight).sum(axis=(1, 2)) / weight.sum()
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_scatter_spreads_each_pixel_over_its_disc(given):
    [result] = ScatterRenderer(transfer="none").render([given])
    light, arrived = np.zeros((3, HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            radius = radii(given)[y, x]
            weight = disc(radius, y, x) / (np.pi * (max(radius, 0.5) ** 2 + 1 / 12))
            light += given.pixels[:, y, x, None, None] * weight
            arrived += weight
    np.testing.assert_allclose(result, light / arrived, atol=1e-5)


@pytest.mark.parametrize("kind", [GatherRenderer, ScatterRenderer])
def test_light_is_averaged_in_the_transfer(kind, given):
    bright = RenderInput(np.where(given.pixels > 0.5, 1, 0).astype(np.float32), given.disparity, 0.2, 192.0)
    [linear] = kind(transfer="srgb").render([bright])
    [codes] = kind(transfer="none").render([bright])
    blurred = given.disparity[0] > 0.5
    assert linear[:, blurred].mean() > codes[:, blurred].mean() + 0.05


@pytest.mark.parametrize("renderer", [SourceRenderer(), GatherRenderer(), ScatterRenderer()])
def test_no_blur_gives_back_the_very_picture(renderer, given):
    still = RenderInput(given.pixels, given.disparity, 0.2, 0.0)
    [result] = renderer.render([still])
    assert result is given.pixels
