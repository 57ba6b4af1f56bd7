"""A training of the network for edges on disk: small enough to be carried, and all that it needs to go on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import aligned
from any2bokeh.pending_output import PendingOutput, writing

FORMAT_VERSION = 1
HEADER, TENSORS = "edges.json", "state.safetensors"


@dataclass(frozen=True, slots=True)
class EdgeState:
    """Where a training stands.

    Attributes:
        config: of the training, plain JSON values.
        step: steps done.
        frames: of the training that have been taken into the pool.
        pool_next, pool_tiles: where the pool's next tile goes, and how many it holds.
        average_updates: of the average of the weights.
        seconds: spent on all runs.
        curve: what was measured with held-out frames: one entry each time.
    """

    config: dict[str, Any]
    step: int = 0
    frames: int = 0
    pool_next: int = 0
    pool_tiles: int = 0
    average_updates: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)


def save_edge_state(folder: Path, state: EdgeState, tensors: Mapping[str, Tensor]) -> None:
    """Write a state in the place of the one before; a killed process leaves one or the other.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.replacing_folder(folder)
    try:
        with writing(folder):
            save_file({name: each.detach().cpu().contiguous().clone() for name, each in tensors.items()},
                      pending.temporary / TENSORS)  # fmt: skip
            text = json.dumps({"format_version": FORMAT_VERSION, **asdict(state)}, indent=1)
            (pending.temporary / HEADER).write_text(text + "\n")
        pending.publish()
    finally:
        pending.discard()


def load_edge_state(folder: Path) -> tuple[EdgeState, dict[str, Tensor]]:
    """Read a state.

    Raises:
        InputError: not there, damaged, or of another version.
    """
    path = folder / HEADER
    if not path.is_file():
        raise InputError(
            f"{folder} holds no training of edges: it has no {HEADER}; give the folder of a run or handoff"
        )
    try:
        values = json.loads(path.read_text())
        version = values.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise InputError(f"{path} has format version {version}; this version of any2bokeh reads {FORMAT_VERSION}")
        tensors = {name: aligned(each) for name, each in load_file(folder / TENSORS).items()}
        return EdgeState(**values), tensors
    except (ValueError, TypeError, AttributeError, OSError, SafetensorError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder} is damaged ({type(error).__name__}: {error}); take another state") from None
