"""How edges of disparity are treated, by name."""

from typing import TYPE_CHECKING, Literal, get_args

from any2bokeh.errors import require_choice

if TYPE_CHECKING:
    from any2bokeh.disparity.edges.bands import EdgeEstimator

EdgeTreatment = Literal[
    "auto",  # classical where a map's steps are soft or lie beside the picture's; other maps are left to the bit
    "classical",  # always
    "off",  # maps as they come
]


def edge_estimator(treatment: EdgeTreatment) -> "EdgeEstimator | None":
    """What treats edges; None for ``off``.

    Raises:
        InputError: an unknown name.
    """
    require_choice("edges", treatment, get_args(EdgeTreatment))
    if treatment == "off":
        return None
    from any2bokeh.disparity.edges.classical import ClassicalEdges

    return ClassicalEdges(always=treatment == "classical")
