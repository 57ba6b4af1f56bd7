"""How edges of disparity are treated, by name."""

from typing import TYPE_CHECKING, Literal, get_args

from any2bokeh.errors import InputError, require_choice

if TYPE_CHECKING:
    from any2bokeh.disparity.edges.bands import EdgeEstimator

EdgeTreatment = Literal[
    "auto",  # learned where its gate opens, classical where steps are soft or displaced; other maps are left to the bit
    "classical",  # always, without the network
    "learned",  # by the network; maps that it holds to be right are left to the bit
    "off",  # maps as they come
]


def offered_treatments() -> list[EdgeTreatment]:
    """Those that work here: without a trained network, or with one whose file is damaged, there is no ``learned``."""
    from any2bokeh.disparity.edges.learned import EdgeModel

    try:
        is_trained = EdgeModel.packaged() is not None
    except InputError:
        is_trained = False
    return [each for each in get_args(EdgeTreatment) if each != "learned" or is_trained]


def edge_estimator(treatment: EdgeTreatment) -> "EdgeEstimator | None":
    """What treats edges; None for ``off``.

    Raises:
        InputError: an unknown name, or ``learned`` where no trained network is installed.
    """
    require_choice("edges", treatment, get_args(EdgeTreatment))
    if treatment == "off":
        return None
    from any2bokeh.disparity.edges.classical import ClassicalEdges

    if treatment == "classical":
        return ClassicalEdges(always=True)
    from any2bokeh.disparity.edges.learned import EdgeModel, LearnedEdges, MixedModel

    model = EdgeModel.packaged()
    if treatment == "learned":
        if model is None:
            raise InputError(
                "edges is learned, but no trained network is installed; train one with any2bokeh train edges, "
                "or take --edges classical"
            )
        return LearnedEdges(model, always=True, mixing=MixedModel.packaged())
    if model is None or not model.is_preferred:
        return ClassicalEdges()
    return LearnedEdges(model, mixing=MixedModel.packaged())
