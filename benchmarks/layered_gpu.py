"""The layered engine on a GPU and on the CPU, in one run: ``python -m benchmarks.layered_gpu``.

Needs numpy, numba, OpenCV and ``wgpu``, but neither PyAV nor OpenImageIO: a bare machine with a GPU has no more.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from any2bokeh.optics.aperture import ImageAperture, Polygon
from any2bokeh.optics.profile import BokehProfile
from any2bokeh.optics.vignetting import Vignetting
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.gpu.device import Device, GpuFault, open_device
from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer
from any2bokeh.renderers.layered.gpu.self_test import EVERYTHING, Need, worst_differences
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from any2bokeh.renderers.layered.workers import available_cores
from benchmarks.table import table

SIZES = ((1024, 1024), (960, 540), (1920, 1080), (3840, 2160))
STRENGTHS = (16.0, 8.0, 64.0)
FOCUS = 0.55


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the GPU's picture is from the CPU's.

    Attributes:
        look: what the lens does.
        mean_codes: of 255.
        wrong_share: of pixels more than 4 codes off, of 1.
    """

    look: str
    mean_codes: float
    wrong_share: float


@dataclass(frozen=True, slots=True)
class Speed:
    """What a frame costs, ms, medians.

    Attributes:
        width, height, blur_strength: of the frames.
        gpu_ms: the GPU alone, layers and light: the frame is on it, and the picture stays there.
        layers_ms, upload_ms, wait_ms: of one frame by itself: what the CPU has to do before; the frame goes over and
            stages are submitted; the picture is waited for and read back.
        engine_ms: a frame of a stream, in which the CPU and the GPU work side by side.
        cpu_ms: the same by the CPU alone; None = not measured.
        held_mib: buffers on the device.
        sent_mib, read_mib: that go over for a frame, and come back.
        dispatches: of stages, for a frame.
        stages_ms: how long the GPU is at each stage, as its own clock says; nothing where it has none.
    """

    width: int
    height: int
    blur_strength: float
    gpu_ms: float
    layers_ms: float
    upload_ms: float
    wait_ms: float
    engine_ms: float
    cpu_ms: float | None
    held_mib: float
    sent_mib: float
    read_mib: float
    dispatches: int
    stages_ms: dict[str, float]


def frame_of(width: int, height: int, blur_strength: float, seed: int = 0) -> RenderInput:
    """A made-up picture: a slope, and before it five surfaces with edges, all with detail of several sizes."""
    rng = np.random.default_rng(seed)
    pixels = np.full((3, height, width), 0.45, np.float32)
    for side, share in ((64, 0.5), (16, 0.3), (4, 0.2), (1, 0.1)):
        coarse = rng.uniform(-share, share, (3, height // side + 2, width // side + 2)).astype(np.float32)
        pixels += np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in coarse])
    y, x = np.mgrid[:height, :width].astype(np.float32)
    disparity = 0.05 + 0.2 * y / height
    for _ in range(5):
        across, down, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.1, 0.35) * height
        inside = (y - down) ** 2 + (x - across) ** 2 * rng.uniform(0.3, 2) < radius**2
        disparity[inside] = np.clip(rng.uniform(0.1, 1) + 0.1 * (x[inside] - across) / width, 0, 1)
    return RenderInput(np.clip(pixels, 0, 1), disparity[None].astype(np.float32), FOCUS, blur_strength)


def with_lamps(frame: RenderInput) -> RenderInput:
    """The same in the dark, with a lamp on every 400th pixel or so."""
    rng = np.random.default_rng(1)
    lit = rng.uniform(size=frame.pixels.shape[1:]) < 1 / 400
    light = np.where(lit, rng.uniform(1, 30, frame.pixels.shape), 0.03 * frame.pixels)
    return replace(frame, pixels=light.astype(np.float32))


