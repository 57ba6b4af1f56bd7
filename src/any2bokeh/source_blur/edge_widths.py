"""How wide the edges of a picture are, and how far away their surfaces.

The gradient of a step edge falls as the picture is blurred more, and the wider the edge was, the less: the ratio of
gradients at two scales tells the width, whatever the contrast (Elder and Zucker, "Local Scale Control for Edge
Detection and Blur Estimation", PAMI 1998; Zhuo and Sim, "Defocus Map Estimation from a Single Image", Pattern
Recognition 2011).
Here the width is the radius of the disc that a sharp step would have been blurred by, in linear light. A third scale
must agree with it, which lines, texture and corners do not: their gradients fall faster. Large radii are
measured the same way in the picture at a half and at a quarter of its size.
"""

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

_SIGMAS = (1.0, 2.0, 4.0)
"""Scales of the gradients, in pixels."""

LEVELS = 3
"""Sizes of the picture at which edges are measured, each half of the one before."""

WIDEST = 3.3
"""Radius in pixels up to which these scales measure well; wider edges are better measured in a smaller picture."""

_TABLE = np.concatenate([np.linspace(0, 4, 81), np.linspace(4.1, 8, 40)]).astype(np.float32)
_AGREEMENT = 0.06  # of the ratio of the two larger scales with that of a step of the measured width
_SHARPER_THAN_A_STEP = 1.06  # times the ratio of a sharp step; beyond lies texture

# Of the gradient, in linear light: over the mean around it, with this much of black added, and in any case.
_LEAST_CONTRAST, _BLACK, _LEAST_GRADIENT = 0.03, 0.02, 0.0015
# Disparity may differ so much between neighbours, and within so many pixels: beyond are steps, and the steepest slopes.
_STEP, _SLOPE, _AROUND_PX = 0.02, 0.15, 6
_CLIPPED, _CLIPPED_AROUND_PX = 0.985, 4
_BORDER_PX = 8


@dataclass(frozen=True, slots=True, eq=False)
class EdgeWidths:
    """Step edges of a picture, ``(N,)`` each.

    Attributes:
        disparity: of the surface that an edge lies on.
        radius: of the disc that it is blurred by, in pixels of the picture.
        direction: of the gradient, in [0, pi).
        level: how often the picture was halved to measure it.
    """

    disparity: NDArray[np.float32]
    radius: NDArray[np.float32]
    direction: NDArray[np.float32]
    level: NDArray[np.int8]

    @classmethod
    def of(cls, light: NDArray[np.float32], codes: NDArray[np.float32], disparity: NDArray[np.float32]) -> "EdgeWidths":
        """Measure the edges of a picture that lie within a surface: at steps of disparity two of them meet.

        Args:
            light: ``(h, w)``, linear brightness.
            codes: ``(h, w)``, largest channel as recorded, in [0, 1]; what is white may be clipped.
            disparity: ``(h, w)`` in [0, 1].
        """
        found: list[EdgeWidths] = []
        for level in range(LEVELS):
            edges = _edges(light, codes, disparity)
            radius = edges.radius * np.float32(2**level)
            found.append(replace(edges, radius=radius, level=np.full(len(edges), level, np.int8)))
            size = (light.shape[1] // 2, light.shape[0] // 2)
            if min(size) < 6 * _BORDER_PX:
                break
            light, codes = (resized(each, size, cv2.INTER_AREA) for each in (light, codes))
            disparity = resized(disparity, size, cv2.INTER_NEAREST)
        return cls.all_of(found)

    @classmethod
    def all_of(cls, found: "list[EdgeWidths]") -> "EdgeWidths":
        """Those of several pictures."""
        names = ("disparity", "radius", "direction", "level")
        return cls(*(np.concatenate([getattr(each, name) for each in found]) for name in names))

    def __len__(self) -> int:
        return len(self.radius)


def resized(values: NDArray[np.float32], size: tuple[int, int], how: int) -> NDArray[np.float32]:
    """Values ``(h, w)`` at another size ``(width, height)``."""
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)


