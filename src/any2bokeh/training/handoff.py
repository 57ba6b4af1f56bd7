"""A training as one file, to be carried to the next machine, with or without its clips.

``full`` is taken up as if nothing had been: weights, their average and both moments of the optimiser in the precision
of the training. ``compact`` is a quarter of it, and nearly as good: the averaged weights and the second moments, in 16
bits. The first moments are left out, they are filled again within some ten steps; unaveraged weights are left out too,
the next run starts from the average.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import aligned
from any2bokeh.pending_output import writing
from any2bokeh.renderers.diffusion.checkpoints.weights import check_keys
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.training.networks import named_parameters, set_latent_scale
from any2bokeh.training.run_log import LOG_FILE
from any2bokeh.training.state import HEADER, NamedTensors, Position, StateHeader, restore_optimizer
from any2bokeh.training.weight_average import WeightAverage

FORMAT_VERSION = 2
HANDOFF_FILE = "handoff.json"
TENSOR_FILE = "handoff.safetensors"

HandoffSize = Literal["compact", "full"]
"""What a handoff holds: the least that goes on well, or all that goes on exactly."""

_WEIGHT, _AVERAGE = "weight/", "average/"
_FIRST_MOMENT, _SECOND_MOMENT, _STEP = "exp_avg/", "exp_avg_sq/", "step/"


def write_handoff(
    folder: Path,
    run_folder: Path,
    header: StateHeader,
    pipeline: AnyToBokehPipeline,
    optimizer: torch.optim.Optimizer | None,
    average: WeightAverage | None,
    size: HandoffSize = "compact",
) -> None:
    """Write a handoff into a folder, which may be there already.

    Args:
        folder: gets ``handoff.json``, ``handoff.safetensors``, ``log.jsonl`` and ``latest.png``.
        run_folder: of the training, for log and strip.
        header: see ``StateHeader``.
        pipeline: the networks, as they are in training.
        optimizer, average: of the stage that is under way; None between stages.
        size: see ``HandoffSize``.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    weights = {name: value.detach() for name, value in named_parameters(pipeline).items()}
    tensors = (_compact if size == "compact" else _full)(weights, optimizer, average)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: value.cpu().contiguous().clone() for name, value in tensors.items()}, folder / TENSOR_FILE)
        for name, source in ((LOG_FILE, run_folder / LOG_FILE), ("latest.png", _latest_strip(run_folder))):
            if source is not None and source.is_file():
                shutil.copyfile(source, folder / name)
        text = json.dumps({"format_version": FORMAT_VERSION, **asdict(header)}, indent=2)
        (folder / HANDOFF_FILE).write_text(text + "\n")


def _compact(
    weights: NamedTensors, optimizer: torch.optim.Optimizer | None, average: WeightAverage | None
) -> NamedTensors:
    averaged = weights if average is None else weights | average.values
    tensors = {f"{_WEIGHT}{name}": value.to(torch.float16) for name, value in averaged.items()}
    if optimizer is not None and average is not None:
        for name, values in _moments(optimizer, average).items():
            tensors[f"{_SECOND_MOMENT}{name}"] = values["exp_avg_sq"].to(torch.bfloat16)
            tensors[f"{_STEP}{name}"] = values["step"]
    return tensors


def _full(
    weights: NamedTensors, optimizer: torch.optim.Optimizer | None, average: WeightAverage | None
) -> NamedTensors:
    tensors = {f"{_WEIGHT}{name}": value for name, value in weights.items()}
    if optimizer is not None and average is not None:
        tensors |= {f"{_AVERAGE}{name}": value for name, value in average.values.items()}
        for name, values in _moments(optimizer, average).items():
            tensors |= {f"{kind}/{name}": value for kind, value in values.items()}
    return tensors


def _moments(optimizer: torch.optim.Optimizer, average: WeightAverage) -> dict[str, NamedTensors]:
    """State of the optimiser by the names of its parameters, which are those of the average."""
    names = list(average.values)
    return {names[index]: values for index, values in optimizer.state_dict()["state"].items()}


def read_handoff(folder: Path) -> tuple[StateHeader, NamedTensors]:
    """Read a handoff: how far the training is, and the tensors for ``take_up_weights`` and ``take_up_optimizer``.

    Raises:
        InputError: damaged, or of another version.
    """
    path = folder / HANDOFF_FILE
    try:
        values: dict[str, Any] = json.loads(path.read_text())
        if values.pop("format_version", None) != FORMAT_VERSION:
            raise InputError(f"{path} is of another version; this version of any2bokeh reads {FORMAT_VERSION}")
        header = StateHeader(**{**values, "position": Position(**values["position"])})
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error})") from None
    try:
        return header, {name: aligned(tensor) for name, tensor in load_file(folder / TENSOR_FILE).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder / TENSOR_FILE} is missing or truncated ({error}); copy the handoff again") from None


def take_up_weights(folder: Path, header: StateHeader, tensors: NamedTensors, pipeline: AnyToBokehPipeline) -> None:
    """Give the networks the weights of a handoff.

    Raises:
        InputError: other parameters.
    """
    weights = {key.removeprefix(_WEIGHT): value for key, value in tensors.items() if key.startswith(_WEIGHT)}
    parameters = named_parameters(pipeline)
    check_keys(parameters, weights, str(folder))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    set_latent_scale(pipeline.vae, header.latent_scale)


def take_up_optimizer(
    tensors: NamedTensors, optimizer: torch.optim.Optimizer, average: WeightAverage, update_count: int
) -> None:
    """Give the optimiser the moments of a handoff, first ones that it does not hold as 0. The average goes on."""
    averages = {key.removeprefix(_AVERAGE): value for key, value in tensors.items() if key.startswith(_AVERAGE)}
    average.restore(averages, update_count)
    moments = {
        key: value if key.startswith(_STEP) or averages else value.float()
        for key, value in tensors.items()
        if key.startswith((_FIRST_MOMENT, _SECOND_MOMENT, _STEP))
    }
    for name in average.values:
        second = moments.get(f"{_SECOND_MOMENT}{name}")
        if second is not None:
            moments.setdefault(f"{_FIRST_MOMENT}{name}", torch.zeros_like(second))
    restore_optimizer(optimizer, list(average.values), moments)


def is_handoff(folder: Path) -> bool:
    """Whether a folder holds a handoff, not a state or a checkpoint."""
    return (folder / HANDOFF_FILE).is_file() and not (folder / HEADER).exists()


def _latest_strip(run_folder: Path) -> Path | None:
    strips = sorted((run_folder / "strips").glob("*.png"))
    return strips[-1] if strips else None
