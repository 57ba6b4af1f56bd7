"""Where the processor's time goes in the whole path: each stage of a frame alone, on the bundled clip."""

import statistics
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import upsample
from any2bokeh.disparity.edges import ClassicalEdges, bands_at_size
from any2bokeh.disparity.edges.bands import MixedPixels
from any2bokeh.grain import MatchedGrain
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.plate.stream import AHEAD, PlateStream
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.renderers.layered.layered_image import LayeredImage
from any2bokeh.renderers.layered.surround import with_surround
from any2bokeh.renderers.layered.workers import Workers
from any2bokeh.video import Frame, VideoSink, open_sink, open_source
from any2bokeh.video.color import result_coding, source_coding
from any2bokeh.video.orientation import Orientation
from any2bokeh.video.samples import SampleReader, SampleWriter
from benchmarks.end_to_end import write_clip
from benchmarks.scenes import Scene
from benchmarks.table import table

STAGES = {
    "decode": "H.264 to samples",
    "to pixels": "samples to float RGB",
    "upsample": "a map of half the size brought to that of the picture",
    "edges": "bands around steps, of a map of the picture's size",
    "plate": "hidden background from other frames",
    "layers": "the layered depth image",
    "tiles": "from the layers to the picture",
    "grain": "matched grain; only with --grain",
    "to samples": "float RGB to samples, with dither",
    "encode": "samples to H.264",
}
"""In the order in which a frame passes them."""

_BESIDE = ("upsample", "grain")  # not part of a run with full-size maps and no options


@dataclass(frozen=True, slots=True)
class StageCost:
    """Processor time of one stage.

    Attributes:
        stage: its name, one of ``STAGES``.
        cpu_ms: of all threads together, for a frame; median over frames and rounds.
        iqr_ms: distance between the quartiles.
        runs: how many there were.
    """

    stage: str
    cpu_ms: float
    iqr_ms: float
    runs: int


def measure(scene: Scene, folder: Path, *, rounds: int, threads: int) -> list[StageCost]:
    """Processor time of each stage over a scene's frames, written as a clip to ``folder``.

    The stages take turns within a frame, so that what else the machine does falls on all of them alike. The first frame
    of each is left out.
    """
    clip = write_clip(folder / "clip.mp4", (frame.pixels for frame in scene.inputs))
    bench = _Bench(scene, clip, folder / "result.mp4", threads)
    samples: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for _ in range(rounds):
        for costs in bench.frames():
            for stage, cpu_s in costs.items():
                samples[stage].append(1e3 * cpu_s)
    return [_cost(stage, of_stage) for stage, of_stage in samples.items()]


def _cost(stage: str, cpu_ms: Sequence[float]) -> StageCost:
    low, _, high = statistics.quantiles(cpu_ms, method="inclusive") if len(cpu_ms) > 1 else (cpu_ms[0],) * 3
    return StageCost(stage, statistics.median(cpu_ms), high - low, len(cpu_ms))


@dataclass(frozen=True, slots=True, eq=False)
class _Treated:
    """A frame that waits for those ahead of it."""

    frame: Frame
    disparity: NDArray[np.float32]
    mixed: MixedPixels
    given: RenderInput
    spent: dict[str, float]


