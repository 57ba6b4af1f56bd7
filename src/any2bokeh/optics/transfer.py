"""Transfer functions between code values and linear light.

Light adds linearly, so a lens blurs linear light. Code values are what files hold, in [0, 1]; linear light is
relative to the diffuse white of the display (1.0) and has no upper bound.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Transfer = Literal["srgb", "linear", "none", "pq", "hlg"]
"""How code values stand for light. ``none`` blurs code values as they are; ``linear`` says that they are light."""

# HDR white: PQ is absolute, HLG relative to its peak; both are scaled so that the reference white of
# ITU-R BT.2408 (203 cd/m2 on a 1000 cd/m2 display) is 1.
_REFERENCE_WHITE_NITS = 203.0
_HLG_REFERENCE_WHITE_CODE = 0.75


def srgb_decode(code: NDArray[np.floating]) -> NDArray[np.float32]:
    """Linear light of sRGB code values. Domain [0, 1], range [0, 1]; shape kept.

    Source: IEC 61966-2-1, eq. 5-6; ``srgb_encode`` is its inverse.
    """
    code = np.asarray(code, np.float32)
    return np.where(code <= 0.04045, code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_encode(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """sRGB code values of linear light, clipped to [0, 1]; shape kept.

    Source: IEC 61966-2-1, eq. 7-8.
    """
    light = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def pq_decode(code: NDArray[np.floating]) -> NDArray[np.float32]:
    """Linear light, 1 = 203 cd/m2, of PQ code values. Domain [0, 1], range [0, 49.3]; shape kept.

    Source: ITU-R BT.2100-2, table 4 (SMPTE ST 2084).
    """
    root = np.maximum(np.asarray(code, np.float64), 0) ** (1 / _PQ_M2)
    nits = 10000 * (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)
    return (nits / _REFERENCE_WHITE_NITS).astype(np.float32)


def pq_encode(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """PQ code values of linear light, 1 = 203 cd/m2; clipped to [0, 1]; shape kept.

    Source: ITU-R BT.2100-2, table 4 (SMPTE ST 2084).
    """
    y = np.clip(np.asarray(linear, np.float64) * (_REFERENCE_WHITE_NITS / 10000), 0, 1) ** _PQ_M1
    return (((_PQ_C1 + _PQ_C2 * y) / (1 + _PQ_C3 * y)) ** _PQ_M2).astype(np.float32)


def hlg_decode(code: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scene-linear light of HLG code values, 1 = the reference white at code 0.75; shape kept.

    The display's opto-optical gamma is left out: it acts on the picture as a whole, after the lens.
    Source: ITU-R BT.2100-2, table 5.
    """
    code = np.maximum(np.asarray(code, np.float64), 0)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    return (scene / _HLG_WHITE).astype(np.float32)


def hlg_encode(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """HLG code values of scene-linear light, 1 = the reference white; clipped to [0, 1]; shape kept.

    Source: ITU-R BT.2100-2, table 5.
    """
    scene = np.clip(np.asarray(linear, np.float64) * _HLG_WHITE, 0, 1)
    log_part = _HLG_A * np.log(np.maximum(12 * scene - _HLG_B, 1e-12)) + _HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log_part).astype(np.float32)


def decode(code: NDArray[np.floating], transfer: Transfer) -> NDArray[np.float32]:
    """Linear light of code values under ``transfer``; shape kept."""
    return _DECODE[transfer](code)


def encode(linear: NDArray[np.floating], transfer: Transfer) -> NDArray[np.float32]:
    """Code values of linear light under ``transfer``; shape kept."""
    return _ENCODE[transfer](linear)


@lru_cache(maxsize=8)
def lookup_tables(transfer: Transfer) -> tuple[NDArray[np.float32], tuple[NDArray[np.float32], np.float32]]:
    """Tables for kernels that look code values up by linear interpolation.

    Returns:
        Linear light at evenly spaced code values in [0, 1]; and a pair: code values at evenly spaced square roots of
        light from 0 to a peak, and that peak, the light of code 1. The tables are empty where values are as they are.
    """
    if transfer in ("linear", "none"):
        nothing = np.empty(0, np.float32)
        return nothing, (nothing, np.float32(1))
    even = np.linspace(0, 1, _TABLE_CELLS[transfer] + 1)
    to_light = decode(even, transfer)
    peak = np.float32(to_light[-1])
    return to_light, (encode(even**2 * peak, transfer), peak)


def _as_is(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_WHITE = float((np.exp((_HLG_REFERENCE_WHITE_CODE - _HLG_C) / _HLG_A) + _HLG_B) / 12)

_DECODE = {"srgb": srgb_decode, "linear": _as_is, "none": _as_is, "pq": pq_decode, "hlg": hlg_decode}
_ENCODE = {"srgb": srgb_encode, "linear": _as_is, "none": _as_is, "pq": pq_encode, "hlg": hlg_encode}

# Linear interpolation is then within 1e-7 of the sRGB and HLG curves, within 1e-6 of PQ's.
_TABLE_CELLS = {"srgb": 4096, "hlg": 16384, "pq": 65536}
