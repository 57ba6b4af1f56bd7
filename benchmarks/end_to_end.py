"""From H.264 to H.264: how much of the renderer's own rate is left when the clip is decoded and encoded beside it."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import open_disparity, upsample
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.video import open_sink, open_source
from benchmarks.scenes import Scene
from benchmarks.table import table
from benchmarks.timing import Cost, timed

TARGET = 0.85
"""Of the renderer's own rate."""

_FPS = 24


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Costs of a frame from file to file.

    Attributes:
        frames: length of the clip.
        renderer: cost of a frame of it in the renderer alone, everything in memory.
        whole: cost of a frame from file to file, for each kind of disparity file.
        fraction: rate from file to file over the renderer's own, median over rounds.
        cpu_fraction: processor time of the renderer alone over that of the whole: the fraction where the renderer
            alone keeps every core busy. Where it does not, the rest of the path runs in its gaps.
        stages: processor ms a frame of decoding, disparity, rendering and encoding, each alone; the rest of ``whole``
            is what they cost one another.
    """

    frames: int
    renderer: Cost
    whole: Mapping[str, Cost]
    fraction: Mapping[str, float]
    cpu_fraction: Mapping[str, float]
    stages: Mapping[str, Mapping[str, float]]


def measure(scene: Scene, folder: Path, *, rounds: int, threads: int) -> EndToEnd:
    """Refocus the scene's frames as a clip in ``folder``, and render the same frames alone, in turn."""
    frame_count = len(scene.inputs)
    clip = write_clip(folder / "clip.mp4", (frame.pixels for frame in scene.inputs))
    maps = {kind: write(folder, scene.inputs) for kind, write in _DISPARITY_KINDS.items()}
    focus = [frame.focus_disparity for frame in scene.inputs]
    script = FocusScript.from_dense(focus, [frame.blur_strength for frame in scene.inputs])
    inputs = _decoded(clip, maps["npy"], script_of=scene.inputs)
    alone = LayeredRenderer(threads=threads)

    def render() -> None:
        for frame in inputs:
            alone.render_frame(frame)

    def refocus_clip(disparity: Path) -> Callable[[], object]:
        renderer = LayeredRenderer(threads=threads)
        target = folder / "result.mp4"
        return lambda: refocus(
            clip, target, Recipe(focus=script, disparity=disparity), renderer=renderer, overwrite=True
        )

    jobs = {"renderer": render, **{kind: refocus_clip(path) for kind, path in maps.items()}}
    alone.render_frame(inputs[0])
    jobs["npy"]()
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            samples[name].append(timed(job))
    costs = {name: Cost.of(*zip(*pairs, strict=True), frames=frame_count) for name, pairs in samples.items()}

    def ratio(kind: str, which: int) -> float:
        pairs = zip(samples["renderer"], samples[kind], strict=True)
        return statistics.median(own[which] / whole[which] for own, whole in pairs)

    return EndToEnd(
        frame_count,
        costs["renderer"],
        {kind: costs[kind] for kind in maps},
        {kind: ratio(kind, 0) for kind in maps},
        {kind: ratio(kind, 1) for kind in maps},
        _stages(clip, maps, inputs, folder / "stage.mp4", alone, costs["renderer"]),
    )


def _decoded(clip: Path, disparity: Path, *, script_of: list[RenderInput]) -> list[RenderInput]:
    """What the renderer gets of a clip, in memory."""
    with open_source(clip) as source, closing(open_disparity(disparity, clip_frame_count=len(script_of))) as maps:
        return [
            RenderInput(frame.pixels, depth_map, lens.focus_disparity, lens.blur_strength)
            for frame, depth_map, lens in zip(source.frames(), maps.frames(), script_of, strict=True)
        ]


