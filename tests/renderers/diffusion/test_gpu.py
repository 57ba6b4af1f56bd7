"""The engine on a CUDA device against the CPU."""

import numpy as np
import pytest
import torch

from any2bokeh.renderers.diffusion import reference
from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from tests.renderers.diffusion.clips import render_inputs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

BARE = PipelineOptions(compose=False)


@pytest.fixture(autouse=True)
def exact_float32() -> None:
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


@pytest.mark.parametrize("compose", [False, True])
def test_equals_the_cpu(compose: bool) -> None:
    inputs, options = render_inputs(9, 128, 192), PipelineOptions(compose=compose)
    on_cpu = np.stack(list(tiny_pipeline().stream(inputs, options=options)))
    on_gpu = np.stack(list(tiny_pipeline().to("cuda").optimize().stream(inputs, options=options)))
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=0, atol=2e-3)


def test_equals_its_slow_twin() -> None:
    inputs, pipeline = render_inputs(9, 128, 192), tiny_pipeline().to("cuda")
    streamed = np.stack(list(pipeline.stream(inputs, options=BARE)))
    np.testing.assert_allclose(streamed, reference.refocus(pipeline, inputs, BARE), rtol=0, atol=2e-3)


def test_offloaded_gives_the_same() -> None:
    inputs = render_inputs(9, 128, 192)
    whole = np.stack(list(tiny_pipeline().to("cuda").stream(inputs, options=BARE)))
    offloaded = tiny_pipeline()
    offloaded.enable_model_cpu_offload(device="cuda")
    np.testing.assert_allclose(np.stack(list(offloaded.stream(inputs, options=BARE))), whole, rtol=0, atol=1e-5)
