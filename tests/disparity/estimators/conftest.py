"""Tiny model folders, made once."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.disparity.estimators.models import write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Depth Anything, tiny."""
    return write_model(tmp_path_factory.mktemp("models") / "depth-anything")


@pytest.fixture
def frames() -> list[NDArray[np.float32]]:
    """Three frames of 64x48 with a bright square that moves over a slope."""
    made = []
    for index in range(3):
        picture = np.tile(np.linspace(0.1, 0.6, 64, dtype=np.float32), (3, 48, 1))
        picture[:, 12:36, 10 + 4 * index : 34 + 4 * index] = 0.9
        made.append(picture)
    return made
