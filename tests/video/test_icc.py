"""Colour profiles: understood by the ICC's formulas, told where they are of another kind."""

from collections.abc import Callable

import numpy as np
import pytest

from any2bokeh.optics.transfer import srgb_decode
from any2bokeh.video.icc import read_profile
from tests.video.icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    SRGB_CURVE,
    gamma_curve,
    matrix_profile,
    parametric_curve,
    profile_of,
    table_curve,
)

RAMP = np.linspace(0, 1, 33, dtype=np.float32)


def ramp(*channels: float) -> np.ndarray:
    """``(3, 1, 33)``: a ramp times a factor for each channel."""
    return np.stack([RAMP * np.float32(factor) for factor in channels])[:, None]


@pytest.mark.parametrize(
    "curve",
    [
        parametric_curve(*SRGB_CURVE),
        parametric_curve(4, (*SRGB_CURVE[1], 0.0, 0.0)),
        table_curve(srgb_decode(np.linspace(0, 1, 1024, dtype=np.float32))),
    ],
)
def test_srgb_is_known_as_such(curve: bytes) -> None:
    profile = read_profile(matrix_profile(SRGB, curve, name="sRGB IEC61966-2.1"))
    assert profile is not None
    assert (profile.name, profile.is_understood, profile.is_srgb) == ("sRGB IEC61966-2.1", True, True)
    # Fixed-point numbers of 16 bits, and tables of 1024 entries: worst seen 1.1e-4.
    assert np.abs(profile.linear_srgb(ramp(1, 0.5, 0.2)) - srgb_decode(ramp(1, 0.5, 0.2))).max() < 3e-4


def test_display_p3() -> None:
    profile = read_profile(matrix_profile(DISPLAY_P3, parametric_curve(*SRGB_CURVE)))
    assert profile is not None
    assert not profile.is_srgb
    # White and greys are white and greys; pure red lies outside sRGB. Source: CSS Color 4, display-p3 1 0 0.
    assert np.abs(profile.linear_srgb(ramp(1, 1, 1)) - srgb_decode(ramp(1, 1, 1))).max() < 2e-3
    red = profile.linear_srgb(np.array([1, 0, 0], np.float32).reshape(3, 1, 1))[:, 0, 0]
    assert np.abs(red - [1.2249, -0.0420, -0.0196]).max() < 2e-3


def test_adobe_rgb() -> None:
    profile = read_profile(matrix_profile(ADOBE_RGB, gamma_curve(563 / 256)))
    assert profile is not None
    # Source: Adobe RGB (1998) Color Image Encoding, 4.3.4: red of Adobe RGB in linear sRGB.
    red = profile.linear_srgb(np.array([1, 0, 0], np.float32).reshape(3, 1, 1))[:, 0, 0]
    assert np.abs(red - [1.3984, 0, 0]).max() < 3e-3
    grey = profile.linear_srgb(np.full((3, 1, 1), 0.5, np.float32))
    assert np.abs(grey - 0.5 ** (563 / 256)).max() < 2e-3


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (b"curv" + bytes(8), lambda x: x),
        (gamma_curve(1.8), lambda x: x**1.80078125),
        (parametric_curve(0, (2.0,)), lambda x: x**2),
        (parametric_curve(1, (2.0, 2.0, -0.5)), lambda x: np.where(x >= 0.25, np.clip(2 * x - 0.5, 0, 1) ** 2, 0)),
        (parametric_curve(2, (2.0, 0.5, 0.0, 0.25)), lambda x: (0.5 * x) ** 2 + 0.25),
        (parametric_curve(4, (2.0, 1.0, 0.0, 0.5, 0.5, 0.0, 0.1)), lambda x: np.where(x >= 0.5, x**2, 0.5 * x + 0.1)),
    ],
)
def test_curves(curve: bytes, expected: Callable[[np.ndarray], np.ndarray]) -> None:
    profile = read_profile(matrix_profile(SRGB, curve))
    assert profile is not None
    assert profile.curves is not None
    codes = np.linspace(0, 1, 65536)
    assert np.abs(profile.curves[0] - np.clip(expected(codes), 0, 1)).max() < 1e-4


def test_what_is_not_understood() -> None:
    tables = read_profile(profile_of({b"A2B0": b"mft2" + bytes(60)}, name="printer"))
    assert tables is not None
    assert (tables.name, tables.is_understood, tables.is_srgb) == ("printer", False, False)
    cmyk = read_profile(profile_of({b"A2B0": b"mft2" + bytes(60)}, space=b"CMYK"))
    assert cmyk is not None
    assert (cmyk.space, cmyk.is_understood) == ("CMYK", False)
    whole = matrix_profile(DISPLAY_P3, gamma_curve(2.2))
    assert read_profile(b"") is None
    assert read_profile(b"no profile" * 20) is None
    for end in range(132, len(whole), 7):
        cut = read_profile(whole[:end])
        assert cut is None or not cut.is_understood or end > len(whole) - 8
