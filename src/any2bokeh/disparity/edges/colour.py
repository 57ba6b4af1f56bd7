"""Evidence of colour: which of two surfaces a pixel looks like."""

import math

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.rings import SAME_SURFACE

SURFACES, COLOUR = 1, 2
"""What is wanted of a pixel: its two surfaces, or the evidence of its colour too."""

_RADIUS_PX = 6  # around a cell, how far the samples lie that its pixels are compared with
_CELL_PX = 4  # side of the cells whose pixels share samples
_SPACING_PX = 3  # of the samples
_MOST_SAMPLES = ((_CELL_PX + 2 * _RADIUS_PX) // _SPACING_PX + 1) ** 2
_ALIKE = 0.2  # of a step: pixels of a cell whose surfaces differ by less share their samples
_SURE_PX = 3.5  # this far from a step, a sample surely shows its own surface
_SPREAD_PX2 = 16.0  # squared distance at which a sample counts half
SIGMA2 = 0.08**2
"""Squared difference of code values at which a colour is a quarter as likely."""

_LEAST_WEIGHT = 0.05  # of samples of one surface; with less nothing is known of it
_DOUBT = 0.03  # likelihood that any colour has of being anything


@compiled(nogil=True, fastmath=True, error_model="numpy")
def find_odds(wanted, stride, disparity, pixels, distance, near, far, say, odds, clean):
    """Log of the odds that the colour of a pixel is of the nearer of its two surfaces.

    Each is compared with samples around it of both surfaces: those away from steps count more. The pixels of a small
    cell share their samples.

    Args:
        wanted: ``(H, W)`` uint8: ``SURFACES``, ``COLOUR``, or 0 for nothing.
        stride: lengths are multiplied by it.
        disparity: ``(H, W)``, with clean steps.
        pixels: ``(3, H, W)`` code values; those above 1 count as 1.
        distance, near, far: see ``rings.find_band``.
        say: factor of what is added to ``odds``.
        odds: ``(H, W)`` float32, added to where colour is wanted and something is known.
        clean: ``(2, H, W)`` float32, written where anything is wanted: ``near`` and ``far``, kept within the range of
            the samples that are well away from steps, where no overshoot of a resampled map is left.
    """
    height, width = disparity.shape
    side = _CELL_PX * stride
    # Of each sample: row, column, red, green, blue, weight; those of the near surface, then those of the far one.
    samples = np.empty((2, 6, _MOST_SAMPLES), np.float32)
    counts, ranges = np.zeros(2, np.int64), np.empty((2, 2), np.float32)
    for top in range(0, height, side):
        for left in range(0, width, side):
            nearer, farther, tolerance = np.float32(0), np.float32(0), np.float32(-1)
            for y in range(top, min(top + side, height)):
                for x in range(left, min(left + side, width)):
                    if wanted[y, x] == 0:
                        continue
                    if max(abs(near[y, x] - nearer), abs(far[y, x] - farther)) > tolerance:
                        nearer, farther = near[y, x], far[y, x]
                        tolerance = np.float32(_ALIKE) * (nearer - farther)
                        _collect(
                            top, left, nearer, farther, stride, disparity, pixels, distance, samples, counts, ranges
                        )
                    for which, own in ((0, near[y, x]), (1, far[y, x])):
                        low, high = ranges[which]
                        clean[which, y, x] = min(max(own, low), high) if low <= high else own
                    if wanted[y, x] == COLOUR:
                        colour = colour_at(pixels, y, x)
                        like_near, near_weight = _likeness(samples[0], counts[0], y, x, colour, stride)
                        like_far, far_weight = _likeness(samples[1], counts[1], y, x, colour, stride)
                        if min(near_weight, far_weight) >= np.float32(_LEAST_WEIGHT):
                            of_near = like_near / near_weight + np.float32(_DOUBT)
                            of_far = like_far / far_weight + np.float32(_DOUBT)
                            odds[y, x] += say * np.float32(math.log(of_near / of_far))


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _collect(top, left, nearer, farther, stride, disparity, pixels, distance, samples, counts, ranges):
    """Samples of two surfaces around a cell, how many of each, and the range of those well away from steps."""
    height, width = disparity.shape
    spacing, reach, side = _SPACING_PX * stride, _RADIUS_PX * stride, _CELL_PX * stride
    sure_px, one = np.float32(_SURE_PX * stride), np.float32(1)
    tolerance = np.float32(SAME_SURFACE) * (nearer - farther)
    counts[:] = 0
    ranges[:, 0], ranges[:, 1] = np.inf, -np.inf
    first_y, first_x = max(top - reach, 0), max(left - reach, 0)
    for j in range(first_y, min(top + side + reach + 1, height), spacing):
        for i in range(first_x, min(left + side + reach + 1, width), spacing):
            value = disparity[j, i]
            which = 0
            if abs(value - nearer) >= tolerance:
                which = 1
                if abs(value - farther) >= tolerance:
                    continue
            away = distance[j, i]
            sure = min(away / sure_px, one)
            at = counts[which]
            counts[which] += 1
            samples[which, 0, at], samples[which, 1, at] = j, i
            samples[which, 2, at], samples[which, 3, at], samples[which, 4, at] = colour_at(pixels, j, i)
            samples[which, 5, at] = sure * sure * sure
            if away >= sure_px:
                ranges[which, 0], ranges[which, 1] = min(ranges[which, 0], value), max(ranges[which, 1], value)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _likeness(samples, count, y, x, colour, stride):
    """Sum of the samples' likeness to a pixel, and of their weights."""
    per_spread, per_sigma = np.float32(1 / (_SPREAD_PX2 * stride * stride)), np.float32(1 / SIGMA2)
    one, like, weights = np.float32(1), np.float32(0), np.float32(0)
    at_y, at_x = np.float32(y), np.float32(x)
    red, green, blue = colour
    for n in range(count):
        dy, dx = samples[0, n] - at_y, samples[1, n] - at_x
        r, g, b = samples[2, n] - red, samples[3, n] - green, samples[4, n] - blue
        weight = samples[5, n] / (one + (dy * dy + dx * dx) * per_spread)
        unlike = one + (r * r + g * g + b * b) * per_sigma
        like += weight / (unlike * unlike)
        weights += weight
    return like, weights


@compiled(nogil=True, inline="always")
def colour_at(pixels, y, x):
    one = np.float32(1)
    return min(pixels[0, y, x], one), min(pixels[1, y, x], one), min(pixels[2, y, x], one)
