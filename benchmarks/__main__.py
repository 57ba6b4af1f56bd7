"""Measure and print: ``python -m benchmarks``, or ``make bench``."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from any2bokeh.heap import keep_freed_memory
from benchmarks import degraded, disparity, end_to_end, gpu, layered, looks, memory, quality, scaling, stages, studio
from benchmarks.machine import Machine
from benchmarks.scenes import THIN_LENS_FOLDER, demo_scene, thin_lens_scenes


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        size: width and height for the renderer alone and for the whole path.
        blur_strength: K there.
        rounds: how often every frame is rendered by every method.
        demo_frames, thin_lens_frames: of each scene, for the renderer alone.
        sizes, blur_strengths: for growth.
        scaling_frames, scaling_rounds: the same for growth.
        clip_frames, clip_rounds: length of the clip for the whole path, and how often it is refocused.
        stage_frames, stage_rounds: the same for its stages, each alone.
        disparity_size, disparity_frames, disparity_rounds: for the stages before rendering.
        disparity_models: whether depth models are among them.
        quality_frames: of each scene; None = all.
        memory_size, memory_lengths: clips whose peak memory is compared.
        studio_size, studio_frames: the clip that the studio opens.
        gpu_sizes, gpu_strengths, gpu_frames: for the GPU beside the CPU.
        gpu_most_s: after which nothing more of that is begun.
    """

    size: tuple[int, int] = (1024, 576)
    blur_strength: float = 16.0
    rounds: int = 2
    demo_frames: int = 18
    thin_lens_frames: int = 8
    sizes: Sequence[tuple[int, int]] = ((512, 288), (1024, 576), (2048, 1152))
    blur_strengths: Sequence[float] = (4.0, 8.0, 16.0, 32.0, 64.0)
    scaling_frames: int = 6
    scaling_rounds: int = 2
    clip_frames: int = 72
    clip_rounds: int = 3
    stage_frames: int = 24
    stage_rounds: int = 2
    disparity_size: tuple[int, int] = (960, 540)
    disparity_frames: int = 24
    disparity_rounds: int = 2
    disparity_models: bool = True
    quality_frames: int | None = None
    memory_size: tuple[int, int] = (1920, 1080)
    memory_lengths: Sequence[int] = (100, 600)
    studio_size: tuple[int, int] = (1920, 1080)
    studio_frames: int = 480
    gpu_sizes: Sequence[tuple[int, int]] = ((960, 540), (1920, 1080), (3840, 2160))
    gpu_strengths: Sequence[float] = (8.0, 16.0, 64.0)
    gpu_frames: int = 12
    gpu_most_s: float = 900.0


QUICK = Plan(
    size=(128, 72),
    rounds=1,
    demo_frames=2,
    thin_lens_frames=1,
    sizes=((64, 36), (128, 72), (256, 144)),
    blur_strengths=(4.0, 8.0, 16.0),
    scaling_frames=1,
    scaling_rounds=1,
    clip_frames=6,
    clip_rounds=1,
    stage_frames=8,
    stage_rounds=1,
    disparity_size=(128, 72),
    disparity_frames=4,
    disparity_rounds=1,
    disparity_models=False,
    quality_frames=2,
    memory_size=(320, 180),
    memory_lengths=(8, 16),
    studio_size=(128, 72),
    studio_frames=48,
    gpu_sizes=((96, 54),),
    gpu_strengths=(16.0,),
    gpu_frames=2,
)
"""Tiny: shows that everything works, and measures nothing."""

Section = Callable[[Plan, int, Path], tuple[Any, str]]


