"""Fourier features of the blur strength."""

from typing import Literal

import torch

BlurPrecision = Literal["float32", "float16"]
"""In what the Fourier features of K are computed. ``float16``: exponents, frequencies and phases too, as in the
published scripts, which feed K in it; at K = 16, 11 of the 32 features are then off by more than 0.1."""

FREQUENCY_COUNT = 16
"""Frequencies of the published layout."""

LARGEST_FREQUENCY = 100.0
"""The frequencies rise geometrically from 1 to this one."""


def fourier_features(
    values: torch.Tensor,
    frequency_count: int = FREQUENCY_COUNT,
    largest_frequency: float = LARGEST_FREQUENCY,
    *,
    precision: BlurPrecision = "float32",
) -> torch.Tensor:
    """Sines and cosines of ``values`` at geometrically spaced frequencies.

    Args:
        values: ``(...)``, any range; computed in float32 or finer, for the largest phase is 100 K.
        frequency_count: F.
        largest_frequency: the last frequency; the first is 1.
        precision: see ``BlurPrecision``.

    Returns:
        ``(..., 2 F)``: sin, cos of the first frequency, sin, cos of the second, and so on; in float32 or finer.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    if precision == "float16":
        frequencies = _frequencies(frequency_count, largest_frequency, torch.float16).to(values.device, torch.float32)
        phases = _in_half(_in_half(values.float())[..., None] * frequencies)
        return _in_half(torch.stack([phases.sin(), phases.cos()], dim=-1)).flatten(-2).to(values.dtype)
    frequencies = _frequencies(frequency_count, largest_frequency, values.dtype).to(values.device)
    phases = values[..., None] * frequencies  # (..., F)
    return torch.stack([phases.sin(), phases.cos()], dim=-1).flatten(-2)


def _in_half(values: torch.Tensor) -> torch.Tensor:
    """Rounded to float16 and kept as they were: every device and processor then computes the same."""
    return values.half().to(values.dtype)


def _frequencies(count: int, largest: float, dtype: torch.dtype) -> torch.Tensor:
    """``largest ** torch.linspace(0, 1, count)`` as the published modules had it, to the last bit on every processor.

    Both operations round otherwise without fused multiplication and addition, and K magnifies the difference a
    thousandfold. Here each exponent is rounded once, and each power.
    """
    step = torch.tensor(1 / max(count - 1, 1), dtype=dtype).item()
    rising = [index * step if index < count / 2 else 1 - (count - 1 - index) * step for index in range(count)]
    exponents = torch.tensor(rising, dtype=dtype).double()
    return (largest**exponents).to(dtype)
