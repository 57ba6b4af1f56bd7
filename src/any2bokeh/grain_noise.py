"""The numbers that grain is made of, and grain put onto a picture."""

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

_BITS = 12  # of a number: one in 4096, to 3.7 times the deviation


def white_noise(height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Normally distributed numbers ``(3, height, width)`` of deviation 1, alike for the same seed.

    Each is found from the seed and its place alone, which takes a quarter of the time of a generator in which one
    number leads to the next.

    Source: the mixing of 32 bits is that of Appleby, MurmurHash3.
    """
    noise = np.empty((3, height, width), np.float32)
    _draw(np.uint32(seed % 2**32), _quantiles(), noise.reshape(-1))
    return noise


def with_grain(
    codes: NDArray[np.float32],
    lost: NDArray[np.float32],
    grey: NDArray[np.float32],
    deviation: NDArray[np.float32],
    noise: NDArray[np.float32],
    amount: np.float32,
) -> NDArray[np.float32]:
    """A picture with ``amount * sqrt(lost) * deviation * noise`` added.

    Args:
        codes: ``(3, H, W)``.
        lost: ``(H, W)`` in [0, 1].
        grey: ``(H, W)``, which grey level each pixel has.
        deviation: ``(3, 256)`` of each channel at grey levels from 0 to 1.
        noise: ``(3, H, W)``.
        amount: 0 or more.
    """
    grained = np.empty_like(codes)
    _add(codes, np.sqrt(lost) * amount, grey, deviation, noise, grained)
    return grained


@cache
def _quantiles() -> NDArray[np.float32]:
    """As many numbers as ``_BITS`` tell apart, which lie as those of the normal distribution do."""
    normal, count = NormalDist(), 2**_BITS
    values = np.array([normal.inv_cdf((at + 0.5) / count) for at in range(count)])
    return (values / values.std()).astype(np.float32)


@compiled(nogil=True)
def _draw(seed, quantiles, noise):  # pragma: no cover (compiled)
    begin = _mixed(seed ^ np.uint32(0x5BD1E995))
    for at in range(noise.shape[0]):
        noise[at] = quantiles[_mixed(begin + np.uint32(at) * np.uint32(0x9E3779B1)) >> np.uint32(32 - _BITS)]


@compiled(nogil=True, inline="always")
def _mixed(bits):
    bits = np.uint32((bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    bits = np.uint32((bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return bits ^ (bits >> np.uint32(16))


@compiled(nogil=True)
def _add(codes, strength, grey, deviation, noise, grained):  # pragma: no cover (compiled)
    _, height, width = codes.shape
    level = np.empty(width, np.uint8)
    for y in range(height):
        for x in range(width):
            level[x] = np.uint8(min(max(grey[y, x], np.float32(0)), np.float32(1)) * np.float32(255) + np.float32(0.5))
        for c in range(3):
            for x in range(width):
                at = strength[y, x] * deviation[c, level[x]]
                grained[c, y, x] = codes[c, y, x] + at * noise[c, y, x]
