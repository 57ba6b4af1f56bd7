"""A GPU that computes: which adapter it is, its buffers and its pipelines.

An adapter is opened once in a process, and its compiled stages are kept; each ``Device`` has buffers of its own.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import require_extra
from any2bokeh.renderers.layered.gpu.shaders import shader

_NEEDED_WORKGROUP_BYTES = 16384
_NEEDED_THREADS = 256
_LEAST_DISPATCHES = 2048  # there is room for their parameters
_LEAVES_OUT_MESAS_CHOICE = "NODEVICE_SELECT"  # a variable of the layer VK_LAYER_MESA_device_select
_UNIFORM_SLOT = 256  # what offsets of uniform buffers are multiples of, everywhere
# Files in /dev through which drivers of Linux reach a GPU: those of the kernel, NVIDIA's own and Tegra's, WSL's,
# Mali's, Adreno's, PowerVR's.
_DEVICE_FILES = ("dri/*", "nvidia*", "nvhost*", "nvgpu*", "nvmap", "dxg", "mali*", "kgsl*", "pvr*")


class GpuFault(RuntimeError):
    """The GPU could not do what was asked: lost, out of memory, refused by its driver. The message is one line.

    Attributes:
        is_absence: whether there is none at all.
    """

    def __init__(self, message: str, *, is_absence: bool = False) -> None:
        super().__init__(message)
        self.is_absence = is_absence


@dataclass(frozen=True, slots=True)
class AdapterName:
    """What a person calls an adapter, and what tells it from others.

    Attributes:
        device: such as ``NVIDIA H100``.
        driver: name and version, as far as they are told.
        backend: ``Vulkan``, ``Metal`` or ``D3D12``.
        is_software: whether a processor stands in for a GPU.
    """

    device: str
    driver: str
    backend: str
    is_software: bool

    def __str__(self) -> str:
        return f"{self.device} ({self.backend}{', software' if self.is_software else ''})"


class Opened:
    """An adapter that was opened, with its compiled stages. What is asked of it is asked by one thread at a time.

    Attributes:
        name: of the adapter.
        most_bytes: of a buffer that a stage binds.
        device: of ``wgpu``.
        has_clock: whether it can tell when a stage began and ended.
        compiling_s: how long stages were compiled so far.
        pipelines: by stage, parts, cuts and bits of codes.
        lock: held while it is asked.
    """

    def __init__(self, adapter: Any) -> None:
        self.name = name_of(adapter)
        limits = adapter.limits
        if (
            limits["max-compute-workgroup-storage-size"] < _NEEDED_WORKGROUP_BYTES
            or limits["max-compute-invocations-per-workgroup"] < _NEEDED_THREADS
        ):
            raise GpuFault(f"{self.name} has too little memory or too few threads in a workgroup")
        most = {name: limits[name] for name in ("max-storage-buffer-binding-size", "max-buffer-size")}
        self.most_bytes = min(*most.values(), 2**31 - 4)
        self.compiling_s = 0.0
        self.has_clock = "timestamp-query" in adapter.features
        features = ["timestamp-query"] if self.has_clock else []
        try:
            self.device = adapter.request_device_sync(required_limits=most, required_features=features)
        except Exception as error:
            raise GpuFault(f"{self.name} could not be opened: {_one_line(error)}") from error
        self.pipelines: dict[tuple[str, int, bool, bool], Any] = {}
        self.lock = threading.RLock()


class Device:
    """An adapter, and the buffers that one renderer has on it.

    Attributes:
        name: of the adapter.
        most_bytes: of a buffer that a stage binds.
        lens: what its buffers hold of a lens; see ``FramePasses``.
        sent_bytes, dispatches: given to it so far.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.name, self.most_bytes = opened.name, opened.most_bytes
        self._device = opened.device
        self._buffers: dict[str, Any] = {}
        self._groups: dict[tuple[Any, ...], Any] = {}
        self.lens: tuple[Any, ...] | None = None
        self.sent_bytes = self.dispatches = 0

    @property
    def compiled(self) -> tuple[int, float]:
        """How many variants of stages its adapter has compiled so far, and how long that took, s."""
        return len(self._opened.pipelines), self._opened.compiling_s

    @property
    def held_bytes(self) -> int:
        """Of all its buffers."""
        return sum(buffer.size for buffer in self._buffers.values())

    def buffer(self, name: str, size: int, *, uniform: bool = False, read: bool = False) -> Any:
        """The buffer of a name, with room for ``size`` bytes; what it held is lost where it has to grow."""
        import wgpu

        size = -(-max(size, 16) // 16) * 16
        if size > self.most_bytes:
            raise GpuFault(f"a buffer of {size / 2**20:.0f} MiB is larger than {self.name} allows")
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            if buffer is not None:
                buffer.destroy()
                self._groups.clear()
            use = wgpu.BufferUsage
            usage = (
                use.MAP_READ | use.COPY_DST
                if read
                else use.COPY_DST | use.COPY_SRC | (use.UNIFORM if uniform else use.STORAGE)
            )
            buffer = self._guarded(lambda: self._device.create_buffer(size=size, usage=usage))
            self._buffers[name] = buffer
        return buffer

    def upload(self, name: str, *values: NDArray[Any]) -> Any:
        """The buffer of a name, filled with arrays, one after another."""
        arrays = [np.ascontiguousarray(each) for each in values]
        if any(each.nbytes % 4 for each in arrays):  # a queue writes whole words
            whole = np.concatenate([each.view(np.uint8).ravel() for each in arrays])
            arrays = [np.pad(whole, (0, -len(whole) % 4))]
        buffer, at = self.buffer(name, sum(each.nbytes for each in arrays)), 0
        for each in arrays:
            if each.nbytes:
                data = each.data.cast("B")
                self._guarded(lambda at=at, data=data: self._device.queue.write_buffer(buffer, at, data))
            at += each.nbytes
        self.sent_bytes += at
        return buffer

    def commands(self, most: int = 0) -> "Commands":
        """A list of dispatches, to be filled with ``most`` of them, or some two thousand, and submitted."""
        self.buffer("params", max(most, _LEAST_DISPATCHES) * _UNIFORM_SLOT, uniform=True)
        return Commands(self)

    def close(self) -> None:
        """Give all memory back."""
        for buffer in self._buffers.values():
            buffer.destroy()
        self._buffers.clear()
        self._groups.clear()
        self.lens = None

    def _pipeline(self, stage: str, parts: int, cuts: bool, codes_16: bool) -> Any:
        key, pipelines = (stage, parts, cuts, codes_16), self._opened.pipelines
        if key not in pipelines:
            began = time.perf_counter()
            source = shader(stage, parts=parts, cuts=cuts, codes_16=codes_16)
            module = self._guarded(lambda: self._device.create_shader_module(code=source))
            pipelines[key] = self._guarded(
                lambda: self._device.create_compute_pipeline(
                    layout="auto", compute={"module": module, "entry_point": "main"}
                )
            )
            self._opened.compiling_s += time.perf_counter() - began
        return pipelines[key]

    def _group(self, pipeline: Any, uniform: tuple[Any, int, int], buffers: Sequence[Any]) -> Any:
        """The buffers of a dispatch, bound; kept, as the next frame binds the same."""
        key = (id(pipeline), uniform[1], *(id(buffer) for buffer in buffers))
        if key not in self._groups:
            entries = [uniform] + [(buffer, 0, buffer.size) for buffer in buffers]
            self._groups[key] = self._guarded(
                lambda: self._device.create_bind_group(
                    layout=pipeline.get_bind_group_layout(0),
                    entries=[
                        {"binding": number, "resource": {"buffer": buffer, "offset": offset, "size": size}}
                        for number, (buffer, offset, size) in enumerate(entries)
                    ],
                )
            )
        return self._groups[key]

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """What ``work`` returns; a fault of the GPU becomes ``GpuFault``, and the adapter is opened anew next time."""
        import wgpu

        try:
            with self._opened.lock:
                return work()
        except (wgpu.GPUError, RuntimeError, MemoryError) as error:
            _open_adapter.cache_clear()
            raise GpuFault(f"{self.name}: {_one_line(error)}") from error


class Commands:
    """Dispatches in order, each with its parameters."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._dispatches: list[tuple[Any, Any, tuple[int, int]]] = []
        self._stages: list[str] = []
        self._copies: list[tuple[Any, int, Any, int, int]] = []
        self._uniforms = bytearray()

    def dispatch(
        self,
        stage: str,
        params: bytes,
        buffers: Sequence[Any],
        groups: tuple[int, int],
        *,
        parts: int = 1,
        cuts: bool = False,
        codes_16: bool = False,
    ) -> None:
        """Run a stage: ``buffers`` from binding 1 on, ``groups`` workgroups across and down."""
        device = self._device
        pipeline = device._pipeline(stage, parts, cuts, codes_16)
        offset = len(self._uniforms)
        self._uniforms += params.ljust(_UNIFORM_SLOT, b"\0")
        uniform = device.buffer("params", len(self._uniforms), uniform=True)
        group = device._group(pipeline, (uniform, offset, _UNIFORM_SLOT), buffers)
        self._dispatches.append((pipeline, group, groups))
        self._stages.append(stage)
        device.dispatches += 1

    def clear(self, buffer: Any) -> None:
        """Zero a buffer."""
        self._dispatches.append((None, buffer, (0, 0)))

    def copy(self, source: Any, target: Any, size: int, *, at: int = 0, to: int = 0) -> None:
        """Copy bytes after all dispatches, from ``at`` in one buffer to ``to`` in the other."""
        self._copies.append((source, at, target, to, size))

    def submit(self) -> None:
        """Hand all over to the GPU; returns at once."""
        device = self._device
        device._guarded(self._submit)

    def timed_ms(self) -> dict[str, float]:
        """Hand all over to the GPU, each dispatch by itself, and wait: how long it was at each stage, ms, as its own
        clock says. Empty where it has none.
        """
        if not self._device._opened.has_clock:
            return {}
        times: dict[str, float] = {}
        for stage, ns in zip(self._stages, self._device._guarded(self._timed_ns), strict=True):
            times[stage] = times.get(stage, 0.0) + ns / 1e6
        return times

    def _timed_ns(self) -> list[float]:
        import wgpu

        own, count, use = self._device._device, 2 * len(self._stages), wgpu.BufferUsage
        clock = own.create_query_set(type="timestamp", count=count)
        resolved = own.create_buffer(size=8 * count, usage=use.QUERY_RESOLVE | use.COPY_SRC)
        reading = own.create_buffer(size=8 * count, usage=use.MAP_READ | use.COPY_DST)
        own.queue.write_buffer(self._device.buffer("params", 0, uniform=True), 0, bytes(self._uniforms))
        encoder, at = own.create_command_encoder(), 0
        for pipeline, group, groups in self._dispatches:
            if pipeline is None:
                encoder.clear_buffer(group)
                continue
            writes = {"query_set": clock, "beginning_of_pass_write_index": at, "end_of_pass_write_index": at + 1}
            computing = encoder.begin_compute_pass(timestamp_writes=writes)
            computing.set_pipeline(pipeline)
            computing.set_bind_group(0, group)
            computing.dispatch_workgroups(*groups, 1)
            computing.end()
            at += 2
        encoder.resolve_query_set(clock, 0, count, resolved, 0)
        encoder.copy_buffer_to_buffer(resolved, 0, reading, 0, 8 * count)
        own.queue.submit([encoder.finish()])
        reading.map_sync(wgpu.MapMode.READ)
        ticks = np.frombuffer(reading.read_mapped(), np.uint64).reshape(-1, 2)
        reading.unmap()
        for buffer in (resolved, reading):
            buffer.destroy()
        return [float(ns) for ns in ticks[:, 1] - ticks[:, 0]]

    def _submit(self) -> None:
        own = self._device._device
        own.queue.write_buffer(self._device.buffer("params", 0, uniform=True), 0, bytes(self._uniforms))
        encoder = own.create_command_encoder()
        computing = None
        for pipeline, group, groups in self._dispatches:
            if pipeline is None:
                if computing is not None:
                    computing.end()
                    computing = None
                encoder.clear_buffer(group)
                continue
            computing = computing or encoder.begin_compute_pass()
            computing.set_pipeline(pipeline)
            computing.set_bind_group(0, group)
            computing.dispatch_workgroups(*groups, 1)
        if computing is not None:
            computing.end()
        for copied in self._copies:
            encoder.copy_buffer_to_buffer(*copied)
        own.queue.submit([encoder.finish()])


def read_back(
    device: Device,
    buffer: Any,
    size: int,
    take: Callable[[NDArray[np.uint32]], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Let ``take`` copy what a buffer made with ``read`` holds, once the GPU is done with all that was submitted.

    Args:
        device: of the buffer.
        buffer: see there.
        size: how many bytes of it.
        take: called with its words.
        meanwhile: called when the GPU is done and before ``take``, so that it has work while the CPU copies.
    """
    import wgpu

    def work() -> None:
        buffer.map_sync(wgpu.MapMode.READ, 0, size)
        try:
            meanwhile()
            take(np.frombuffer(buffer.read_mapped(0, size, copy=False), np.uint32))
        finally:
            buffer.unmap()

    device._guarded(work)


def may_be_there() -> bool:
    """Whether there may be a GPU; told without the graphics libraries, which take a third of a second to load."""
    if sys.platform != "linux":
        return True
    return any(next(Path("/dev").glob(files), None) for files in _DEVICE_FILES)


@lru_cache(maxsize=1)
def _instance() -> Any:
    with require_extra("--device gpu", "gpu"):
        import wgpu
        from wgpu.backends.wgpu_native.extras import set_instance_extras
    # This makes the instance, with the layers that it will have.
    set_instance_extras(backends=["Vulkan", "Metal", "DX12"])  # OpenGL computes too, but not all that is needed
    return wgpu.gpu


def adapters() -> list[Any]:
    """The adapters of this machine, the fastest first.

    Raises:
        InputError: the package ``wgpu`` is missing.
        GpuFault: the system's graphics libraries cannot be loaded.
    """
    with _without_display():
        gpu = _instance()
        try:
            found = gpu.enumerate_adapters_sync()
        except Exception as error:
            raise GpuFault(f"the graphics drivers cannot be asked: {_one_line(error)}") from error
    order = ("DiscreteGPU", "IntegratedGPU", "VirtualGPU", "Unknown", "CPU")
    return sorted(found, key=lambda adapter: order.index(_kind(adapter)))


@contextmanager
def _without_display() -> Iterator[None]:
    """Where nobody has a display, Mesa's layer that chooses the GPU by it is left out: it asks for one nonetheless, and
    the system's library complains on the terminal, once for each of its questions, about ``XDG_RUNTIME_DIR``.
    """
    has_display = os.environ.get("XDG_RUNTIME_DIR", "").startswith("/")
    if has_display or _LEAVES_OUT_MESAS_CHOICE in os.environ:
        yield
        return
    os.environ[_LEAVES_OUT_MESAS_CHOICE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_LEAVES_OUT_MESAS_CHOICE, None)


def open_device(*, software: bool) -> Device:
    """The fastest adapter, opened.

    Args:
        software: whether a processor may stand in for a GPU.

    Raises:
        InputError: the package ``wgpu`` is missing.
        GpuFault: there is none, or it cannot be opened.
    """
    if not _usable(software):
        names = ", ".join(str(name_of(adapter)) for adapter in adapters())
        raise GpuFault(f"there is no GPU here{f', only {names}' if names else ''}", is_absence=True)
    return Device(_open_adapter(software))


@lru_cache(maxsize=2)
def _open_adapter(software: bool) -> Opened:
    return Opened(_usable(software)[0])


def _usable(software: bool) -> list[Any]:
    return [adapter for adapter in adapters() if software or not name_of(adapter).is_software]


def _kind(adapter: Any) -> str:
    kind = str(adapter.info.get("adapter_type", "Unknown"))
    return kind if kind in ("DiscreteGPU", "IntegratedGPU", "VirtualGPU", "CPU") else "Unknown"


def name_of(adapter: Any) -> AdapterName:
    """What a person calls an adapter of ``adapters``."""
    info = adapter.info
    return AdapterName(
        device=str(info.get("device") or "unnamed adapter"),
        driver=f"{info.get('vendor', '')} {info.get('description', '')}".strip(),
        backend=str(info.get("backend_type", "")),
        is_software=_kind(adapter) == "CPU",
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
