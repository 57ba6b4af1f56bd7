"""A layered depth image as the shaders take it: what is seen at each pixel, and more samples where there are any."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.gpu.device import GpuFault
from any2bokeh.renderers.layered.layered_image import Samples
from any2bokeh.renderers.layered.layers import BEHIND, FRONT, HIDDEN, PATCH, SPLIT
from any2bokeh.renderers.layered.workers import Workers

EXTRA_WORDS = 12
MOST_EXTRAS = 2**24 - 1


class Packed(NamedTuple):
    """Samples for ``wgsl/samples.wgsl``.

    Attributes:
        front: ``(H, W, 4)`` float32: light as it came, and signed defocus.
        marks: ``(H, W)`` uint32: the backstop, and 256 times the number of the extra, from 1 on.
        extras: ``(N, 12)`` float32: light and weight of what takes the front's place; light and defocus of what lies
            behind; defocus of the first; bits of ``layers.kind``; two of nothing.
        nearest_px, farthest_px: largest and least defocus of all samples.
    """

    front: NDArray[np.float32]
    marks: NDArray[np.uint32]
    extras: NDArray[np.float32]
    nearest_px: float
    farthest_px: float


def packed(samples: Samples, farthest_px: float, workers: Workers, reuse: Packed | None = None) -> Packed:
    """Pack the samples of an image whose farthest one that is seen has ``farthest_px`` of defocus.

    Raises:
        GpuFault: more than 16.7 million pixels of several samples.
    """
    height, width = samples.kind.shape
    if reuse is not None and reuse.marks.shape == (height, width):
        front, marks = reuse.front, reuse.marks
    else:
        front, marks = np.empty((height, width, 4), np.float32), np.empty((height, width), np.uint32)
    counts = np.array(workers.each(range(height), lambda row: _count(samples.kind[row])), np.int64)
    first = np.concatenate([[0], np.cumsum(counts)])
    if first[-1] > MOST_EXTRAS:
        raise GpuFault(f"a frame has {first[-1]} pixels at edges, more than the {MOST_EXTRAS} that a GPU is given")
    extras = np.zeros((max(int(first[-1]), 1), EXTRA_WORDS), np.float32)
    stripes = range(0, height, 64)
    ranges = workers.each(
        stripes,
        lambda top: _pack(
            top,
            min(top + 64, height),
            samples.light,
            samples.defocus,
            samples.kind,
            samples.backstop,
            int(first[top]),
            front,
            marks,
            extras,
        ),
    )
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return Packed(
        front,
        marks,
        extras,
        float(max(samples.nearest_px, high)),
        float(min(farthest_px, low)),
    )


@compiled(nogil=True)
def _count(kind):
    count = 0
    for x in range(kind.shape[0]):
        count += (kind[x] & (SPLIT | HIDDEN)) != 0
    return count


@compiled(nogil=True)
def _pack(top, bottom, light, defocus, kind, backstop, number, front, marks, extras):
    """Pack the rows from ``top`` to ``bottom``, whose first extra is ``number``.

    Returns:
        Least and largest defocus of the extras.
    """
    words = extras.view(np.uint32)
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for y in range(top, bottom):
        for x in range(kind.shape[1]):
            for c in range(3):
                front[y, x, c] = light[FRONT, y, x, c]
            front[y, x, 3] = defocus[FRONT, y, x]
            marks[y, x] = backstop[y, x]
            what = kind[y, x] & (SPLIT | HIDDEN)
            if what == 0:
                continue
            if what & SPLIT:
                for c in range(4):
                    extras[number, c] = light[PATCH, y, x, c]
                extras[number, 8] = defocus[PATCH, y, x]
                low, high = min(low, defocus[PATCH, y, x]), max(high, defocus[PATCH, y, x])
            if what & HIDDEN:
                for c in range(3):
                    extras[number, 4 + c] = light[BEHIND, y, x, c]
                extras[number, 7] = defocus[BEHIND, y, x]
                low, high = min(low, defocus[BEHIND, y, x]), max(high, defocus[BEHIND, y, x])
            words[number, 9] = what
            number += 1
            marks[y, x] += np.uint32(number) * np.uint32(256)
    return low, high