def looks() -> dict[str, dict[str, Any]]:
    """Arguments of the engine for every kind of look."""
    mask = np.zeros((48, 48), np.float32)
    mask[6:42, 6:24], mask[12:18, 24:42] = 1, 0.5
    return {
        "disc": {},
        "six blades": {"aperture": Polygon(6, 0.2, 10)},
        "anamorphic": {"aperture": Polygon(8, 1.0, 0.0, 0.5)},
        "picture": {"aperture": ImageAperture(mask)},
        "profile": {"profile": BokehProfile(spherical=0.6, softness=0.2, onion_rings=0.3)},
        "cat's eye": {"vignetting": Vignetting(0.8, 0.4)},
        "axial": {"axial_chromatic": 0.05},
        "linear": {"transfer": "linear"},
        "none": {"transfer": "none"},
        "pq": {"transfer": "pq"},
    }


def differences(device: Device, *, size: tuple[int, int], blur_strength: float, until: float) -> Iterator[Difference]:
    """Of every look, on a picture of ``size``, while there is time."""
    plain = frame_of(*size, blur_strength)
    for name, arguments in {**looks(), "lamps": {"transfer": "linear"}}.items():
        if time.perf_counter() > until:
            return
        frame = with_lamps(plain) if name == "lamps" else plain
        right = LayeredRenderer(**arguments).render_frame(frame)
        found = GpuRenderer(lambda: device, raises=True, **arguments).render_frame(frame)
        apart = np.abs(found - right) * 255
        yield Difference(name, float(apart.mean()), float((apart.max(axis=0) > 4).mean()))


def speed_of(device: Device, size: tuple[int, int], blur_strength: float, *, frames: int, with_cpu: bool) -> Speed:
    """The cost of a frame."""
    device.close()  # so that what it holds is that of these frames
    frame = frame_of(*size, blur_strength)
    renderer = GpuRenderer(lambda: device, raises=True)
    renderer.render_frame(frame)  # compiles
    job = renderer.job_of(frame)
    before = device.sent_bytes, device.dispatches
    submitted = renderer.passes.submit(job)
    sent_bytes, dispatches = device.sent_bytes - before[0], device.dispatches - before[1]
    read_bytes = sum(size for _, _, size in submitted)
    renderer.passes.finished(job, submitted)
    layers_s, upload_s, wait_s, gpu_s = [], [], [], []
    for _ in range(3):
        began = time.perf_counter()
        job = renderer.job_of(frame)
        made = time.perf_counter()
        submitted = renderer.passes.submit(job)
        handed = time.perf_counter()
        renderer.passes.finished(job, submitted)
        layers_s.append(made - began)
        upload_s.append(handed - made)
        wait_s.append(time.perf_counter() - handed)
    for _ in range(3):
        gpu_s.append(renderer.passes.seconds_of(job))
    stages_ms = renderer.passes.stages_ms(job)
    began = time.perf_counter()
    for _ in renderer.render([frame] * frames):
        pass
    engine_s = (time.perf_counter() - began) / frames
    cpu_ms = None
    if with_cpu:
        cpu = LayeredRenderer()
        cpu.render_frame(frame)
        began = time.perf_counter()
        for _ in range(2):
            cpu.render_frame(frame)
        cpu_ms = 500 * (time.perf_counter() - began)
    gpu_ms, layers_ms, upload_ms, wait_ms = (
        1e3 * float(np.median(seconds)) for seconds in (gpu_s, layers_s, upload_s, wait_s)
    )
    return Speed(
        *size,
        blur_strength,
        gpu_ms=gpu_ms,
        layers_ms=layers_ms,
        upload_ms=upload_ms,
        wait_ms=wait_ms,
        engine_ms=1e3 * engine_s,
        cpu_ms=cpu_ms,
        held_mib=device.held_bytes / 2**20,
        sent_mib=sent_bytes / 2**20,
        read_mib=read_bytes / 2**20,
        dispatches=dispatches,
        stages_ms=stages_ms,
    )


