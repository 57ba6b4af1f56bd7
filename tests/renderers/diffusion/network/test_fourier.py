"""Fourier features of K, in full precision and as the published scripts compute them."""

import torch

from any2bokeh.renderers.diffusion.network.fourier import fourier_features


def test_float16_is_what_torch_computes_in_it() -> None:
    strengths = torch.tensor([0.0, 0.37, 4.0, 16.0, 31.3, 80.0])
    frequencies = 100.0 ** torch.linspace(0, 1, 16, dtype=torch.float16)
    phases = strengths.half()[:, None] * frequencies
    plain = torch.stack([phases.sin(), phases.cos()], dim=-1).flatten(-2).float()
    features = fourier_features(strengths, precision="float16")
    assert features.dtype == torch.float32
    # Worst seen 0; a last bit of a float16 sine is 4.9e-4, and of a power or a phase more.
    torch.testing.assert_close(features, plain, rtol=0, atol=1e-3)


def test_float16_is_far_from_full_precision() -> None:
    """What was measured on the published scripts at K = 16: 11 of 32 features off by more than 0.1."""
    strength = torch.tensor(16.0)
    difference = fourier_features(strength, precision="float16") - fourier_features(strength)
    assert int((difference.abs() > 0.1).sum()) == 11


def test_full_precision_stays_as_fine_as_its_input() -> None:
    strength = torch.tensor([16.0, 31.3], dtype=torch.float64)
    assert fourier_features(strength).dtype == torch.float64
    assert fourier_features(strength, precision="float16").dtype == torch.float64
