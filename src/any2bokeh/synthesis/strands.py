"""Strands: curved, tapering lines from a fraction of a pixel upward, with the share of each pixel that they cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.synthesis.texture import Size


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """``N`` curves of ``P`` points.

    Attributes:
        points: ``(N, P, 2)`` float32: x and y in pixels; a pixel's centre has whole numbers.
        width_px: ``(N, P)`` float32.
        opacity: ``(N,)`` float32 in [0, 1].
        tone: ``(N,)`` float32: factor of light, as strands of one head differ.
    """

    points: NDArray[np.float32]
    width_px: NDArray[np.float32]
    opacity: NDArray[np.float32]
    tone: NDArray[np.float32]

    def drawn(self, size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coverage ``(h, w)`` in [0, 1], and the tone ``(h, w)`` of what covers; 1 where nothing does."""
        coverage, tone = np.zeros(size, np.float32), np.ones(size, np.float32)
        draw_strands(self.points, self.width_px, self.opacity, self.tone, coverage, tone)
        return coverage, tone


def random_strands(
    rng: np.random.Generator,
    roots: NDArray[np.floating],
    heading_rad: NDArray[np.floating],
    *,
    length_px: float,
    width_px: tuple[float, float],
    curl: float = 0.6,
    clumps: int = 12,
    point_count: int = 14,
) -> Strands:
    """Strands that grow from roots, those of a clump alike, thinning towards their tips.

    Args:
        rng: what is drawn from.
        roots: ``(N, 2)`` x and y in pixels.
        heading_rad: ``(N,)`` direction in which each leaves its root.
        length_px: their mean length.
        width_px: least and greatest width at the root.
        curl: how far a strand turns over its length, in radians.
        clumps: how many groups curl alike.
        point_count: P.
    """
    count = len(roots)
    clump = rng.integers(clumps, size=count)
    along = np.linspace(0, 1, point_count)

    def shared(scale: float, own: float) -> NDArray[np.float64]:
        return (rng.normal(0, scale, clumps)[clump] + rng.normal(0, own * scale, count))[:, None]

    turn = shared(curl, 0.5) * along + shared(0.3 * curl, 0.6) * np.sin(shared(5, 0.2) * along + shared(2, 0.2))
    heading = heading_rad[:, None] + shared(0.15, 1.0) + turn
    length = length_px * rng.gamma(3.0, 1 / 3, count)[:, None] / (point_count - 1)
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=-1) * length[..., None]
    points = roots[:, None] + np.cumsum(steps, axis=1) - steps[:, :1]
    thick = width_px[0] * (width_px[1] / width_px[0]) ** rng.uniform(size=(count, 1))
    taper = 1 - rng.uniform(0.2, 0.95, count)[:, None] * along ** rng.uniform(0.7, 2.5)
    return Strands(
        points.astype(np.float32),
        (thick * taper).astype(np.float32),
        rng.uniform(0.55, 1, count).astype(np.float32) ** np.float32(rng.choice([0, 1])),
        np.exp(rng.normal(0, 0.25 * rng.uniform(), count)).astype(np.float32),
    )


@compiled(nogil=True, error_model="numpy")
def draw_strands(
    points: NDArray[np.float32],
    width_px: NDArray[np.float32],
    opacity: NDArray[np.float32],
    tones: NDArray[np.float32],
    coverage: NDArray[np.float32],
    tone: NDArray[np.float32],
) -> None:
    """Add strands to a coverage, as independent surfaces, each in front of those before it.

    Within a strand the coverage is the greatest of its pieces; a piece covers of a pixel the overlap of its cross
    section with a box of 1 px, which is exact along the axes.
    """
    height, width = coverage.shape
    last = np.full((height, width), -1, np.int32)
    covered = np.zeros((height, width), np.float32)  # by the strands before the last one that touched the pixel
    own = np.zeros((height, width), np.float32)  # by that one
    tone_before = tone.copy()
    for strand in range(points.shape[0]):
        for piece in range(points.shape[1] - 1):
            x0, y0 = points[strand, piece, 0], points[strand, piece, 1]
            x1, y1 = points[strand, piece + 1, 0], points[strand, piece + 1, 1]
            w0, w1 = width_px[strand, piece], width_px[strand, piece + 1]
            reach = np.float32(0.5) * max(w0, w1) + np.float32(0.71)
            left, right = max(0, int(np.ceil(min(x0, x1) - reach))), min(width - 1, int(max(x0, x1) + reach))
            top, bottom = max(0, int(np.ceil(min(y0, y1) - reach))), min(height - 1, int(max(y0, y1) + reach))
            dx, dy = x1 - x0, y1 - y0
            square = max(dx * dx + dy * dy, np.float32(1e-9))
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    at = ((x - x0) * dx + (y - y0) * dy) / square
                    at = min(max(at, np.float32(0)), np.float32(1))
                    off_x, off_y = x - x0 - at * dx, y - y0 - at * dy
                    distance = np.sqrt(off_x * off_x + off_y * off_y)
                    half = np.float32(0.5) * (w0 + at * (w1 - w0))
                    share = min(distance + half, np.float32(0.5)) - max(distance - half, np.float32(-0.5))
                    if share <= 0:
                        continue
                    share = min(share, np.float32(1)) * opacity[strand]
                    if last[y, x] != strand:
                        last[y, x], own[y, x] = strand, 0
                        covered[y, x], tone_before[y, x] = coverage[y, x], tone[y, x]
                    if share > own[y, x]:
                        own[y, x] = share
                        before = covered[y, x]
                        both = 1 - (1 - before) * (1 - share)
                        coverage[y, x] = both
                        tone[y, x] = (tones[strand] * share + tone_before[y, x] * before * (1 - share)) / both
