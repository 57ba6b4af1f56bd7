"""Motion of surfaces between two frames: a lattice over place and disparity, with an affine motion at each node.

Flow behind an occluder is a guess, and beside one it is drawn along by it. What a background does behind an occluder
is what it does around it: at each node an affine motion is fitted to the blocks around of like disparity, no others.
The fit minimises the difference of the pictures themselves (Lucas and Kanade, IJCAI 1981), the gradients of all pixels
being gathered in the nodes and spread from node to node (a bilateral grid: Chen, Paris and Durand, SIGGRAPH 2007), so
that a node with little to see in its reach takes the motion of its surround.
"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.plate.view import View

SPACING = 16
"""Blocks between two nodes."""

LEVELS = 12
"""Nodes over disparity 0 to 1."""

_ITERATIONS = 12
_SETTLED = 0.03  # blocks: a fit that moves all nodes by less is done
# Of a normal matrix: 28 of its upper triangle, 7 of its right side, sum of weights.
_MOMENTS = 36
_PARAMETERS = 7  # displacement and its slopes, x and y; a change of brightness
_SAME_DISPARITY = np.float32(0.05)
_NOISE = np.float32(0.015)
# How much all of a level, and all of the picture, count for beside what is around a node.
_LEVEL_SHARE, _PICTURE_SHARE = np.float32(0.01), np.float32(0.001)
# Mean weight of the blocks that are looked at: 0.8 to 0.94 within a shot, 0.6 in fast pans of small frames, 0.15 to 0.2
# between unlike pictures, 0.49 between unlike ones of like colours and little contrast.
_AGREEMENT_MIN = 0.5
_SUPPORTED = 100.0  # blocks around a node
_STILL_GREY = 0.01  # frames that differ nowhere by more show the same
_STILL_PX = np.float32(0.01)  # less is taken for none


def lattice_between(here: View, there: View, flow: FlowFinder) -> NDArray[np.float32] | None:
    """Motion of the surfaces of a frame to where they are in a neighbouring one.

    Returns:
        ``(rows, columns, LEVELS, 6)`` float32: at each node the displacement in blocks and its slopes,
        ``(u, du/dx, du/dy, v, dv/dx, dv/dy)``; see ``motion_at``. None where too little of one frame is seen in the
        other.
    """
    height, width = here.grey.shape
    rows, columns = (height - 1) // SPACING + 2, (width - 1) // SPACING + 2
    codes = [np.clip(view.grey * 255 + 0.5, 0, 255).astype(np.uint8) for view in (here, there)]
    motion = np.zeros((rows, columns, LEVELS, _PARAMETERS), np.float32)
    if float(np.abs(here.grey - there.grey).max()) < _STILL_GREY:
        return motion[..., :6]
    start = flow(*codes)
    asked = np.zeros((rows, columns, LEVELS), np.bool_)
    _find_asked(here.low, here.clean, asked)
    moments = np.zeros((rows, columns, LEVELS, _MOMENTS), np.float32)
    spread, agreement = moments, 0.0
    for iteration in range(_ITERATIONS):
        moments[:] = 0
        _gather(
            here.grey, here.low, here.clean, there.grey, there.low, there.clean, start, iteration == 0, motion, moments
        )
        agreement = float(moments[..., -1].sum()) / max(np.count_nonzero(here.clean) / 2, 1)
        spread = _spread(moments)
        if _solve(spread, asked, motion) < _SETTLED:
            break
    asked[:] = True
    _solve(spread, asked, motion)
    return _settled(motion, height, width) if agreement >= _AGREEMENT_MIN else None


@compiled(nogil=True)
def _find_asked(low, clean, asked):  # pragma: no cover (compiled)
    """The nodes whose motion blocks ask for."""
    height, width = low.shape
    for y in range(height):
        for x in range(width):
            if clean[y, x]:
                j, i = (y + SPACING // 2) // SPACING, (x + SPACING // 2) // SPACING
                asked[j, i, nearest_level(low[y, x])] = True


@compiled(nogil=True, fastmath=True)
def _gather(grey, low, clean, other, other_low, other_clean, flow, is_first, motion, moments):  # pragma: no cover
    """Add what each block says of the motion of its surface to the moments of the nearest node."""
    height, width = grey.shape
    row = np.empty(_PARAMETERS, np.float32)
    scale_x, scale_y = np.float32(2.0 / width), np.float32(2.0 / height)
    for y in range(1, height - 1):
        for x in range(1 + y % 2, width - 1, 2):  # half of the blocks say enough
            if not clean[y, x]:
                continue
            across = (grey[y, x + 1] - grey[y, x - 1]) * np.float32(0.5)
            down = (grey[y + 1, x] - grey[y - 1, x]) * np.float32(0.5)
            j, i = (y + SPACING // 2) // SPACING, (x + SPACING // 2) // SPACING
            disparity = low[y, x]
            k = nearest_level(disparity)
            at_x, at_y = np.float32(x) * scale_x - 1, np.float32(y) * scale_y - 1
            if is_first:
                u, v, brighter = flow[y, x, 0], flow[y, x, 1], np.float32(0)
            else:
                p = motion[j, i, k]
                u = p[0] + p[1] * at_x + p[2] * at_y
                v = p[3] + p[4] * at_x + p[5] * at_y
                brighter = p[6]
            to_x, to_y = x + u, y + v
            if not (to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1):
                continue
            m, n = int(to_y), int(to_x)
            if not (other_clean[m, n] and abs(other_low[m, n] - disparity) < _SAME_DISPARITY):
                continue
            share_y, share_x = np.float32(to_y - m), np.float32(to_x - n)
            top = other[m, n] + share_x * (other[m, n + 1] - other[m, n])
            bottom = other[m + 1, n] + share_x * (other[m + 1, n + 1] - other[m + 1, n])
            change = top + share_y * (bottom - top) - grey[y, x]
            miss = (change - brighter) / _NOISE
            weight = 1 / (1 + np.float32(0.1) * miss * miss)
            target = across * u + down * v - change
            row[0], row[1], row[2] = across, across * at_x, across * at_y
            row[3], row[4], row[5] = down, down * at_x, down * at_y
            row[6] = -1
            at = moments[j, i, k]
            entry = 0
            for a in range(_PARAMETERS):
                scaled = weight * row[a]
                for b in range(a, _PARAMETERS):
                    at[entry] += scaled * row[b]
                    entry += 1
                at[28 + a] += scaled * target
            at[35] += weight


@compiled(nogil=True, fastmath=True)
def _spread(moments):  # pragma: no cover (compiled)
    """Moments of each node's surround."""
    rows, columns, levels, count = moments.shape
    out = moments.copy()
    half = np.float32(0.5)
    for k in range(levels):  # along disparity
        for j in range(rows):
            for i in range(columns):
                for m in range(count):
                    value = moments[j, i, k, m]
                    if k > 0:
                        value += np.float32(0.25) * moments[j, i, k - 1, m]
                    if k < levels - 1:
                        value += np.float32(0.25) * moments[j, i, k + 1, m]
                    out[j, i, k, m] = value
    other = np.empty_like(out)
    for _ in range(2):
        for j in range(rows):
            for i in range(columns):
                left, right = max(i - 1, 0), min(i + 1, columns - 1)
                for k in range(levels):
                    for m in range(count):
                        other[j, i, k, m] = out[j, i, k, m] + half * (out[j, left, k, m] + out[j, right, k, m])
        for j in range(rows):
            above, below = max(j - 1, 0), min(j + 1, rows - 1)
            for i in range(columns):
                for k in range(levels):
                    for m in range(count):
                        out[j, i, k, m] = other[j, i, k, m] + half * (other[above, i, k, m] + other[below, i, k, m])
    whole = np.zeros((levels + 1, count), np.float32)
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                for m in range(count):
                    whole[k, m] += out[j, i, k, m]
                    whole[levels, m] += out[j, i, k, m]
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                for m in range(count):
                    out[j, i, k, m] += _LEVEL_SHARE * whole[k, m] + _PICTURE_SHARE * whole[levels, m]
    return out


