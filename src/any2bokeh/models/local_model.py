"""Models that are on this machine already: a folder, or a repository in the hub's local cache. Nothing is fetched."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError, require_installed
from any2bokeh.models.aligned_weights import align_weights
from any2bokeh.models.hub import find_on_machine, is_hub_id, unavailable
from any2bokeh.models.model_files import CONFIG_FILE, read_json, weight_files

_PACKAGES = ("torch", "transformers")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


def find_model_folder(model: str) -> Path | None:
    """Folder of a model that is on this machine.

    Args:
        model: a folder, or the id of a repository of the hub.

    Returns:
        The folder, or its snapshot in the hub's cache; None where the cache does not hold a configuration and weights
        (safetensors) of it, or where transformers is not installed.
    """
    if any(find_spec(name) is None for name in _PACKAGES):
        return None
    return find_on_machine(model, is_complete=_is_complete)


def require_model_folder(model: str, *, option: str, instead: str, is_listed: bool = False) -> Path:
    """The same, for a model that was asked for by name.

    Args:
        model: a folder or an id.
        option: what names the model on the command line.
        instead: what else can be done, for the message.
        is_listed: whether ``any2bokeh models get`` fetches it.

    Raises:
        InputError: it is not on this machine.
    """
    require_installed(f"{option} {model}", _PACKAGES, "diffusion", instead=instead)
    folder = find_model_folder(model)
    if folder is not None:
        return folder
    if is_hub_id(model):
        why = "is neither a folder nor in the hub's cache on this machine"
        raise unavailable(option, model, why, instead, is_listed=is_listed)
    raise InputError(f"{option} {model} is neither a folder nor a hub id such as owner/name; give one, or {instead}")


def load_model(model_class: Any, folder: Path, *, kinds: tuple[str, ...], option: str) -> Any:
    """Load a model of transformers from a folder, from safetensors alone and with every weight in its place.

    Args:
        model_class: the class.
        folder: what `find_model_folder` found.
        kinds: the values of ``model_type`` in its configuration that the class can be of.
        option: what names the model on the command line.

    Raises:
        InputError: the folder holds another kind of model, no weights as safetensors, or not all of them.
    """
    kind = _kind(folder, option)
    if kind not in kinds:
        holds = f"holds a model of type {kind!r}" if kind else "holds no model of transformers"
        raise InputError(f"{option} {folder} {holds}; give one of type {' or '.join(kinds)}")
    weight_files(folder, "model")
    from transformers.utils import logging

    bar_before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model, found = model_class.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{option} {folder} cannot be loaded ({reason}); fetch it again") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] != "safetensors" and "safetensor" not in type(error).__name__.lower():
            raise
        raise InputError(f"{option} {folder} has damaged weights ({error}); fetch it again") from error
    finally:
        if bar_before:
            logging.enable_progress_bar()
    missing = sorted(found["missing_keys"])
    if missing:
        raise InputError(
            f"{option} {folder} lacks {len(missing)} weights of {model_class.__name__} (first: {missing[0]}); "
            f"give a complete model"
        )
    align_weights(model)
    return model.eval()


def _is_complete(folder: Path) -> bool:
    return (folder / CONFIG_FILE).is_file() and any((folder / name).is_file() for name in _WEIGHTS)


def _kind(folder: Path, option: str) -> str | None:
    kind = read_json(folder / CONFIG_FILE, option).get("model_type")
    return None if kind is None else str(kind)