def _stages(
    clip: Path,
    maps: Mapping[str, Path],
    inputs: list[RenderInput],
    target: Path,
    renderer: LayeredRenderer,
    render_cost: Cost,
) -> dict[str, dict[str, float]]:
    """Processor ms a frame of each stage alone."""
    count = len(inputs)

    def cpu_ms(job: Callable[[], object], frames: int) -> float:
        return min(timed(job)[1] for _ in range(2)) * 1e3 / frames

    def decode() -> None:
        with open_source(clip) as source:
            for _ in source.frames():
                pass

    def read(path: Path) -> Callable[[], object]:
        def job() -> None:
            with closing(open_disparity(path, clip_frame_count=count)) as disparity:
                for depth_map, frame in zip(disparity.frames(), inputs, strict=True):
                    upsample(depth_map, frame.pixels)

        return job

    # The encoder's cost is that of blurred pictures; half of them bounds the memory.
    part = -(-count // 2)
    with open_source(clip) as source:
        frames = list(source.frames(0, part))
    blurred = [renderer.render_frame(frame) for frame in inputs[:part]]

    def encode() -> None:
        with open_source(clip) as source, open_sink(target, source, stop=part, overwrite=True) as sink:
            for frame, pixels in zip(frames, blurred, strict=True):
                sink.write(frame, pixels)

    shared = {"decode": cpu_ms(decode, count), "render": render_cost.cpu_ms, "encode": cpu_ms(encode, part)}
    return {
        kind: {
            "decode": shared["decode"],
            "disparity": cpu_ms(read(path), count),
            "render": shared["render"],
            "encode": shared["encode"],
        }
        for kind, path in maps.items()
    }


def write_clip(path: Path, pictures: Iterable[NDArray[np.float32]], *, preset: str = "medium") -> Path:
    """An H.264 file, 8-bit 4:2:0, of ``(3, H, W)`` pictures."""
    return _write_video(
        path,
        (
            av.VideoFrame.from_ndarray(
                np.rint(np.ascontiguousarray(pixels.transpose(1, 2, 0)) * 255).astype(np.uint8), format="rgb24"
            )
            for pixels in pictures
        ),
        {"crf": "18", "preset": preset},
    )


def _write_video(path: Path, pictures: Iterable[av.VideoFrame], options: dict[str, str]) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = None
        for index, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream("libx264", rate=_FPS, options=options)
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
            picture.pts, picture.time_base = index, Fraction(1, _FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _write_npy(folder: Path, inputs: list[RenderInput]) -> Path:
    path = folder / "disparity.npy"
    np.save(path, np.stack([frame.disparity for frame in inputs]))
    return path


def _write_pictures(folder: Path, inputs: list[RenderInput]) -> Path:
    path = folder / "disparity"
    path.mkdir(exist_ok=True)
    for index, frame in enumerate(inputs):
        cv2.imwrite(str(path / f"{index:05d}.png"), np.rint(frame.disparity[0] * 65535).astype(np.uint16))
    return path


def _write_grey_video(folder: Path, inputs: list[RenderInput]) -> Path:
    pictures = (
        av.VideoFrame.from_ndarray(np.rint(frame.disparity[0] * 255).astype(np.uint8), format="gray")
        for frame in inputs
    )
    return _write_video(folder / "disparity.mp4", pictures, {"crf": "12"})


# How people keep disparity: as arrays, as 16-bit pictures, and as the grey video that depth models write.
_DISPARITY_KINDS: dict[str, Callable[[Path, list[RenderInput]], Path]] = {
    "npy": _write_npy,
    "video": _write_grey_video,
    "png16": _write_pictures,
}


def report(result: EndToEnd) -> str:
    """A table of rates, one of where the processor's time goes, and the target."""
    own = result.renderer
    rates = [
        ["renderer alone", f"{own.median_ms:.1f}", f"{own.iqr_ms:.1f}", f"{own.min_ms:.1f}", f"{own.cpu_ms:.1f}",
         f"{own.frames_per_s:.1f}", "", ""]
    ]  # fmt: skip
    for kind, cost in result.whole.items():
        rates.append(
            [f"file to file, disparity {kind}", f"{cost.median_ms:.1f}", f"{cost.iqr_ms:.1f}", f"{cost.min_ms:.1f}",
             f"{cost.cpu_ms:.1f}", f"{cost.frames_per_s:.1f}", f"{result.fraction[kind]:.0%}",
             f"{result.cpu_fraction[kind]:.0%}"]
        )  # fmt: skip
    parts = []
    for kind, stages in result.stages.items():
        whole = result.whole[kind].cpu_ms
        rest = whole - sum(stages.values())
        parts.append([kind, *(f"{ms:.1f}" for ms in stages.values()), f"{rest:.1f}", f"{whole:.1f}"])
    reached = [kind for kind, fraction in result.fraction.items() if fraction >= TARGET]
    beside = min(cost.cpu_ms for cost in result.whole.values()) - own.cpu_ms
    return "\n".join(
        [
            table(["path", "ms/frame", "IQR", "min", "CPU ms", "frames/s", "of renderer", "of its CPU"], rates),
            "",
            table(["CPU ms/frame", "decode", "disparity", "render", "encode", "rest", "whole"], parts),
            f"{TARGET:.0%} of the renderer's rate ({result.frames} frames): "
            + (f"reached with {', '.join(reached)}" if reached else "NOT reached"),
            f"beside the renderer a frame takes {beside:.1f} ms of processor; with all cores busy, {TARGET:.0%} needs "
            f"a renderer that takes {beside * TARGET / (1 - TARGET):.0f} ms or more",
        ]
    )