@compiled(nogil=True)
def _solve(moments, asked, motion):  # pragma: no cover (compiled)
    """The motion of nodes by Cholesky's decomposition; by how much the shift of any that is supported changed.

    Those that are neither supported nor ``asked`` are left out.
    """
    rows, columns, levels, _ = moments.shape
    moved = 0.0
    n = _PARAMETERS
    factor = np.zeros((n, n), np.float64)
    x = np.zeros(n, np.float64)
    for j in range(rows):
        for i in range(columns):
            for k in range(levels):
                at = moments[j, i, k]
                if not asked[j, i, k]:
                    continue
                entry = 0
                for a in range(n):
                    for b in range(a, n):
                        factor[b, a] = at[entry]
                        entry += 1
                    x[a] = at[28 + a]
                # Slopes are small where nothing speaks for them.
                energy = factor[0, 0] + factor[3, 3]
                for a in range(n):
                    factor[a, a] += 1e-9 + 1e-4 * energy * (0 if a == 0 or a == 3 or a == 6 else 1)
                factor[6, 6] += 0.01 * at[35]
                for a in range(n):
                    for b in range(a):
                        x[a] -= factor[a, b] * x[b]
                        factor[a, a] -= factor[a, b] * factor[a, b]
                    factor[a, a] = np.sqrt(max(factor[a, a], 1e-12))
                    x[a] /= factor[a, a]
                    for c in range(a + 1, n):
                        for b in range(a):
                            factor[c, a] -= factor[c, b] * factor[a, b]
                        factor[c, a] /= factor[a, a]
                at_x, at_y = 2.0 * i / (columns - 1) - 1, 2.0 * j / (rows - 1) - 1
                before_x = motion[j, i, k, 0] + motion[j, i, k, 1] * at_x + motion[j, i, k, 2] * at_y
                before_y = motion[j, i, k, 3] + motion[j, i, k, 4] * at_x + motion[j, i, k, 5] * at_y
                for a in range(n - 1, -1, -1):
                    for c in range(a + 1, n):
                        x[a] -= factor[c, a] * x[c]
                    x[a] /= factor[a, a]
                    motion[j, i, k, a] = x[a]
                if at[35] > _SUPPORTED:
                    x_now, y_now = x[0] + x[1] * at_x + x[2] * at_y, x[3] + x[4] * at_x + x[5] * at_y
                    moved = max(moved, abs(x_now - before_x), abs(y_now - before_y))
    return moved


