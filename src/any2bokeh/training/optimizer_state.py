"""State of an optimiser as named tensors, so that it needs no pickle."""

from collections.abc import Mapping

import torch

NamedTensors = dict[str, torch.Tensor]


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> NamedTensors:
    """Its moments as ``kind/name``; ``names`` are those of its parameters, in order."""
    state = optimizer.state_dict()["state"]
    return {f"{kind}/{names[index]}": value for index, values in state.items() for kind, value in values.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: Mapping[str, torch.Tensor]) -> None:
    """Set the state of an optimiser from ``kind/name`` tensors; ``names`` are those of its parameters, in order."""
    state: dict[int, NamedTensors] = {}
    place = {name: index for index, name in enumerate(names)}
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        state.setdefault(place[name], {})[kind] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
