"""A graph's worth of ComfyUI: loads a folder of nodes as it does, and runs a node on values as its executor does."""

import asyncio
import inspect
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

FOLDER = Path(__file__).resolve().parents[3] / "integrations" / "comfyui"
STAND_IN = Path(__file__).parent / "stand_in"


def load_nodes() -> dict[str, Any]:
    """The nodes of the folder, by their ids."""
    extension = load_folder().comfy_entrypoint()
    if inspect.isawaitable(extension):
        extension = asyncio.run(_awaited(extension))

    async def nodes() -> list[Any]:
        await extension.on_load()
        return await extension.get_node_list()

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(nodes())}


def load_folder() -> ModuleType:
    """The folder as a module, from its ``__init__.py``, under a name of ComfyUI's own choice."""
    import sys

    name = "custom_nodes_any2bokeh"
    spec = spec_from_file_location(name, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run_node(node: Any, **given: Any) -> tuple[Any, ...]:
    """What a node gives for values: those left out have the default of their field, or, where optional, are not passed.

    Raises:
        AssertionError: what ComfyUI would refuse: an input that is not there or lacks, a number outside its range, a
            choice that is not offered, other outputs than the schema says, and images of another shape.
    """
    schema = node.GET_SCHEMA()
    known = {each.id: each for each in schema.inputs}
    assert set(given) <= set(known), f"{schema.node_id} has no input {set(given) - set(known)}"
    values = {
        name: given.get(name, getattr(each, "default", None))
        for name, each in known.items()
        if name in given or not each.optional
    }
    for name, value in values.items():
        _check_input(known[name], value)
    # A clone of the class: nothing that a run leaves on it is there in the next.
    clone = type(node.__name__, (node,), {})
    output = clone.execute(**values)
    if inspect.isawaitable(output):
        output = asyncio.run(_awaited(output))
    result = output.result or ()
    assert len(result) == len(schema.outputs)
    for each, value in zip(schema.outputs, result, strict=True):
        if each.io_type == "IMAGE":
            _check_image(value)
    return result


async def _awaited(value: Any) -> Any:
    return await value


def _check_input(each: Any, value: Any) -> None:
    assert value is not None or each.optional, f"nothing is connected to {each.id}"
    match each.io_type:
        case "IMAGE":
            assert isinstance(value, torch.Tensor)
        case "INT" | "FLOAT":
            assert isinstance(value, int if each.io_type == "INT" else int | float)
            assert not isinstance(value, bool)
            assert each.min <= value <= each.max, f"{each.id} is {value}"
        case "COMBO":
            assert value in each.options, f"{each.id} is {value}"
        case "BOOLEAN":
            assert isinstance(value, bool)
        case "STRING":
            assert isinstance(value, str)


def _check_image(value: Any) -> None:
    assert isinstance(value, torch.Tensor)
    assert value.ndim == 4
    assert value.shape[-1] == 3
    assert value.dtype == torch.float32
    assert value.device.type == "cpu"
    assert 0 <= float(value.min()) <= float(value.max()) <= 1
