"""The fast path against its slow twin."""

import numpy as np
import pytest

from any2bokeh.optics.aperture import Disc, Polygon
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import cpu, layers, reference
from any2bokeh.renderers.layered.bins import depth_bin
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from tests.renderers.layered import scenes

SIZE = (44, 60)


def both(pixels, disparity, focus_disparity, radius_px, aperture):
    """The fast picture and the reference's, from the same layered depth image."""
    renderer = LayeredRenderer(aperture=aperture, transfer="linear")
    strength = scenes.k_for(radius_px, 1, *SIZE)
    fast = renderer.render_frame(RenderInput(pixels, disparity, focus_disparity, strength))
    image = renderer.image
    assert image is not None
    return fast, reference.render(image.samples(), aperture)


# The fast path fills a row of a shape from its mean left to its mean right end, the reference counts exact overlaps:
# a slanted edge is a ramp one pixel wide in the first and up to a few in the second. Worst seen, largest and mean:
# disc 0.0054, 0.00075; pentagon 0.0114, 0.0026; squeezed hexagon 0.0118, 0.00068.
@pytest.mark.parametrize(
    ("aperture", "most", "mean"),
    [(Disc(), 0.007, 0.001), (Polygon(5, rotation_deg=10), 0.015, 0.0034), (Polygon(6, squeeze=0.6), 0.015, 0.0009)],
)
@pytest.mark.parametrize("radius_px", [3.0, 9.0])
def test_smooth_picture_on_a_slope_equals_reference(aperture, most, mean, radius_px):
    fast, slow = both(scenes.waves(*SIZE), scenes.slope(*SIZE), 0.4, radius_px, aperture)
    difference = np.abs(fast - slow)
    assert difference.max() < most
    assert difference.mean() < mean


@pytest.mark.parametrize("focus_disparity", [0.1, 0.5, 0.9])
def test_hard_edges_of_a_card_equal_reference(focus_disparity):
    fast, slow = both(scenes.noise(*SIZE), scenes.card(*SIZE), focus_disparity, 8.0, Disc())
    difference = np.abs(fast - slow)
    # Blocks of noise of full contrast. Worst seen 0.0104 where both sides are blurred by 3 px, mean 0.0014.
    assert difference.max() < 0.014
    assert difference.mean() < 0.002


def test_a_mean_of_samples_at_the_border_of_a_bin_may_lie_beyond_it():
    """A card in focus; rounding puts some of the wall behind it a little farther than all of the wall that is seen."""
    pixels, disparity, beyond = scenes.noise(*SIZE), scenes.card(*SIZE), 0
    for radius_px in (1.5, 2.5, 3.5, 8.5):
        strength = float(np.float32(scenes.k_for(radius_px, 0.8, *SIZE)))
        renderer = LayeredRenderer(transfer="linear")
        fast = renderer.render_frame(RenderInput(pixels, disparity, 0.9, strength))
        image = renderer.image
        assert image is not None
        hidden = image.defocus[layers.BEHIND][image.kind & layers.HIDDEN != 0]
        beyond += depth_bin(hidden.min()) < depth_bin(np.float32(image.farthest_px))
        difference = np.abs(fast - reference.render(image.samples(), Disc()))
        assert difference.max() < 0.014, radius_px  # as above; worst seen 0.0118
    assert beyond > 0


def test_rows_of_like_samples_are_cut_at_the_borders_of_tiles():
    pixels, disparity = scenes.noise(24, 2 * cpu.TILE_WIDTH), np.full((1, 24, 2 * cpu.TILE_WIDTH), 0.9, np.float32)
    whole = scenes.render(pixels, disparity, 0.4, scenes.k_for(9.0, 0.5, *disparity.shape[1:]), transfer="linear")
    # The same around the border of the two tiles, in a frame of one.
    around = slice(cpu.TILE_WIDTH - 40, cpu.TILE_WIDTH + 40)
    part = scenes.render(
        pixels[..., around], disparity[..., around], 0.4, scenes.k_for(9.0, 0.5, 24, 80), transfer="linear"
    )
    inside = slice(12, -12)
    np.testing.assert_allclose(part[..., inside], whole[..., around][..., inside], atol=1e-5)  # worst seen 7e-7


def test_one_channel_alone_equals_three_together():
    pixels, disparity = scenes.noise(40, 300), scenes.card(40, 300)
    together = scenes.render(pixels, disparity, 0.0, 12.0, transfer="linear")
    # So little that no radius changes, but each channel is rendered by itself.
    alone = scenes.render(pixels, disparity, 0.0, 12.0, transfer="linear", axial_chromatic=1e-9)
    np.testing.assert_allclose(alone, together, atol=1e-5)  # rounding of the running sums; worst seen 2.4e-7


def test_asymmetric_aperture_is_mirrored_in_front_of_the_focal_plane():
    pixels = np.zeros((3, 61, 61), np.float32)
    pixels[:, 30, 30] = 100
    triangle = Polygon(blades=3)
    behind, front = (
        scenes.render(
            pixels, np.full((1, 61, 61), d, np.float32), 0.5, scenes.k_for(12, 0.25, 61, 61),
            aperture=triangle, transfer="linear",
        )[0]
        for d in (0.25, 0.75)
    )  # fmt: skip
    np.testing.assert_allclose(front, behind[::-1, ::-1], atol=1e-3)
    rows = np.arange(61) @ behind.sum(axis=1) / behind.sum()
    widest = behind.sum(axis=1).argmax()
    assert widest > rows, "a vertex is on top behind the focal plane, so the widest row lies low"


def test_result_does_not_depend_on_threads():
    pixels, disparity = scenes.noise(130, 530), scenes.card(130, 530)
    one = scenes.render(pixels, disparity, 0.5, 30.0, threads=1)
    three = scenes.render(pixels, disparity, 0.5, 30.0, threads=3)
    np.testing.assert_array_equal(one, three)


def test_scratch_memory_carries_nothing_over():
    renderer = LayeredRenderer()
    first = RenderInput(scenes.noise(70, 90), scenes.card(70, 90), 0.1, 60.0)
    second = RenderInput(scenes.noise(70, 90, seed=1), scenes.slope(70, 90), 0.8, 20.0)
    alone = renderer.render_frame(second).copy()
    renderer.render_frame(first)
    np.testing.assert_array_equal(renderer.render_frame(second), alone)


def test_aperture_wider_than_tall_is_drawn_whole():
    pixels = np.zeros((3, 81, 121), np.float32)
    pixels[:, 40, 60] = 100
    wide = scenes.render(
        pixels, np.full((1, 81, 121), 0.25, np.float32), 0.5, scenes.k_for(24, 0.25, 81, 121),
        aperture=Polygon(8, curvature=1, squeeze=3), transfer="linear",
    )[0]  # fmt: skip
    assert wide.sum() == pytest.approx(100, rel=1e-3)
    columns, rows = np.nonzero(wide.sum(axis=0) > 1e-3)[0], np.nonzero(wide.sum(axis=1) > 1e-3)[0]
    assert np.ptp(columns) == pytest.approx(48, abs=1)
    assert np.ptp(rows) == pytest.approx(16, abs=1)
