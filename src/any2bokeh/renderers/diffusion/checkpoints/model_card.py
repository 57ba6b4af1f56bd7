"""What a checkpoint says of itself besides its weights."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args

from any2bokeh.errors import InputError, require_choice
from any2bokeh.mpi import PAPER_ALPHA, PUBLISHED_INFERENCE_ALPHA
from any2bokeh.renderers.diffusion.network.fourier import BlurPrecision
from any2bokeh.renderers.diffusion.network.image_embedding import ClipNormalization

CARD_FILE = "any2bokeh.json"
FORMAT_VERSION = 1

DisparityLatent = Literal["scaled", "unscaled"]
"""Whether the latent of V_D is multiplied by the autoencoder's scaling factor, as the latent of the frame always is."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """How the weights of a checkpoint want to be fed.

    The MPI mode is part of the U-Net and lives in its config.

    Attributes:
        alpha: exponent of the MPI regions.
        clip_normalization: see ``ClipNormalization``.
        disparity_latent: see ``DisparityLatent``.
        blur_precision: see ``BlurPrecision``.
        provenance: where the weights come from: base model, training stages, data, commit; plain JSON values.
    """

    alpha: float = PAPER_ALPHA
    clip_normalization: ClipNormalization = "clip"
    disparity_latent: DisparityLatent = "scaled"
    blur_precision: BlurPrecision = "float32"
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("clip_normalization", self.clip_normalization, get_args(ClipNormalization)),
            ("disparity_latent", self.disparity_latent, get_args(DisparityLatent)),
            ("blur_precision", self.blur_precision, get_args(BlurPrecision)),
        ):
            require_choice(f"{name} of the model", value, allowed)
        if not isinstance(self.alpha, int | float) or not 0 < self.alpha < float("inf"):
            raise InputError(f"alpha of the model is {self.alpha!r}; it must be a finite number above 0")

    def to_json(self) -> str:
        return json.dumps({"format_version": FORMAT_VERSION, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card.

        Raises:
            InputError: not JSON, another version, unknown keys, or a value outside its range.
        """
        try:
            values = json.loads(path.read_text())
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{path} is not JSON: {error}") from None
        if not isinstance(values, dict) or values.get("format_version") != FORMAT_VERSION:
            found = values.get("format_version") if isinstance(values, dict) else None
            raise InputError(f"{path} has format version {found}; this version of any2bokeh reads {FORMAT_VERSION}")
        del values["format_version"]
        unknown = sorted(set(values) - {known.name for known in fields(cls)})
        if unknown:
            raise InputError(f"{path} has unknown keys: {', '.join(unknown)}")
        return cls(**values)


PUBLISHED_CARD = ModelCard(
    alpha=PUBLISHED_INFERENCE_ALPHA,
    clip_normalization="none",
    blur_precision="float16",
    provenance={"origin": "published Any-to-Bokeh weights"},
)
"""How the published inference feeds the published weights."""
