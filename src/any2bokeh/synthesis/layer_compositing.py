"""Layers one before the other, and what a pinhole camera sees of them: colours, shares, disparities, what is hidden."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

LEAST_STEP = 0.005
"""Difference of disparity from which two surfaces are two: less moves the blur of K = 32 by a sixth of a pixel."""

BAND_PX = 6.0
"""Reach of a band from what is seen of the other surface."""

HIDDEN_PX = 16.0
"""How far from a step what is hidden behind its near side is told."""

_LEAST_SHARE = 1 / 128  # less of a pixel than this does not make it mixed


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """``L`` surfaces, the nearest first, the last of which fills the frame.

    Attributes:
        coverage: ``(L, H, W)`` float32 in [0, 1]: how much of each pixel a surface covers.
        light: ``(L, H, W, 3)`` float32 linear RGB in [0, 1], not multiplied by coverage.
        disparity: ``(L, H, W)`` float32 in [0, 1], nowhere less than that of a surface behind.
        spread: ``(k, k)`` float32 of sum 1, by which the camera blurs what it sees, or None.
    """

    coverage: NDArray[np.float32]
    light: NDArray[np.float32]
    disparity: NDArray[np.float32]
    spread: NDArray[np.float32] | None = None

    def without(self, count: int) -> "Layers":
        """What is left when the ``count`` nearest are taken away."""
        return Layers(self.coverage[count:], self.light[count:], self.disparity[count:], self.spread)

    def seen(self) -> NDArray[np.float32]:
        """The picture, ``(H, W, 3)`` linear."""
        light = self.light[-1].copy()
        for coverage, own in zip(self.coverage[-2::-1], self.light[-2::-1], strict=True):
            light += coverage[..., None] * (own - light)
        return _blurred(light, self.spread)

    def resolved(self) -> "Resolved":
        """The picture, and all that is known of it."""
        count = len(self.coverage)
        shares, parts = np.empty_like(self.coverage), np.empty_like(self.light)
        free = np.ones(self.coverage.shape[1:], np.float32)
        for i in range(count):
            share = self.coverage[i] * free
            free = free - share
            parts[i] = _blurred(share[..., None] * self.light[i], self.spread)
            shares[i] = _blurred(share, self.spread)
        behind = np.empty((count, *self.light.shape[1:]), np.float32)
        light = self.light[-1]
        for i in range(count - 1, 0, -1):
            behind[i - 1] = _blurred(light, self.spread)
            if i > 1:
                light = light + self.coverage[i - 1][..., None] * (self.light[i - 1] - light)
        owner = shares.argmax(axis=0)
        to_seen = np.stack([_distance_px(share <= _LEAST_SHARE) for share in shares])
        to_farther = np.stack([_distance_px(owner <= i) for i in range(count - 1)] or [to_seen[0] + 1e6])
        code = np.empty((4, *self.light.shape[1:]), np.float32)
        planes = np.empty((6, *free.shape), np.float32)
        known = np.empty(free.shape, np.bool_)
        _resolve(shares, parts, behind, self.coverage, self.disparity, to_seen, to_farther, code, planes, known)
        clean, foreground, background, hidden = np.ascontiguousarray(code.transpose(0, 3, 1, 2))
        near, far, third, alpha, hidden_disparity, disparity = (np.asarray(plane, np.float32) for plane in planes)
        return Resolved(
            clean, shares, near, far, third, alpha, foreground, background, hidden, hidden_disparity, known, disparity
        )


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """What :class:`~any2bokeh.synthesis.layer_truth.LayerTruth` says, of the picture as the lens gives it.

    Attributes:
        clean: ``(3, H, W)`` float32 code values: the picture without grain and compression.
        shares: ``(L, H, W)`` float32: how much of each pixel shows each surface; their sum is 1.
        disparity: ``(H, W)`` float32. The others are those of the same name there.
    """

    clean: NDArray[np.float32]
    shares: NDArray[np.float32]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    third: NDArray[np.float32]
    alpha: NDArray[np.float32]
    foreground: NDArray[np.float32]
    background: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_disparity: NDArray[np.float32]
    is_hidden_known: NDArray[np.bool_]
    disparity: NDArray[np.float32]


def _blurred(values: NDArray[np.float32], spread: NDArray[np.float32] | None) -> NDArray[np.float32]:
    if spread is None:
        return values
    return np.asarray(cv2.filter2D(values, -1, spread, borderType=cv2.BORDER_REPLICATE), np.float32)


def _distance_px(elsewhere: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance to the nearest pixel that is False; far where there is none."""
    return np.asarray(cv2.distanceTransform(elsewhere.astype(np.uint8), cv2.DIST_L2, 3), np.float32)


