"""Motion between frames, and where it can be believed."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

THUMBNAIL_LONG_SIDE_PX = 512
"""Longer side of the pictures on which motion is found."""

TRUST_MIN = 0.05
"""A match that is believed less is left out."""

# Forward and backward motion may disagree by this much of their squared length, plus half a pixel squared.
_ROUND_TRIP_SHARE = 0.01
_ROUND_TRIP_PX2 = 0.5
# Mean difference of colour (of 1) at which a match is half believed.
_COLOUR_TOLERANCE = 0.08
# A search over fewer pixels than this has no room for its patches.
_SMALLEST_SIDE_PX = 32


@dataclass(frozen=True)
class Thumbnail:
    """A frame reduced to what motion and cuts are found on.

    Attributes:
        colours: ``(h, w, 3)`` float32, display-referred in [0, 1].
        grey: ``(h, w)`` uint8.
    """

    colours: NDArray[np.float32]
    grey: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.grey.shape[0], self.grey.shape[1]

    def reduced(self, shape: tuple[int, int]) -> "Thumbnail":
        """The same at a smaller ``(height, width)``."""
        if shape == self.shape:
            return self
        size = shape[1], shape[0]
        colours = cv2.resize(self.colours, size, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA)
        return Thumbnail(np.asarray(colours, np.float32), np.asarray(grey, np.uint8))


def thumbnail(pixels: NDArray[np.float32]) -> Thumbnail:
    """A frame ``(3, H, W)``, display-referred, at most 512 px long; values beyond [0, 1] are clipped."""
    height, width = pixels.shape[1:]
    share = min(1.0, THUMBNAIL_LONG_SIDE_PX / max(height, width))
    size = max(round(width * share), 1), max(round(height * share), 1)
    planes = [cv2.resize(np.asarray(plane, np.float32), size, interpolation=cv2.INTER_AREA) for plane in pixels]
    colours = np.clip(np.nan_to_num(np.stack(planes, axis=-1)), 0, 1).astype(np.float32)
    codes = np.rint(colours * 255).astype(np.uint8)
    return Thumbnail(colours, np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), np.uint8))


class MotionFinder:
    """Dense inverse search of OpenCV, at its medium preset.

    Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016.
    """

    def __init__(self) -> None:
        self._search: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]

    def __call__(self, here: Thumbnail, there: Thumbnail) -> NDArray[np.float32]:
        """``(h, w, 2)`` motion in pixels, x then y, from each pixel of ``here`` to where it is in ``there``."""
        height, width = here.shape
        down, right = max(_SMALLEST_SIDE_PX - height, 0), max(_SMALLEST_SIDE_PX - width, 0)
        pictures = [
            cv2.copyMakeBorder(one.grey, 0, down, 0, right, cv2.BORDER_REPLICATE) if down or right else one.grey
            for one in (here, there)
        ]
        # without a start from what was found last, which would make a result depend on what came before
        flow = self._search.calc(*pictures, None)
        return np.ascontiguousarray(flow[:height, :width])


def places(flow: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row, each ``(h, w)``, that every pixel moves to."""
    height, width = flow.shape[:2]
    columns = np.arange(width, dtype=np.float32)[None] + flow[..., 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return columns, rows


def followed(values: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """What ``values`` (of the frame that ``flow`` leads to) hold where each pixel moves to; the border is repeated."""
    columns, rows = places(flow)
    return np.asarray(cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def composed(first: NDArray[np.float32], then: NDArray[np.float32]) -> NDArray[np.float32]:
    """Motion along ``first`` and, from there, along ``then``."""
    return first + followed(then, first)


def resized(flow: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Motion at another ``(height, width)``, in pixels of that size."""
    height, width = flow.shape[:2]
    if (height, width) == shape:
        return flow
    smaller = shape[0] < height
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    scaled = cv2.resize(flow, (shape[1], shape[0]), interpolation=interpolation)
    return np.asarray(scaled * np.array([shape[1] / width, shape[0] / height], np.float32), np.float32)


def trust(
    flow: NDArray[np.float32], back: NDArray[np.float32] | None, here: Thumbnail, there: Thumbnail
) -> NDArray[np.float32]:
    """How far motion can be believed, ``(h, w)`` in [0, 1].

    0 where it leaves the frame, or where the way there and back does not end where it began (what is hidden in one of
    the two frames has no match); less the more the colours differ.

    Args:
        flow: from ``here`` to ``there``.
        back: from ``there`` to ``here``; the way back is not looked at where None.
        here: the frame that the result belongs to.
        there: the other.

    Source: forward-backward check of Sundaram, Brox and Keutzer, ECCV 2010, eq. 5.
    """
    sure = np.empty(flow.shape[:2], np.float32)
    looks_back = back is not None
    _weigh(flow, back if back is not None else flow, looks_back, here.colours, there.colours, sure)
    return sure


@compiled(nogil=True, fastmath=True)
def _weigh(flow, back, looks_back, here, there, sure):  # pragma: no cover (compiled)
    height, width = sure.shape
    for y in range(height):
        for x in range(width):
            step_x, step_y = flow[y, x, 0], flow[y, x, 1]
            to_x, to_y = x + step_x, y + step_y
            sure[y, x] = 0
            if not (to_x >= 0 and to_x <= width - 1 and to_y >= 0 and to_y <= height - 1):
                continue
            j, i = int(to_y), int(to_x)
            j_next, i_next = min(j + 1, height - 1), min(i + 1, width - 1)
            down, right = to_y - j, to_x - i
            a, b = (1 - down) * (1 - right), (1 - down) * right
            c, d = down * (1 - right), down * right
            if looks_back:
                miss = length = np.float32(0)
                for axis in range(2):
                    returned = a * back[j, i, axis] + b * back[j, i_next, axis]
                    returned += c * back[j_next, i, axis] + d * back[j_next, i_next, axis]
                    miss += (flow[y, x, axis] + returned) ** 2
                    length += flow[y, x, axis] ** 2 + returned**2
                if miss > _ROUND_TRIP_SHARE * length + _ROUND_TRIP_PX2:
                    continue
            difference = np.float32(0)
            for channel in range(3):
                seen = a * there[j, i, channel] + b * there[j, i_next, channel]
                seen += c * there[j_next, i, channel] + d * there[j_next, i_next, channel]
                difference += abs(seen - here[y, x, channel])
            share = (difference / (3 * _COLOUR_TOLERANCE)) ** 2
            sure[y, x] = 1 / (1 + share * share)


@compiled(nogil=True, fastmath=True)
def brought(other, known, way, sure, values, weights):  # pragma: no cover (compiled)
    """What another frame's map holds where each pixel moves to, and how far that is believed.

    Motion and trust are interpolated from the size of the thumbnail. ``known`` is of one pixel where all are.
    """
    height, width = values.shape
    small_height, small_width = sure.shape
    scale_y, scale_x = small_height / height, small_width / width
    look = known.shape[0] == height
    for y in range(height):
        at_y = min(max((y + 0.5) * scale_y - 0.5, 0.0), small_height - 1.0)
        j = min(int(at_y), max(small_height - 2, 0))
        below = min(j + 1, small_height - 1)
        down = np.float32(at_y - j)
        for x in range(width):
            at_x = min(max((x + 0.5) * scale_x - 0.5, 0.0), small_width - 1.0)
            i = min(int(at_x), max(small_width - 2, 0))
            beside = min(i + 1, small_width - 1)
            right = np.float32(at_x - i)
            a, b = (1 - down) * (1 - right), (1 - down) * right
            c, d = down * (1 - right), down * right
            weight = a * sure[j, i] + b * sure[j, beside] + c * sure[below, i] + d * sure[below, beside]
            if weight < TRUST_MIN:
                weights[y, x] = 0
                values[y, x] = 0
                continue
            move_x = a * way[j, i, 0] + b * way[j, beside, 0] + c * way[below, i, 0] + d * way[below, beside, 0]
            move_y = a * way[j, i, 1] + b * way[j, beside, 1] + c * way[below, i, 1] + d * way[below, beside, 1]
            to_x = min(max(x + move_x / scale_x, 0.0), width - 1.0)
            to_y = min(max(y + move_y / scale_y, 0.0), height - 1.0)
            k, m = int(to_y), int(to_x)
            k_next, m_next = min(k + 1, height - 1), min(m + 1, width - 1)
            share_y, share_x = np.float32(to_y - k), np.float32(to_x - m)
            top = other[k, m] + share_x * (other[k, m_next] - other[k, m])
            bottom = other[k_next, m] + share_x * (other[k_next, m_next] - other[k_next, m])
            values[y, x] = top + share_y * (bottom - top)
            if look and not (known[k, m] and known[k, m_next] and known[k_next, m] and known[k_next, m_next]):
                weight = np.float32(0)
            weights[y, x] = weight
