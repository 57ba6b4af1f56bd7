"""Tiny trainings."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from any2bokeh.training.config import TrainingConfig
from any2bokeh.training.registry import debug

MakeConfig = Callable[..., TrainingConfig]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny networks gain nothing from threads, and lose much where other processes want the same cores."""
    torch.set_num_threads(1)


@pytest.fixture
def tiny() -> MakeConfig:
    """The debug config with as many steps as a test needs."""
    return tiny_config


def tiny_config(steps: dict[str, int], frames: int = 2, **changes: object) -> TrainingConfig:
    """The stages of ``steps``, each with windows of ``frames`` frames and a batch of 1."""
    config = debug()
    stages = tuple(
        replace(stage, steps=steps[stage.name], frames=frames, batch_size=1, warmup_steps=0)
        for stage in config.stages
        if stage.name in steps
    )
    return replace(config, **{"stages": stages, "precision": "no", **changes})  # pyright: ignore[reportArgumentType]
