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
        state = EdgeState(**values)
        _require_numbers(state)
        return state, tensors
    except (ValueError, TypeError, AttributeError, OSError, RecursionError, SafetensorError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder} is damaged ({type(error).__name__}: {error}); take another state") from None


def require_tensors(folder: Path, tensors: Mapping[str, Tensor], sizes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a state that lacks weights, averages or some of its moments, or whose tensors are not the network's.

    Args:
        folder: of the state, for messages.
        tensors: by ``kind/name``.
        sizes: of the weights, by name.

    Raises:
        InputError: names the first that is wrong.
    """
    kinds = {"weight", "average", *(key.partition("/")[0] for key in tensors)}
    missing = [f"{kind}/{name}" for kind in sorted(kinds) for name in sizes if f"{kind}/{name}" not in tensors]
    if missing:
        raise InputError(f"{folder} is damaged (it has no {missing[0]}); take another state")
    for key, each in tensors.items():
        kind, _, name = key.partition("/")
        is_whole = (
            name in sizes and (kind == "step" or tuple(each.shape) == sizes[name]) and bool(each.isfinite().all())
        )
        if not is_whole:
            raise InputError(f"{folder} is damaged ({key} is {list(each.shape)}, or not finite); take another state")


def _require_numbers(state: EdgeState) -> None:
    for name in ("step", "frames", "pool_next", "pool_tiles", "average_updates"):
        value = getattr(state, name)
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} is {value!r}")
    if not (isinstance(state.config, dict) and isinstance(state.curve, list)):
        raise ValueError("its config is no object, or its curve no list")
    if not isinstance(state.seconds, int | float):
        raise ValueError(f"seconds is {state.seconds!r}")
