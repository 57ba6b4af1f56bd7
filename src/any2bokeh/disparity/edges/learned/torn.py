"""Torn rims: strips beside steps whose disparities lie between the two surfaces, and which belong to one of them.

Where a map has lost a part of a surface, something between the surface and what lies behind it is often left there,
different from pixel to pixel. Neither surface of a step beside such a strip has the disparity that its pixels ought to
have, so that nobody who chooses between the two could be right. Colours tell which surface the rims of a frame are of.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges import colour
from any2bokeh.disparity.edges.classical import FirstLook
from any2bokeh.disparity.edges.ramps import LEAST_STEP

_SLOPE = 0.015  # of disparity per px: what is steeper is no surface
_BEND = 0.0045  # of disparity: second differences of a surface are less; in a slanted one of 8 bits they reach 1 / 255
_FEW_BESIDE = 2  # of the eight around a pixel of a surface: as many at least lie on it
_SAME = 0.006  # of disparity: what is beside a surface and differs by less is part of it
_OTHER = 0.02  # of disparity: what differs by less is no other surface
_LIKE = 0.002  # of disparity: a thin thing has neighbours along it that differ by less
_AROUND_PX = 2  # how far along it these lie
_FEW_ALIKE = 4  # so many make a thin thing
_REACH_PX = 16  # how far from a rim both surfaces lie
_LEAST_SHARE = 0.02  # of the band: fewer pixels are not torn rims
_SURE = 0.8  # of what the colour of a pixel says, from -1 (far) to 1 (near)
_LEAST_SAY = 0.25  # of what sure pixels say in the mean, for rims to be given to a surface
_MOST_DOUBT = 1.1  # of the doubt in the map as it came, that may be left once its rims are mended


class Mended(NamedTuple):
    """A map ``(1, H, W)`` without torn rims, and the first look at it."""

    disparity: NDArray[np.float32]
    look: FirstLook


def mended(disparity: NDArray[np.float32], look: FirstLook) -> Mended | None:
    """The map with all its torn rims given to the surfaces whose colours they have: the nearer, or the farther.

    None where the map is soft, as ramps are no rims; where it has hardly any; where colours do not say which; or where
    they doubt the mended map more.

    Args:
        disparity: ``(1, H, W)``.
        look: at the map and its picture.
    """
    if look.stepped.is_soft:
        return None
    rims = TornRims.of(np.ascontiguousarray(disparity[0], np.float32), look.stepped.stride)
    if rims.at.size < _LEAST_SHARE * look.step.band.size:
        return None
    say = rims.say(disparity[0], look)
    if abs(say) < _LEAST_SAY:
        return None
    given = disparity.astype(np.float32, copy=True)
    given.reshape(-1)[rims.at] = rims.near if say > 0 else rims.far
    again = FirstLook.of(given, look.pixels, enlarged=False)
    return Mended(given, again) if again is not None and again.doubt <= _MOST_DOUBT * look.doubt else None


@dataclass(frozen=True, slots=True, eq=False)
class TornRims:
    """The pixels of torn rims.

    Attributes:
        at: ``(N,)`` int32: which pixels.
        near, far: ``(N,)`` float32: disparity of the surfaces around that are the least far away, of those nearer than
            the pixel and of those farther.
    """

    at: NDArray[np.int32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]

    @classmethod
    def of(cls, disparity: NDArray[np.float32], stride: int) -> "TornRims":
        """Those of a map ``(H, W)``; lengths are multiplied by ``stride``."""
        is_plane, is_flat, is_solid = np.empty((3, *disparity.shape), np.bool_)
        _find_planes(disparity, stride, is_plane)
        _find_flat(is_plane, stride, is_flat)
        _find_solid(disparity, is_flat, stride, is_solid)
        near, far = np.zeros_like(disparity), np.zeros_like(disparity)
        _find_torn(disparity, is_solid, stride, _outwards(_REACH_PX) * stride, near, far)
        at = np.flatnonzero(near > 0).astype(np.int32)
        return cls(at, near.ravel()[at], far.ravel()[at])

    def say(self, disparity: NDArray[np.float32], look: FirstLook) -> float:
        """Which surfaces the colours of the rims are of, from -1 (the farther) to 1 (the nearer); those of sure pixels
        count. Arguments as ``mended`` takes them."""
        step, (height, width) = look.step, disparity.shape
        order = colour.by_cells(self.at, step.stride, width)
        near, far = np.zeros((2, height, width), np.float32)
        near.reshape(-1)[self.at], far.reshape(-1)[self.at] = self.near, self.far
        odds = np.empty(self.at.size, np.float32)
        surfaces = (np.ascontiguousarray(disparity, np.float32), look.pixels, step.distance, near, far)
        colour.find_odds_at(self.at[order], step.stride, *surfaces, odds)
        says = np.tanh(odds / 2)
        sure = says[np.abs(says) > _SURE]
        return float(sure.mean()) if sure.size else 0.0


def _outwards(reach: int) -> NDArray[np.int64]:
    """``(N, 2)`` steps to all places within reach, from the least far away on."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    away = y * y + x * x
    order = np.argsort(away, kind="stable")[1:]
    order = order[away[order] <= reach * reach]
    return np.stack([y[order], x[order]], axis=1)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_planes(disparity, stride, is_plane):
    """Pixels that lie with those on both sides of them on a plane, in all four directions."""
    height, width = disparity.shape
    bend, rise = np.float32(_BEND), np.float32(2 * _SLOPE)
    for y in range(height):
        up, down = disparity[max(y - stride, 0)], disparity[min(y + stride, height - 1)]
        row = disparity[y]
        for x in range(width):
            left, right = max(x - stride, 0), min(x + stride, width - 1)
            twice = 2 * row[x]
            is_plane[y, x] = (
                (abs(row[left] + row[right] - twice) <= bend) & (abs(row[left] - row[right]) <= rise)
                & (abs(up[x] + down[x] - twice) <= bend) & (abs(up[x] - down[x]) <= rise)
                & (abs(up[left] + down[right] - twice) <= bend) & (abs(up[left] - down[right]) <= rise)
                & (abs(up[right] + down[left] - twice) <= bend) & (abs(up[right] - down[left]) <= rise)
            )  # fmt: skip