def _edges(light: NDArray[np.float32], codes: NDArray[np.float32], disparity: NDArray[np.float32]) -> EdgeWidths:
    """Step edges at one size of the picture."""
    gradients = [_gradient(light, sigma) for sigma in _SIGMAS]
    x_wise, y_wise = gradients[0]
    strength = np.hypot(x_wise, y_wise)
    around = cv2.GaussianBlur(light, (0, 0), _SIGMAS[-1], borderType=cv2.BORDER_REPLICATE)
    is_seen = strength > np.maximum(np.float32(_LEAST_CONTRAST) * (around + np.float32(_BLACK)), _LEAST_GRADIENT)
    is_seen &= _range(disparity, _AROUND_PX) < _SLOPE
    is_seen &= cv2.dilate(_range(disparity, 1), _window(_AROUND_PX - 1)) < _STEP
    is_seen &= cv2.dilate(codes, _window(_CLIPPED_AROUND_PX)) < _CLIPPED
    inside = np.zeros_like(is_seen)
    inside[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX] = True
    y, x = np.nonzero(is_seen & inside)
    along_x, along_y = x_wise[y, x] / strength[y, x], y_wise[y, x] / strength[y, x]
    here = strength[y, x]
    crest = (here >= _at(strength, y + along_y, x + along_x)) & (here > _at(strength, y - along_y, x - along_x))
    y, x, along_x, along_y, here = y[crest], x[crest], along_x[crest], along_y[crest], here[crest]
    wider, widest = (np.abs(gx[y, x] * along_x + gy[y, x] * along_y) for gx, gy in gradients[1:])
    fine, coarse = here / np.maximum(wider, 1e-9), wider / np.maximum(widest, 1e-9)
    of_step, of_step_coarse = _ratios()
    radius = np.interp(-fine, -of_step, _TABLE).astype(np.float32)
    expected = np.interp(radius, _TABLE, of_step_coarse)
    is_step = (np.abs(coarse - expected) < _AGREEMENT) & (fine < _SHARPER_THAN_A_STEP * of_step[0])
    direction = np.arctan2(along_y, along_x)[is_step] % np.float32(np.pi)
    found = radius[is_step]
    return EdgeWidths(disparity[y, x][is_step], found, direction.astype(np.float32), np.zeros(len(found), np.int8))


def _gradient(light: NDArray[np.float32], sigma: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    smooth = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    x_wise, y_wise = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    return np.asarray(x_wise, np.float32), np.asarray(y_wise, np.float32)


@cache
def _ratios() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Ratios of gradients of neighbouring scales at a step that is blurred by each radius of the table."""
    far = 33
    within = np.linspace(-0.5, 0.5, 17)  # a pixel sums the light that falls on it
    offsets = np.linspace(-0.4, 0.4, 5)  # of the edge from the middle of a pixel
    rows: list[NDArray[np.float32]] = []
    for radius in _TABLE:
        for offset in offsets:
            away = np.arange(-far, far + 1) - offset + within[:, None]
            u = np.clip(away / max(float(radius), 1e-3), -1, 1)
            # The part of a disc on one side of a line.
            rows.append((0.5 + (u * np.sqrt(1 - u * u) + np.arcsin(u)) / np.pi).mean(axis=0).astype(np.float32))
    crests: list[NDArray[np.float32]] = []
    for sigma in _SIGMAS:
        lines = [cv2.GaussianBlur(row[None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0] for row in rows]
        crest = [0.5 * (line[far + 1] - line[far - 1]) for line in lines]
        crests.append(np.asarray(crest, np.float32).reshape(len(_TABLE), -1).mean(axis=1))
    return crests[0] / crests[1], crests[1] / crests[2]


def _at(values: NDArray[np.float32], y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Values between pixels, none of which lies at the border."""
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    down, right = y - top, x - left
    above = values[top, left] * (1 - right) + values[top, left + 1] * right
    below = values[top + 1, left] * (1 - right) + values[top + 1, left + 1] * right
    return above * (1 - down) + below * down


def _range(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    return np.asarray(cv2.dilate(values, _window(reach)) - cv2.erode(values, _window(reach)), np.float32)


def _window(reach: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
