"""Strands cover what they cover: compared with many samples a pixel."""

import numpy as np
import pytest

from any2bokeh.synthesis.strands import Strands, random_strands


def strand(
    points: list[tuple[float, float]], width_px: list[float], opacity: float = 1.0, tone: float = 1.0
) -> Strands:
    return Strands(
        np.array([points], np.float32), np.array([width_px], np.float32), np.array([opacity], np.float32),
        np.array([tone], np.float32),
    )  # fmt: skip


def sampled(strands: Strands, size: tuple[int, int], samples: int = 16) -> np.ndarray:
    """Coverage by counting samples within half the width of any piece: the slow twin, for one opaque strand."""
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    y = (np.arange(size[0])[:, None] + offsets).ravel()[:, None]
    x = (np.arange(size[1])[:, None] + offsets).ravel()[None, :]
    inside = np.zeros((len(y), x.shape[1]), bool)
    points, widths = strands.points[0].astype(float), strands.width_px[0]
    for (x0, y0), (x1, y1), w0, w1 in zip(points[:-1], points[1:], widths[:-1], widths[1:], strict=True):
        dx, dy = x1 - x0, y1 - y0
        at = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        inside |= np.hypot(x - x0 - at * dx, y - y0 - at * dy) <= (w0 + at * (w1 - w0)) / 2
    return inside.reshape(size[0], samples, size[1], samples).mean(axis=(1, 3))


@pytest.mark.parametrize("width_px", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("end", [(28.0, 12.3), (26.0, 20.0), (21.0, 27.5)])
def test_a_tapering_strand_covers_as_many_samples_say(width_px: float, end: tuple[float, float]):
    drawn = strand([(3.2, 4.1), (12.0, 8.0), end], [width_px, 0.8 * width_px, 0.5 * width_px])
    coverage, _ = drawn.drawn((32, 32))
    truth = sampled(drawn, (32, 32))
    # Worst seen: 0.17, in the pixel where a strand of 0.3 px begins: its end is rounded as if it were wide.
    assert np.abs(coverage - truth).max() < 0.2
    # Worst seen: 4 %, of the thinnest.
    assert coverage.sum() == pytest.approx(truth.sum(), rel=0.06)


def test_a_strand_along_a_row_covers_exactly():
    coverage, _ = strand([(-9, 5.25), (40, 5.25)], [0.8, 0.8]).drawn((12, 32))
    np.testing.assert_allclose(coverage[4:7, 16], [0, 0.65, 0.15], atol=1e-6)


def test_crossing_strands_cover_as_independent_surfaces_and_the_last_is_in_front():
    crossing = Strands(
        np.array([[(-9, 8), (30, 8)], [(8, -9), (8, 30)]], np.float32), np.full((2, 2), 1, np.float32),
        np.array([0.5, 0.8], np.float32), np.array([1, 3], np.float32),
    )  # fmt: skip
    coverage, tone = crossing.drawn((16, 16))
    assert coverage[8, 8] == pytest.approx(1 - 0.5 * 0.2)
    assert coverage[8, 2] == pytest.approx(0.5)
    assert tone[8, 8] == pytest.approx((3 * 0.8 + 1 * 0.5 * 0.2) / 0.9)
    assert tone[2, 2] == 1


def test_strands_start_at_their_roots_and_taper():
    roots = np.array([[10.0, 20.0], [30.0, 5.0]])
    grown = random_strands(np.random.default_rng(0), roots, np.zeros(2), length_px=20, width_px=(0.5, 2.0))
    np.testing.assert_allclose(grown.points[:, 0], roots, atol=1e-5)
    assert (np.diff(grown.width_px, axis=1) <= 0).all()
    assert grown.width_px.min() > 0
    assert grown.width_px.max() <= 2
