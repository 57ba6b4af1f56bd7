"""Tiny models and clips, made in the test."""

import pytest
import torch

from any2bokeh.renderers.diffusion.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.tiny import tiny_pipeline


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def pipeline() -> AnyToBokehPipeline:
    """A tiny model, not to be changed by a test."""
    return tiny_pipeline()
