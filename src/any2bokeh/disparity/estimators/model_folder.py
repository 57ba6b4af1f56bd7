"""The folder that a depth model lies in: the user's own, the hub's cache, or a download."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from any2bokeh.disparity.estimators.registry import KNOWN_MODELS, KnownModel, find_model, is_permissive
from any2bokeh.errors import InputError

CONFIG_FILE = "config.json"
PREPROCESSOR_FILE = "preprocessor_config.json"
_CARD_FILE = "README.md"
_PICKLE_SUFFIXES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_CARD_PATTERNS = (_CARD_FILE, "*.json")
_WEIGHT_PATTERNS = ("*.safetensors", "*.json", _CARD_FILE)
# The hub is given up after this long, so that a machine without network waits for nothing.
_HUB_TIMEOUT_S = 8.0

FALLBACK_REMEDY = "give --disparity PATH, or --depth-model rough for the built-in estimate"


class ModelUnavailable(InputError):
    """The model is neither here nor to be had."""


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
    if path.is_dir():
        return path, stated_licence(path) or "not stated"
    if path.exists():
        why = "is a pickle; only safetensors are read" if path.suffix in _PICKLE_SUFFIXES else "is a file"
        raise InputError(f"depth model {path} {why}; give the model's folder, with config.json and model.safetensors")
    known = find_model(model)
    hub_id = known.hub_id if known else model
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", hub_id):
        names = ", ".join(known.short_name for known in KNOWN_MODELS)
        raise InputError(
            f"depth model {model} is neither a folder, a known name ({names}) nor a hub id such as owner/name; "
            f"give one of them, or --depth-model rough for the built-in estimate"
        )
    folder = _cached(hub_id)
    if folder is None:
        folder = _downloaded(hub_id, known, allow_noncommercial=allow_noncommercial, notice=notice)
    licence = stated_licence(folder) or (known.licence if known else "not stated")
    _require_allowed(hub_id, licence, allow_noncommercial)
    return folder, licence


def stated_licence(folder: Path) -> str | None:
    """The licence in the head of a model card; None where there is no card, or it states none."""
    try:
        card = (folder / _CARD_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    head = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    if not head:
        return None
    stated: dict[str, str] = dict(re.findall(r"^(license|license_name):\s*(\S+)", head[1], re.MULTILINE))
    licence = stated.get("license")
    return stated.get("license_name", licence) if licence == "other" else licence


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a model folder.

    Raises:
        InputError: missing, not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"depth model folder {path.parent} has no readable {path.name} ({error.strerror}); give a folder of a "
            f"depth model, with config.json and model.safetensors"
        ) from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); copy the model again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a JSON object; copy the model again")
    return content


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a model folder.

    Raises:
        InputError: none, or weights only as a pickle.
    """
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLE_SUFFIXES)
    if pickles:
        raise InputError(
            f"{folder} has weights only as {pickles[0]}, a pickle, which can run code when it is read; convert it to "
            f"safetensors (docs/depth-models.md shows how)"
        )
    raise InputError(f"{folder} has no .safetensors file; give the folder of a depth model")


def identity(folder: Path) -> dict[str, object]:
    """What tells the weights of a folder from any others, without reading them whole."""
    files = [folder / CONFIG_FILE, folder / PREPROCESSOR_FILE, *weight_files(folder)]
    stats = [(path.name, path.stat()) for path in files if path.is_file()]
    return {"folder": str(folder.resolve()), "files": [[name, s.st_size, s.st_mtime_ns] for name, s in stats]}


def _cached(hub_id: str) -> Path | None:
    """The hub cache's folder of a model, where it is complete enough to be loaded."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ModelUnavailable(
            f"depth model {hub_id} needs huggingface_hub, which is not installed; pip install 'any2bokeh[depth]', "
            f"or {FALLBACK_REMEDY}"
        ) from None
    try:
        folder = Path(snapshot_download(hub_id, local_files_only=True))
    except Exception:  # the hub client's errors have no common base
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def _downloaded(
    hub_id: str, known: KnownModel | None, *, allow_noncommercial: bool, notice: Callable[[str], None] | None
) -> Path:
    if known is not None:
        _require_allowed(hub_id, known.licence, allow_noncommercial)
    try:
        card = _snapshot(hub_id, _CARD_PATTERNS)
    except Exception as error:  # the hub client's errors have no common base
        reason = _reason(error)
        raise ModelUnavailable(
            f"depth model {hub_id} is not on this machine and the hub does not give it ({reason}); fetch it where "
            f"there is a network with: hf download {hub_id}, or {FALLBACK_REMEDY}"
        ) from None
    licence = stated_licence(card) or (known.licence if known else "not stated")
    _require_allowed(hub_id, licence, allow_noncommercial)
    if notice is not None:
        notice(f"downloading depth model {hub_id}; its licence: {licence}")
    try:
        folder = _snapshot(hub_id, _WEIGHT_PATTERNS)
    except Exception as error:
        raise ModelUnavailable(
            f"the download of depth model {hub_id} failed ({_reason(error)}); run it again, or {FALLBACK_REMEDY}"
        ) from None
    if not any(folder.glob("*.safetensors")):
        raise ModelUnavailable(
            f"no safetensors of depth model {hub_id} are here or on the hub (docs/depth-models.md shows how to convert "
            f"pickles); {FALLBACK_REMEDY}"
        )
    return folder


def _reason(error: Exception) -> str:
    """The first sentence of what the hub client says."""
    return " ".join(str(error).split()).split(" An error happened")[0].removeprefix("Got: ")[:120]


def _snapshot(hub_id: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    return Path(snapshot_download(hub_id, allow_patterns=list(patterns), etag_timeout=_HUB_TIMEOUT_S))


def _require_allowed(hub_id: str, licence: str, allow_noncommercial: bool) -> None:
    if allow_noncommercial or is_permissive(licence):
        return
    raise InputError(
        f"depth model {hub_id} has the licence {licence}, which may not allow your use; pass --allow-noncommercial "
        f"if yours is allowed, or take --depth-model small (apache-2.0)"
    )