@compiled(nogil=True, error_model="numpy")
def _code(light: Any) -> Any:
    """sRGB code value of linear light; ``optics.transfer.srgb_encode`` for one number."""
    within = min(max(light, np.float32(0)), np.float32(1))
    if within <= np.float32(0.0031308):
        return within * np.float32(12.92)
    return np.float32(1.055) * within ** np.float32(1 / 2.4) - np.float32(0.055)


@compiled(nogil=True, error_model="numpy")
def _resolve(
    shares: NDArray[np.float32],
    parts: NDArray[np.float32],
    behind: NDArray[np.float32],
    coverage: NDArray[np.float32],
    disparity: NDArray[np.float32],
    to_seen: NDArray[np.float32],
    to_farther: NDArray[np.float32],
    code: NDArray[np.float32],
    planes: NDArray[np.float32],
    known: NDArray[np.bool_],
) -> None:
    """Fill ``code`` (clean, foreground, background, hidden), ``planes`` (near, far, third, alpha, hidden's, own)."""
    count, height, width = shares.shape
    for y in range(height):
        for x in range(width):
            owner, first = 0, -1
            for i in range(count):
                if shares[i, y, x] > shares[owner, y, x]:
                    owner = i
                if first < 0 and shares[i, y, x] > _LEAST_SHARE:
                    first = i
            share = shares[first, y, x]
            # In a mixed pixel its nearest surface and the one that most of the rest shows; else what it shows, and
            # what is seen nearest by.
            anchor = first if share < 1 - _LEAST_SHARE else owner
            other = _other(shares, disparity, to_seen, y, x, anchor, anchor)
            is_mixed = anchor == first and share < 1 - _LEAST_SHARE
            if other >= 0 and is_mixed and shares[other, y, x] <= _LEAST_SHARE:
                other = -1  # what mixes with it lies too close behind to be another surface
            near, far = anchor, other
            if other < 0:
                far, is_mixed = owner, False
                near = owner
            elif other < anchor:
                near, far = other, anchor
            third = far
            if other >= 0:
                found = _other(shares, disparity, to_seen, y, x, near, far)
                third = found if found >= 0 else far
            planes[0, y, x], planes[1, y, x] = disparity[near, y, x], disparity[far, y, x]
            planes[2, y, x] = disparity[third, y, x]
            planes[5, y, x] = disparity[owner, y, x]
            if is_mixed:
                planes[3, y, x] = share
            else:
                planes[3, y, x] = 1 if owner == near else 0
            last = first >= count - 1
            known[y, x] = not last and to_farther[min(first, to_farther.shape[0] - 1), y, x] <= HIDDEN_PX
            planes[4, y, x] = disparity[owner, y, x]
            if known[y, x]:
                planes[4, y, x] = disparity[_seen_behind(coverage, y, x, first), y, x]
                if disparity[first, y, x] - planes[4, y, x] < LEAST_STEP:  # nothing is hidden without a step
                    known[y, x], planes[4, y, x] = False, disparity[owner, y, x]
            for c in range(3):
                total = np.float32(0)
                for i in range(count):
                    total += parts[i, y, x, c]
                own = _code(total)
                for k in range(4):
                    code[k, y, x, c] = own
                if is_mixed:
                    part = parts[first, y, x, c]
                    code[1, y, x, c] = _code(part / share)
                    code[2, y, x, c] = _code((total - part) / (1 - share))
                if known[y, x]:
                    code[3, y, x, c] = _code(behind[first, y, x, c])


@compiled(nogil=True, error_model="numpy")
def _other(
    shares: NDArray[np.float32],
    disparity: NDArray[np.float32],
    to_seen: NDArray[np.float32],
    y: int,
    x: int,
    one: int,
    two: int,
) -> int:
    """The surface beside ``one`` and ``two`` that most of the pixel shows, else that is seen nearest by; -1 if none."""
    best, best_share, best_px = -1, np.float32(_LEAST_SHARE), np.float32(BAND_PX)
    for i in range(shares.shape[0]):
        if i in (one, two):
            continue
        here = disparity[i, y, x]
        if abs(here - disparity[one, y, x]) < LEAST_STEP or abs(here - disparity[two, y, x]) < LEAST_STEP:
            continue
        if shares[i, y, x] > best_share:
            best, best_share, best_px = i, shares[i, y, x], np.float32(0)
        elif best_share <= _LEAST_SHARE and to_seen[i, y, x] <= best_px:
            best, best_px = i, to_seen[i, y, x]
    return best


@compiled(nogil=True, error_model="numpy")
def _seen_behind(coverage: NDArray[np.float32], y: int, x: int, taken: int) -> int:
    """Which surface covers most of the pixel when the nearest ones up to ``taken`` are taken away."""
    free, best, best_share = np.float32(1), taken + 1, np.float32(-1)
    for i in range(taken + 1, coverage.shape[0]):
        share = coverage[i, y, x] * free
        free -= share
        if share > best_share:
            best, best_share = i, share
    return best
