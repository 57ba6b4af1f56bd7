"""A GPU, or a processor that stands in for one."""

import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from any2bokeh.renderers.layered.gpu.device import Device


@functools.lru_cache(maxsize=1)
def _opened() -> "Device | str":
    if find_spec("wgpu") is None:
        return "the package wgpu is not installed: pip install 'any2bokeh[gpu]'"
    from any2bokeh.renderers.layered.gpu.device import GpuFault, open_device

    try:
        return open_device(software=True)
    except GpuFault as fault:
        return f"no Vulkan adapter ({fault}): install libvulkan1 and mesa-vulkan-drivers"


@pytest.fixture
def device() -> "Device":
    """With buffers of its own."""
    opened = _opened()
    if isinstance(opened, str):
        pytest.skip(opened)
    from any2bokeh.renderers.layered.gpu.device import open_device

    return open_device(software=True)
