"""Photographs that textures are cut from: none are bundled; those of scikit-image are found where it is installed."""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

# Of its `skimage/data`, those that its documentation says are in the public domain or under CC0 1.0.
_FREE = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png",
    "grass.png", "gravel.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg",
)  # fmt: skip


def free_photographs() -> list[NDArray[np.uint8]]:
    """Photographs free of rights, ``(h, w, 3)`` uint8 RGB, in a fixed order; none where scikit-image is not installed.

    Its code is not run, so that its own requirements may be missing.
    """
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "data"
    found = [cv2.imread(str(folder / name), cv2.IMREAD_COLOR_RGB) for name in _FREE]
    return [np.asarray(picture, np.uint8) for picture in found if picture is not None]
