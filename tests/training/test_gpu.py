"""The trainer on a CUDA device."""

from pathlib import Path

import numpy as np
import pytest
import torch

from any2bokeh.training.run_log import read_log
from any2bokeh.training.trainer import Device, RunOptions, train
from tests.training.clips import soft_clips
from tests.training.conftest import tiny_config

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

STEPS = 20


def losses(out: Path, device: Device, precision: str) -> list[float]:
    config = tiny_config({"1": STEPS}, precision=precision)
    result = train(config, soft_clips(), out, device=device, run_options=RunOptions(state_every=100))
    return [line["loss"] for line in read_log(result.log) if line["kind"] == "step"]


def test_trains_as_on_the_cpu(tmp_path: Path) -> None:
    on_gpu = losses(tmp_path / "gpu", "cuda", "float64")
    on_cpu = losses(tmp_path / "cpu", "cpu", "float64")
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-6)


def test_trains_in_bfloat16(tmp_path: Path) -> None:
    seen = losses(tmp_path, "cuda", "bf16")
    assert np.isfinite(seen).all()
    assert np.mean(seen[-5:]) < np.mean(seen[:5])
