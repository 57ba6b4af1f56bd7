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
    frequencies = _frequencies(frequency_count, largest_frequency, values.dtype).to(values.device)
    phases = values[..., None] * frequencies  # (..., F)
    return torch.stack([phases.sin(), phases.cos()], dim=-1).flatten(-2)


def _frequencies(count: int, largest: float, dtype: torch.dtype) -> torch.Tensor:
    """``largest ** torch.linspace(0, 1, count)`` as the published modules had it, to the last bit on every processor.

    Both operations round otherwise without fused multiplication and addition, and K magnifies the difference a
    thousandfold. Here each exponent is rounded once, and each power.
    """
    step = torch.tensor(1 / max(count - 1, 1), dtype=dtype).item()
    rising = [index * step if index < count / 2 else 1 - (count - 1 - index) * step for index in range(count)]
    exponents = torch.tensor(rising, dtype=dtype).double()
    return (largest**exponents).to(dtype)