def report(adapter: str, tests: Sequence[Difference], speeds: Sequence[Speed]) -> str:
    """Both as tables."""
    rows = [[each.look, f"{each.mean_codes:.3f}", f"{100 * each.wrong_share:.3f} %"] for each in tests]
    text = f"{adapter}\n\n" + table(["look", "mean difference, codes of 255", "more than 4 codes off"], rows)
    rows = [
        [
            f"{each.width}x{each.height}",
            f"{each.blur_strength:g}",
            f"{each.gpu_ms:.2f}",
            f"{each.layers_ms:.1f}",
            f"{each.upload_ms:.1f}",
            f"{each.wait_ms:.1f}",
            f"{each.engine_ms:.1f}",
            f"{1e3 / each.engine_ms:.1f}",
            "-" if each.cpu_ms is None else f"{each.cpu_ms:.0f}",
            f"{each.held_mib:.0f}",
            f"{each.sent_mib:.1f}",
            f"{each.read_mib:.1f}",
            f"{each.dispatches}",
        ]
        for each in speeds
    ]
    heads = [
        "size",
        "K",
        "GPU alone, ms",
        "before",
        "upload",
        "wait",
        "engine, ms",
        "frames/s",
        "CPU, ms",
        "MiB",
        "MiB sent",
        "read",
        "dispatches",
    ]
    text += f"\n\n{table(heads, rows)}"
    stages = list(dict.fromkeys(stage for each in speeds for stage in each.stages_ms))
    rows = [
        [
            f"{each.width}x{each.height}",
            f"{each.blur_strength:g}",
            *(f"{each.stages_ms.get(stage, 0):.2f}" for stage in stages),
            f"{sum(each.stages_ms.values()):.2f}",
        ]
        for each in speeds
    ]
    return f"{text}\n\nstages, ms\n{table(['size', 'K', *stages, 'sum'], rows)}" if stages else text


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure while there is time; print, and keep as JSON after each step."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layered_gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for layered_gpu.json and .txt")
    parser.add_argument("--minutes", type=float, default=3.0, help="after which no further step begins (default 3)")
    parser.add_argument("--tiny", action="store_true", help="small frames: whether it works, not how fast")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    until = began + 60 * options.minutes
    try:
        device = open_device(software=True)
    except GpuFault as fault:
        raise SystemExit(f"no measurement: {fault}") from fault
    about: dict[str, Any] = {"adapter": str(device.name), "driver": device.name.driver, "cores": available_cores()}
    print(f"{device.name}, {device.name.driver}; {about['cores']} cores beside it", flush=True)
    tests: list[Difference] = []
    speeds: list[Speed] = []

    def keep() -> None:
        result = {**about, "differences": [asdict(each) for each in tests], "speeds": [asdict(each) for each in speeds]}
        (options.out / "layered_gpu.json").write_text(json.dumps(result, indent=1) + "\n")
        (options.out / "layered_gpu.txt").write_text(report(str(device.name), tests, speeds) + "\n")

    worst_differences(device, Need())
    stages, compiling_s = device.compiled
    about |= {"first_start_s": time.perf_counter() - began, "compiling_s": compiling_s}
    print(f"first start: {about['first_start_s']:.0f} s, {compiling_s:.1f} of them for {stages} stages", flush=True)
    mean, wrong = worst_differences(device, *EVERYTHING)
    tests.append(Difference("self-test", mean, wrong))
    keep()
    print(f"self-test: mean {mean:.3f} codes, {wrong:.2%} wrong ({time.perf_counter() - began:.0f} s)", flush=True)
    sizes = ((160, 96), (96, 64)) if options.tiny else SIZES
    for blur_strength in STRENGTHS:
        for size in sizes:
            if time.perf_counter() > until - 20:
                continue
            try:
                with_cpu = size[0] < 3000 and blur_strength <= 16
                speed = speed_of(device, size, blur_strength, frames=2 if options.tiny else 10, with_cpu=with_cpu)
            except GpuFault as fault:
                print(f"{size[0]}x{size[1]}, K = {blur_strength:g}: {fault}", flush=True)
                continue
            speeds.append(speed)
            keep()
            print(f"{speed} ({time.perf_counter() - began:.0f} s)", flush=True)
    tested = (128, 80) if options.tiny else (640, 360)
    for each in differences(device, size=tested, blur_strength=60.0, until=until):
        tests.append(each)
        keep()
        print(each, flush=True)
    print("\n" + report(str(device.name), tests, speeds), flush=True)


if __name__ == "__main__":
    main()
