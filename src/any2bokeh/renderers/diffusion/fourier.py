"""Fourier features of the blur strength."""

import torch

FREQUENCY_COUNT = 16
"""Frequencies of the published layout."""

LARGEST_FREQUENCY = 100.0
"""The frequencies rise geometrically from 1 to this one."""


def fourier_features(
    values: torch.Tensor, frequency_count: int = FREQUENCY_COUNT, largest_frequency: float = LARGEST_FREQUENCY
) -> torch.Tensor:
    """Sines and cosines of ``values`` at geometrically spaced frequencies.

    Args:
        values: ``(...)``, any range; computed in float32 or finer, for the largest phase is 100 K.
        frequency_count: F.
        largest_frequency: the last frequency; the first is 1.

    Returns:
        ``(..., 2 F)``: sin, cos of the first frequency, sin, cos of the second, and so on.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    exponents = torch.linspace(0, 1, frequency_count, dtype=values.dtype, device=values.device)
    phases = values[..., None] * largest_frequency**exponents  # (..., F)
    return torch.stack([phases.sin(), phases.cos()], dim=-1).flatten(-2)
