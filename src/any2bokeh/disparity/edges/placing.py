"""Where a band's step runs: each pixel given to a side by its place, its colour and its neighbours."""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.colour import COLOUR, SIGMA2, SURFACES, colour_at

_NEIGHBOURS = 2  # on each side, along both axes, that a pixel listens to


@compiled(nogil=True, fastmath=True, error_model="numpy")
def by_place(band, distance, side, shift_px, reach_px, slope, most, wanted, odds, belief):
    """What the place of each pixel says, and of which its colour is to be looked at.

    Args:
        band: indices of pixels.
        distance, side: see ``rings.find_band``.
        shift_px: how far into near sides the step is expected.
        reach_px: farther from there no step is.
        slope, most: log odds per px of distance from there, and their largest size.
        wanted: ``(H, W)`` uint8, written in the band; see ``colour.find_odds``.
        odds: ``(H, W)`` float32, written in the band: log of the odds that the pixel is near.
        belief: ``(H, W)`` float32, written in the band: the same in [-1, 1], 1 = near.
    """
    distance, side, wanted = distance.reshape(-1), side.reshape(-1), wanted.reshape(-1)
    odds, belief = odds.reshape(-1), belief.reshape(-1)
    for entry in range(band.shape[0]):
        at = band[entry]
        place = np.float32(side[at]) * distance[at] - shift_px
        if abs(place) > reach_px:
            wanted[at] = SURFACES
            belief[at] = np.float32(1) if place > 0 else np.float32(-1)
        else:
            wanted[at] = COLOUR
            says = min(max(place * slope, -most), most)
            odds[at] = says
            belief[at] = says / (1 + abs(says))


@compiled(nogil=True)
def changed(band, belief, side):
    """Those pixels of a band that are believed to show the surface of the other side, ``(N,)`` int32."""
    belief, side = belief.reshape(-1), side.reshape(-1)
    found, count = np.empty(band.shape[0], np.int32), 0
    for entry in range(band.shape[0]):
        at = band[entry]
        found[count] = at
        count += (belief[at] > 0) != (side[at] > 0)
    return found[:count].copy()


@compiled(nogil=True)
def decide(band, belief, near, far, disparity):
    """Give every pixel of the band the disparity of the surface it is believed to show; ``belief`` becomes a share."""
    belief, near, far, disparity = belief.reshape(-1), near.reshape(-1), far.reshape(-1), disparity.reshape(-1)
    for entry in range(band.shape[0]):
        at = band[entry]
        disparity[at] = near[at] if belief[at] > 0 else far[at]
        belief[at] = (belief[at] + np.float32(1)) / np.float32(2)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def settle(band, wanted, stride, evidence, belief, pixels, say, settled):
    """One round of neighbours of like colour convincing one another: mean field of a random field over the band.

    Args:
        band: indices of pixels.
        wanted: ``(H, W)``; those of ``COLOUR`` are settled.
        stride: spacing of neighbours, px.
        evidence: ``(H, W)`` log odds of each pixel by itself.
        belief: ``(H, W)`` in [-1, 1], 1 = near.
        pixels: ``(3, H, W)`` code values; those above 1 count as 1.
        say: how much the neighbours have to say, in log odds.
        settled: ``(H, W)`` the new belief, written in the band.
    """
    height, width = belief.shape
    told = wanted.reshape(-1)
    for entry in range(band.shape[0]):
        at = np.uint32(band[entry])
        if told[at] != COLOUR:
            continue
        y, x = np.int64(at // np.uint32(width)), np.int64(at % np.uint32(width))
        colour = colour_at(pixels, y, x)
        total, weights = np.float32(0), np.float32(0)
        for m in range(-_NEIGHBOURS, _NEIGHBOURS + 1):
            j = y + m * stride
            if j < 0 or j >= height:
                continue
            for n in range(-_NEIGHBOURS + (m & 1), _NEIGHBOURS + 1, 2):  # every second, as on a chessboard
                i = x + n * stride
                if i < 0 or i >= width:
                    continue
                difference = _colour_difference(colour, colour_at(pixels, j, i))
                weight = np.float32(0.1) + np.float32(1) / (np.float32(1) + difference * np.float32(1 / SIGMA2))
                total += weight * belief[j, i]
                weights += weight
        odds = evidence[y, x] + say * total / weights
        settled[y, x] = odds / (1 + abs(odds))


@compiled(nogil=True, inline="always")
def _colour_difference(one, other):
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2
