"""The ground that subjects stand on: a plane whose disparity grows towards the bottom of the picture.

Where a subject stands, the ground is as near as the subject, so that disparity alone does not part them. But the ground
gets nearer from row to row, and a subject hardly does; and a plane in space is a plane in disparity.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Pixels that a plane is fitted to, and planes that are tried.
_SAMPLES, _TRIALS = 1500, 120
# All of these over the range of disparities in the frame: how far from the plane its pixels may be, and how much the
# plane must change from the top of the picture to its bottom.
_TOLERANCE = 0.02
_RISE = 0.3
# Its change across the picture's width, as a share of that over its height: a camera that is held at a slant.
_SLANT = 0.5
# The ground covers at least this share of the picture.
_AREA = 0.1
# Rows on both sides of a pixel over which its own change is measured, over the height, and the least share of the
# plane's change that it must have.
_REACH = 0.015
_OWN_CHANGE = 0.4


@dataclass(frozen=True, slots=True)
class _Plane:
    """Disparity ``at + across * x + down * y``, x and y in 0..1."""

    at: float
    across: float
    down: float

    def off(
        self, disparity: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """How far disparities are from it."""
        return np.abs(disparity - (self.at + self.across * x + self.down * y)).astype(np.float32)


def ground(disparity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the ground is.

    Args:
        disparity: ``(h, w)`` in [0, 1].

    Returns:
        ``(h, w)``; nowhere, if nothing in the frame looks like ground.

    Source: a plane by random sample consensus, Fischler and Bolles, Communications of the ACM 1981.
    """
    height, width = disparity.shape
    spread, change = disparity_spread(disparity), _change_down(disparity)
    rows, columns = np.nonzero(change > 0.5 * _RISE * spread / height)
    nowhere = np.zeros(disparity.shape, bool)
    if len(rows) < _AREA * disparity.size:
        return nowhere
    random = np.random.default_rng(0)
    chosen = random.choice(len(rows), min(_SAMPLES, len(rows)), replace=False)
    x, y = (columns[chosen] / width).astype(np.float32), (rows[chosen] / height).astype(np.float32)
    plane = _best_plane(disparity[rows[chosen], columns[chosen]], x, y, spread, random)
    if plane is None:
        return nowhere
    x, y = np.arange(width, dtype=np.float32)[None] / width, np.arange(height, dtype=np.float32)[:, None] / height
    found = (plane.off(disparity, x, y) < _TOLERANCE * spread) & (change > _OWN_CHANGE * plane.down / height)
    return found if found.mean() >= _AREA else nowhere


def disparity_spread(disparity: NDArray[np.float32]) -> float:
    """Range of the disparities of a frame, without its ends."""
    low, high = np.percentile(disparity[::2, ::2], (2, 98))
    return max(float(high - low), 0.05)


def _change_down(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much nearer each pixel gets from row to row, about it."""
    reach = max(1, round(_REACH * disparity.shape[0]))
    padded = cv2.copyMakeBorder(disparity, reach, reach, 0, 0, cv2.BORDER_REPLICATE)
    return np.asarray((padded[2 * reach :] - padded[: -2 * reach]) / np.float32(2 * reach), np.float32)


def _best_plane(
    disparity: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    spread: float,
    random: np.random.Generator,
) -> _Plane | None:
    """The plane like a ground that most pixels lie on."""
    best, most = None, 0
    for _ in range(_TRIALS):
        three = random.choice(len(x), 3, replace=False)
        system = np.stack([np.ones(3), x[three], y[three]], axis=1)
        if abs(np.linalg.det(system)) < 1e-3:  # on one line, or nearly
            continue
        plane = _Plane(*(float(value) for value in np.linalg.solve(system, disparity[three])))
        if plane.down < _RISE * spread or abs(plane.across) > _SLANT * plane.down:
            continue
        on = int(np.count_nonzero(plane.off(disparity, x, y) < _TOLERANCE * spread))
        if on > most:
            best, most = plane, on
    return best