@compiled(nogil=True)
def _settled(solved, height, width):  # pragma: no cover (compiled)
    """From places in [-1, 1] of the picture to blocks from the node; what hardly moves stands still."""
    rows, columns, levels, _ = solved.shape
    motion = np.empty((rows, columns, levels, 6), np.float32)
    scale_x, scale_y = np.float32(2.0 / width), np.float32(2.0 / height)
    for j in range(rows):
        at_y = np.float32(j * SPACING) * scale_y - 1
        for i in range(columns):
            at_x = np.float32(i * SPACING) * scale_x - 1
            for k in range(levels):
                p, out = solved[j, i, k], motion[j, i, k]
                most = np.float32(0)
                for axis in range(2):
                    base = 3 * axis
                    out[base] = p[base] + p[base + 1] * at_x + p[base + 2] * at_y
                    out[base + 1], out[base + 2] = p[base + 1] * scale_x, p[base + 2] * scale_y
                    most = max(most, abs(out[base]) + SPACING * (abs(out[base + 1]) + abs(out[base + 2])))
                if most < _STILL_PX:
                    out[:] = 0
    return motion


@compiled(nogil=True, inline="always")
def nearest_level(disparity):
    """Level of the node that is nearest in disparity."""
    return min(max(int(disparity * np.float32(LEVELS - 1) + np.float32(0.5)), 0), LEVELS - 1)


@compiled(nogil=True, inline="always")
def motion_at(motion, x, y, disparity, found):
    """Motion at block (x, y) of the surface of a disparity: displacement and slopes into ``found``."""
    i, j, k, right, down, nearer = _cell(motion, x, y, disparity)
    # Not summed in ``found``, which might lie within ``motion``: each sum would be stored eight times.
    u = u_across = u_down = v = v_across = v_down = np.float32(0)
    for dj in range(2):
        share_y = down if dj else np.float32(1) - down
        from_y = y - np.float32((j + dj) * SPACING)
        for di in range(2):
            share_x = right if di else np.float32(1) - right
            from_x = x - np.float32((i + di) * SPACING)
            for dk in range(2):
                share = share_y * share_x * (nearer if dk else np.float32(1) - nearer)
                p = motion[j + dj, i + di, k + dk]
                u += share * (p[0] + p[1] * from_x + p[2] * from_y)
                v += share * (p[3] + p[4] * from_x + p[5] * from_y)
                u_across += share * p[1]
                u_down += share * p[2]
                v_across += share * p[4]
                v_down += share * p[5]
    found[0], found[1], found[2] = u, u_across, u_down
    found[3], found[4], found[5] = v, v_across, v_down


@compiled(nogil=True, inline="always")
def mean_at(nodes, entry, x, y, disparity):
    """What nodes hold beyond motion, interpolated as it is: one of the numbers of a node at block (x, y)."""
    i, j, k, right, down, nearer = _cell(nodes, x, y, disparity)
    mean = np.float32(0)
    for dj in range(2):
        share_y = down if dj else np.float32(1) - down
        for di in range(2):
            share_x = right if di else np.float32(1) - right
            for dk in range(2):
                share = share_y * share_x * (nearer if dk else np.float32(1) - nearer)
                mean += share * nodes[j + dj, i + di, k + dk, entry]
    return mean


@compiled(nogil=True, inline="always")
def _cell(nodes, x, y, disparity):
    """The first of the eight nodes around a place, and how far it lies from there to the last, each in [0, 1]."""
    rows, columns, levels, _ = nodes.shape
    at_x = min(max(x / np.float32(SPACING), np.float32(0)), np.float32(columns - 1))
    at_y = min(max(y / np.float32(SPACING), np.float32(0)), np.float32(rows - 1))
    at_d = min(max(disparity, np.float32(0)), np.float32(1)) * np.float32(levels - 1)
    i, j, k = min(int(at_x), columns - 2), min(int(at_y), rows - 2), min(int(at_d), levels - 2)
    return i, j, k, at_x - np.float32(i), at_y - np.float32(j), at_d - np.float32(k)
