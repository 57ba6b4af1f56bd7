"""Losses against cases computed by hand."""

import math

import pytest
import torch

from any2bokeh.training.losses import divergence_from_normal, latent_loss, picture_loss, sobel_magnitude, thumbnails


def test_sobel_magnitude_of_a_ramp_is_its_slope() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(9.0), indexing="ij")
    picture = torch.stack([0.3 * columns + 0.4 * rows, 0.1 * rows])[None]
    inside = sobel_magnitude(picture)[..., 1:-1, 1:-1]
    # The constant under the root, 1e-6, lifts 0.1 by 5e-6.
    assert inside[0, 0].flatten().tolist() == pytest.approx([0.5] * 42, abs=1e-5)
    assert inside[0, 1].flatten().tolist() == pytest.approx([0.1] * 42, abs=1e-5)


def test_sobel_magnitude_has_a_gradient_where_the_picture_is_flat() -> None:
    picture = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    sobel_magnitude(picture).sum().backward()
    assert picture.grad is not None
    assert torch.isfinite(picture.grad).all()


def test_picture_loss_is_l1_plus_l1_of_sobel_magnitudes() -> None:
    columns = torch.arange(6.0).expand(1, 1, 6, 6)
    constant = torch.zeros(1, 1, 6, 6)
    # L1 of a ramp of slope 1 over 0..5 is 2.5. Its magnitude is 1, a half in the outermost columns, where the border is
    # repeated; the constant's is 0.001.
    expected = 2.5 + (4 * 1.0 + 2 * 0.5) / 6 - 1e-3
    assert float(picture_loss(columns, constant)) == pytest.approx(expected, abs=1e-5)
    assert float(picture_loss(columns, columns)) == 0


def test_latent_loss_is_the_mean_square_in_float32() -> None:
    predicted = torch.tensor([1.0, 3.0], dtype=torch.bfloat16)
    loss = latent_loss(predicted, torch.tensor([0.0, 1.0]))
    assert loss.dtype == torch.float32
    assert float(loss) == 2.5


def test_divergence_from_normal() -> None:
    zero = torch.zeros(2)
    assert float(divergence_from_normal(zero, zero)) == 0
    # KL(N(1, 4) | N(0, 1)) = (1 + 4 - 1 - log 4) / 2
    assert float(divergence_from_normal(torch.ones(2), torch.full((2,), math.log(4.0)))) == pytest.approx(
        (4 - math.log(4)) / 2
    )


def test_thumbnails_are_block_means_and_contrasts() -> None:
    pictures = torch.zeros(1, 3, 8, 16)
    pictures[:, 0, :, :8] = 0.6  # grey 0.2 in all of the first block
    pictures[:, :, :, 8:12], pictures[:, :, :, 12:] = -0.5, 0.5  # deviation 0.5 in the second
    expected = torch.tensor([[[0.6, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 2.0]]])[None]
    # The contrast of a flat block is a root of rounding: 6.5e-4 seen.
    torch.testing.assert_close(thumbnails(pictures), expected, rtol=0, atol=2e-3)
