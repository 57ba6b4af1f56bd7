"""The camera's part of a motion, and what moves against it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.motion.camera import CameraModel, Motion

HEIGHT, WIDTH = 90, 160


def pan_and_zoom(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([2 + 0.01 * columns, -1 + 0.01 * rows], axis=-1)


@pytest.mark.parametrize("model", ["affine", "similarity"])
def test_what_moves_by_itself_is_told_from_the_camera(model: CameraModel):
    flow = pan_and_zoom()
    flow[30:60, 40:70] += (4, -3)
    motion = Motion.of(flow, model=model)
    np.testing.assert_allclose(motion.camera, [[1.01, 0, 2], [0, 1.01, -1]], atol=1e-3)
    assert motion.residual_px[30:60, 40:70] == pytest.approx(5, abs=0.05)
    motion.residual_px[30:60, 40:70] = 0
    assert motion.residual_px.max() < 0.05


@pytest.mark.parametrize("model", ["affine", "similarity"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 90), (9, 9), (9, 200)])
def test_too_few_points_are_a_still_camera_or_a_fit(model: CameraModel, height: int, width: int):
    motion = Motion.of(np.zeros((height, width, 2), np.float32), model=model)
    assert motion.camera.shape == (2, 3)
    np.testing.assert_allclose(motion.residual_px, 0, atol=1e-4)
