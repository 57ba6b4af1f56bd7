"""The GPU beside the CPU, on the demo clip: the engine alone, and the whole path from file to file."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.layered.gpu.device import open_device
from any2bokeh.renderers.layered.gpu.renderer import GpuRenderer
from any2bokeh.renderers.layered.renderer import LayeredRenderer
from benchmarks.end_to_end import write_clip
from benchmarks.scenes import demo_scene
from benchmarks.table import table
from benchmarks.timing import timed


@dataclass(frozen=True, slots=True)
class Rates:
    """Frames a second, and how far the pictures are apart.

    Attributes:
        width, height, blur_strength: of the frames.
        engine_gpu, engine_cpu: of the engine alone, everything in memory.
        path_gpu, path_cpu: from an H.264 file to an H.264 file.
        mean_codes: mean difference of the two pictures, of 255.
        wrong_share: of pixels more than 4 codes off, of 1.
    """

    width: int
    height: int
    blur_strength: float
    engine_gpu: float
    engine_cpu: float
    path_gpu: float
    path_cpu: float
    mean_codes: float
    wrong_share: float


@dataclass(frozen=True, slots=True)
class GpuRates:
    """What was measured on an adapter.

    Attributes:
        adapter: its name; where there is none, why not.
        rates: of all sizes and strengths that there was time for.
        skipped: width, height and strength of the others.
    """

    adapter: str
    rates: Sequence[Rates]
    skipped: Sequence[tuple[int, int, float]] = ()


def measure(
    sizes: Sequence[tuple[int, int]],
    strengths: Sequence[float],
    folder: Path,
    *,
    frames: int,
    threads: int,
    most_s: float,
) -> GpuRates:
    """Rates at every size and strength; none where there is no adapter.

    A size and strength is left out if, by what the ones before cost a pixel, it would end after ``most_s``.
    """
    from any2bokeh.errors import InputError
    from any2bokeh.renderers.layered.gpu.device import GpuFault

    try:
        device = open_device(software=True)
    except (GpuFault, InputError) as fault:
        return GpuRates(f"no measurement: {fault}", [])
    rates: list[Rates] = []
    skipped: list[tuple[int, int, float]] = []
    began, dearest_s = time.perf_counter(), 0.0  # a pixel
    for width, height in sizes:
        for strength in strengths:
            started = time.perf_counter()
            if started - began + dearest_s * width * height > most_s:
                skipped.append((width, height, strength))
                continue
            rates.append(_rates((width, height), strength, folder, frames=frames, threads=threads))
            dearest_s = max(dearest_s, (time.perf_counter() - started) / (width * height))
    return GpuRates(str(device.name), rates, skipped)


def _rates(size: tuple[int, int], strength: float, folder: Path, *, frames: int, threads: int) -> Rates:
    scene = demo_scene(size, frames=frames, blur_strength=strength)
    count = len(scene.inputs)
    clip = write_clip(folder / "clip.mp4", (frame.pixels for frame in scene.inputs))
    maps = folder / "disparity.npy"
    np.save(maps, np.stack([frame.disparity for frame in scene.inputs]))
    script = FocusScript.from_dense([frame.focus_disparity for frame in scene.inputs], [strength] * count)
    recipe, target = Recipe(focus=script, disparity=maps), folder / "result.mp4"
    renderers = {
        "gpu": GpuRenderer(lambda: open_device(software=True), raises=True, threads=threads),
        "cpu": LayeredRenderer(threads=threads),
    }
    engine, path, pictures = {}, {}, {}
    for name, renderer in renderers.items():
        pictures[name] = renderer.render_frame(scene.inputs[0])  # compiles
        engine[name] = count / timed(lambda renderer=renderer: list(renderer.render(iter(scene.inputs))))[0]
        job = lambda renderer=renderer: refocus(clip, target, recipe, renderer=renderer, overwrite=True)  # noqa: E731
        path[name] = count / timed(job)[0]
    apart = np.abs(pictures["gpu"] - pictures["cpu"]) * 255
    return Rates(
        *size,
        strength,
        engine_gpu=engine["gpu"],
        engine_cpu=engine["cpu"],
        path_gpu=path["gpu"],
        path_cpu=path["cpu"],
        mean_codes=float(apart.mean()),
        wrong_share=float((apart.max(axis=0) > 4).mean()),
    )


def report(result: GpuRates) -> str:
    """A table of all rates."""
    rows = [
        [
            f"{each.width}x{each.height}",
            f"{each.blur_strength:g}",
            f"{each.engine_gpu:.1f}",
            f"{each.engine_cpu:.1f}",
            f"{each.path_gpu:.1f}",
            f"{each.path_cpu:.1f}",
            f"{each.mean_codes:.3f}",
            f"{100 * each.wrong_share:.3f} %",
        ]
        for each in result.rates
    ]
    left_out = ", ".join(f"{width}x{height} at K = {strength:g}" for width, height, strength in result.skipped)
    heads = ["size", "K", "engine, GPU", "CPU", "whole path, GPU", "CPU", "mean difference", "> 4 codes off"]
    text = f"{result.adapter}; frames a second\n\n{table(heads, rows)}" if rows else result.adapter
    return f"{text}\n\nno time for {left_out}" if left_out else text
