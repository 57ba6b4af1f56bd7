"""The model at its full size, with random weights, on the CPU."""

import numpy as np
import psutil
import pytest
import torch

from any2bokeh.renderers.diffusion.checkpoints.tiny import open_gates
from any2bokeh.renderers.diffusion.network.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.network.unet import BokehUNet
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from tests.renderers.diffusion.clips import render_inputs

NEEDED_GIB = 8


@pytest.mark.slow
def test_one_window_in_bfloat16() -> None:
    free_gib = psutil.virtual_memory().available / 2**30
    if free_gib < NEEDED_GIB:
        pytest.skip(f"needs {NEEDED_GIB} GiB of free memory, {free_gib:.1f} are free")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        unet, vae = BokehUNet().eval(), BokehAutoencoder().eval()
    finally:
        torch.set_default_dtype(before)
    open_gates(unet)
    assert unet.dtype == vae.dtype == torch.bfloat16
    pipeline = AnyToBokehPipeline(unet, vae, None)
    frames = list(pipeline.stream(render_inputs(8, 192, 320)))
    assert len(frames) == 8
    for frame in frames:
        assert frame.shape == (3, 192, 320)
        assert np.isfinite(frame).all()
        assert frame.std() > 0.01
