"""The yardsticks measure only if they are sound themselves."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.evaluation.baselines import GatherRenderer, ScatterRenderer
from any2bokeh.renderers.base import RenderInput
from benchmarks.varblur import VarBlur

RENDERERS = [GatherRenderer, ScatterRenderer]
WIDTH, HEIGHT = 65, 49


def frame_of(pixels: NDArray[np.float32], disparity: float | NDArray[np.float32], radius_px: float) -> RenderInput:
    """A frame focused at infinity whose disparity 1 has a circle of confusion of ``radius_px``."""
    maps = np.broadcast_to(np.float32(disparity), (1, *pixels.shape[1:]))
    return RenderInput(pixels, maps, 0.0, radius_px * 1024 / max(pixels.shape[1:]))


def point_of_light() -> NDArray[np.float32]:
    pixels = np.zeros((3, HEIGHT, WIDTH), np.float32)
    pixels[:, HEIGHT // 2, WIDTH // 2] = 1
    return pixels


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("radius_px", [0.3, 0.5, 1.0, 3.7, 12.0])
def test_a_point_of_light_keeps_its_energy(renderer: type[GatherRenderer], radius_px: float):
    blurred = renderer(transfer="linear").render_frame(frame_of(point_of_light(), 1.0, radius_px))
    # Worst seen: 1.4e-6, sums of float32.
    assert blurred.sum(axis=(1, 2)) == pytest.approx([1, 1, 1], rel=5e-6)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_a_point_of_light_becomes_a_disc_of_its_radius(renderer: type[GatherRenderer]):
    blurred = renderer(transfer="linear").render_frame(frame_of(point_of_light(), 1.0, 10.0))[0]
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance_squared = (rows - HEIGHT // 2) ** 2 + (columns - WIDTH // 2) ** 2
    # The mean square distance from the centre of a disc is half its squared radius; its soft edge adds 0.3 %.
    assert np.sqrt(2 * np.sum(blurred * distance_squared) / blurred.sum()) == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_light_is_blurred_and_not_code_values(renderer: type[GatherRenderer]):
    halves = np.zeros((3, HEIGHT, WIDTH), np.float32)
    halves[:, :, ::2] = 1
    middle = renderer().render_frame(frame_of(halves, 1.0, 12.0))[:, HEIGHT // 2, WIDTH // 2]
    # Half the light of white has the sRGB code 0.735; the disc holds slightly more of one kind of column.
    assert middle == pytest.approx([0.735] * 3, abs=0.01)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_what_is_in_focus_stays(renderer: type[GatherRenderer]):
    pixels = np.random.default_rng(0).random((3, HEIGHT, WIDTH), np.float32)
    # Worst seen: 5.5e-7, the table of the sRGB curve.
    assert renderer().render_frame(frame_of(pixels, 0.0, 8.0)) == pytest.approx(pixels, abs=2e-6)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_no_blur_gives_the_very_array(renderer: type[GatherRenderer]):
    frame = frame_of(point_of_light(), 1.0, 0.0)
    assert next(renderer().render([frame])) is frame.pixels


@pytest.mark.parametrize("renderer", RENDERERS)
def test_threads_do_not_change_the_result(renderer: type[GatherRenderer]):
    generator = np.random.default_rng(1)
    pixels, disparity = (generator.random((n, HEIGHT, WIDTH), np.float32) for n in (3, 1))
    one, three = (renderer(threads=threads).render_frame(frame_of(pixels, disparity, 6.0)) for threads in (1, 3))
    # Scattered sums are added up in another order. Worst seen: 2.4e-7.
    assert three == pytest.approx(one, abs=2e-6)


def test_gather_bleeds_and_scatter_does_not():
    """Why there are two of them: a sharp bright subject before a blurred dark background."""
    pixels = np.zeros((3, HEIGHT, WIDTH), np.float32)
    disparity = np.ones((1, HEIGHT, WIDTH), np.float32)
    pixels[:, :, : WIDTH // 2], disparity[:, :, : WIDTH // 2] = 1, 0
    beside = (0, HEIGHT // 2, WIDTH // 2 + 2)
    frame = frame_of(pixels, disparity, 8.0)
    assert GatherRenderer(transfer="linear").render_frame(frame)[beside] > 0.2
    assert ScatterRenderer(transfer="linear").render_frame(frame)[beside] == 0


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_hdr_in_focus_stays(renderer: type[GatherRenderer], transfer: Literal["pq", "hlg"]):
    pixels = np.random.default_rng(0).uniform(0.05, 1, (3, HEIGHT, WIDTH)).astype(np.float32)
    # Worst seen: 9e-7, the tables of the curves.
    assert renderer(transfer=transfer).render_frame(frame_of(pixels, 0.0, 8.0)) == pytest.approx(pixels, abs=3e-6)


@pytest.mark.skipif(not VarBlur.is_present(), reason="this FFmpeg has no varblur filter")
def test_varblur_blurs_by_the_radius_asked_for():
    height, width = 96, 128
    step = np.zeros((3, height, width), np.float32)
    step[:, :, width // 2 :] = 1
    luma = VarBlur(frame_of(step, 1.0, 12.0))().to_ndarray(format="gray")[height // 2].astype(int)
    # A box that spreads light as far as a disc of 12 px is 2 * 12 * sqrt(3) / 2 = 20.8 px wide, one step a pixel.
    assert np.count_nonzero(np.diff(luma)) == pytest.approx(21, abs=2)
