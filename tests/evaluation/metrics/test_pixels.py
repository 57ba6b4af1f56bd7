"""PSNR, SSIM, edge band, relation, edge preservation: hand-computed cases and slow twins."""

import math

import numpy as np
import pytest

from any2bokeh.evaluation.metrics.edge_band import edge_band
from any2bokeh.evaluation.metrics.edge_correlation import EdgeCorrelationMeter, edge_correlation
from any2bokeh.evaluation.metrics.psnr import PsnrMeter, psnr
from any2bokeh.evaluation.metrics.relation import RelationMeter, relation
from any2bokeh.evaluation.metrics.ssim import ssim
from tests.evaluation.pictures import picture
from tests.evaluation.pictures import truth_frame as frame


def test_psnr_of_a_known_error():
    truth = np.full((4, 5, 3), 0.5, np.float32)
    assert psnr(truth + np.float32(0.1), truth) == pytest.approx(20, abs=1e-4)
    half = truth.copy()
    half[:2] += np.float32(0.2)
    assert psnr(half, truth) == pytest.approx(-10 * math.log10(0.04 / 2), abs=1e-4)
    assert psnr(truth, truth) == 100


def test_psnr_of_a_clip_is_the_mean_of_its_frames():
    truth = np.full((8, 8, 3), 0.5, np.float32)
    meter = PsnrMeter()
    for error in (0.1, 0.01):
        meter.add(truth + np.float32(error), frame(truth))
    assert meter.scores() == {"psnr_db": pytest.approx(30, abs=1e-3)}  # and no edge PSNR without an edge


def test_edge_psnr_sees_the_band_alone():
    truth = np.full((40, 60, 3), 0.5, np.float32)
    disparity = np.zeros((40, 60), np.float32)
    disparity[:, 30:] = 0.5
    prediction = truth.copy()
    prediction[:, :10] += np.float32(0.5)  # far from the edge
    meter = PsnrMeter()
    meter.add(prediction, frame(truth, disparity=disparity))
    assert meter.scores()["psnr_edge_db"] == 100
    assert meter.scores()["psnr_db"] < 20


def test_edge_band_reaches_12_px_from_steps_above_3_hundredths():
    disparity = np.zeros((40, 60), np.float32)
    disparity[:, 30:] = 0.031
    columns = np.flatnonzero(edge_band(disparity).all(axis=0))
    assert (columns[0], columns[-1]) == (29 - 12, 30 + 12)
    assert not edge_band(disparity * np.float32(0.9)).any()


def test_ssim_is_that_of_a_slow_twin():
    one, other = picture(0, width=24, height=20), picture(1, width=24, height=20)
    assert ssim(one, other) == pytest.approx(slow_ssim(one, other), abs=1e-9)
    assert ssim(one, one) == pytest.approx(1)


def slow_ssim(one, other) -> float:
    """Wang et al. 2004, window by window."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    values = []
    for y in range(one.shape[0] - 10):
        for x in range(one.shape[1] - 10):
            for c in range(3):
                a, b = (p[y : y + 11, x : x + 11, c].astype(np.float64) for p in (one, other))
                ma, mb = (weights * a).sum(), (weights * b).sum()
                va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
                cov = (weights * (a - ma) * (b - mb)).sum()
                values.append((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    return float(np.mean(values))


def test_relation_forgives_a_steady_error_and_counts_a_changing_one():
    before, after = picture(0), picture(1)
    shade = np.float32(0.25)
    assert relation(before + shade, after + shade, before, after) == pytest.approx(0, abs=1e-6)
    assert relation(before, after + shade, before, after) == pytest.approx(0.25, abs=1e-6)


def test_relation_of_a_clip_needs_two_frames():
    first, second = picture(0), picture(1)
    meter = RelationMeter()
    meter.add(first, frame(first))
    assert meter.scores() == {}
    meter.add(second - np.float32(0.5), frame(second, before=first))
    assert meter.scores() == {"rm": pytest.approx(0.5, abs=1e-6)}


def test_edge_correlation_is_the_correlation_of_laplacians():
    truths, predictions = [picture(0), picture(1)], [picture(0), picture(2)]
    meter = EdgeCorrelationMeter()
    for truth, prediction in zip(truths, predictions, strict=True):
        meter.add(prediction, frame(truth))
    a, b = (np.concatenate([laplacian(p).ravel() for p in pictures]) for pictures in (predictions, truths))
    assert meter.scores()["edge_correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-5)


def laplacian(one):
    luma = one.astype(np.float64) @ [0.299, 0.587, 0.114]
    wide = np.pad(luma, 1, mode="reflect")
    return wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * luma


def test_edge_correlation_falls_where_edges_differ():
    truth = picture(0)
    assert edge_correlation(truth, truth) == pytest.approx(1)
    assert edge_correlation(truth * np.float32(0.5), truth) == pytest.approx(1)  # contrast is no edge
    assert abs(edge_correlation(picture(3), truth)) < 0.3
    assert edge_correlation(np.zeros_like(truth), truth) == pytest.approx(0)
