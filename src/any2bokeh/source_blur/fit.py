"""The lens that explains the widths of edges at all disparities, where one does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.optics.source_blur import SourceLens
from any2bokeh.source_blur.edge_widths import LEVELS, WIDEST, EdgeWidths

_BINS = 24
_SECTORS = 4
_FEWEST = 10
"""Edges of a direction from which a width is taken."""

_QUANTILE, _SHARP_QUANTILE = 0.3, 0.1
"""Of the widths at one disparity. Shadows, clouds and shading are soft by themselves, so the middle lies too high."""

# So much sharper are edges along a motion than others.
_MOVED_PX, _MOVED_SHARE = 0.8, 0.6
_MOST_WEIGHT = 300.0
_K = np.concatenate([[0.0], np.geomspace(1, 64, 61)])
_FOCUS = np.linspace(-0.1, 1.1, 61)
_SHARPEST_PX = np.linspace(0.2, 1.2, 6)  # radius of edges that are in focus, by texture, sensor and codec
_LARGEST_ERROR = 3.0

# A width is explained within so many pixels and so much of it. Beyond so many pixels steps are seldom alone, and
# measure too narrow.
_EXPLAINED_PX, _EXPLAINED_SHARE = 0.35, 0.15
_ALONE_PX, _NARROWER = 2.5, 0.2
# What tells a lens from sharp textures, some of which are softer than others. Of 24 sharp clips (demo, breakdance, two
# stills, 20 traced scenes) none was sharpest at 1.32 px or more, and of the others none had all of the rest.
_FEWEST_DISPARITIES, _LEAST_SPAN = 2, 0.2
_LEAST_BLUR_PX, _LEAST_RANGE_PX = 1.8, 1.2
_WELL, _CLEARLY = 0.4, 2.5  # mean error of the lens, and how much larger that of one width everywhere must be
_NOTHING_SHARPER_PX = 1.6  # somewhere: soft textures have sharp edges, too, and what a lens has blurred has none
_OF_TWO_PX = (1.0, 2.0)  # two disparities prove something only if one is as sharp and the other as blurred as this
_AS_WELL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class WidthsByDisparity:
    """Width of the edges at some disparities, ``(N,)`` each.

    Attributes:
        disparity: where.
        radius: in pixels, of edges in every direction; of those of the sharpest where they are much sharper: a disc
            widens all of them, motion those across it.
        sharpest: width that a tenth of the edges stay below, whatever their direction.
        weight: how many edges, up to a limit.
    """

    disparity: NDArray[np.float64]
    radius: NDArray[np.float64]
    sharpest: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, edges: EdgeWidths) -> "WidthsByDisparity":
        bins = np.minimum((edges.disparity * _BINS).astype(int), _BINS - 1)
        sectors = np.rint(edges.direction * (_SECTORS / np.pi)).astype(int) % _SECTORS
        rows: list[tuple[float, ...]] = []
        for at in np.unique(bins):
            here = bins == at
            widths: dict[int, float] = {}
            for sector in range(_SECTORS):
                width = _width(edges, here & (sectors == sector), _QUANTILE)
                if width is not None:
                    widths[sector] = width
            if not any(sector + _SECTORS // 2 in widths for sector in widths):
                continue  # motion might have made them wide
            weight = min(float(here.sum()), _MOST_WEIGHT)
            sharpest = _width(edges, here, _SHARP_QUANTILE) or 0.0
            radius, of_sharpest = _width(edges, here, _QUANTILE) or 0.0, min(widths.values())
            if of_sharpest < radius - _MOVED_PX and of_sharpest < _MOVED_SHARE * radius:
                radius = of_sharpest
            rows.append((float(np.median(edges.disparity[here])), radius, sharpest, weight))
        return cls(*np.array(rows, np.float64).reshape(-1, 4).T)


def fitted_lens(edges: EdgeWidths, px_per_reference_px: float) -> SourceLens | None:
    """The lens that explains the widths of the edges of a clip; None where none clearly does.

    Args:
        edges: of some frames.
        px_per_reference_px: pixels of these for one of a frame of 1024 px on its longer side.
    """
    widths = WidthsByDisparity.of(edges)
    if not _may_tell(widths):
        return None
    share = widths.weight / widths.weight.sum()
    k, focus, sharpest = (each[..., None] for each in np.meshgrid(_K, _FOCUS, _SHARPEST_PX, indexing="ij"))
    of_lens = k * np.abs(widths.disparity - focus) * px_per_reference_px
    errors = (_error(np.hypot(of_lens, sharpest), widths.radius, narrower=_NARROWER) * share).sum(axis=-1)
    best = np.unravel_index(int(errors.argmin()), errors.shape)
    constant = _error(np.linspace(0, widths.radius.max(), 60)[:, None], widths.radius)
    same_everywhere = float((constant * share).sum(axis=-1).min())
    is_explained = errors[best] < min(_WELL, same_everywhere / _CLEARLY)
    if not is_explained or float(of_lens[best].max()) < _LEAST_BLUR_PX:
        return None
    # Few disparities leave some freedom: the middle of what explains them as well.
    likely = np.exp((errors[best] - errors) / _AS_WELL)
    likely /= likely.sum()
    return SourceLens(float((likely * k[..., 0]).sum()), float((likely * focus[..., 0]).sum()))


def _may_tell(widths: WidthsByDisparity) -> bool:
    """Whether the disparities are enough, and their widths differ enough, to tell of a lens."""
    if len(widths.radius) < _FEWEST_DISPARITIES or np.ptp(widths.disparity) < _LEAST_SPAN:
        return False
    least, most = float(widths.radius.min()), float(widths.radius.max())
    if len(widths.radius) == _FEWEST_DISPARITIES and not (least <= _OF_TWO_PX[0] and most >= _OF_TWO_PX[1]):
        return False
    return most - least >= _LEAST_RANGE_PX and float(widths.sharpest.max()) >= _NOTHING_SHARPER_PX


def _error(model: NDArray[np.float64], radius: NDArray[np.float64], *, narrower: float = 0.0) -> NDArray[np.float64]:
    """How badly widths are explained, about 1 where just so; ``narrower``: how much less is measured of wide ones."""
    allowed = _EXPLAINED_PX + _EXPLAINED_SHARE * model
    less = np.where(radius < model, narrower * np.maximum(model - _ALONE_PX, 0), 0)
    return np.minimum(np.abs(radius - model) / (allowed + less), _LARGEST_ERROR)


def _width(edges: EdgeWidths, some: NDArray[np.bool_], share: float) -> float | None:
    """Width of edges at the largest size of the picture that measures it well; None where they are too few."""
    found = None
    for level in range(LEVELS):
        radius = edges.radius[some & (edges.level == level)]
        if len(radius) >= _FEWEST:
            found = float(np.quantile(radius, share))
            if found <= WIDEST * 2**level:
                break
    return found
