"""How edges of disparity are treated, by name."""

from typing import Literal, get_args

from any2bokeh.disparity.edges.bands import EdgeEstimator
from any2bokeh.disparity.edges.classical import ClassicalEdges
from any2bokeh.errors import InputError

EdgeTreatment = Literal[
    "auto",  # classical where a map's steps are soft or lie beside the picture's; other maps are left to the bit
    "classical",  # always
    "off",  # maps as they come
]


def edge_estimator(treatment: EdgeTreatment) -> EdgeEstimator | None:
    """What treats edges; None for ``off``.

    Raises:
        InputError: an unknown name.
    """
    if treatment not in get_args(EdgeTreatment):
        raise InputError(f"edges is {treatment!r}; allowed is {', '.join(get_args(EdgeTreatment))}")
    return None if treatment == "off" else ClassicalEdges(always=treatment == "classical")
