"""The depth models that are known by name, each with its licence."""

from dataclasses import dataclass
from typing import Literal

from any2bokeh.models.licence import is_permissive

Family = Literal["transformers", "video-depth-anything", "depth-anything-3"]


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published depth model.

    Attributes:
        short_name: what ``--depth-model`` takes beside the hub id.
        hub_id: where it is published.
        licence: of the weights, as its model card writes it.
        family: which loader reads it.
        output: what it predicts, for people.
        size_mb: of the files that are fetched, about, in MB; None where nobody has looked.
    """

    short_name: str
    hub_id: str
    licence: str
    family: Family
    output: str
    size_mb: int | None = None

    @property
    def is_permissive(self) -> bool:
        return is_permissive(self.licence)


# Licences as the model cards stated them when this table was made; a card that says otherwise today wins at download.
KNOWN_MODELS = (
    KnownModel(
        "small", "depth-anything/Depth-Anything-V2-Small-hf", "apache-2.0", "transformers", "relative disparity", 99
    ),
    KnownModel(
        "base", "depth-anything/Depth-Anything-V2-Base-hf", "cc-by-nc-4.0", "transformers", "relative disparity", 390
    ),
    KnownModel(
        "large", "depth-anything/Depth-Anything-V2-Large-hf", "cc-by-nc-4.0", "transformers", "relative disparity", 1341
    ),
    KnownModel("dpt", "Intel/dpt-large", "apache-2.0", "transformers", "relative disparity", 1370),
    KnownModel("zoe", "Intel/zoedepth-nyu-kitti", "mit", "transformers", "metric depth", 1380),
    KnownModel("depth-pro", "apple/DepthPro-hf", "apple-amlr", "transformers", "metric disparity"),
    KnownModel(
        "video-small",
        "depth-anything/Video-Depth-Anything-Small",
        "apache-2.0",
        "video-depth-anything",
        "relative disparity",
    ),
    KnownModel(
        "video-large",
        "depth-anything/Video-Depth-Anything-Large",
        "cc-by-nc-4.0",
        "video-depth-anything",
        "relative disparity",
    ),
    KnownModel("da3", "depth-anything/DA3MONO-LARGE", "apache-2.0", "depth-anything-3", "relative depth"),
    KnownModel("da3-metric", "depth-anything/DA3METRIC-LARGE", "apache-2.0", "depth-anything-3", "relative depth"),
)

DEFAULT_MODEL = KNOWN_MODELS[0]
"""What ``auto`` takes where it can be had."""


def is_short_name(name: str) -> bool:
    """Whether it is the short name of a known model, which a folder of that name does not hide."""
    return any(name.lower() == model.short_name for model in KNOWN_MODELS)


def find_model(name: str) -> KnownModel | None:
    """The known model of a short name or a hub id, whatever its capitals; None where there is none."""
    for model in KNOWN_MODELS:
        if name.lower() in (model.short_name, model.hub_id.lower()):
            return model
    return None
