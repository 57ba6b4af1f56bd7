"""The GPU beside the CPU, on the demo clip: the engine alone, and the whole path from file to file."""

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
        rates: of all sizes and strengths.
    """

    adapter: str
    rates: Sequence[Rates]


def measure(
    sizes: Sequence[tuple[int, int]], strengths: Sequence[float], folder: Path, *, frames: int, threads: int
) -> GpuRates:
    """Rates at every size and strength; none where there is no adapter."""
    from any2bokeh.errors import InputError
    from any2bokeh.renderers.layered.gpu.device import GpuFault

    try:
        device = open_device(software=True)
    except (GpuFault, InputError) as fault:
        return GpuRates(f"no measurement: {fault}", [])
    return GpuRates(
        str(device.name),
        [_rates(size, strength, folder, frames=frames, threads=threads) for size in sizes for strength in strengths],
    )


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
    heads = ["size", "K", "engine, GPU", "CPU", "whole path, GPU", "CPU", "mean difference", "> 4 codes off"]
    return f"{result.adapter}; frames a second\n\n{table(heads, rows)}" if rows else result.adapter
