"""Mixed pixels: how much of each is the nearer surface, and the pure colours of both.

The edge runs through a pixel beside it, which shows light of both surfaces. The pure colours around tell, each with its
variance, what either may look like; how far the pixel lies from the step, how much of it the nearer surface covers.
Of both follow the likeliest share and colours (a Gaussian estimate, in linear light): where texture is strong, place
says more; where the surfaces differ clearly, colour does.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.rings import SAME_SURFACE
from any2bokeh.optics.transfer import srgb_decode, srgb_encode

REACH_PX = 1.6
"""Mixed pixels lie within this of a step, on its far side: an edge belongs to the side that covers most of a pixel."""

_CODES = 4095
_LIGHT = srgb_decode(np.arange(_CODES + 1) / _CODES)
_CODE = srgb_encode((np.arange(_CODES + 2) / _CODES) ** 2)  # of squared light: straight between two to 6e-7
_CELL_PX = 4  # side of the cells whose pixels share samples
_RADIUS_PX = 4  # around a cell, how far pure colours are looked for
_MOST_SAMPLES = (_CELL_PX + 2 * _RADIUS_PX) ** 2
_ALIKE = 0.2  # of a step: pixels of a cell whose surfaces differ by less share their samples
_PURE_PX = 1.0  # nearer to a step no pixel is pure
_SPREAD_PX2 = 5.0  # squared distance at which a sample counts a quarter
_LEAST_WEIGHT = 1e-3
_WIDTH_PX = 1.4  # over which coverage falls from 1 to 0
_COVERAGE_VARIANCE = 0.02  # of what is expected by place
_NOISE = 2e-5  # variance of light
_MOST_SHARE = 0.5  # the centre of the pixel is background
_LEAST_SHARE = 0.02  # less is not worth a layer


@compiled(nogil=True, fastmath=True, error_model="numpy")
def find_shares(
    stride, disparity, pixels, distance, side, near, far, mixed_near, mixed_far, alpha, foreground, background
):
    """Shares and colours of the mixed pixels of a frame.

    Args:
        stride: lengths are multiplied by it.
        disparity: ``(H, W)``, with clean steps.
        pixels: ``(3, H, W)`` code values.
        distance, side, near, far: see ``rings.find_band``.
        mixed_near, mixed_far: ``(H, W)`` float32, written where a pixel is mixed: its ``near`` and ``far``.
        alpha: ``(H, W)`` float32, written where a pixel is mixed: share of light of the nearer surface.
        foreground, background: ``(3, H, W)`` float32, written there: code values of the two, which in linear light add
            up to the pixel's, and are colours: none is below 0 or above 1. Of another size, nothing is written.
    """
    height, width = disparity.shape
    writes_colours = foreground.shape[1] == height and foreground.shape[2] == width
    side_px = _CELL_PX * stride
    reach, pure = np.float32(REACH_PX * stride), np.float32(_PURE_PX * stride)
    # Of each sample: row, column, red, green, blue; those of the near surface, then those of the far one.
    samples, counts = np.empty((2, 5, _MOST_SAMPLES), np.float32), np.zeros(2, np.int64)
    places = np.empty((2, _MOST_SAMPLES), np.int64)
    fore, back = np.empty((4, 3), np.float32), np.empty((4, 3), np.float32)  # mean, variance, least, largest
    for top in range(0, height, side_px):
        for left in range(0, width, side_px):
            nearer, farther, tolerance = np.float32(0), np.float32(0), np.float32(-1)
            for y in range(top, min(top + side_px, height)):
                for x in range(left, min(left + side_px, width)):
                    if side[y, x] >= 0 or distance[y, x] > reach:
                        continue
                    if max(abs(near[y, x] - nearer), abs(far[y, x] - farther)) > tolerance:
                        nearer, farther = near[y, x], far[y, x]
                        tolerance = np.float32(_ALIKE) * (nearer - farther)
                        around = (top, left, nearer, farther, stride, pure)
                        _collect(around, disparity, pixels, distance, places, samples, counts)
                        for which, colours in ((0, fore), (1, back)):
                            _find_range(samples[which], counts[which], colours)
                    if not _find_mean(samples[1], counts[1], y, x, stride, back):
                        continue
                    if not _find_mean(samples[0], counts[0], y, x, stride, fore) and not _find_extreme(
                        y, x, stride, disparity, pixels, nearer, farther, back, fore
                    ):
                        continue
                    here = (light_of(pixels[0, y, x]), light_of(pixels[1, y, x]), light_of(pixels[2, y, x]))
                    expected = max(np.float32(0.5) - distance[y, x] / np.float32(_WIDTH_PX * stride), np.float32(0))
                    share = _likeliest_share(here, expected, fore, back)
                    if share < np.float32(_LEAST_SHARE):
                        continue
                    alpha[y, x], mixed_near[y, x], mixed_far[y, x] = share, near[y, x], far[y, x]
                    if writes_colours:
                        _write_colours(y, x, here, share, fore, back, foreground, background)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _write_colours(y, x, here, share, fore, back, foreground, background):
    """The likeliest pure colours that make up a pixel."""
    rest = 1 - share
    for c in range(3):
        by_back, by_fore = rest * back[1, c], share * fore[1, c]
        off = here[c] - share * fore[0, c] - rest * back[0, c]
        light = back[0, c] + off * by_back / (rest * by_back + share * by_fore)
        light = min(max(light, back[2, c]), back[3, c])
        light = min(max(light, (here[c] - share) / rest), here[c] / rest)  # else the foreground were no colour
        background[c, y, x] = code_of(light)
        foreground[c, y, x] = code_of((here[c] - rest * light) / share)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _collect(around, disparity, pixels, distance, places, samples, counts):
    """Light of the pure pixels of two surfaces around a cell, and how many there are of each.

    Each place is written, and counts or not: which surface is next cannot be foretold, and a wrong guess costs more.
    """
    top, left, nearer, farther, stride, pure = around
    height, width = disparity.shape
    reach, side = _RADIUS_PX * stride, _CELL_PX * stride
    tolerance = np.float32(SAME_SURFACE) * (nearer - farther)
    near_places, far_places = places[0], places[1]
    of_near, of_far = np.uint32(0), np.uint32(0)
    first, last = max(left - reach, left % stride), min(left + side + reach, width)
    for j in range(max(top - reach, top % stride), min(top + side + reach, height), stride):
        values, away = disparity[j], distance[j]
        for i in range(first, last, stride):
            near_places[of_near] = far_places[of_far] = j << 16 | i
            is_pure = away[i] >= pure
            is_near = abs(values[i] - nearer) < tolerance
            is_far = abs(values[i] - farther) < tolerance
            of_near += np.uint32(is_pure & is_near)
            of_far += np.uint32(is_pure & is_far & (not is_near))
    counts[0], counts[1] = of_near, of_far
    for which in range(2):
        for n in range(counts[which]):
            j, i = places[which, n] >> 16, places[which, n] & 0xFFFF
            samples[which, 0, n], samples[which, 1, n] = j, i
            for c in range(3):
                samples[which, 2 + c, n] = light_of(pixels[c, j, i])


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_range(samples, count, colours):
    """Least and largest light of samples."""
    for c in range(3):
        low, high = np.float32(np.inf), np.float32(-np.inf)
        for n in range(count):
            low, high = min(low, samples[2 + c, n]), max(high, samples[2 + c, n])
        colours[2, c], colours[3, c] = low, high


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_mean(samples, count, y, x, stride, colours):
    """Mean and variance of light of samples, the nearest counting most; whether there are any near by."""
    per_spread, one = np.float32(1 / (_SPREAD_PX2 * stride * stride)), np.float32(1)
    at_y, at_x = np.float32(y), np.float32(x)
    weights, red, green, blue = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    red2, green2, blue2 = np.float32(0), np.float32(0), np.float32(0)
    for n in range(count):
        dy, dx = samples[0, n] - at_y, samples[1, n] - at_x
        near_by = one / (one + (dy * dy + dx * dx) * per_spread)
        weight = near_by * near_by * near_by * near_by
        r, g, b = samples[2, n], samples[3, n], samples[4, n]
        weights += weight
        red += weight * r
        green += weight * g
        blue += weight * b
        red2 += weight * r * r
        green2 += weight * g * g
        blue2 += weight * b * b
    if weights < np.float32(_LEAST_WEIGHT):
        return False
    colours[0, 0], colours[0, 1], colours[0, 2] = red / weights, green / weights, blue / weights
    colours[1, 0], colours[1, 1], colours[1, 2] = red2 / weights, green2 / weights, blue2 / weights
    for c in range(3):
        colours[1, c] = max(colours[1, c] - colours[0, c] ** 2, np.float32(0)) + np.float32(_NOISE)
    return True


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_extreme(y, x, stride, disparity, pixels, nearer, farther, back, fore):
    """A hair has no pure pixel of its own: what is beside this pixel and least like the background stands for it."""
    height, width = disparity.shape
    tolerance = np.float32(SAME_SURFACE) * (nearer - farther)
    most = np.float32(-1)
    for j in range(max(y - stride, 0), min(y + stride + 1, height)):
        for i in range(max(x - stride, 0), min(x + stride + 1, width)):
            if abs(disparity[j, i] - nearer) >= tolerance:
                continue
            unlike = np.float32(0)
            for c in range(3):
                unlike += (light_of(pixels[c, j, i]) - back[0, c]) ** 2
            if unlike > most:
                most = unlike
                for c in range(3):
                    fore[0, c], fore[1, c] = light_of(pixels[c, j, i]), np.float32(_NOISE)
    return most >= 0


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _likeliest_share(here, expected, fore, back):
    """How much of a pixel is foreground: by its colour along the line between the pure ones, and as expected."""
    along, length2, spread = np.float32(0), np.float32(0), np.float32(0)
    for c in range(3):
        span = fore[0, c] - back[0, c]
        along += span * (here[c] - expected * fore[0, c] - (1 - expected) * back[0, c])
        length2 += span * span
        spread += span * span * ((1 - expected) ** 2 * back[1, c] + expected**2 * fore[1, c])
    noise = spread / max(length2, np.float32(1e-9)) + np.float32(_NOISE)
    share = expected + along / (length2 + noise / np.float32(_COVERAGE_VARIANCE))
    return min(max(share, np.float32(0)), np.float32(_MOST_SHARE))


@compiled(nogil=True, fastmath=True, inline="always")
def light_of(code):
    return _LIGHT[int(min(max(code, np.float32(0)), np.float32(1)) * np.float32(_CODES) + np.float32(0.5))]


@compiled(nogil=True, fastmath=True, inline="always")
def code_of(light):
    place = np.sqrt(min(max(light, np.float32(0)), np.float32(1))) * np.float32(_CODES)
    at = int(place)
    return _CODE[at] + (place - np.float32(at)) * (_CODE[at + 1] - _CODE[at])
