"""A training on disk, whole: killed and taken up again, it takes the steps that it would have taken.

A state is a folder: ``state.json`` (config, position, clips), ``networks.safetensors``, and inside a stage
``optimizer.safetensors``, ``average.safetensors``, ``random.safetensors``. Nothing is pickled.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import aligned
from any2bokeh.pending_output import PendingOutput, writing
from any2bokeh.renderers.diffusion.checkpoints.weights import check_keys
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.config import TrainingConfig
from any2bokeh.training.networks import named_parameters, set_latent_scale
from any2bokeh.training.optimizer_state import NamedTensors, optimizer_tensors, restore_optimizer
from any2bokeh.training.weight_average import WeightAverage

FORMAT_VERSION = 1
HEADER = "state.json"
FINISHED = "finished"
"""Stage of a training that has taken all its steps."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a training is.

    Attributes:
        stage: that the next step belongs to, or ``FINISHED``.
        step: steps done of that stage.
        total_steps: steps done of all stages.
        seconds: spent on them.
    """

    stage: str
    step: int = 0
    total_steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StateHeader:
    """What ``state.json`` holds.

    Attributes:
        position: see ``Position``.
        config: of the training, plain JSON values.
        clips: which clips it trains on, plain JSON values.
        process_count: processes that shared the work.
        latent_scale: of the autoencoder.
        average_updates: of the average of the weights.
        scaler: state of the loss scaler of float16; empty without one.
        history: what each finished stage came to; see ``export``.
    """

    position: Position
    config: dict[str, Any]
    clips: dict[str, Any]
    process_count: int
    latent_scale: float
    average_updates: int = 0
    scaler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def save_state(
    folder: Path,
    header: StateHeader,
    pipeline: AnyToBokehPipeline,
    *,
    optimizer: torch.optim.Optimizer | None = None,
    average: WeightAverage | None = None,
    random: NamedTensors | None = None,
) -> None:
    """Write a state; the folder appears when it is complete.

    Args:
        folder: the new one; replaced where it exists.
        header: see ``StateHeader``.
        pipeline: the networks, as they are in training.
        optimizer, average, random: of the stage that is under way; None between stages. The optimiser's parameters are
            those of the average, in its order.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.replacing_folder(folder)
    try:
        with writing(folder):
            _save_parts(pending.temporary, header, pipeline, optimizer, average, random)
        pending.publish()
    finally:
        pending.discard()


def _save_parts(
    partial: Path,
    header: StateHeader,
    pipeline: AnyToBokehPipeline,
    optimizer: torch.optim.Optimizer | None,
    average: WeightAverage | None,
    random: NamedTensors | None,
) -> None:
    parameters = {name: parameter.detach() for name, parameter in named_parameters(pipeline).items()}
    _save(parameters, partial / "networks.safetensors")
    if optimizer is not None and average is not None:
        _save(optimizer_tensors(optimizer, list(average.values)), partial / "optimizer.safetensors")
        _save(average.values, partial / "average.safetensors")
    if random is not None:
        _save(random, partial / "random.safetensors")
    (partial / HEADER).write_text(json.dumps({"format_version": FORMAT_VERSION, **asdict(header)}, indent=2) + "\n")


def read_header(folder: Path) -> StateHeader:
    """Read ``state.json``.

    Raises:
        InputError: not there, not JSON, or of another version.
    """
    path = folder / HEADER
    if not path.is_file():
        raise InputError(f"{folder} is no training state: it has no {HEADER}")
    try:
        values = json.loads(path.read_text())
        version = values.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise InputError(f"{path} has format version {version}; this version of any2bokeh reads {FORMAT_VERSION}")
        return StateHeader(**{**values, "position": Position(**values["position"])})
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}); resume from another state") from None


def check_header(
    header: StateHeader, folder: Path, config: TrainingConfig, clips: Mapping[str, Any], process_count: int
) -> None:
    """Raise InputError, naming the difference, unless a state belongs to this very training."""
    differences = _differences(header.config, json.loads(json.dumps(config.to_json())))
    if differences:
        raise InputError(
            f"{folder} is of another config: {differences[0]}"
            + (f", and {len(differences) - 1} more differences" if len(differences) > 1 else "")
            + "; resume with its config, or start anew with --start-from and another --out"
        )
    differences = _differences(header.clips, json.loads(json.dumps(dict(clips))))
    if differences:
        raise InputError(f"{folder} was trained on other clips: {differences[0]}; resume with the same --data")
    if header.process_count != process_count:
        raise InputError(
            f"{folder} was made by {header.process_count} processes, and there are {process_count} now; "
            "steps would take another number of clips: resume with as many"
        )


def load_networks_of(folder: Path, header: StateHeader, pipeline: AnyToBokehPipeline) -> None:
    """Give the networks the weights of a state.

    Raises:
        InputError: a truncated file, or other parameters.
    """
    state = _load(folder / "networks.safetensors")
    parameters = named_parameters(pipeline)
    check_keys(parameters, state, str(folder))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(state[name])
    set_latent_scale(pipeline.vae, header.latent_scale)


def load_optimizer(folder: Path, optimizer: torch.optim.Optimizer, average: WeightAverage, header: StateHeader) -> None:
    """Give optimiser and average the values of a state inside a stage."""
    restore_optimizer(optimizer, list(average.values), _load(folder / "optimizer.safetensors"))
    average.restore(_load(folder / "average.safetensors"), header.average_updates)


def random_state() -> NamedTensors:
    """State of torch's global generators in this process."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def load_random_state(folder: Path, process: int) -> None:
    """Set torch's global generators to the state of a process."""
    state = _load(folder / "random.safetensors")
    torch.set_rng_state(state[f"{process}/cpu"])
    if torch.cuda.is_available() and f"{process}/cuda" in state:
        torch.cuda.set_rng_state(state[f"{process}/cuda"])


def states_in(folder: Path) -> list[Path]:
    """Complete states of a folder, oldest first."""
    return sorted(path.parent for path in folder.glob(f"step-*/{HEADER}"))


def keep_newest(folder: Path, count: int) -> None:
    """Remove all but the newest states of a folder."""
    for state in states_in(folder)[:-count]:
        shutil.rmtree(state)


def _save(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)


def _load(path: Path) -> NamedTensors:
    try:
        return {name: aligned(tensor) for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is missing or truncated ({error}); resume from another state") from None


def _differences(saved: Any, wanted: Any, where: str = "") -> list[str]:
    if isinstance(saved, dict) and isinstance(wanted, dict):
        keys = dict.fromkeys([*saved, *wanted])
        return [
            difference
            for key in keys
            for difference in _differences(saved.get(key), wanted.get(key), f"{where}.{key}" if where else key)
        ]
    if isinstance(saved, list) and isinstance(wanted, list) and len(saved) == len(wanted):
        pairs = enumerate(zip(saved, wanted, strict=True))
        return [each for place, (old, new) in pairs for each in _differences(old, new, f"{where}[{place}]")]
    return [] if saved == wanted else [f"{where} was {saved!r} and is {wanted!r} now"]
