"""The folder that a depth model lies in: the user's own, the hub's cache, or a download."""

from collections.abc import Callable
from pathlib import Path

from any2bokeh.disparity.estimators.registry import KNOWN_MODELS, KnownModel, find_model, is_short_name
from any2bokeh.errors import InputError, require_installed
from any2bokeh.models.hub import ModelUnavailable, fetch, find_on_machine, is_hub_id
from any2bokeh.models.licence import CARD_FILE, is_permissive, stated_licence
from any2bokeh.models.model_files import CONFIG_FILE, refuse_file, weight_files

PREPROCESSOR_FILE = "preprocessor_config.json"
_NOUN = "depth model"
_CARD_PATTERNS = (CARD_FILE, "*.json")
_WEIGHT_PATTERNS = ("*.safetensors", "*.json", CARD_FILE)
# The hub is given up after this long, so that a machine without network waits for nothing.
_HUB_TIMEOUT_S = 8.0

FALLBACK_REMEDY = "give --disparity PATH, or --depth-model rough for the built-in estimate"


def model_folder(
    model: str, *, allow_noncommercial: bool = False, notice: Callable[[str], None] | None = None
) -> tuple[Path, str]:
    """The folder of a depth model and its licence; downloads what the hub's cache does not hold.

    Args:
        model: folder, hub id, or the short name of a known model.
        allow_noncommercial: take models whose licence does not allow any use.
        notice: told the licence when a download begins.

    Raises:
        ModelUnavailable: a hub id that is neither in the cache nor to be downloaded.
        InputError: neither a folder nor an id, a file, or a licence that needs ``allow_noncommercial``.
    """
    path = Path(model)
    if path.is_dir() and not is_short_name(model):
        return path, stated_licence(path) or "not stated"
    if not path.is_dir():
        refuse_file(path, _NOUN)
    known = find_model(model)
    hub_id = known.hub_id if known else model
    if not is_hub_id(hub_id):
        names = ", ".join(known.short_name for known in KNOWN_MODELS)
        raise InputError(
            f"depth model {model} is neither a folder, a known name ({names}) nor a hub id such as owner/name; "
            f"give one of them, or --depth-model rough for the built-in estimate"
        )
    require_installed(
        f"{_NOUN} {hub_id}", ("huggingface_hub",), "depth", instead=FALLBACK_REMEDY, error=ModelUnavailable
    )
    folder = find_depth_model(hub_id)
    if folder is None:
        folder = _downloaded(hub_id, known, allow_noncommercial=allow_noncommercial, notice=notice)
    licence = stated_licence(folder) or (known.licence if known else "not stated")
    _require_allowed(hub_id, licence, allow_noncommercial)
    return folder, licence


def find_depth_model(hub_id: str) -> Path | None:
    """The folder of a published depth model in the hub's cache of this machine; None where it is not there."""
    return find_on_machine(hub_id, is_complete=_has_weights)


def identity(folder: Path) -> dict[str, object]:
    """What tells the weights of a folder from any others, without reading them whole."""
    files = [folder / CONFIG_FILE, folder / PREPROCESSOR_FILE, *weight_files(folder)]
    stats = [(path.name, path.stat()) for path in files if path.is_file()]
    return {"folder": str(folder.resolve()), "files": [[name, s.st_size, s.st_mtime_ns] for name, s in stats]}


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))


def _downloaded(
    hub_id: str, known: KnownModel | None, *, allow_noncommercial: bool, notice: Callable[[str], None] | None
) -> Path:
    if known is not None:
        _require_allowed(hub_id, known.licence, allow_noncommercial)
    card = _fetched(hub_id, _CARD_PATTERNS)
    licence = stated_licence(card) or (known.licence if known else "not stated")
    _require_allowed(hub_id, licence, allow_noncommercial)
    if notice is not None:
        size = f" ({known.size_mb} MB)" if known is not None and known.size_mb is not None else ""
        notice(
            f"downloading depth model {hub_id}{size} into the hub's cache, once; its licence: {licence}; "
            f"--depth-model rough needs none"
        )
    folder = _fetched(hub_id, _WEIGHT_PATTERNS)
    if not _has_weights(folder):
        raise ModelUnavailable(
            f"no safetensors of depth model {hub_id} are here or on the hub (docs/depth-models.md shows how to convert "
            f"pickles); {FALLBACK_REMEDY}"
        )
    return folder


def _fetched(hub_id: str, only: tuple[str, ...]) -> Path:
    return fetch(hub_id, noun=_NOUN, only=only, timeout_s=_HUB_TIMEOUT_S, instead=FALLBACK_REMEDY, is_listed=True)


def _require_allowed(hub_id: str, licence: str, allow_noncommercial: bool) -> None:
    if allow_noncommercial or is_permissive(licence):
        return
    raise InputError(
        f"depth model {hub_id} has the licence {licence}, which may not allow your use; pass --allow-noncommercial "
        f"if yours is allowed, or take --depth-model small (apache-2.0)"
    )
