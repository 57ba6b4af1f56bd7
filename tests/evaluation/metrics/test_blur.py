"""Measured blur against blur made by Fourier transform."""

from functools import cache

import numpy as np
import pytest

from any2bokeh.evaluation.metrics.blur import BlurMeter, k_blur_correlation, measured_focus
from any2bokeh.evaluation.metrics.blur_ruler import blur_radius_px
from any2bokeh.evaluation.metrics.source_frame import SourceFrame

SIZE = 160


@pytest.fixture(scope="module")
def texture():
    return np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)


def disc_blurred(light, radius_px: float):
    """Convolution with a disc that is supersampled 8 times, periodic."""
    fine = (np.arange(SIZE * 8) + 0.5) / 8 - 0.5
    from_origin = np.minimum(fine, SIZE - fine)
    inside = np.hypot(from_origin[:, None], from_origin[None, :]) <= radius_px
    disc = inside.reshape(SIZE, 8, SIZE, 8).mean(axis=(1, 3))
    spectrum = np.fft.rfft2(disc / disc.sum())[..., None]
    return np.fft.irfft2(np.fft.rfft2(light, axes=(0, 1)) * spectrum, s=(SIZE, SIZE), axes=(0, 1)).astype(np.float32)


@pytest.mark.parametrize("radius_px", [1.5, 2.25, 4.0])
def test_the_radius_of_a_disc_is_found(texture, radius_px):
    found = blur_radius_px(disc_blurred(texture, radius_px), texture, transfer="none")
    # Seen: 0.08 px at 1.5, where a pixel's own extent matters most.
    assert np.median(found[20:-20, 20:-20]) == pytest.approx(radius_px, abs=0.15)


def test_a_sharp_picture_has_radius_0(texture):
    assert blur_radius_px(texture, texture, transfer="none").max() == 0


def test_correlation_is_pearsons():
    k, radius = [4, 8, 16, 32], [0.5, 0.9, 2.2, 3.9]
    assert k_blur_correlation(k, radius) == pytest.approx(np.corrcoef(k, radius)[0, 1])
    assert k_blur_correlation(k, [2 * x for x in k]) == pytest.approx(1)
    assert k_blur_correlation(k, [1, 1, 1, 1]) == 0
    with pytest.raises(ValueError, match="three"):
        k_blur_correlation(k[:2], radius[:2])


def test_focus_is_where_the_radius_is_least():
    disparity = np.random.default_rng(1).uniform(0, 1, 500).astype(np.float32)
    assert measured_focus(7 * np.abs(disparity - np.float32(0.35)), disparity) == pytest.approx(0.35, abs=0.005)


def test_a_clip_is_measured_at_its_frame(texture):
    disparity = np.full((SIZE, SIZE), 0.75, np.float32)
    # K = 64 of 1024 px is 10 of 160; half of it at a disparity difference of 0.25, so 2.5 px.
    frame = SourceFrame(source=texture, disparity=disparity, focus_disparity=0.5, blur_strength=64.0, transfer="none")
    meter = BlurMeter(1)
    meter.add(texture, frame)
    assert meter.scores() == {}
    meter.add(disc_blurred(texture, 2.5), frame)
    assert meter.scores()["blur_expected_px"] == pytest.approx(2.5)
    assert meter.scores()["blur_px"] == pytest.approx(2.5, abs=0.15)
    assert "focus_measured" not in meter.scores()  # all of it is at one depth


def test_focus_of_a_slope_is_measured(texture):
    columns = np.linspace(0, 1, SIZE, dtype=np.float32)
    disparity = np.tile(columns, (SIZE, 1))
    blurred = np.zeros_like(texture)
    for x in range(SIZE):  # each column by its own disc, K of 10 px over all of disparity, focus at 0.7
        radius_px = round(4 * 10 * abs(float(columns[x]) - 0.7)) / 4
        blurred[:, x] = _kept(texture, radius_px)[:, x]
    meter = BlurMeter(0)
    meter.add(
        blurred,
        SourceFrame(source=texture, disparity=disparity, focus_disparity=0.7, blur_strength=64.0, transfer="none"),
    )
    assert meter.scores()["focus_measured"] == pytest.approx(0.7, abs=0.03)


@cache
def _blurred(radius_px: float):
    light = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE, 3)).astype(np.float32)
    return disc_blurred(light, radius_px)


def _kept(light, radius_px: float):
    return light if radius_px == 0 else _blurred(radius_px)


def test_a_flat_picture_has_no_blur_to_measure():
    flat = np.full((SIZE, SIZE, 3), 0.5, np.float32)
    meter = BlurMeter(0)
    near = np.full((SIZE, SIZE), 0.9, np.float32)
    meter.add(flat, SourceFrame(source=flat, disparity=near, focus_disparity=0.5, blur_strength=16.0))
    assert meter.scores() == {}