@compiled(nogil=True)
def _find_flat(is_plane, stride, is_flat):
    """Such pixels that have others beside them: one alone is where noise turns."""
    height, width = is_plane.shape
    for y in range(height):
        for x in range(width):
            is_flat[y, x] = False
            if not is_plane[y, x]:
                continue
            beside = -1  # itself
            for j in (max(y - stride, 0), y, min(y + stride, height - 1)):
                for i in (max(x - stride, 0), x, min(x + stride, width - 1)):
                    beside += is_plane[j, i]
            is_flat[y, x] = beside >= _FEW_BESIDE


@compiled(nogil=True)
def _find_solid(disparity, is_flat, stride, is_solid):
    """Pixels of surfaces: flat ones, and what is beside them and goes on as they do."""
    height, width = disparity.shape
    for y in range(height):
        for x in range(width):
            is_solid[y, x] = is_flat[y, x] or _goes_on(disparity, is_flat, stride, y, x)


@compiled(nogil=True)
def _goes_on(disparity, is_flat, stride, y, x):
    height, width = disparity.shape
    here, reach, per_px = disparity[y, x], 2 * stride, np.float32(0.5 / stride)
    for j in range(max(y - reach, stride), min(y + reach + 1, height - stride)):
        for i in range(max(x - reach, stride), min(x + reach + 1, width - stride)):
            if not is_flat[j, i]:
                continue
            down = (disparity[j + stride, i] - disparity[j - stride, i]) * per_px
            along = (disparity[j, i + stride] - disparity[j, i - stride]) * per_px
            there = disparity[j, i] + (y - j) * down + (x - i) * along
            if abs(there - here) <= np.float32(_SAME):
                return True
    return False


@compiled(nogil=True)
def _find_torn(disparity, is_solid, stride, outwards, near, far):
    """Write both surfaces of each pixel of a torn rim."""
    height, width = disparity.shape
    other = np.float32(_OTHER)
    for y in range(height):
        for x in range(width):
            if is_solid[y, x]:
                continue
            here = disparity[y, x]
            if _is_thin(disparity, stride, y, x, here):
                continue
            nearer, farther = np.float32(-1), np.float32(-1)
            for n in range(outwards.shape[0]):
                j, i = y + outwards[n, 0], x + outwards[n, 1]
                if j < 0 or i < 0 or j >= height or i >= width or not is_solid[j, i]:
                    continue
                there = disparity[j, i]
                if nearer < 0 and there > here + other:
                    nearer = there
                elif farther < 0 and there < here - other:
                    farther = there
                if nearer >= 0 and farther >= 0:
                    break
            if nearer >= 0 and farther >= 0 and nearer - farther >= np.float32(LEAST_STEP):
                near[y, x], far[y, x] = nearer, farther


@compiled(nogil=True, inline="always")
def _is_thin(disparity, stride, y, x, here):
    """Whether a pixel goes on in a few of those around, as hair does and noise does not."""
    height, width = disparity.shape
    alike = -1  # itself
    for down in range(-_AROUND_PX, _AROUND_PX + 1):
        for along in range(-_AROUND_PX, _AROUND_PX + 1):
            j, i = y + down * stride, x + along * stride
            if 0 <= j < height and 0 <= i < width:
                alike += abs(disparity[j, i] - here) <= np.float32(_LIKE)
    return alike >= _FEW_ALIKE
