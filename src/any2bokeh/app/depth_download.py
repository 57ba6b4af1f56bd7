"""Real depth models in place of the rough estimate: which there are, and their download when a user asks for one.

The studio itself contacts no other host. A download is a process of its own, and so the one exception is seen: it runs
while the user waits for it, fetches one of the models that are known by name, and ends.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from any2bokeh.app.refusal import Busy
from any2bokeh.app.user_message import in_words_of_page
from any2bokeh.disparity.estimators.registry import KNOWN_MODELS, KnownModel
from any2bokeh.errors import InputError, require_choice
from any2bokeh.models.local_model import find_model_folder

State = Literal["running", "done", "failed"]

_PACKAGES = ("torch", "transformers", "safetensors", "huggingface_hub")
_POLL_S = 1.0
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Download:
    """A download, and how far it is.

    Attributes:
        name: of the model.
        state: whether it runs.
        share: 0 to 1 of it.
        message: what went wrong, where it failed.
    """

    name: str
    state: State
    share: float = 0.0
    message: str = ""


def offered() -> dict[str, KnownModel]:
    """Models that anyone may use for anything and that the studio knows the size of, by short name."""
    return {each.short_name: each for each in KNOWN_MODELS if each.is_permissive and each.size_mb is not None}


def are_usable() -> bool:
    """Whether what runs depth models is installed."""
    return all(find_spec(name) is not None for name in _PACKAGES)


def is_here(model: KnownModel) -> bool:
    """Whether a model is on this machine already."""
    return find_model_folder(model.hub_id) is not None


class ModelDownloads:
    """Downloads of a studio, one at a time."""

    def __init__(self) -> None:
        self.newest: Download | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self, name: str, *, told: Callable[[], None], done: Callable[[str], None]) -> None:
        """Fetch a model, unless it is on this machine.

        Args:
            name: one of ``offered``.
            told: called as it goes on, from a thread.
            done: called with its name when it is there, from the same thread.

        Raises:
            InputError: no such model, or what runs it is not installed.
            Busy: another is being fetched.
        """
        require_choice("depth model", name, offered())
        if not are_usable():
            raise InputError(
                "depth models need packages that are not installed on the machine that runs the studio: pip install "
                "'any2bokeh[depth]'"
            )
        with self._lock:
            if self._process is not None:
                raise Busy("another depth model is being downloaded; wait until it is there")
            environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "any2bokeh.app.depth_download", name],
                env=environment | {"HF_HUB_DISABLE_TELEMETRY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            self.newest = Download(name, "running")
        threading.Thread(
            target=self._wait, args=(self._process, name, told, done), name="any2bokeh download", daemon=True
        ).start()

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def _wait(
        self, process: "subprocess.Popen[str]", name: str, told: Callable[[], None], done: Callable[[str], None]
    ) -> None:
        model = offered()[name]
        while True:
            try:
                _, said = process.communicate(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                share = min(_fetched_bytes(model.hub_id) / ((model.size_mb or 1) * _MB), 0.99)
                self.newest = Download(name, "running", share)
                told()
        with self._lock:
            self._process = None
        if process.returncode == 0:
            self.newest = Download(name, "done", 1.0)
            try:
                done(name)
            except InputError as error:
                self.newest = Download(name, "failed", 1.0, in_words_of_page(str(error)))
        else:
            reason = (said.strip().splitlines() or ["it was interrupted"])[-1][:300]
            self.newest = Download(name, "failed", 0.0, in_words_of_page(reason))
        told()


def _fetched_bytes(hub_id: str) -> int:
    from huggingface_hub.constants import HF_HUB_CACHE

    blobs = Path(HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}" / "blobs"
    with suppress(OSError):
        return sum(each.stat().st_size for each in blobs.iterdir())
    return 0


def _main(name: str) -> int:
    from any2bokeh.disparity.estimators.model_folder import model_folder

    try:
        model_folder(name)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
