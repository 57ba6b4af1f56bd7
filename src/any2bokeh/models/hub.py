"""Where a model lies: a folder of the user's, the hub's cache on this machine, or the hub itself."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.models.model_files import CONFIG_FILE

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


class ModelUnavailable(InputError):
    """The model is neither on this machine nor to be had."""


def is_hub_id(model: str) -> bool:
    """Whether a name could be the id of a repository of the hub, ``owner/name``."""
    return _HUB_ID.fullmatch(model) is not None


def cache_folder() -> Path:
    """Where the hub's client keeps what it has downloaded, as its environment variables say."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or home) / "hub").expanduser()


def find_on_machine(model: str, *, is_complete: Callable[[Path], bool]) -> Path | None:
    """Folder of a model that is on this machine; nothing is fetched.

    Args:
        model: a folder, or the id of a repository of the hub.
        is_complete: whether a snapshot in the hub's cache holds what is needed; a folder of the user's is not asked.

    Returns:
        The folder, or the snapshot; None where there is neither, or the hub's client is not installed.
    """
    if Path(model).is_dir():
        return Path(model)
    if not is_hub_id(model):
        return None
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    try:
        # Newer clients refuse a snapshot without all of the repository's files, unless it is asked for some of them.
        folder = Path(snapshot_download(model, local_files_only=True, allow_patterns=[CONFIG_FILE]))
    except (OSError, ValueError):  # what the hub's client raises where the cache holds no such repository
        return None
    return folder if is_complete(folder) else None


def fetch(
    hub_id: str,
    *,
    noun: str,
    only: Sequence[str],
    without: Sequence[str] = (),
    revision: str | None = None,
    timeout_s: float | None = None,
    instead: str | None = None,
    is_listed: bool = False,
) -> Path:
    """Download what the hub's cache lacks of a repository; without a network, the cache as it is.

    Args:
        hub_id: ``owner/name``.
        noun: what the model is, for the message.
        only: patterns of the files to fetch.
        without: patterns of files among them to leave out.
        revision: commit of the repository; its newest where None.
        timeout_s: seconds until the hub is given up; the client's own where None.
        instead: what else the user can do, for the message.
        is_listed: whether ``any2bokeh models get`` fetches it.

    Returns:
        The snapshot in the hub's cache.

    Raises:
        ModelUnavailable: the hub does not give it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    timeout: dict[str, Any] = {} if timeout_s is None else {"etag_timeout": timeout_s}
    try:
        return Path(
            snapshot_download(
                hub_id, revision=revision, allow_patterns=[*only], ignore_patterns=[*without] or None, **timeout
            )
        )
    except Exception as error:  # the hub client's errors have no common base
        why = f"is not on this machine and the hub does not give it ({_reason(error)})"
        raise unavailable(noun, hub_id, why, instead, is_listed=is_listed) from None


def unavailable(noun: str, hub_id: str, why: str, instead: str | None, *, is_listed: bool) -> ModelUnavailable:
    """The one message of a model that is not to be had, with the command that fetches it."""
    command = "any2bokeh models get" if is_listed else "hf download"
    otherwise = "" if instead is None else f", or {instead}"
    return ModelUnavailable(
        f"{noun} {hub_id} {why}; fetch it where there is a network with '{command} {hub_id}'{otherwise}"
    )


def _reason(error: Exception) -> str:
    """The first sentence of what the hub's client says."""
    return " ".join(str(error).split()).split(" An error happened")[0].removeprefix("Got: ")[:120]
