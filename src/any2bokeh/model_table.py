"""The models that this project knows by name: what they are for, their licence and size, and whether they are here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from any2bokeh.disparity.estimators.model_folder import find_depth_model, model_folder
from any2bokeh.disparity.estimators.registry import KNOWN_MODELS
from any2bokeh.errors import InputError, require_choice, require_installed
from any2bokeh.models.hub import fetch, is_hub_id
from any2bokeh.models.licence import CARD_FILE, is_permissive, stated_licence
from any2bokeh.models.local_model import find_model_folder
from any2bokeh.models.onnx_file import OnnxFile

Purpose = Literal["depth", "tracking", "text", "faces", "people", "diffusion", "edges"]

_PATTERNS = ("*.safetensors", "*.json", "*.txt", CARD_FILE)
_HUB_TIMEOUT_S = 8.0
_MB = 1e6


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that is known by name.

    Attributes:
        name: what ``any2bokeh models`` calls it.
        purpose: what it is for.
        about: what it gives, for people.
        licence: of the weights, as its card states it.
        hub_id: where it is published; None of one that comes with the package.
        size_mb: of what is fetched, about; None where nobody has looked.
        packaged: where it lies in the package.
        file: the one file that it is, where OpenCV runs it.
    """

    name: str
    purpose: Purpose
    about: str
    licence: str
    hub_id: str | None = None
    size_mb: float | None = None
    packaged: Path | None = None
    file: OnnxFile | None = None

    @property
    def folder(self) -> Path | None:
        """Its folder or file on this machine; None where it is not here. No network is used."""
        if self.hub_id is None:
            return self.packaged if self.packaged is not None and self.packaged.exists() else None
        if self.file is not None:
            return self.file.find()
        return find_depth_model(self.hub_id) if self.purpose == "depth" else find_model_folder(self.hub_id)

    @property
    def is_here(self) -> bool:
        return self.folder is not None

    @property
    def size_here_mb(self) -> float | None:
        """Of its weights on this machine."""
        folder = self.folder
        if folder is None:
            return None
        files = [folder] if folder.is_file() else folder.rglob("*.safetensors")
        return sum(file.stat().st_size for file in files) / _MB


def listed_models() -> dict[str, ListedModel]:
    """All of them by name: depth models, and what follows, finds, renders and treats edges."""
    from any2bokeh.disparity.edges.learned.weights import PACKAGED
    from any2bokeh.focus.text import DEFAULT_MODELS
    from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT, compact_model_folder
    from any2bokeh.subject.detection.faces import YUNET
    from any2bokeh.subject.detection.people import HUMANSEG
    from any2bokeh.subject.sam2 import DEFAULT_MODEL

    dino, owl = DEFAULT_MODELS
    depth = [
        ListedModel(each.short_name, "depth", each.output, each.licence, each.hub_id, each.size_mb)
        for each in KNOWN_MODELS
    ]
    # Sizes are those of float32 weights of the configurations that transformers has for these models.
    others = [
        ListedModel("sam2", "tracking", "follows a subject", "apache-2.0", DEFAULT_MODEL, 156),
        ListedModel("grounding-dino", "text", "finds what --focus-text names", "apache-2.0", dino, 690),
        ListedModel("owlv2", "text", "finds what --focus-text names", "apache-2.0", owl, 620),
        _of_file(YUNET, "faces", "finds faces for --focus auto and the studio"),
        _of_file(HUMANSEG, "people", "finds people for --focus auto and the studio"),
        ListedModel(
            COMPACT, "diffusion", "renders with --engine diffusion", "apache-2.0", packaged=compact_model_folder()
        ),
        ListedModel("edges", "edges", "corrects edges of disparity", "apache-2.0", packaged=PACKAGED),
    ]
    return {model.name: model for model in (*depth, *others)}


def _of_file(file: OnnxFile, purpose: Purpose, about: str) -> ListedModel:
    return ListedModel(file.name, purpose, about, file.licence, file.hub_id, file.size_bytes / _MB, file=file)


def get_model(name: str, *, allow_noncommercial: bool = False, notice: Callable[[str], None] | None = None) -> Path:
    """Download a model, unless it is on this machine.

    Args:
        name: of the table, or the hub id of a depth model.
        allow_noncommercial: take models whose licence does not allow any use.
        notice: told the licence and the size before a download begins.

    Returns:
        The folder, or the file of a model that is one.

    Raises:
        ModelUnavailable: the hub does not give it.
        InputError: no such model, a licence that needs ``allow_noncommercial``, or a damaged file.
    """
    listed = find_listed(name)
    if listed is None or listed.purpose == "depth":
        return model_folder(name, allow_noncommercial=allow_noncommercial, notice=notice)[0]
    folder = listed.folder
    if folder is not None:
        return folder if listed.file is None else listed.file.get()  # which compares its checksum
    if listed.hub_id is None:
        raise InputError(f"model {listed.name} should be part of the package and is not; install any2bokeh again")
    revision = None
    if listed.file is None:
        require_installed(f"model {listed.name}", ("torch", "transformers", "huggingface_hub"), "diffusion")
    else:
        listed.file.require_client()
        revision = listed.file.revision
    card = fetch(
        listed.hub_id,
        noun="model",
        only=(CARD_FILE,),
        revision=revision,
        timeout_s=_HUB_TIMEOUT_S,
        is_listed=True,
    )
    licence = stated_licence(card) or listed.licence
    if not (allow_noncommercial or is_permissive(licence)):
        raise InputError(
            f"model {listed.name} has the licence {licence}, which may not allow your use; pass --allow-noncommercial "
            f"if yours is allowed"
        )
    if notice is not None:
        size = f"{listed.size_mb:.3g} MB"
        notice(f"downloading {listed.hub_id} ({size}) into the hub's cache, once; its licence: {licence}")
    if listed.file is not None:
        return listed.file.get()
    return fetch(listed.hub_id, noun="model", only=_PATTERNS, timeout_s=_HUB_TIMEOUT_S, is_listed=True)


def find_listed(name: str) -> ListedModel | None:
    """The model of a name or hub id of the table; None of another hub id.

    Raises:
        InputError: neither.
    """
    models = listed_models()
    found = next((each for each in models.values() if name.lower() in (each.name, (each.hub_id or "").lower())), None)
    if found is None and not is_hub_id(name):
        require_choice("model", name, models)
    return found
