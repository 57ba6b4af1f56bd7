"""Frames that define the scale of a shot."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise import missing
from any2bokeh.disparity.stabilise.links import FrameStats, Link
from any2bokeh.disparity.stabilise.placement import ScaleShift, solve_shot
from any2bokeh.disparity.stabilise.relation import fit_relation

ANCHOR_SPACING = 24
"""Frames from one anchor to the next, where none are given: a second of film."""


def anchored(shot: Sequence[FrameStats], spacing: int = ANCHOR_SPACING) -> Mapping[int, ScaleShift]:
    """Placements of every ``spacing``-th frame of a shot, found from what these frames say of one another alone.

    Args:
        shot: sightings of all frames of the shot, whose references are these anchors.
        spacing: frames from one anchor to the next.

    Returns:
        By index in the clip.
    """
    first = shot[0].index
    anchors = shot[::spacing]
    place = {one.index: first + number for number, one in enumerate(anchors)}
    alone = [
        replace(
            one,
            index=place[one.index],
            links=tuple(Link(place[link.to], link.relation) for link in one.links if link.to in place),
        )
        for one in anchors
    ]
    return dict(zip([one.index for one in anchors], solve_shot(alone), strict=True))


def placed_on(anchor: NDArray[np.float32], disparity_map: NDArray[np.float32]) -> ScaleShift | None:
    """What brings a map ``(1, h, w)`` to the scale of an anchor of the same frame, of any size, or None."""
    shape = min(anchor.shape[1:], disparity_map.shape[1:])
    pair = []
    for one in (disparity_map[0], anchor[0]):
        valid = missing.is_known(one) & ~missing.is_sky(one)
        pair.append(missing.reduced(np.asarray(one, np.float32), valid, (shape[0], shape[1])))
    (here, here_valid), (there, there_valid) = pair
    relation = fit_relation(here, there, (here_valid & there_valid).astype(np.float32))
    return None if relation is None else ScaleShift(relation.scale, relation.shift)
