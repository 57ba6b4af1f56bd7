"""The picture at its own size, with the layered engine in the place of the model."""

import numpy as np
import pytest
import torch

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion.run.compose import composed, foreground_reach, upsample_along
from any2bokeh.renderers.diffusion.run.processing_size import ProcessingSize
from any2bokeh.renderers.layered import LayeredRenderer

HEIGHT, WIDTH = 216, 384


def scene(focus_disparity: float, *, near: float = 0.9, far: float = 0.2) -> RenderInput:
    """A near disc with fine texture in front of a finely textured far plane; K 40."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0.1, 0.9, (3, HEIGHT, WIDTH)).astype(np.float32)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = (rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2 < 60**2
    pixels[0] = np.where(inside, 0.7 + 0.3 * pixels[0], 0.3 * pixels[0])
    pixels[2] = np.where(inside, 0.3 * pixels[2], 0.7 + 0.3 * pixels[2])
    disparity = np.where(inside, near, far).astype(np.float32)[None]
    return RenderInput(pixels, disparity, focus_disparity, 60.0)


def compose_with_layered(given: RenderInput, long_side_px: int) -> np.ndarray:
    """Compose with a perfect model: the layered engine at the smaller size."""
    size = ProcessingSize.of(HEIGHT, WIDTH, long_side_px)
    source, disparity = torch.from_numpy(given.pixels), torch.from_numpy(given.disparity)
    small_source = size.shrink_pixels(source[None])[0]
    small_disparity = size.shrink_disparity(disparity[None])[0]
    small = RenderInput(small_source.numpy(), small_disparity.numpy(), given.focus_disparity, given.blur_strength)
    result = LayeredRenderer(transfer="none", threads=1).render_frame(small)
    return composed(
        source,
        disparity,
        given.focus_disparity,
        given.blur_strength,
        small_source,
        small_disparity,
        torch.from_numpy(result),
        size,
    ).numpy()


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((first - second) ** 2)))


@pytest.mark.parametrize("focus_disparity", [0.9, 0.2])
def test_at_the_source_size_the_model_is_taken_as_it_is(focus_disparity: float) -> None:
    given = scene(focus_disparity)
    whole = LayeredRenderer(transfer="none", threads=1).render_frame(given)
    result = compose_with_layered(given, WIDTH)
    assert psnr_db(result, whole) > 50, psnr_db(result, whole)


@pytest.mark.parametrize(("focus_disparity", "least_db"), [(0.9, 41.0), (0.2, 43.0)])  # seen 42.1 and 44.9
def test_half_the_size_comes_near_the_full_size(focus_disparity: float, least_db: float) -> None:
    given = scene(focus_disparity)
    whole = LayeredRenderer(transfer="none", threads=1).render_frame(given)
    result = compose_with_layered(given, WIDTH // 2)
    naive = torch.nn.functional.interpolate(
        torch.from_numpy(
            LayeredRenderer(transfer="none", threads=1).render_frame(
                RenderInput(
                    ProcessingSize.of(HEIGHT, WIDTH, WIDTH // 2)
                    .shrink_pixels(torch.from_numpy(given.pixels)[None])[0]
                    .numpy(),
                    given.disparity[:, ::2, ::2],
                    focus_disparity,
                    given.blur_strength,
                )
            )
        )[None],
        (HEIGHT, WIDTH),
        mode="bicubic",
    )[0].numpy()
    assert psnr_db(result, whole) > least_db, psnr_db(result, whole)
    assert psnr_db(result, whole) > psnr_db(naive, whole) + 6


def test_in_focus_detail_is_the_sources_and_nothing_else_is() -> None:
    given = scene(0.9)
    result = compose_with_layered(given, WIDTH // 3)
    in_focus = np.broadcast_to(given.disparity == np.float32(0.9), result.shape)
    np.testing.assert_array_equal(result[in_focus], given.pixels[in_focus])
    assert (result != given.pixels)[~in_focus].mean() > 0.99


def test_no_halo_of_the_sharp_subject_in_the_blurred_background() -> None:
    """The subject is red, the background blue: no red may leak out, however small the model's picture was."""
    given = scene(0.9)
    whole = LayeredRenderer(transfer="none", threads=1).render_frame(given)
    result = compose_with_layered(given, WIDTH // 3)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2) - 60
    ring = (distance > 0.5) & (distance < 8)
    assert abs(float((result[0] - whole[0])[ring].mean())) < 0.02


def test_a_blurred_foreground_spills_over_the_sharp_background() -> None:
    given = scene(0.2)
    whole = LayeredRenderer(transfer="none", threads=1).render_frame(given)
    result = compose_with_layered(given, WIDTH)
    radius = 60 * WIDTH / 1024 * 0.7
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2) - 60
    spill = np.broadcast_to((distance > 0) & (distance < 0.8 * radius), result.shape)
    beyond = np.broadcast_to(distance > radius + 1, result.shape)
    assert psnr_db(result[spill], whole[spill]) > 45
    np.testing.assert_array_equal(result[beyond], given.pixels[beyond])


