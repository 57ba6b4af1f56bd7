"""Whether the layered engine renders on a GPU, and on which."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal

from any2bokeh.errors import InputError
from any2bokeh.renderers.layered.gpu.device import Device, GpuFault, may_be_there, open_device
from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer
from any2bokeh.renderers.layered.gpu.self_test import Need, require_passed
from any2bokeh.renderers.layered.renderer import LayeredRenderer

LayeredDevice = Literal["auto", "cpu", "gpu"]


def renderer_on(device: LayeredDevice, *, notice: Callable[[str], None] | None = None, **look: Any) -> LayeredRenderer:
    """The layered engine on a device.

    Args:
        device: ``gpu`` takes the fastest adapter, also one that a processor stands in for; ``auto`` a hardware adapter
            where ``any2bokeh[gpu]`` is installed and finds one that passes the self-test, else the CPU.
        notice: told which adapter renders, and, once and in one line, why it does not.
        look: as for ``LayeredRenderer``.

    Raises:
        InputError: ``gpu`` where there is none that can be used.
    """
    if device == "cpu" or (device == "auto" and (find_spec("wgpu") is None or not may_be_there())):
        return LayeredRenderer(**look)
    tell, need = notice or (lambda remark: None), Need.of(**look)
    try:
        opened = _opened(need, software=device == "gpu")
    except GpuFault as fault:
        if device == "gpu":
            raise InputError(f"--device gpu: {fault}; use --device cpu, or auto") from fault
        if not fault.is_absence:
            tell(f"the CPU renders: {fault}")
        return LayeredRenderer(**look)
    tell(f"the layered engine runs on {opened.name}")
    return GpuRenderer(
        lambda: _opened(need, software=device == "gpu"),
        device=opened,
        falls_back=device == "auto",
        notice=notice,
        **look,
    )


def _opened(need: Need, *, software: bool) -> Device:
    device = open_device(software=software)
    require_passed(device, need)
    return device


__all__ = ["LayeredDevice", "renderer_on"]
