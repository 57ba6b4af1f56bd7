"""Evidence of colour: which of two surfaces a pixel looks like, and what its neighbours of the same colour say."""

import math

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.rings import SAME_SURFACE

RADIUS_PX = 7
"""How far the samples lie that a pixel is compared with."""

_SURE_PX = 3.5  # this far from a step, a sample surely shows its own surface
_SPREAD_PX2 = 16.0  # squared distance at which a sample counts half
_SIGMA2 = 0.08**2  # squared difference of code values at which a colour is a quarter as likely
_LEAST_WEIGHT = 0.05  # of samples of one surface; with less nothing is known of it
_DOUBT = 0.03  # likelihood that any colour has of being anything


@compiled(nogil=True, fastmath=True)
def find_odds(pixels_of_band, spacing, stride, disparity, pixels, distance, near, far, odds, clean):
    """Log of the odds that the colour of a pixel is of the nearer of its two surfaces.

    Each is compared with samples around it of both surfaces: those away from steps count more.

    Args:
        pixels_of_band: indices.
        spacing: of the samples, px.
        stride: lengths are multiplied by it.
        disparity: ``(H, W)``, with clean steps.
        pixels: ``(H, W, 3)`` code values.
        distance, near, far: see ``rings.find_band``.
        odds: ``(H, W)`` float32, written in the band; 0 where nothing is known.
        clean: ``(2, H, W)`` float32, written in the band: ``near`` and ``far``, kept within the range of the samples
            that are well away from steps, where no overshoot of a resampled map is left.
    """
    height, width = disparity.shape
    reach, sure_px = RADIUS_PX * stride, np.float32(_SURE_PX * stride)
    per_spread = np.float32(1 / (_SPREAD_PX2 * stride * stride))
    per_sigma = np.float32(1 / _SIGMA2)
    one = np.float32(1)
    for entry in range(pixels_of_band.shape[0]):
        y, x = pixels_of_band[entry] // width, pixels_of_band[entry] % width
        nearer, farther = near[y, x], far[y, x]
        tolerance = np.float32(SAME_SURFACE) * (nearer - farther)
        red, green, blue = pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2]
        near_weight, far_weight, like_near, like_far = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        near_low, far_low = np.float32(np.inf), np.float32(np.inf)
        near_high, far_high = np.float32(-np.inf), np.float32(-np.inf)
        first_y, first_x = y - reach, x - reach
        while first_y < 0:
            first_y += spacing
        while first_x < 0:
            first_x += spacing
        for j in range(first_y, min(y + reach + 1, height), spacing):
            for i in range(first_x, min(x + reach + 1, width), spacing):
                value = disparity[j, i]
                is_near = abs(value - nearer) < tolerance
                if not is_near and abs(value - farther) >= tolerance:
                    continue
                away = distance[j, i]
                sure = min(away / sure_px, one)
                weight = sure * sure * sure / (one + np.float32((j - y) * (j - y) + (i - x) * (i - x)) * per_spread)
                r, g, b = red - pixels[j, i, 0], green - pixels[j, i, 1], blue - pixels[j, i, 2]
                alike = one / (one + (r * r + g * g + b * b) * per_sigma)
                if is_near:
                    near_weight += weight
                    like_near += weight * alike * alike
                    if away >= sure_px:
                        near_low, near_high = min(near_low, value), max(near_high, value)
                else:
                    far_weight += weight
                    like_far += weight * alike * alike
                    if away >= sure_px:
                        far_low, far_high = min(far_low, value), max(far_high, value)
        clean[0, y, x] = min(max(nearer, near_low), near_high) if near_low <= near_high else nearer
        clean[1, y, x] = min(max(farther, far_low), far_high) if far_low <= far_high else farther
        odds[y, x] = 0
        if near_weight >= np.float32(_LEAST_WEIGHT) and far_weight >= np.float32(_LEAST_WEIGHT):
            of_near, of_far = like_near / near_weight, like_far / far_weight
            odds[y, x] = math.log((of_near + np.float32(_DOUBT)) / (of_far + np.float32(_DOUBT)))


@compiled(nogil=True, fastmath=True)
def settle(pixels_of_band, stride, evidence, belief, pixels, say, settled):
    """One round of neighbours of like colour convincing one another: mean field of a random field over the band.

    Args:
        pixels_of_band: indices.
        stride: spacing of neighbours, px.
        evidence: ``(H, W)`` log odds of each pixel by itself.
        belief: ``(H, W)`` in [-1, 1], 1 = near.
        pixels: ``(H, W, 3)``.
        say: how much the neighbours have to say, in log odds.
        settled: ``(H, W)`` the new belief, written in the band.
    """
    height, width = belief.shape
    for entry in range(pixels_of_band.shape[0]):
        y, x = pixels_of_band[entry] // width, pixels_of_band[entry] % width
        red, green, blue = pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2]
        total, weights = np.float32(0), np.float32(0)
        for j in range(max(y - 2 * stride, y % stride), min(y + 2 * stride + 1, height), stride):
            for i in range(max(x - 2 * stride, x % stride), min(x + 2 * stride + 1, width), stride):
                difference = _colour_difference(pixels, red, green, blue, j, i)
                weight = np.float32(0.1) + np.float32(1) / (np.float32(1) + difference * np.float32(1 / _SIGMA2))
                total += weight * belief[j, i]
                weights += weight
        odds = evidence[y, x] + say * total / weights
        settled[y, x] = odds / (1 + abs(odds))


@compiled(nogil=True, inline="always")
def _colour_difference(pixels, red, green, blue, j, i):
    return (red - pixels[j, i, 0]) ** 2 + (green - pixels[j, i, 1]) ** 2 + (blue - pixels[j, i, 2]) ** 2
