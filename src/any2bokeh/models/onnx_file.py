"""Networks that OpenCV runs by itself: one file in ONNX's format, on this machine or to be had from the hub."""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from any2bokeh.errors import InputError
from any2bokeh.models.hub import cache_folder, fetch

_TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A published file.

    Attributes:
        name: what ``any2bokeh models`` calls the model.
        hub_id: repository on the hub.
        revision: commit of the repository that holds the file.
        file: its name.
        size_bytes: its size.
        sha256: its checksum; a file with another one is refused.
        licence: of the weights.
    """

    name: str
    hub_id: str
    revision: str
    file: str
    size_bytes: int
    sha256: str
    licence: str

    def find(self) -> Path | None:
        """The file in the hub's cache, of any commit; None where it is not there. Needs no client of the hub."""
        snapshots = cache_folder() / f"models--{self.hub_id.replace('/', '--')}" / "snapshots"
        found = (snapshots / self.revision / self.file, *sorted(snapshots.glob(f"*/{self.file}")))
        return next((path for path in found if path.is_file()), None)

    def intact(self) -> Path | None:
        """The same, after its checksum was compared.

        Raises:
            InputError: the file is damaged, or another one.
        """
        path = self.find()
        if path is not None and (found := hashlib.sha256(path.read_bytes()).hexdigest()) != self.sha256:
            raise InputError(
                f"model {self.name} ({path}) is damaged or another file: its SHA-256 is {found[:12]}..., and that of "
                f"the published one is {self.sha256[:12]}...; delete it, and run any2bokeh models get {self.name}"
            )
        return path

    def get(self) -> Path:
        """Download it, unless it is here.

        Raises:
            ModelUnavailable: the hub does not give it.
            InputError: what came is damaged, or the hub's client is not installed.
        """
        if (path := self.intact()) is not None:
            return path
        self.require_client()
        fetch(
            self.hub_id,
            noun="model",
            only=(self.file,),
            revision=self.revision,
            timeout_s=_TIMEOUT_S,
            is_listed=True,
        )
        path = self.intact()
        if path is None:
            raise InputError(f"{self.hub_id} on the hub does not hold {self.file}; update any2bokeh")
        return path

    def require_client(self) -> None:
        """Refuse to download without the hub's client; the extras that have it bring gigabytes with it.

        Raises:
            InputError: it is not installed.
        """
        if find_spec("huggingface_hub") is None:
            raise InputError(
                f"downloading model {self.name} needs huggingface_hub, which is not installed; "
                f"pip install huggingface_hub"
            )