def _layered(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scenes = [
        demo_scene(plan.size, frames=plan.demo_frames, blur_strength=plan.blur_strength),
        *thin_lens_scenes(thin_lens, plan.size, blur_strength=plan.blur_strength, frames=plan.thin_lens_frames),
    ]
    results = [layered.measure(scene, rounds=plan.rounds, threads=threads) for scene in scenes]
    return [asdict(result) for result in results], layered.report(results)


def _looks(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scene = demo_scene(plan.size, frames=plan.scaling_frames, blur_strength=plan.blur_strength)
    costs = looks.measure(scene, rounds=plan.scaling_rounds, threads=threads)
    return {name: asdict(cost) for name, cost in costs.items()}, looks.report(costs)


def _scaling(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    result = scaling.measure(
        plan.sizes,
        plan.blur_strengths,
        size=plan.size,
        blur_strength=plan.blur_strength,
        frames=plan.scaling_frames,
        rounds=plan.scaling_rounds,
        threads=threads,
    )
    return asdict(result), scaling.report(result)


def _end_to_end(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scene = demo_scene(plan.size, frames=plan.clip_frames, blur_strength=plan.blur_strength)
    with tempfile.TemporaryDirectory() as folder:
        result = end_to_end.measure(scene, Path(folder), rounds=plan.clip_rounds, threads=threads)
    return asdict(result), end_to_end.report(result)


def _stages(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scene = demo_scene(plan.size, frames=plan.stage_frames, blur_strength=plan.blur_strength, from_start=True)
    with tempfile.TemporaryDirectory() as folder:
        costs = stages.measure(scene, Path(folder), rounds=plan.stage_rounds, threads=threads)
    return [asdict(cost) for cost in costs], stages.report(costs)


def _disparity(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scene = demo_scene(plan.disparity_size, frames=plan.disparity_frames, blur_strength=plan.blur_strength)
    results = disparity.measure(scene, rounds=plan.disparity_rounds, with_models=plan.disparity_models)
    return [asdict(result) for result in results], disparity.report(results)


def _quality(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scores = quality.measure(thin_lens, frames=plan.quality_frames, threads=threads)
    return [asdict(score) for score in scores], quality.report(scores)


def _degraded(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    scores = degraded.measure(thin_lens, frames=plan.quality_frames, threads=threads)
    return [asdict(score) for score in scores], degraded.report(scores)


def _memory(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    with tempfile.TemporaryDirectory() as folder:
        peaks = memory.measure(Path(folder), size=plan.memory_size, lengths=plan.memory_lengths)
    return [asdict(peak) for peak in peaks], memory.report(peaks)


def _studio(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    with tempfile.TemporaryDirectory() as folder:
        cost = studio.measure(Path(folder), size=plan.studio_size, frames=plan.studio_frames)
    return asdict(cost), studio.report(cost)


def _gpu(plan: Plan, threads: int, thin_lens: Path) -> tuple[Any, str]:
    with tempfile.TemporaryDirectory() as folder:
        result = gpu.measure(
            plan.gpu_sizes,
            plan.gpu_strengths,
            Path(folder),
            frames=plan.gpu_frames,
            threads=threads,
            most_s=plan.gpu_most_s,
        )
    return asdict(result), gpu.report(result)


SECTIONS: dict[str, tuple[str, Section]] = {
    "layered": ("The renderer alone, {0[0]}x{0[1]}, K = {1:g}, {2} threads", _layered),
    "looks": ("Looks of the lens, {0[0]}x{0[1]}, K = {1:g}, {2} threads", _looks),
    "scaling": ("Growth of the renderer's cost, {2} threads", _scaling),
    "end_to_end": ("H.264 to H.264, {0[0]}x{0[1]}, K = {1:g}, {2} threads", _end_to_end),
    "stages": ("Stages of the whole path, {0[0]}x{0[1]}, K = {1:g}, {2} threads", _stages),
    "disparity": ("Before rendering: disparity and focus, {3[0]}x{3[1]}, on all cores", _disparity),
    "quality": ("Against path-traced thin-lens clips", _quality),
    "degraded": ("Against path-traced thin-lens clips, with exact and with spoilt disparity", _degraded),
    "memory": ("Peak memory", _memory),
    "studio": ("The studio: opening a clip of {4[0]}x{4[1]}, and jumping in it", _studio),
    "gpu": ("The layered engine on a GPU and on {2} threads", _gpu),
}
_ALWAYS = ("layered", "looks", "scaling", "end_to_end", "stages", "disparity")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments ask for, print it, and write it to a JSON file where one is given."""
    keep_freed_memory()  # as a run does
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed of the layered engine, of its looks and its growth, of the whole path and its stages, and "
        "of what comes before it; about nine minutes on two cores. Processor times hold on a busy machine too, "
        "wall-clock times only on a quiet one.",
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="measure just these")
    parser.add_argument("--quality", action="store_true", help="also score against the path-traced clips")
    parser.add_argument("--degraded", action="store_true", help="the same with spoilt disparity")
    parser.add_argument("--memory", action="store_true", help="also compare peak memory at 1080p (some minutes)")
    parser.add_argument("--studio", action="store_true", help="also time the studio on a clip of 1080p")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works, not how fast")
    parser.add_argument("--threads", type=int, default=2, help="of the renderer and the baselines (default 2)")
    parser.add_argument("--thin-lens", type=Path, default=THIN_LENS_FOLDER, help="folder of the path-traced clips")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    options = parser.parse_args(arguments)

    plan = QUICK if options.quick else Plan()
    extra = [name for name in ("quality", "degraded", "memory", "studio") if getattr(options, name)]
    machine = Machine.here()
    print(machine.report())
    results: dict[str, Any] = {"machine": asdict(machine), "plan": asdict(plan), "threads": options.threads}
    for name in options.only or [*_ALWAYS, *extra]:
        title, section = SECTIONS[name]
        began = time.perf_counter()
        result, text = section(plan, options.threads, options.thin_lens)
        results[name] = result
        title = title.format(plan.size, plan.blur_strength, options.threads, plan.disparity_size, plan.studio_size)
        print(f"\n{title} ({time.perf_counter() - began:.0f} s)\n\n{text}", flush=True)
        if options.json:  # after each, so that a long run that is broken off keeps what it has
            options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
