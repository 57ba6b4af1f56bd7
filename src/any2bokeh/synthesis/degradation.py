"""Disparity as people have it: exact maps made wrong in five ways.

They are those of the script that lies beside the project's path-traced data, and give the same numbers:
``tests/synthesis/test_degradation.py`` compares them.
"""

from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

Degradation = Literal[
    "soft1",  # edges wide: Gaussian of 1 px
    "soft2",  # of 2 px
    "grown2",  # edges beside the picture's: what is near grows by 2 px
    "shrunk2",  # or shrinks by them
    "model",  # a stand-in for a depth network, different in every frame
]

DEGRADATIONS: tuple[Degradation, ...] = get_args(Degradation)

_SOFTNESS_PX = {"soft1": 1.0, "soft2": 2.0}
# Of the stand-in for a network: edges are moved by a smooth random field, maps are smaller, and scale and shift of each
# frame are off by up to one percent.
_WANDER_PX, _WANDER_SCALE_PX = 1.0, 12
_SMALLER = 3
_DRIFT = 0.01
_LEVELS = 255
_SEED = 17


def degraded(disparity: NDArray[np.float32], way: Degradation, frame: int) -> NDArray[np.float32]:
    """One map made wrong.

    Args:
        disparity: ``(H, W)`` in [0, 1], 1 = nearest.
        way: how.
        frame: its number in the clip; ``model`` errs differently in every frame, and alike in every run.

    Returns:
        ``(H, W)``, as it comes back from a file of 16 bits.

    Raises:
        InputError: an unknown way.
    """
    if way not in DEGRADATIONS:
        raise InputError(f"disparity cannot be degraded by {way!r}; it must be one of {', '.join(DEGRADATIONS)}")
    if way == "model":
        wrong = _estimated(disparity, np.random.default_rng([_SEED, frame]))
    elif way in _SOFTNESS_PX:
        wrong = np.asarray(cv2.GaussianBlur(disparity, (0, 0), _SOFTNESS_PX[way]), np.float32)
    else:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
        wrong = np.asarray((cv2.dilate if way == "grown2" else cv2.erode)(disparity, disc), np.float32)
    return np.rint(wrong * 65535).astype(np.float32) / np.float32(65535)


def _estimated(disparity: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Edges that wander, a smaller map of 8 bits, a scale of its own."""
    height, width = disparity.shape
    wander_x, wander_y = (_smooth_field(random, (height, width)) * np.float32(_WANDER_PX) for _ in range(2))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = cv2.remap(disparity, columns + wander_x, rows + wander_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(moved, (width // _SMALLER, height // _SMALLER), interpolation=cv2.INTER_AREA)
    scale, shift = random.uniform(1 - _DRIFT, 1 + _DRIFT), random.uniform(-_DRIFT, _DRIFT)
    codes = np.round(np.clip(small * scale + shift, 0, 1) * _LEVELS)
    large = cv2.resize((codes / _LEVELS).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _smooth_field(random: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Noise of deviation 1 that changes over ``_WANDER_SCALE_PX``."""
    noise = cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), _WANDER_SCALE_PX)
    return np.asarray(noise / noise.std(), np.float32)
