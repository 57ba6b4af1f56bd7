"""Tiny models and clips, made in the test."""

import pytest
import torch

from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny networks gain nothing from threads, and lose much where other processes want the same cores."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def pipeline() -> AnyToBokehPipeline:
    """A tiny model, not to be changed by a test."""
    return tiny_pipeline()
