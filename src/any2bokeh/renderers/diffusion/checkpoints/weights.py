"""Weights on disk: safetensors only, every missing and unexpected key named."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import aligned
from any2bokeh.models.model_files import CONFIG_FILE, read_json

WEIGHTS_STEM = "diffusion_pytorch_model"
WEIGHTS_NAME = f"{WEIGHTS_STEM}.safetensors"
ENCODER_WEIGHTS_NAME = "model.safetensors"

_NAMED_KEYS = 6


def read_config(folder: Path, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Read ``config.json`` of a model folder, without its private keys.

    Args:
        folder: of one model, such as ``unet/``.
        class_names: what ``_class_name`` may be.

    Raises:
        InputError: no such folder, no config, not JSON, or another architecture.
    """
    if not folder.is_dir():
        raise InputError(f"model folder {folder} does not exist")
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"model folder {folder} has no {CONFIG_FILE}; give a folder in diffusers layout")
    config = read_json(path, "model")
    if config.get("_class_name") not in class_names:
        raise InputError(
            f"{path} is of a {config.get('_class_name')}, another architecture; expected {' or '.join(class_names)}"
        )
    return {key: value for key, value in config.items() if not key.startswith("_")}


def read_weights(files: Iterable[Path], dtype: torch.dtype | None = None) -> dict[str, torch.Tensor]:
    """Read tensors, floating ones cast to ``dtype`` as they come, aligned as those that a network makes itself.

    Raises:
        InputError: a truncated or foreign file.
    """
    state: dict[str, torch.Tensor] = {}
    for path in files:
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118 - not a dict
                    tensor = file.get_tensor(key)
                    if dtype is not None and tensor.is_floating_point():
                        tensor = tensor.to(dtype)
                    state[key] = aligned(tensor)
        except SafetensorError as error:
            raise InputError(f"{path} is truncated or not a safetensors file ({error}); copy it again") from None
    return state


def write_weights(state: Mapping[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write one safetensors file; ``metadata`` goes into its header."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    save_file(tensors, path, metadata={"format": "pt", **metadata})


def check_keys(
    expected: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], where: str, *, may_lack: Iterable[str] = ()
) -> None:
    """Compare a checkpoint with what a model takes.

    Args:
        expected: state dict of the model.
        state: tensors of the checkpoint.
        where: the checkpoint, for the message.
        may_lack: keys that the checkpoint need not have.

    Raises:
        InputError: missing or unexpected keys, or other shapes; each is named.
    """
    missing = sorted(set(expected) - set(state) - set(may_lack))
    unexpected = sorted(set(state) - set(expected))
    reshaped = sorted(key for key in set(expected) & set(state) if expected[key].shape != state[key].shape)
    problems = []
    if missing:
        problems.append(f"{len(missing)} missing keys ({_listed(missing)})")
    if unexpected:
        problems.append(f"{len(unexpected)} unexpected keys ({_listed(unexpected)})")
    if reshaped:
        shapes = [f"{key} is {tuple(state[key].shape)}, not {tuple(expected[key].shape)}" for key in reshaped]
        problems.append(f"{len(reshaped)} keys of another shape ({_listed(shapes)})")
    if problems:
        raise InputError(f"{where} does not fit the model: {'; '.join(problems)}")


def assign_weights(model: nn.Module, state: dict[str, torch.Tensor], where: str) -> None:
    """Give a model built on the meta device its weights.

    Raises:
        InputError: see ``check_keys``.
    """
    check_keys(model.state_dict(), state, where)
    model.load_state_dict(state, assign=True)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_KEYS])
    return shown if len(names) <= _NAMED_KEYS else f"{shown}, and {len(names) - _NAMED_KEYS} more"
