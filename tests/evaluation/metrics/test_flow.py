"""Optical flow and what is measured along it."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from any2bokeh.errors import InputError
from any2bokeh.evaluation.metrics.end_point_error import EndPointErrorMeter, end_point_error
from any2bokeh.evaluation.metrics.flow import DisFlow, RaftFlow
from any2bokeh.evaluation.metrics.flow_difference import FlowDifferenceMeter, flow_difference
from any2bokeh.evaluation.metrics.temporal import TemporalMeter, warped_difference
from tests.evaluation.pictures import picture
from tests.evaluation.pictures import truth_frame as frame

HEIGHT, WIDTH = 64, 96


def moved(by: int, *, seed: int = 0):
    """A picture whose content has moved to the right."""
    wide = picture(seed, width=WIDTH + 32, height=HEIGHT)
    return np.ascontiguousarray(wide[:, 16 - by : 16 - by + WIDTH])


def test_flow_difference_is_of_components_and_end_point_error_of_vectors():
    flow, truth = np.zeros((4, 5, 2), np.float32), np.zeros((4, 5, 2), np.float32)
    flow[..., 0], flow[..., 1] = 3, -4
    assert (flow_difference(flow, truth), end_point_error(flow, truth)) == (3.5, 5)
    flow[:2] = 0
    assert (flow_difference(flow, truth), end_point_error(flow, truth)) == (1.75, 2.5)
    assert flow_difference(flow, flow) == 0


def test_dis_finds_a_shift():
    flow = DisFlow()(moved(0), moved(3))
    inner = flow[12:-12, 12:-12]
    assert np.median(inner[..., 0]) == pytest.approx(3, abs=0.1)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.1)


def test_dis_depends_on_its_two_pictures_alone():
    search = DisFlow()
    alone = search(moved(0), moved(2))
    search(moved(0, seed=5), moved(4, seed=6))
    np.testing.assert_array_equal(search(moved(0), moved(2)), alone)


def test_end_point_error_of_a_clip():
    right, wrong = EndPointErrorMeter(), EndPointErrorMeter()
    for meter, steps in ((right, (0, 2)), (wrong, (0, -2))):
        meter.add(moved(steps[0]), frame(moved(0)))
        assert meter.scores() == {}
        meter.add(moved(steps[1]), frame(moved(2), before=moved(0)))
    assert right.scores()["epe_px"] == 0
    assert wrong.scores()["epe_px"] == pytest.approx(4, abs=0.7)  # seen 3.7: the borders have nothing to follow


def test_flow_difference_is_from_the_source():
    right, wrong = FlowDifferenceMeter(), FlowDifferenceMeter()
    for meter, steps in ((right, (0, 2)), (wrong, (0, -2))):
        meter.add(moved(steps[0]), frame(moved(5), source=moved(0)))  # the truth plays no part
        assert meter.scores() == {}
        meter.add(moved(steps[1]), frame(moved(9), source=moved(2), source_before=moved(0)))
    assert right.scores()["fd"] == 0
    assert wrong.scores()["fd"] == pytest.approx(2, abs=0.4)  # 4 px across, 0 down; the borders have nothing to follow


def test_an_error_that_moves_with_the_scene_does_not_count():
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 3
    stain = [np.zeros((HEIGHT, WIDTH, 3), np.float32) for _ in range(2)]
    cv2.rectangle(stain[0], (30, 20), (50, 40), (0.2, 0.2, 0.2), -1)
    cv2.rectangle(stain[1], (33, 20), (53, 40), (0.2, 0.2, 0.2), -1)
    truths = moved(0), moved(3)
    carried = warped_difference(truths[0] + stain[0], truths[1] + stain[1], *truths, flow)
    flickering = warped_difference(truths[0], truths[1] + stain[1], *truths, flow)
    area = 21 * 21 / (HEIGHT * (WIDTH - 3))
    assert carried == pytest.approx(0, abs=1e-5)
    assert flickering == pytest.approx(0.2 * area, rel=1e-3)


def test_temporal_of_a_clip():
    meter = TemporalMeter()
    meter.add(moved(0), frame(moved(0)))
    assert meter.scores() == {}
    meter.add(moved(2) + np.float32(0.125), frame(moved(2), before=moved(0)))
    assert meter.scores()["temporal_warped"] == pytest.approx(0.125, abs=1e-5)


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is installed")
def test_raft_without_torchvision_is_refused():
    with pytest.raises(InputError, match="torchvision"):
        RaftFlow(Path("raft.safetensors"))


def test_raft_reads_its_weights_and_refuses_others(tmp_path):
    flows = pytest.importorskip("torchvision.models.optical_flow", reason="torchvision is not installed")
    from safetensors.torch import save_file

    torch = pytest.importorskip("torch")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="raft_large"):
        RaftFlow(tmp_path / "other.safetensors")
    torch.manual_seed(0)
    network = flows.raft_large(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "raft.safetensors")
    flow = RaftFlow(tmp_path / "raft.safetensors")(moved(0), moved(2))
    assert flow.shape == (HEIGHT, WIDTH, 2)
    assert np.isfinite(flow).all()
