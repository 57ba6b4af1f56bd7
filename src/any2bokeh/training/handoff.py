"""A training in small files, to be carried to the next machine.

Smaller than a state, and nearly as good: the averaged weights and the second moments of the optimiser, in 16 bits. The
first moments are left out, they are filled again within some ten steps; unaveraged weights are left out too, the next
run starts from the average.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
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

LARGEST_FILE_BYTES = 15 * 2**20
FORMAT_VERSION = 1
HANDOFF_FILE = "handoff.json"

_WEIGHT, _SECOND_MOMENT, _STEP = "weight/", "exp_avg_sq/", "step/"


def write_handoff(
    folder: Path,
    run_folder: Path,
    header: StateHeader,
    pipeline: AnyToBokehPipeline,
    optimizer: torch.optim.Optimizer | None,
    average: WeightAverage | None,
) -> None:
    """Write a handoff into a folder, which may be there already.

    Args:
        folder: gets ``handoff.json``, ``log.jsonl``, ``latest.png`` and ``part-0.safetensors`` and on, none of them
            larger than 15 MiB unless a single tensor is.
        run_folder: of the training, for log and strip.
        header: see ``StateHeader``.
        pipeline: the networks, as they are in training.
        optimizer, average: of the stage that is under way; None between stages.
    """
    with writing(folder):
        _write_parts(folder, run_folder, header, pipeline, optimizer, average)


def _write_parts(
    folder: Path,
    run_folder: Path,
    header: StateHeader,
    pipeline: AnyToBokehPipeline,
    optimizer: torch.optim.Optimizer | None,
    average: WeightAverage | None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{_WEIGHT}{name}": value.detach() for name, value in named_parameters(pipeline).items()}
    if optimizer is not None and average is not None:
        tensors |= {f"{_WEIGHT}{name}": value for name, value in average.values.items()}
        names = list(average.values)
        for index, values in optimizer.state_dict()["state"].items():
            tensors[f"{_SECOND_MOMENT}{names[index]}"] = values["exp_avg_sq"].to(torch.bfloat16)
            tensors[f"{_STEP}{names[index]}"] = values["step"]
    small = {name: _small(name, value) for name, value in tensors.items()}
    for old in folder.glob("part-*.safetensors"):
        old.unlink()
    for number, part in enumerate(_parts(small)):
        save_file(part, folder / f"part-{number}.safetensors")
    for name, source in ((LOG_FILE, run_folder / LOG_FILE), ("latest.png", _latest_strip(run_folder))):
        if source is not None and source.is_file():
            shutil.copyfile(source, folder / name)
    text = json.dumps({"format_version": FORMAT_VERSION, **asdict(header)}, indent=2)
    (folder / HANDOFF_FILE).write_text(text + "\n")


def read_handoff(folder: Path) -> tuple[StateHeader, NamedTensors]:
    """Read a handoff: how far the training is, and the tensors for ``take_up``.

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
    tensors: NamedTensors = {}
    for part in sorted(folder.glob("part-*.safetensors")):
        tensors |= {name: aligned(tensor) for name, tensor in load_file(part).items()}
    return header, tensors


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
    """Give the optimiser the second moments of a handoff; the first ones start at 0. The average goes on."""
    average.update_count = update_count
    moments: NamedTensors = {}
    for key, value in tensors.items():
        if key.startswith(_SECOND_MOMENT):
            name = key.removeprefix(_SECOND_MOMENT)
            moments[key] = value.float()
            moments[f"exp_avg/{name}"] = torch.zeros_like(moments[key])
        elif key.startswith(_STEP):
            moments[key] = value
    restore_optimizer(optimizer, list(average.values), moments)


def is_handoff(folder: Path) -> bool:
    """Whether a folder holds a handoff, not a state or a checkpoint."""
    return (folder / HANDOFF_FILE).is_file() and not (folder / HEADER).exists()


def _small(name: str, value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    return value.to(torch.float16).clone() if name.startswith(_WEIGHT) else value.clone()


def _parts(tensors: NamedTensors) -> list[NamedTensors]:
    parts: list[NamedTensors] = [{}]
    size = 0
    for name, value in tensors.items():
        if parts[-1] and size + value.nbytes > LARGEST_FILE_BYTES:
            parts.append({})
            size = 0
        parts[-1][name] = value
        size += value.nbytes
    return parts


def _latest_strip(run_folder: Path) -> Path | None:
    strips = sorted((run_folder / "strips").glob("*.png"))
    return strips[-1] if strips else None
