"""From the scores of single clips to the figures of a method."""

from collections.abc import Callable, Mapping
from itertools import groupby, product

import numpy as np

from any2bokeh.evaluation.clips import EvaluationClip
from any2bokeh.evaluation.metrics.blur import k_blur_correlation
from any2bokeh.evaluation.runner import Evaluation
from any2bokeh.evaluation.treatment import TREATMENTS

PER_CLIP = ("blur_px", "blur_expected_px", "focus_measured")
"""Scores whose mean over clips means nothing; they are correlated instead."""

_FEWEST = 3  # values that a correlation is made of


def means(evaluation: Evaluation, method: str, clips: list[EvaluationClip] | None = None) -> dict[str, float]:
    """Mean over clips of every score that has one, and FVD and VFID where all clips are asked for."""
    chosen = evaluation.clips if clips is None else clips
    values = [evaluation.scores[method][clip.name].values for clip in chosen]
    names = dict.fromkeys(name for one in values for name in one if name not in PER_CLIP)
    found = {name: float(np.mean([one[name] for one in values if name in one])) for name in names}
    return found | (evaluation.distances.get(method, {}) if clips is None else {})


def control(evaluation: Evaluation, method: str, clips: list[EvaluationClip] | None = None) -> dict[str, float]:
    """How well the blur obeys, over some of the clips or all.

    Returns:
        ``k_blur_correlation``: mean over scenes that were rendered at three or more K with all else alike.
        ``radius_correlation``: of measured and expected radius over all clips, three or more.
        ``focus_correlation``, ``focus_error``: of measured and asked d_f over clips, and its mean absolute error.
        What the clips do not allow is left out.
    """
    scores = evaluation.scores[method]
    chosen = evaluation.clips if clips is None else clips
    found: dict[str, float] = {}
    by_scene = []
    for alike in _alike(evaluation, chosen):
        pairs = [
            (evaluation.blur_strength[clip.name], scores[clip.name].values["blur_px"])
            for clip in alike
            if "blur_px" in scores[clip.name].values
        ]
        if len({strength for strength, _ in pairs}) >= _FEWEST:
            by_scene.append(k_blur_correlation(*zip(*pairs, strict=True)))
    if by_scene:
        found["k_blur_correlation"] = float(np.mean(by_scene))

    all_values = [scores[clip.name].values for clip in chosen]
    radii = [(v["blur_expected_px"], v["blur_px"]) for v in all_values if "blur_px" in v]
    if len({expected for expected, _ in radii}) >= _FEWEST:
        found["radius_correlation"] = k_blur_correlation(*zip(*radii, strict=True))

    focus = [
        (evaluation.focus_disparity[clip.name], scores[clip.name].values["focus_measured"])
        for clip in chosen
        if "focus_measured" in scores[clip.name].values
    ]
    if len({asked for asked, _ in focus}) >= _FEWEST:
        found["focus_correlation"] = k_blur_correlation(*zip(*focus, strict=True))
        found["focus_error"] = float(np.mean([abs(asked - measured) for asked, measured in focus]))
    return found


def by_condition(evaluation: Evaluation, condition: str) -> dict[float | str, list[EvaluationClip]]:
    """Clips by the value of a condition, in the order of the values (of the clips, where they are words)."""
    values = list(
        dict.fromkeys(clip.conditions[condition] for clip in evaluation.clips if condition in clip.conditions)
    )
    numbers = [value for value in values if isinstance(value, (int, float))]
    ordered = sorted(numbers) if len(numbers) == len(values) else values
    return {value: [c for c in evaluation.clips if c.conditions.get(condition) == value] for value in ordered}


def conditions(evaluation: Evaluation) -> list[str]:
    """Conditions that have more than one value among the clips."""
    names = dict.fromkeys(name for clip in evaluation.clips for name in clip.conditions)
    return [name for name in names if len(by_condition(evaluation, name)) > 1]


def rows(evaluation: Evaluation) -> list[tuple[str, str, list[EvaluationClip]]]:
    """What a table has a row for: its label, its method, its clips.

    A row is a method; or, where treatments differ between clips, a method with one of each.
    """
    varied = [name for name in TREATMENTS if name in conditions(evaluation)]
    kinds = product(*(by_condition(evaluation, name) for name in varied))
    of_kind = {
        kind: [
            clip
            for clip in evaluation.clips
            if all(clip.conditions.get(name) == value for name, value in zip(varied, kind, strict=True))
        ]
        for kind in kinds
    }
    return [
        (", ".join((method, *(f"{name} {value}" for name, value in zip(varied, kind, strict=True)))), method, clips)
        for method in evaluation.scores
        for kind, clips in of_kind.items()
        if clips
    ]


def _alike(evaluation: Evaluation, clips: list[EvaluationClip]) -> list[list[EvaluationClip]]:
    """Clips of one scene with one focus and one set of conditions but for K."""

    def key(clip: EvaluationClip) -> tuple[str, str]:
        others: Mapping[str, float | str] = {k: v for k, v in clip.conditions.items() if k != "K"}
        focus = round(evaluation.focus_disparity[clip.name], 6)
        return clip.scene, f"{focus} {sorted(others.items())}"

    grouped: Callable[[EvaluationClip], tuple[str, str]] = key
    return [list(alike) for _, alike in groupby(sorted(clips, key=grouped), key=grouped)]
