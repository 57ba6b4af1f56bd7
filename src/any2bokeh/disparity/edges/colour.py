"""Evidence of colour: which of two surfaces a pixel looks like."""

import math

import numpy as np
from numpy.typing import NDArray

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

EXACT = {"nnan", "ninf", "nsz", "contract", "reassoc"}
"""Of ``fastmath``, what gives a pixel the same in a vector and by itself: quotients are not estimated."""

_LEAST_WEIGHT = 0.05  # of samples of one surface; with less nothing is known of it
_DOUBT = 0.03  # likelihood that any colour has of being anything
_LANES = 4  # pixels are compared so many at a time
_Y, _X, _RED, _GREEN, _BLUE, _NEAR, _FAR, _TOLERANCE = range(8)
_SURE, _VALUE, _IS_SURE = range(5, 8)
_LIKE_NEAR, _OF_NEAR, _LIKE_FAR, _OF_FAR, _LEAST_NEAR, _MOST_NEAR, _LEAST_FAR, _MOST_FAR = range(8)


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
    at = np.empty(side * side, np.int64)
    samples, asked, found = _room(side * side)
    for top in range(0, height, side):
        for left in range(0, width, side):
            count = 0
            for y in range(top, min(top + side, height)):
                for x in range(left, min(left + side, width)):
                    if wanted[y, x] != 0:
                        at[count] = y << 32 | x
                        count += 1
            if count == 0:
                continue
            _ask(at[:count], pixels, near, far, asked)
            of_samples = _collect(top, left, stride, disparity, pixels, distance, samples)
            _compare(asked, count, samples, of_samples, stride, found)
            for n in range(count):
                y, x = at[n] >> 32, at[n] & 0xFFFFFFFF
                clean[0, y, x] = _within(near[y, x], found[_LEAST_NEAR, n], found[_MOST_NEAR, n])
                clean[1, y, x] = _within(far[y, x], found[_LEAST_FAR, n], found[_MOST_FAR, n])
                if wanted[y, x] == COLOUR:
                    odds[y, x] += say * _odds_of(found, n)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def find_odds_at(at, stride, disparity, pixels, distance, near, far, odds):
    """The same of a few pixels, without planes of what is wanted and found.

    Args:
        at: ``(N,)`` which pixels, those of a cell together; see ``by_cells``.
        stride, disparity, pixels, distance, near, far: see ``find_odds``.
        odds: ``(N,)`` float32, written: log odds, 0 where nothing is known.
    """
    width = disparity.shape[1]
    side = _CELL_PX * stride
    places = np.empty(side * side, np.int64)
    samples, asked, found = _room(side * side)
    first = 0
    while first < at.shape[0]:
        top, left = at[first] // width // side * side, at[first] % width // side * side
        last = first + 1
        while (
            last < at.shape[0] and at[last] // width // side * side == top and at[last] % width // side * side == left
        ):
            last += 1
        for n in range(first, last):
            places[n - first] = np.int64(at[n] // width) << 32 | at[n] % width
        _ask(places[: last - first], pixels, near, far, asked)
        count = _collect(top, left, stride, disparity, pixels, distance, samples)
        _compare(asked, last - first, samples, count, stride, found)
        for n in range(first, last):
            odds[n] = _odds_of(found, n - first)
        first = last


def by_cells(at: NDArray[np.int32], stride: int, width: int) -> NDArray[np.intp]:
    """The order that brings the pixels of each cell together, of indices into a picture of a width."""
    y, x = np.divmod(at, width)
    return np.lexsort((at, x // (_CELL_PX * stride), y // (_CELL_PX * stride)))


@compiled(nogil=True)
def _room(most):
    """Memory for what is known of the samples around a cell, of its pixels, and of both together; see above."""
    pixels = most + _LANES
    return (
        np.empty((8, _MOST_SAMPLES), np.float32),
        np.zeros((8, pixels), np.float32),
        np.empty((8, pixels), np.float32),
    )


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _ask(at, pixels, near, far, asked):
    """What is known of the pixels of a cell. Those whose surfaces are alike are asked of the same ones.

    Args:
        at: row and column of each, in 32 bits each: to divide an index takes longer than much else here.
        pixels, near, far, asked: see above.
    """
    nearer, farther, alike = np.float32(0), np.float32(0), np.float32(-1)
    for n in range(at.shape[0]):
        y, x = at[n] >> 32, at[n] & 0xFFFFFFFF
        if max(abs(near[y, x] - nearer), abs(far[y, x] - farther)) > alike:
            nearer, farther = near[y, x], far[y, x]
            alike = np.float32(_ALIKE) * (nearer - farther)
        asked[_Y, n], asked[_X, n] = y, x
        asked[_RED, n], asked[_GREEN, n], asked[_BLUE, n] = colour_at(pixels, y, x)
        asked[_NEAR, n], asked[_FAR, n] = nearer, farther
        asked[_TOLERANCE, n] = np.float32(SAME_SURFACE) * (nearer - farther)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _collect(top, left, stride, disparity, pixels, distance, samples):
    """Samples around a cell, and how many there are."""
    height, width = disparity.shape
    spacing, reach, side = _SPACING_PX * stride, _RADIUS_PX * stride, _CELL_PX * stride
    sure_px, one = np.float32(_SURE_PX * stride), np.float32(1)
    n = 0
    for j in range(max(top - reach, 0), min(top + side + reach + 1, height), spacing):
        for i in range(max(left - reach, 0), min(left + side + reach + 1, width), spacing):
            sure = min(distance[j, i] / sure_px, one)
            samples[_Y, n], samples[_X, n] = j, i
            samples[_RED, n], samples[_GREEN, n], samples[_BLUE, n] = colour_at(pixels, j, i)
            samples[_SURE, n], samples[_VALUE, n] = sure * sure * sure, disparity[j, i]
            samples[_IS_SURE, n] = distance[j, i] >= sure_px
            n += 1
    return n


@compiled(nogil=True, fastmath=EXACT, error_model="numpy")
def _compare(asked, count, samples, sample_count, stride, found):
    """Sums of the samples' likeness to each pixel and of their weights, for both of its surfaces, and the ranges of
    those well away from steps. The inner loops become vectors: pixel by pixel, it takes twice as long.
    """
    padded = (count + _LANES - 1) // _LANES * _LANES
    per_spread, per_sigma = np.float32(1 / (_SPREAD_PX2 * stride * stride)), np.float32(1 / SIGMA2)
    one, zero, most = np.float32(1), np.float32(0), np.float32(np.inf)
    ys, xs, reds, greens, blues = asked[_Y], asked[_X], asked[_RED], asked[_GREEN], asked[_BLUE]
    nears, fars, tolerances = asked[_NEAR], asked[_FAR], asked[_TOLERANCE]
    like_near, of_near, like_far, of_far = found[_LIKE_NEAR], found[_OF_NEAR], found[_LIKE_FAR], found[_OF_FAR]
    least_near, most_near = found[_LEAST_NEAR], found[_MOST_NEAR]
    least_far, most_far = found[_LEAST_FAR], found[_MOST_FAR]
    for p in range(padded):
        like_near[p] = of_near[p] = like_far[p] = of_far[p] = zero
        least_near[p] = least_far[p] = most
        most_near[p] = most_far[p] = -most
    for n in range(sample_count):
        y, x, sure, value = samples[_Y, n], samples[_X, n], samples[_SURE, n], samples[_VALUE, n]
        red, green, blue = samples[_RED, n], samples[_GREEN, n], samples[_BLUE, n]
        for p in range(padded):
            dy, dx, r, g, b = y - ys[p], x - xs[p], red - reds[p], green - greens[p], blue - blues[p]
            weight = sure / (one + (dy * dy + dx * dx) * per_spread)
            unlike = one + (r * r + g * g + b * b) * per_sigma
            like = weight / (unlike * unlike)
            is_near = abs(value - nears[p]) < tolerances[p]
            is_far = (abs(value - fars[p]) < tolerances[p]) & (not is_near)
            like_near[p] += like if is_near else zero
            of_near[p] += weight if is_near else zero
            like_far[p] += like if is_far else zero
            of_far[p] += weight if is_far else zero
        if samples[_IS_SURE, n] == zero:
            continue
        for p in range(padded):
            is_near = abs(value - nears[p]) < tolerances[p]
            is_far = (abs(value - fars[p]) < tolerances[p]) & (not is_near)
            least_near[p] = value if is_near & (value < least_near[p]) else least_near[p]
            most_near[p] = value if is_near & (value > most_near[p]) else most_near[p]
            least_far[p] = value if is_far & (value < least_far[p]) else least_far[p]
            most_far[p] = value if is_far & (value > most_far[p]) else most_far[p]


@compiled(nogil=True, inline="always")
def _within(value, least, most):
    return min(max(value, least), most) if least <= most else value


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _odds_of(found, n):
    """Log odds of a pixel; 0 where nothing is known of a surface."""
    if min(found[_OF_NEAR, n], found[_OF_FAR, n]) < np.float32(_LEAST_WEIGHT):
        return np.float32(0)
    of_near = found[_LIKE_NEAR, n] / found[_OF_NEAR, n] + np.float32(_DOUBT)
    of_far = found[_LIKE_FAR, n] / found[_OF_FAR, n] + np.float32(_DOUBT)
    return np.float32(math.log(of_near / of_far))


@compiled(nogil=True, inline="always")
def colour_at(pixels, y, x):
    one = np.float32(1)
    return min(pixels[0, y, x], one), min(pixels[1, y, x], one), min(pixels[2, y, x], one)