def test_no_seam_along_a_slope_through_the_focal_plane() -> None:
    """On a flat picture whose model's result is a little off, nothing steps: the share of the model rises smoothly."""
    height, width = 64, 512
    disparity = torch.linspace(0.45, 0.55, width).expand(1, height, width).contiguous()
    source = torch.full((3, height, width), 0.5)
    size = ProcessingSize.of(height, width, None)
    result = composed(source, disparity, 0.5, 100.0, source, disparity, source + 0.02, size)
    assert float((result[..., 1:] - result[..., :-1]).abs().max()) < 0.002
    assert float(result.max()) == pytest.approx(0.52)
    assert torch.equal(result[..., width // 2 - 4 : width // 2 + 4], source[..., :8])


def test_reach_is_that_of_the_discs() -> None:
    defocus = torch.full((1, 64, 80), -3.0)
    defocus[0, 30, 40] = 12.0
    reach, coverage = foreground_reach(defocus, 1.0, 64, 80)
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(80), indexing="ij")
    square = 12.0**2 - ((rows - 30) ** 2 + (columns - 40) ** 2)
    torch.testing.assert_close(reach[0], (square - 0.25).clamp(min=0).sqrt())
    assert torch.equal(coverage > 0, reach > 0)
    assert float(coverage.max()) < 0.5


def test_a_slope_in_front_does_not_reach_its_neighbours() -> None:
    defocus = torch.linspace(0, 6, 64).expand(1, 64, 64).contiguous()
    assert torch.equal(foreground_reach(defocus, 1.0, 64, 64)[0] <= 0.5, defocus <= 0.71)


def test_nothing_in_front_reaches_nothing() -> None:
    reach, coverage = foreground_reach(torch.full((1, 32, 32), -9.0), 1.0, 64, 64)
    assert float(reach.max()) == 0.0
    assert float(coverage.max()) == 0.0


def test_upsampling_does_not_mix_across_a_step() -> None:
    small = torch.zeros(1, 8, 8)
    small[..., 4:] = 1.0
    small_defocus = small * 20
    defocus = torch.zeros(1, 32, 32)
    defocus[..., 16:] = 20.0
    large = upsample_along(small, small_defocus, defocus)
    torch.testing.assert_close(large, defocus / 20, rtol=0, atol=5e-3)  # the floor of the weights lets 0.0024 in


def test_upsampling_is_bilinear_where_all_is_alike() -> None:
    small = torch.rand(2, 9, 7)
    flat = torch.zeros(1, 9, 7)
    expected = torch.nn.functional.interpolate(small[None], (31, 40), mode="bilinear")[0]
    torch.testing.assert_close(upsample_along(small, flat, torch.zeros(1, 31, 40)), expected)
