"""Means of values that belong to one surface, and never of two."""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.motion.trust import TRUST_MIN


@compiled(nogil=True, fastmath=True)
def select_and_average(values, weights, tolerance, surface, result):  # pragma: no cover (compiled)
    """Weighted median over the first axis, then the mean around it with Cauchy weights."""
    count, height, width = values.shape
    near = np.empty(count, np.float32)
    say = np.empty(count, np.float32)
    for y in range(height):
        for x in range(width):
            kept = 0
            total = np.float32(0)
            own_counts = weights[0, y, x] > 0
            for k in range(count):
                weight = weights[k, y, x]
                if weight < TRUST_MIN:
                    continue
                value = values[k, y, x]
                if own_counts and abs(value - values[0, y, x]) > surface:
                    continue
                place = kept
                while place > 0 and near[place - 1] > value:
                    near[place] = near[place - 1]
                    say[place] = say[place - 1]
                    place -= 1
                near[place] = value
                say[place] = weight
                kept += 1
                total += weight
            if kept == 0 or (kept == 1 and own_counts):
                result[y, x] = values[0, y, x]
                continue
            passed = np.float32(0)
            middle = near[0]
            for k in range(kept):
                passed += say[k]
                if passed * 2 >= total:
                    middle = near[k]
                    break
            sum_values = np.float32(0)
            sum_weights = np.float32(0)
            for k in range(kept):
                away = (near[k] - middle) / tolerance
                away *= away
                weight = say[k] / (1 + away * away)
                sum_values += weight * near[k]
                sum_weights += weight
            result[y, x] = sum_values / sum_weights


@compiled(nogil=True, fastmath=True)
def average_around(values, tolerance):  # pragma: no cover (compiled)
    """Mean of 3x3 pixels with Cauchy weights: of one surface, never of two."""
    height, width = values.shape
    result = np.empty_like(values)
    scale = 1 / tolerance
    for y in range(height):
        top, bottom = max(y - 1, 0), min(y + 2, height)
        for x in range(width):
            own = values[y, x]
            sum_values = np.float32(0)
            sum_weights = np.float32(0)
            for j in range(top, bottom):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    away = (values[j, i] - own) * scale
                    away *= away
                    weight = 1 / (1 + away * away)
                    sum_values += weight * values[j, i]
                    sum_weights += weight
            result[y, x] = sum_values / sum_weights
    return result