class _Bench:
    """All that the stages need; each frame passes through them as it does in a run."""

    def __init__(self, scene: Scene, clip: Path, target: Path, threads: int) -> None:
        self._scene, self._clip, self._target = scene, clip, target
        self._renderer = LayeredRenderer(threads=threads)
        self._workers = Workers(threads)
        self._edges = ClassicalEdges()

    def frames(self) -> Iterator[dict[str, float]]:
        """The seconds of processor time of every stage, frame by frame, but for the first."""
        inputs = self._scene.inputs
        with open_source(self._clip) as source, closing(_pictures(self._clip)) as natives:
            info = source.info
            reader = SampleReader(source_coding(info), Orientation())
            writer = SampleWriter("yuv420p", result_coding(info, "yuv")[0])
            grain = MatchedGrain.of_clip(1.0, source)
            frames = list(source.frames())
            plate = PlateStream()
            treated: list[_Treated] = []
            with open_sink(self._target, source, overwrite=True) as sink:
                for frame, given in zip(frames, inputs, strict=True):
                    spent: dict[str, float] = {}
                    native, spent["decode"] = _timed(lambda: next(natives))
                    samples = reader.samples(native)
                    _, spent["to pixels"] = _timed(lambda samples=samples: reader.pixels(samples))
                    half = cv2.resize(given.disparity[0], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)[None]
                    _, spent["upsample"] = _timed(
                        lambda half=half, frame=frame: upsample(np.asarray(half, np.float32), frame.pixels)
                    )
                    (disparity, mixed), spent["edges"] = _timed(
                        lambda frame=frame, given=given: self._treated(given.disparity, frame)
                    )
                    _, spent["plate"] = _timed(
                        lambda frame=frame, disparity=disparity: plate.add(frame.index, frame.pixels, disparity)
                    )
                    treated.append(_Treated(frame, disparity, mixed, given, spent))
                    if len(treated) > AHEAD:
                        yield from self._rendered(treated.pop(0), plate, grain, writer, sink)
                for rest in treated:
                    yield from self._rendered(rest, plate, grain, writer, sink)

    def _treated(self, disparity: NDArray[np.float32], frame: Frame) -> tuple[NDArray[np.float32], MixedPixels]:
        bands = bands_at_size(self._edges, disparity, frame.pixels)
        return bands.disparity, MixedPixels.of(bands)

    def _rendered(
        self, treated: "_Treated", plate: PlateStream, grain: MatchedGrain, writer: SampleWriter, sink: VideoSink
    ) -> Iterator[dict[str, float]]:
        frame, disparity, given, spent = treated.frame, treated.disparity, treated.given, treated.spent
        scale = given.blur_strength * max(frame.pixels.shape[1:]) / REFERENCE_LONG_SIDE_PX
        hidden, looking = _timed(lambda: plate.hidden(frame.index, disparity, given.focus_disparity, scale))
        spent["plate"] += looking
        whole = replace(
            given, pixels=frame.pixels, disparity=disparity, hidden=hidden, bands=treated.mixed.bands(disparity)
        )
        _, spent["layers"] = _timed(
            lambda: LayeredImage.of(
                with_surround(whole),
                highlights=self._renderer.highlights,
                workers=self._workers,
                reuse=self._renderer.image,
            )
        )
        picture, rendering = _timed(lambda: self._renderer.render_frame(whole))
        spent["tiles"] = max(rendering - spent["layers"], 0.0)
        _, spent["grain"] = _timed(lambda: grain.put_back(frame.pixels, picture, frame.index))
        _, spent["to samples"] = _timed(lambda: writer.encoded(picture, frame.pixels, None, index=frame.index))
        _, writing = _timed(lambda: sink.write(frame, picture))
        spent["encode"] = max(writing - spent["to samples"], 0.0)
        if frame.index > 0:
            yield spent


def _pictures(clip: Path) -> Generator[av.VideoFrame, None, None]:
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "NONE"  # else it decodes ahead, and most frames seem to cost nothing
        yield from container.decode(video=0)


def _timed(job: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = job()
    return result, time.process_time() - began


def report(costs: Sequence[StageCost]) -> str:
    """A table of all stages, and the sum of those of a run with full-size maps and no options."""
    of: Mapping[str, StageCost] = {cost.stage: cost for cost in costs}
    rows = [[stage, f"{of[stage].cpu_ms:.1f}", f"{of[stage].iqr_ms:.1f}", what] for stage, what in STAGES.items()]
    whole = sum(cost.cpu_ms for cost in costs if cost.stage not in _BESIDE)
    return f"{table(['stage', 'CPU ms', 'IQR', 'what'], rows)}\nall but {' and '.join(_BESIDE)}: {whole:.0f} ms a frame"
