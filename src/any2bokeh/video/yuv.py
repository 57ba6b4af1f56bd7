"""YUV planes to float RGB and back, at the full precision of the samples.

Chroma lies where MPEG-2, H.264 and HEVC put it unless told otherwise: level with the left luma sample of a pair,
half-way between the upper and the lower one. Each kernel is one pass over memory and holds no lock, so that reader,
renderer and writer overlap; each has a readable twin in ``tests/video/yuv_reference.py``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

Plane = NDArray[np.uint8] | NDArray[np.uint16]


def decode_yuv(
    planes: tuple[Plane, Plane, Plane],
    size: tuple[int, int],
    subsampling: tuple[int, int],
    matrix: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> NDArray[np.float32]:
    """RGB in [0, 1], ``(3, H, W)``, of whole planes.

    Args:
        planes: luma and chroma, each ``(rows, stride)`` with the stride's padding.
        size: H, W.
        subsampling: log2 of the chroma's vertical and horizontal step, 0 or 1.
        matrix, offset: from code values to RGB (``color.decode_matrix``).
    """
    height, width = size
    pixels = np.empty((3, height, width), np.float32)
    _decode(*planes, height, width, *subsampling, matrix, offset, pixels)
    return pixels


def encode_yuv(
    pixels: NDArray[np.float32],
    planes: tuple[Plane, Plane, Plane],
    subsampling: tuple[int, int],
    matrix: NDArray[np.float32],
    offset: NDArray[np.float32],
    bits: int,
    untouched: tuple[NDArray[np.float32], tuple[Plane, Plane, Plane] | None] | None = None,
    noise: NDArray[np.float32] | None = None,
) -> None:
    """Write RGB ``(3, H, W)``, clipped to [0, 1], into ``planes``, rounded to the nearest code value.

    Args:
        untouched: what the decoder gave for this frame: its pixels, and the planes they came from, if these hold
            samples of the same kind. Where ``pixels`` equals them, the old samples are taken over as they are, so that
            what is in focus loses nothing.
        noise: ``(3, rows, W)`` in steps of a code, for luma and chroma, repeated downwards; added before the rounding
            where ``pixels`` does not equal those of ``untouched``, which must be given.
    """
    top = np.float32((1 << bits) - 1)
    old_pixels, old_planes = untouched if untouched is not None else (pixels, None)
    _encode(
        pixels, *planes, *subsampling, matrix, offset, top, untouched is not None, old_planes is not None, old_pixels,
        *(old_planes or planes), np.zeros((3, 1, pixels.shape[2]), np.float32) if noise is None else noise,
    )  # fmt: skip


@compiled(nogil=True, fastmath={"contract", "nsz"})
def _decode(
    luma: Any, blue: Any, red: Any, height: int, width: int, down: int, across: int, m: Any, offset: Any, pixels: Any
) -> None:
    rows, columns = (height + down) >> down, (width + across) >> across
    cb, cr = np.empty(columns + 1, np.float32), np.empty(columns + 1, np.float32)
    cb_wide, cr_wide = np.empty(2 * columns + 2, np.float32), np.empty(2 * columns + 2, np.float32)
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    near, far = np.float32(0.75), np.float32(0.25)
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = m.flat
    o0, o1, o2 = offset
    for j in range(height):
        row = j >> down
        if down:
            other = min(max(row + (1 if j & 1 else -1), 0), rows - 1)
            b0, b1, r0, r1 = blue[row], blue[other], red[row], red[other]
            for i in range(columns):
                cb[i] = near * np.float32(b0[i]) + far * np.float32(b1[i])
                cr[i] = near * np.float32(r0[i]) + far * np.float32(r1[i])
        else:
            b0, r0 = blue[row], red[row]
            for i in range(columns):
                cb[i] = np.float32(b0[i])
                cr[i] = np.float32(r0[i])
        if across:
            cb[columns], cr[columns] = cb[columns - 1], cr[columns - 1]
            for i in range(columns):
                cb_wide[2 * i] = cb[i]
                cb_wide[2 * i + 1] = half * (cb[i] + cb[i + 1])
                cr_wide[2 * i] = cr[i]
                cr_wide[2 * i + 1] = half * (cr[i] + cr[i + 1])
            u, v = cb_wide, cr_wide
        else:
            u, v = cb, cr
        y, p0, p1, p2 = luma[j], pixels[0, j], pixels[1, j], pixels[2, j]
        for i in range(width):
            code = np.float32(y[i])
            p0[i] = min(max(m00 * code + m01 * u[i] + m02 * v[i] + o0, zero), one)
            p1[i] = min(max(m10 * code + m11 * u[i] + m12 * v[i] + o1, zero), one)
            p2[i] = min(max(m20 * code + m21 * u[i] + m22 * v[i] + o2, zero), one)


@compiled(nogil=True, fastmath={"contract", "nsz"})
def _encode(
    pixels: Any, luma: Any, blue: Any, red: Any, down: int, across: int, m: Any, offset: Any, top: Any,
    compare: bool, keep: bool, old_pixels: Any, old_luma: Any, old_blue: Any, old_red: Any, noise: Any,
) -> None:  # fmt: skip
    height, width = pixels.shape[1:]
    rows, columns = (height + down) >> down, (width + across) >> across
    # One sample more on either side, so that the chroma filter needs no test at the borders.
    sums = np.empty((3, 2 * columns + 2), np.float32)
    same = np.empty(2 * columns + 2, np.float32)
    equal = np.zeros(width, np.float32)
    cb_code, cr_code = np.empty(columns, np.float32), np.empty(columns, np.float32)
    zero, one, half, quarter = np.float32(0), np.float32(1), np.float32(0.5), np.float32(0.25)
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = m.flat
    o0, o1, o2 = offset[0] + half, offset[1] + half, offset[2] + half
    for row in range(rows):
        lines = min(1 << down, height - (row << down))
        share = one / np.float32(lines)
        s0, s1, s2 = sums[0], sums[1], sums[2]
        s0[:] = zero
        s1[:] = zero
        s2[:] = zero
        same[:] = one
        for line in range(lines):
            j = (row << down) + line
            p0, p1, p2, y, n = pixels[0, j], pixels[1, j], pixels[2, j], luma[j], noise[0, j % noise.shape[1]]
            if compare:
                q0, q1, q2 = old_pixels[0, j], old_pixels[1, j], old_pixels[2, j]
                for i in range(width):
                    equal[i] = one if (p0[i] == q0[i]) & (p1[i] == q1[i]) & (p2[i] == q2[i]) else zero
                for i in range(width):
                    same[i + 1] *= equal[i]
            for i in range(width):
                # Not a number fails the comparison, and becomes black.
                r = min(p0[i] if p0[i] > zero else zero, one)
                g = min(p1[i] if p1[i] > zero else zero, one)
                b = min(p2[i] if p2[i] > zero else zero, one)
                y[i] = np.int32(min(max(m00 * r + m01 * g + m02 * b + o0 + n[i] * (one - equal[i]), zero), top))
                s0[i + 1] += share * r
                s1[i + 1] += share * g
                s2[i + 1] += share * b
            if keep:
                old = old_luma[j]
                for i in range(width):
                    y[i] = old[i] if equal[i] > zero else y[i]
        cb, cr, nb, nr = blue[row], red[row], noise[1, row % noise.shape[1]], noise[2, row % noise.shape[1]]
        if across:
            for s in (s0, s1, s2):
                s[0] = s[1]
                s[width + 1] = s[width]
            for i in range(columns):
                r = quarter * (s0[2 * i] + s0[2 * i + 2]) + half * s0[2 * i + 1]
                g = quarter * (s1[2 * i] + s1[2 * i + 2]) + half * s1[2 * i + 1]
                b = quarter * (s2[2 * i] + s2[2 * i + 2]) + half * s2[2 * i + 1]
                same[i] = same[2 * i + 1] * same[2 * i + 2]
                cb_code[i] = min(max(m10 * r + m11 * g + m12 * b + o1 + nb[i] * (one - same[i]), zero), top)
                cr_code[i] = min(max(m20 * r + m21 * g + m22 * b + o2 + nr[i] * (one - same[i]), zero), top)
        else:
            for i in range(columns):
                r, g, b = s0[i + 1], s1[i + 1], s2[i + 1]
                same[i] = same[i + 1]
                cb_code[i] = min(max(m10 * r + m11 * g + m12 * b + o1 + nb[i] * (one - same[i]), zero), top)
                cr_code[i] = min(max(m20 * r + m21 * g + m22 * b + o2 + nr[i] * (one - same[i]), zero), top)
        if keep:
            old_b, old_r = old_blue[row], old_red[row]
            for i in range(columns):
                cb[i] = np.int32(np.float32(old_b[i]) if same[i] > zero else cb_code[i])
                cr[i] = np.int32(np.float32(old_r[i]) if same[i] > zero else cr_code[i])
        else:
            for i in range(columns):
                cb[i] = np.int32(cb_code[i])
                cr[i] = np.int32(cr_code[i])
