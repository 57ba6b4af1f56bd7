"""How much of a pixel beside an edge is the nearer surface, and the pure colours of both."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.disparity.edges import ClassicalEdges, EdgeBands, matte
from any2bokeh.optics.transfer import srgb_decode, srgb_encode

Picture = NDArray[np.float32]

FINE = 8
NEAR, FAR = 0.7, 0.2


def scene(texture: float, size: int = 96) -> tuple[Picture, Picture, NDArray[np.float64]]:
    """Exact disparity and antialiased picture of a disc in front of a wall, and how much of each pixel is the disc."""
    y, x = (np.mgrid[: size * FINE, : size * FINE] + 0.5) / FINE
    covered = np.hypot(y - 0.47 * size, x - 0.52 * size) < 0.3 * size
    share = covered.reshape(size, FINE, size, FINE).mean(axis=(1, 3))
    generator = np.random.default_rng(4)
    surfaces = []
    for colour in ([0.8, 0.35, 0.2], [0.15, 0.3, 0.5]):
        noise = cv2.GaussianBlur(generator.standard_normal((size, size, 3)), (0, 0), 1.5) * texture
        surfaces.append(srgb_decode(np.clip(np.array(colour) + noise, 0, 1)))
    light = share[..., None] * surfaces[0] + (1 - share[..., None]) * surfaces[1]
    disparity = np.where(share > 0.5, NEAR, FAR).astype(np.float32)
    return disparity[None], np.ascontiguousarray(srgb_encode(light).transpose(2, 0, 1)), share


# Worst seen, mean error of the share of a pixel that is mixed by more than a tenth: 0.011 plain, 0.054 textured.
@pytest.mark.parametrize(("texture", "most"), [(0.0, 0.02), (0.15, 0.08)])
def test_shares_on_the_far_side_of_an_exact_edge(texture: float, most: float):
    disparity, pixels, share = scene(texture)
    found = ClassicalEdges()(disparity, pixels)
    assert found.disparity is disparity
    is_mixed = (share > 0.1) & (share < 0.5)
    assert is_mixed.sum() > 60
    assert np.abs(found.alpha - share)[is_mixed].mean() < most
    assert found.alpha.max() <= 0.5
    assert (found.alpha[disparity[0] == NEAR] == 0).all(), "a near side belongs to what covers most of it"
    away = cv2.dilate(is_mixed.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert (found.alpha[away] == 0).all()
    assert found.is_mixed


@pytest.mark.parametrize("texture", [0.0, 0.3])
def test_both_colours_add_up_to_the_pixel_in_linear_light(texture: float):
    disparity, pixels, _ = scene(texture)
    found = ClassicalEdges()(disparity, pixels)
    at = found.alpha > 0
    alpha = found.alpha[at]
    light = alpha * srgb_decode(found.foreground[:, at]) + (1 - alpha) * srgb_decode(found.background[:, at])
    # Light of code values is looked up in a table of 4096: worst seen 1.5e-4.
    np.testing.assert_allclose(light, srgb_decode(pixels[:, at]), atol=4e-4)
    for colours in (found.foreground, found.background):
        assert colours.min() >= 0
        assert colours.max() <= 1
    np.testing.assert_allclose(found.near[at], NEAR)
    np.testing.assert_allclose(found.far[at], FAR)


def test_pure_colours_of_plain_surfaces():
    disparity, pixels, share = scene(0.0)
    found = ClassicalEdges()(disparity, pixels)
    at = (share > 0.15) & (share < 0.5)
    # Worst seen 0.02 (foreground of the least share).
    assert np.abs(found.background[:, at] - np.array([[0.15], [0.3], [0.5]])).mean() < 0.01
    assert np.abs(found.foreground[:, at] - np.array([[0.8], [0.35], [0.2]])).mean() < 0.03


def test_a_soft_map_gets_shares_too():
    disparity, pixels, share = scene(0.1)
    soft = cv2.GaussianBlur(disparity[0], (0, 0), 1.5)[None]
    found = ClassicalEdges()(soft, pixels)
    is_mixed = (share > 0.1) & (share < 0.5)
    assert np.abs(found.alpha - share)[is_mixed].mean() < 0.12  # worst seen 0.07: some steps are a pixel off


def test_another_scale_of_disparity_and_another_place():
    disparity, pixels, _ = scene(0.0)
    found = ClassicalEdges()(disparity, pixels)
    bent = found.with_disparity(lambda d: d * np.float32(2))
    np.testing.assert_array_equal(bent.near, found.near * 2)
    np.testing.assert_array_equal(bent.disparity, found.disparity * 2)
    assert bent.alpha is found.alpha
    turned = found.resampled(lambda planes: planes[:, ::-1])
    for name in ("disparity", "band", "near", "far", "near_share", "alpha", "foreground", "background"):
        before = np.atleast_3d(getattr(found, name).T).T
        np.testing.assert_array_equal(np.atleast_3d(getattr(turned, name).T).T, before[:, ::-1], err_msg=name)


def test_nothing_is_mixed_without_steps():
    flat = np.full((1, 20, 30), 0.4, np.float32)
    assert not ClassicalEdges()(flat, np.full((3, 20, 30), 0.5, np.float32)).is_mixed
    assert not EdgeBands.none(flat).is_mixed


def test_codes_from_the_table_are_those_of_the_formula():
    """Worst seen: 5.5e-7, where the curve begins to bend."""
    light = np.concatenate([np.linspace(-0.1, 0.01, 2000), np.linspace(0, 1.1, 2000)]).astype(np.float32)
    code_of: Any = matte.code_of
    found = np.array([code_of.py_func(each) for each in light])
    np.testing.assert_allclose(found, srgb_encode(light), atol=1e-6)
