"""Clipped highlights: light that the picture could not hold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.errors import InputError


@dataclass(frozen=True, slots=True)
class Highlights:
    """Recovery of what was clipped, so that a lamp becomes a disc as bright as it should be.

    A pixel's light is multiplied by ``1 + gain * t^2``, where t rises from 0 to 1 as the largest of its three code
    values goes from the threshold to 1. All three are multiplied alike, so the hue stays; and the gain sets in
    smoothly, so nothing pops as a pixel crosses the threshold. The renderer fades the gain in with the radius of the
    disc: what is in focus stays as the source has it, and what is nearly in focus must not stand out beside it.

    Attributes:
        gain: how many times brighter than white a clipped pixel is taken to be, beyond itself; 0 recovers nothing.
            ``auto`` raises only what is surely a lamp, each by what its rim says; see ``clipped_lamps.py``.
        threshold: code value, in [0, 1), from which on light is raised.
    """

    gain: float | Literal["auto"] = 0.0
    threshold: float = 0.9

    def __post_init__(self) -> None:
        if self.gain != "auto" and (isinstance(self.gain, str) or not 0 <= self.gain <= 1000):
            value = repr(self.gain) if isinstance(self.gain, str) else f"{self.gain:g}"
            raise InputError(f"highlight gain is {value}; it lies in 0 to 1000, or is auto")
        if not 0 <= self.threshold < 1:
            raise InputError(f"highlight threshold is {self.threshold:g}; it lies in 0 to below 1")

    @property
    def is_automatic(self) -> bool:
        """Whether only lamps are raised."""
        return self.gain == "auto"

    @property
    def fixed_gain(self) -> float:
        """The gain of all clipped light; 0 where only lamps are raised."""
        return 0.0 if isinstance(self.gain, str) else self.gain

    def recovered(self, light: NDArray[np.floating], code: NDArray[np.floating]) -> NDArray[np.floating]:
        """Linear light with its highlights raised by the fixed gain.

        Args:
            light: ``(3, H, W)``.
            code: ``(3, H, W)``, its code values.
        """
        above = np.clip((code.max(axis=0) - self.threshold) / (1 - self.threshold), 0, 1)
        return light * (1 + self.fixed_gain * above**2)


@compiled(nogil=True, inline="always")
def raised(largest_code, gain, threshold):
    """By what light is multiplied; ``Highlights.recovered`` for kernels."""
    above = min(max((largest_code - threshold) / (np.float32(1) - threshold), np.float32(0)), np.float32(1))
    return np.float32(1) + gain * above * above


_SHARP_PX, _SPREAD_PX = np.float32(0.5), np.float32(2.5)


@compiled(nogil=True, inline="always")
def spread(radius_px):
    """Share of the gain that light spread over this radius gets: 0 in focus, 1 from a few pixels on, smooth between."""
    share = min(max((radius_px - _SHARP_PX) / (_SPREAD_PX - _SHARP_PX), np.float32(0)), np.float32(1))
    return share * share * (np.float32(3) - np.float32(2) * share)
