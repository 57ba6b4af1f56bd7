"""Shares and colours of mixed pixels, as a network corrects those of the classical estimator."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.bands import EdgeBands
from any2bokeh.disparity.edges.classical import Steps
from any2bokeh.disparity.edges.colour import SIGMA2
from any2bokeh.disparity.edges.learned.cells import CELL_PX, PIXELS
from any2bokeh.disparity.edges.learned.mixed_clues import BASES, WHITE, MixedClues, logit_of, write_base
from any2bokeh.disparity.edges.matte import code_of, light_of
from any2bokeh.optics.transfer import srgb_decode

MIXED_CORRECTIONS = 8
"""Numbers that the network gives for a pixel: corrections of the logit of the nearer surface's share, of that of how
much of what is left the nearer surface takes, and of the light of the nearer and of the farther surface."""

LEAST_SHARE = 0.02
"""Less is not worth a layer."""

MOST_SHARE = 0.8
"""The centre of the pixel is background."""


_AROUND_CELLS = 9  # side of the square over which it is judged whether the network is heard
# Of a corrected pixel: share (0 = not mixed, -1 = left as it is), light of the farther and of the nearer surface.
_PARTS = 7
_SHARE_OFF = 0.1  # how far off a share is, for how much the light behind a pixel is drawn to that around
_LEAST_VARIANCE = 1e-4  # of light around
_BESIDE, _ACROSS = 0.8, 0.64  # weight of a neighbour beside a pixel, and across a corner
_OFF_SAY = 2.0  # of colours that the nearer surface does not have, against unrest of the farther one
# Unrest that is lost for each change of the farther surface: from where on the network is heard, and where fully.
_LEAST_GAIN, _FULL_GAIN = 0.0, 1.0

_PER_CODE = np.float32(1 / WHITE)
_BOUNDS = srgb_decode(np.arange(WHITE + 1) * _PER_CODE).astype(np.float32)  # light of the code values of ``ranges``

# Where in ``MixedClues.ranges`` what is known of a surface begins.
_NEAR_LEAST, _NEAR_MOST, _FAR_LEAST, _FAR_MOST = 0, 3, 6, 9


def correct(
    bands: EdgeBands,
    step: Steps,
    picture: NDArray[np.float32],
    clues: MixedClues,
    found: NDArray[np.float32],
    least_change: float = 0.0,
) -> None:
    """Correct the shares and colours of mixed pixels in place; nothing is written where nothing is corrected.

    The network takes specks and lines of the background for hair, and what it leaves of it is noisy. So neither surface
    gets colours that are not seen of it around, and the light behind a pixel is drawn towards that around, the more
    the less its share leaves to be seen of it and the plainer it is there. Then both explanations of the picture are
    compared: if the network is right, the farther surface is calmer without the hair; if not, it has holes. The network
    is heard as far as that surface becomes calmer for what changes of it.

    Args:
        bands: with the shares of the classical estimator; its planes are written to.
        step, picture, clues: of the frame; see ``MixedClues.of``.
        found: ``(N, 4, MIXED_CORRECTIONS)``: what the network gives for its cells.
        least_change: how far, in code values, the colours of farther surfaces must change around a pixel, in the mean,
            for it to change: elsewhere the network is as far off as the classical estimator. 0 = it is heard
            everywhere, and the explanations are not compared.
    """
    at, parts = proposed(bands, picture, clues, found, least_change)
    if at.size == 0:
        return
    stride, split = clues.cells.stride, (bands.alpha, bands.foreground, bands.background)
    behind = np.zeros((*clues.is_open.shape, 4), np.float32)
    judged = np.zeros((*clues.cells.grid.shape, 2), np.float32)
    _bound(at, parts, stride, picture, clues.ranges)
    _look_behind(step.side, picture, split, behind)
    _place_behind(at, parts, behind)
    _calm(at, parts, stride, picture, behind)
    if least_change > 0:
        _judge(at, parts, stride, picture, clues.ranges, split, behind, judged)
        judged = cv2.blur(judged, (_AROUND_CELLS, _AROUND_CELLS))
    surfaces = (step.near, step.far)
    _write(at, parts, stride, picture, judged, least_change > 0, surfaces, bands.near, bands.far, *split)


def proposed(
    bands: EdgeBands,
    picture: NDArray[np.float32],
    clues: MixedClues,
    found: NDArray[np.float32],
    least_change: float = 0.0,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """What the network says, where it says much; not judged yet.

    Args:
        bands, picture, clues, found, least_change: see ``correct``.

    Returns:
        Cells of pixels that lie side by side, and ``(N, 4, 7)`` of their pixels: share of the nearer surface (0 = not
        mixed, -1 = left as it is), light of the farther and of the nearer surface.
    """
    at, said = (clues.cells.at, found) if clues.cells.stride == 1 else _said_between(bands, picture, clues, found)
    parts = np.empty((len(at), PIXELS, _PARTS), np.float32)
    change = np.zeros((*clues.cells.grid.shape, 2), np.float32)
    split = (bands.alpha, bands.foreground, bands.background)
    _split(at, said, clues.is_open, clues.cells.stride, picture, clues.sums, split, parts, change)
    if least_change > 0:
        change = cv2.blur(change, (_AROUND_CELLS, _AROUND_CELLS))
        is_heard = change[..., 0] >= np.float32(least_change) * change[..., 1]
        row, column = at.T // clues.cells.stride
        heard = is_heard[row, column]
        at, parts = at[heard], parts[heard]
    return at, parts


def _said_between(
    bands: EdgeBands, picture: NDArray[np.float32], clues: MixedClues, found: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Cells of pixels that lie side by side, and what the network says of these; see ``Cells``."""
    holds = np.zeros(tuple(-(-side // CELL_PX) for side in clues.is_open.shape), np.bool_)
    _mark(clues.is_open, holds)
    at = np.argwhere(holds).astype(np.int32)
    said = np.zeros((len(at), PIXELS, MIXED_CORRECTIONS), np.float32)
    _interpolate(at, clues.cells.stride, clues.cells.grid, clues.is_open, picture, bands.alpha, found, said)
    return at, said


@compiled(nogil=True)
def _mark(is_open, holds):
    height, width = is_open.shape
    for y in range(height):
        for x in range(width):
            if is_open[y, x]:
                holds[y // CELL_PX, x // CELL_PX] = True


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _interpolate(at, stride, grid, is_open, picture, alpha, found, said):
    """What is said of each pixel: the mean of the four around that the network has seen.

    One counts the more, the nearer it is and the more alike its colour. Of shares, the corrected ones are averaged: the
    classical estimator's differ from pixel to pixel.
    """
    height, width = is_open.shape
    one, per_stride, per_sigma = np.float32(1), np.float32(1 / stride), np.float32(1 / SIGMA2)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            if y >= height or x >= width or not is_open[y, x]:
                continue
            above, left = y - y % stride, x - x % stride
            weights, mean = np.float32(0), said[n, pixel]
            for j in (above, above + stride):
                for i in (left, left + stride):
                    near_by = (one - abs(y - j) * per_stride) * (one - abs(x - i) * per_stride)
                    if near_by <= 0 or j >= height or i >= width or not is_open[j, i]:
                        continue
                    unlike = np.float32(0)
                    for c in range(3):
                        unlike += (picture[y, x, c] - picture[j, i, c]) ** 2
                    weight = near_by / (one + unlike * per_sigma)
                    weights += weight
                    row, column = j // stride, i // stride
                    of_cell = found[grid[row // CELL_PX, column // CELL_PX]]
                    here = of_cell[row % CELL_PX * CELL_PX + column % CELL_PX]
                    is_corrected = False
                    for c in range(MIXED_CORRECTIONS):
                        mean[c] += weight * here[c]
                        is_corrected |= here[c] != 0
                    if is_corrected:
                        mean[0] += weight * (logit_of(alpha[j, i]) - logit_of(alpha[y, x]))
            if weights > 0:
                for c in range(MIXED_CORRECTIONS):
                    mean[c] /= weights


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _split(at, said, is_open, stride, picture, sums, split, parts, change):
    """Find share and light of each pixel that is corrected, and how much the code values around each cell change.

    What the two corrected colours leave of the pixel's light is given to them in parts that the network chooses: both
    add up to the pixel, and are light that a pixel can have.
    """
    alpha, _, background = split
    height, width = is_open.shape
    base = np.empty(BASES, np.float32)
    one, third = np.float32(1), np.float32(1 / 3)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            part, correction = parts[n, pixel], said[n, pixel]
            part[0] = -1
            if y >= height or x >= width or not is_open[y, x]:
                continue
            sum_around = change[y // stride // CELL_PX, x // stride // CELL_PX]
            sum_around[1] += one
            is_corrected = False
            for c in range(MIXED_CORRECTIONS):
                is_corrected |= correction[c] != 0
            if not is_corrected:
                continue
            write_base(y, x, stride, picture, sums, split, base)
            cover = np.float32(one / (one + np.exp(-(base[0] + correction[0]))))
            cover = min(cover, np.float32(MOST_SHARE))
            part[0] = cover if cover >= np.float32(LEAST_SHARE) else np.float32(0)
            rest = one - cover
            to_far = np.float32(one / (one + np.exp(correction[1])))
            for c in range(3):
                here = base[1 + c]
                if part[0] > 0:
                    fore, back = base[4 + c] + correction[2 + c], base[7 + c] + correction[5 + c]
                    _part(part, c, here, back + to_far * (here - cover * fore - rest * back) / rest)
                else:  # a pixel that is not mixed shows the farther surface
                    part[1 + c] = part[4 + c] = here
                after = code_of(part[1 + c]) if part[0] > 0 else picture[y, x, c]
                before = background[c, y, x] if alpha[y, x] > 0 else picture[y, x, c]
                sum_around[0] += abs(after - before) * third


@compiled(nogil=True, fastmath=True, error_model="numpy", inline="always")
def _part(part, c, here, light):
    """Give a mixed pixel so much light of the farther surface, or what is nearest to it and can be; and the rest to the
    nearer one."""
    one = np.float32(1)
    cover = part[0]
    rest = one - cover
    light = min(max(light, (here - cover) / rest, np.float32(0)), here / rest, one)
    part[1 + c] = light
    part[4 + c] = (here - rest * light) / cover


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _bound(at, parts, stride, picture, ranges):
    """Let neither surface have colours that are not seen of it around; what the nearer one may not have goes to the
    farther one, and what that may not have comes back."""
    for n in range(at.shape[0]):
        known = ranges[at[n, 0] // stride, at[n, 1] // stride]
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] <= 0:
                continue
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            for c in range(3):
                here, light = light_of(picture[y, x, c]), part[1 + c]
                least, most = known[_NEAR_LEAST + c], WHITE - known[_NEAR_MOST + c]
                if least <= most:
                    fore = min(max(part[4 + c], _BOUNDS[least]), _BOUNDS[most])
                    light = (here - part[0] * fore) / (np.float32(1) - part[0])
                least, most = known[_FAR_LEAST + c], WHITE - known[_FAR_MOST + c]
                if least <= most:
                    light = min(max(light, _BOUNDS[least]), _BOUNDS[most])
                _part(part, c, here, light)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _look_behind(side, picture, split, behind):
    """Light of the farther surface in each pixel of a far side, and its share of the pixel; 0 elsewhere."""
    alpha, _, background = split
    height, width = side.shape
    for y in range(height):
        for x in range(width):
            if side[y, x] < 0:
                share, seen = alpha[y, x], behind[y, x]
                for c in range(3):
                    seen[c] = light_of(background[c, y, x] if share > 0 else picture[y, x, c])
                seen[3] = np.float32(1) - share


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _place_behind(at, parts, behind):
    """The same of the pixels that are corrected."""
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] >= 0:
                found = behind[CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX]
                for c in range(3):
                    found[c] = part[1 + c]
                found[3] = np.float32(1) - part[0]


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _calm(at, parts, stride, picture, behind):
    """Draw the light behind mixed pixels towards that of their neighbours.

    A share that is a little off puts the light behind off by so much more, the less of it the pixel shows; what is
    around tells the same with the variance that it has there. Both are averaged by their variances.
    """
    height, width = behind.shape[:2]
    zero, one, third = np.float32(0), np.float32(1), np.float32(1 / 3)
    mean, mean2 = np.empty(3, np.float32), np.empty(3, np.float32)
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] <= 0:
                continue
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            weights = zero
            mean[:] = 0
            mean2[:] = 0
            for j in (y - stride, y, y + stride):
                for i in (x - stride, x, x + stride):
                    if j < 0 or j >= height or i < 0 or i >= width or (j == y and i == x):
                        continue
                    seen = behind[j, i]
                    near_by = np.float32(_BESIDE) if j == y or i == x else np.float32(_ACROSS)
                    weight = near_by * seen[3] * seen[3]
                    weights += weight
                    for c in range(3):
                        mean[c] += weight * seen[c]
                        mean2[c] += weight * seen[c] * seen[c]
            if weights <= np.float32(1e-4):
                continue
            around, own, off = zero, zero, np.float32(_SHARE_OFF) / (one - part[0])
            for c in range(3):
                mean[c] /= weights
                around += max(mean2[c] / weights - mean[c] * mean[c], zero) * third
                own += (off * (part[4 + c] - part[1 + c])) ** 2 * third
            drawn = own / (own + around + np.float32(_LEAST_VARIANCE))
            for c in range(3):
                light = part[1 + c] + drawn * (mean[c] - part[1 + c])
                _part(part, c, light_of(picture[y, x, c]), light)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _judge(at, parts, stride, picture, ranges, split, behind, judged):
    """Sum for each cell how much calmer what is told of its pixels becomes, and how much the farther surface changes
    for it, in code values. What is behind the pixels is written over.

    Unrest is the difference of neighbours on the farther surface, and as much of the nearer surface as has colours
    that are not seen of it around.
    """
    alpha, foreground, background = split
    height, width = alpha.shape
    for n in range(at.shape[0]):
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] >= 0:
                now = behind[CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX]
                for c in range(3):
                    now[c] = code_of(part[1 + c])
                now[3] = -1  # corrected
    was = np.empty(3, np.float32)
    for n in range(at.shape[0]):
        row, column = at[n, 0] // stride, at[n, 1] // stride
        known = ranges[row, column]
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] < 0:
                continue
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            share, now = alpha[y, x], behind[y, x]
            gain, changed = np.float32(0), np.float32(0)
            for c in range(3):
                was[c] = background[c, y, x] if share > 0 else picture[y, x, c]
                changed += abs(now[c] - was[c])
                least, most = known[_NEAR_LEAST + c], WHITE - known[_NEAR_MOST + c]
                if least <= most:
                    low, high = np.float32(least) * _PER_CODE, np.float32(most) * _PER_CODE
                    if share > 0:
                        fore = foreground[c, y, x]
                        gain += np.float32(_OFF_SAY) * share * max(low - fore, fore - high, np.float32(0))
                    light = part[4 + c]
                    if part[0] > 0 and (light < _BOUNDS[least] or light > _BOUNDS[most]):
                        fore = code_of(light)
                        gain -= np.float32(_OFF_SAY) * part[0] * max(low - fore, fore - high, np.float32(0))
            for way in range(4):
                j = y + (stride if way == 0 else -stride if way == 1 else 0)
                i = x + (stride if way == 2 else -stride if way == 3 else 0)
                if j < 0 or j >= height or i < 0 or i >= width or behind[j, i, 3] == 0:
                    continue
                beside, is_mixed = behind[j, i], alpha[j, i] > 0
                calmer = np.float32(0)
                for c in range(3):
                    other = background[c, j, i] if is_mixed else picture[j, i, c]
                    calmer += abs(was[c] - other) - abs(now[c] - (beside[c] if beside[3] < 0 else other))
                gain += calmer if beside[3] < 0 else np.float32(2) * calmer  # such a pair is met but once
            judged[row, column, 0] += gain
            judged[row, column, 1] += changed


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _write(at, parts, stride, picture, judged, is_judged, surfaces, near, far, alpha, foreground, background):
    """Write what has been found, as far as it is heard."""
    step_near, step_far = surfaces
    least, per_gain, say = np.float32(_LEAST_GAIN), np.float32(1 / (_FULL_GAIN - _LEAST_GAIN)), np.float32(1)
    for n in range(at.shape[0]):
        if is_judged:
            gain, changed = judged[at[n, 0] // stride, at[n, 1] // stride]
            if gain <= least * changed:
                continue
            say = min((gain / changed - least) * per_gain, np.float32(1))
        for pixel in range(PIXELS):
            part = parts[n, pixel]
            if part[0] < 0:
                continue
            y, x = CELL_PX * at[n, 0] + pixel // CELL_PX, CELL_PX * at[n, 1] + pixel % CELL_PX
            before = alpha[y, x]
            cover = before + say * (part[0] - before)
            if cover < np.float32(LEAST_SHARE):
                alpha[y, x] = 0
                foreground[:, y, x] = 0
                background[:, y, x] = 0
                continue
            near[y, x], far[y, x] = step_near[y, x], step_far[y, x]
            alpha[y, x] = part[0] = cover
            for c in range(3):
                here = light_of(picture[y, x, c])
                light = light_of(background[c, y, x]) if before > 0 else here
                _part(part, c, here, light + say * (part[1 + c] - light))
                background[c, y, x], foreground[c, y, x] = code_of(part[1 + c]), code_of(part[4 + c])
