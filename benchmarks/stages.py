"""Where the processor's time goes in the whole path: each stage of a frame alone, on the bundled clip."""

import statistics
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np

from any2bokeh.disparity import upsample
from any2bokeh.disparity.edges import ClassicalEdges, EdgeBands
from any2bokeh.frame_treatment import FrameTreatment, TreatedFrame
from any2bokeh.grain import MatchedGrain
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
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
    "plate": "what other frames say: silhouettes and hidden background",
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


class _TimedEdges:
    """The classical treatment of edges, and how much processor time it has taken."""

    def __init__(self) -> None:
        self._edges = ClassicalEdges()
        self.spent_s = 0.0

    def __call__(self, *args: Any, **options: Any) -> EdgeBands:
        return self._counted(lambda: self._edges(*args, **options))

    def placed(self, *args: Any, **options: Any) -> EdgeBands:
        return self._counted(lambda: self._edges.placed(*args, **options))

    def with_shares(self, *args: Any) -> EdgeBands:
        return self._counted(lambda: self._edges.with_shares(*args))

    def _counted(self, job: Callable[[], EdgeBands]) -> EdgeBands:
        bands, spent_s = _timed(job)
        self.spent_s += spent_s
        return bands


class _Waiting(NamedTuple):
    """A frame that waits for those ahead of it."""

    frame: Frame
    given: RenderInput
    spent: dict[str, float]


class _Bench:
    """All that the stages need; each frame passes through them as it does in a run."""

    def __init__(self, scene: Scene, clip: Path, target: Path, threads: int) -> None:
        self._scene, self._clip, self._target = scene, clip, target
        self._renderer = LayeredRenderer(threads=threads)
        self._workers = Workers(threads)

    def frames(self) -> Iterator[dict[str, float]]:
        """The seconds of processor time of every stage, frame by frame, but for the first."""
        inputs = self._scene.inputs
        with open_source(self._clip) as source, closing(_pictures(self._clip)) as natives:
            info = source.info
            reader = SampleReader(source_coding(info), Orientation())
            writer = SampleWriter("yuv420p", result_coding(info, "yuv")[0])
            grain = MatchedGrain.of_clip(1.0, source)
            frames = list(source.frames())
            edges = _TimedEdges()
            treatment = FrameTreatment(edges)
            waiting: dict[int, _Waiting] = {}
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
                    before_s = edges.spent_s
                    ready, adding_s = _timed(
                        lambda frame=frame, given=given: list(
                            treatment.add(
                                frame.index, frame.pixels, given.disparity, is_blurred=True, is_looked_at=True
                            )
                        )
                    )
                    spent["edges"] = edges.spent_s - before_s
                    spent["plate"] = adding_s - spent["edges"]
                    waiting[frame.index] = _Waiting(frame, given, spent)
                    for treated in ready:
                        yield from self._rendered(treated, waiting.pop(treated.index), treatment, grain, writer, sink)
                for treated in list(treatment.rest()):
                    yield from self._rendered(treated, waiting.pop(treated.index), treatment, grain, writer, sink)

    def _rendered(
        self,
        treated: TreatedFrame,
        waiting: _Waiting,
        treatment: FrameTreatment,
        grain: MatchedGrain,
        writer: SampleWriter,
        sink: VideoSink,
    ) -> Iterator[dict[str, float]]:
        (frame, given, spent), disparity = waiting, treated.disparity
        scale = given.blur_strength * max(frame.pixels.shape[1:]) / REFERENCE_LONG_SIDE_PX
        hidden, looking = _timed(lambda: treatment.hidden(treated, given.focus_disparity, scale))
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
