"""Scale and shift between two maps of one scene."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Residuals beyond this many robust standard deviations have no say (Tukey's biweight, 95 % efficient on a Gaussian).
_BIWEIGHT_REACH = 4.685
_ROUNDS = 8
# A fit that rests on fewer samples, or on values that agree less, says nothing.
_SAMPLES_MIN = 50
_CORRELATION_MIN = 0.5
# Unexplained variance is taken to be at least this share, so that an exact fit does not outweigh all others.
_UNEXPLAINED_MIN = 1e-4


@dataclass(frozen=True, slots=True)
class Relation:
    """``there = scale * here + shift``, for values of two maps at the same points of the scene.

    Attributes:
        scale: above 0.
        centre_here: weighted mean of the first map's values, the point that the line is surest at.
        centre_there: the same of the second map.
        weight: how sure the scale is: samples over the share of variance that stays unexplained.
    """

    scale: float
    centre_here: float
    centre_there: float
    weight: float

    @property
    def shift(self) -> float:
        """Of ``there = scale * here + shift``."""
        return self.centre_there - self.scale * self.centre_here


def fit_relation(
    here: NDArray[np.float32], there: NDArray[np.float32], weights: NDArray[np.float32] | None = None
) -> Relation | None:
    """Robust line between two sets of values, the same whichever of the two is called the first.

    Ordinary least squares takes the values on its right for exact, and so finds too small a scale when they are noisy.
    Chained over a clip that would shrink it frame by frame. The ratio of the standard deviations (the reduced major
    axis) has no such bias when both maps are noisy alike. Outliers, what moved or was hidden, lose their say by
    iteratively reweighted least squares with Tukey's biweight, from a start at the ratio of the quartiles.

    Args:
        here: values of the first map, any shape.
        there: values of the second at the same points.
        weights: of each point, not negative; 1 where None.

    Returns:
        The line, or None where the two have nothing in common that would fix it: too few points, no spread, or values
        that do not rise together.

    Source: Beaton and Tukey, Technometrics 1974 (biweight); Kermack and Haldane, Biometrika 1950 (reduced major axis).
    """
    x, y = here.ravel().astype(np.float64), there.ravel().astype(np.float64)
    prior = np.ones(x.size) if weights is None else weights.ravel().astype(np.float64)
    keep = (prior > 0) & np.isfinite(x) & np.isfinite(y)
    if int(keep.sum()) < _SAMPLES_MIN:
        return None
    x, y, prior = x[keep], y[keep], prior[keep]
    x_low, x_middle, x_high = np.quantile(x, (0.1, 0.5, 0.9))
    y_low, y_middle, y_high = np.quantile(y, (0.1, 0.5, 0.9))
    if x_high - x_low <= 1e-6 * max(abs(x_high), 1e-12) or y_high - y_low <= 1e-6 * max(abs(y_high), 1e-12):
        return None
    scale = (y_high - y_low) / (x_high - x_low)
    mean_x, mean_y = x_middle, y_middle
    correlation = 0.0
    say = prior
    for _ in range(_ROUNDS):
        residual = (y - mean_y) - scale * (x - mean_x)
        deviation = 1.4826 * float(np.median(np.abs(residual)))
        reach = _BIWEIGHT_REACH * max(deviation, 1e-6 * (y_high - y_low))
        say = prior * np.square(np.clip(1 - np.square(residual / reach), 0, None))
        total = say.sum()
        if total <= 0:
            return None
        mean_x, mean_y = float(say @ x) / total, float(say @ y) / total
        away_x, away_y = x - mean_x, y - mean_y
        variance_x, variance_y = float(say @ away_x**2), float(say @ away_y**2)
        if variance_x <= 0 or variance_y <= 0:
            return None
        correlation = float(say @ (away_x * away_y)) / np.sqrt(variance_x * variance_y)
        if correlation < _CORRELATION_MIN:
            return None
        scale = float(np.sqrt(variance_y / variance_x))
    weight = float(say.sum()) / max(1 - correlation**2, _UNEXPLAINED_MIN)
    return Relation(scale, mean_x, mean_y, weight)
