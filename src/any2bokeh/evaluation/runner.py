"""Score methods on clips: every clip is read once, frame by frame, by all methods side by side."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import tee
from typing import Any

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame
from any2bokeh.evaluation.methods import Method
from any2bokeh.evaluation.metrics.blur import BlurMeter
from any2bokeh.evaluation.metrics.edge_correlation import EdgeCorrelationMeter
from any2bokeh.evaluation.metrics.end_point_error import EndPointErrorMeter
from any2bokeh.evaluation.metrics.features import FeatureExtractor, FeatureMeter
from any2bokeh.evaluation.metrics.flicker import FlickerMeter, edges, inside, outline, outside
from any2bokeh.evaluation.metrics.flow import DisFlow, FlowEstimator, RaftFlow, ResultFlow
from any2bokeh.evaluation.metrics.flow_difference import FlowDifferenceMeter
from any2bokeh.evaluation.metrics.frechet import frechet_distance
from any2bokeh.evaluation.metrics.glow import GlowMeter
from any2bokeh.evaluation.metrics.lpips import Lpips, LpipsMeter
from any2bokeh.evaluation.metrics.meter import Meter, SourceMeter
from any2bokeh.evaluation.metrics.misplaced_blur import MisplacedBlurMeter
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.psnr import PsnrMeter
from any2bokeh.evaluation.metrics.relation import RelationMeter
from any2bokeh.evaluation.metrics.sharpness import SharpnessMeter
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.evaluation.metrics.ssim import SsimMeter
from any2bokeh.evaluation.metrics.temporal import TemporalMeter
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.evaluation.metrics.vepi import VepiMeter
from any2bokeh.evaluation.time_slice import TimeSlice
from any2bokeh.renderers.base import RenderInput


@dataclass(frozen=True, slots=True)
class Networks:
    """What metrics need beyond the package; what is not given is reported absent.

    Attributes:
        flow: estimator of optical flow.
        lpips: for LPIPS.
        features: for Fréchet distances, each of its own metric.
    """

    flow: FlowEstimator = field(default_factory=DisFlow)
    lpips: Lpips | None = None
    features: Sequence[FeatureExtractor] = ()

    def absent(self, *, has_truth: bool = True) -> dict[str, str]:
        """Names of published metrics that cannot be measured, and what they need."""
        needs = {"fd": "needs weights of RAFT; give --raft FILE.safetensors"}
        if has_truth:
            needs |= {
                "lpips": "needs weights of LPIPS on SqueezeNet; give --lpips FILE.safetensors",
                "fvd": "needs VideoMAE-g; give --video-features FOLDER",
                "vfid_i3d": "needs weights of I3D; give --i3d FILE.safetensors",
                "vfid_resnext": "needs weights of 3D ResNeXt-101; give --resnext FILE.safetensors",
            }
        have = self.names(has_truth=has_truth)
        return {name: why for name, why in needs.items() if name not in have}

    def names(self, *, has_truth: bool = True) -> dict[str, str]:
        """Metric and name of the network or estimator behind it."""
        found = {"flicker": self.flow.name}
        if has_truth:
            found |= {"epe_px": self.flow.name, "temporal_warped": self.flow.name}
            found |= {} if self.lpips is None else {self.lpips.metric: self.lpips.name}
            found |= {network.metric: network.name for network in self.features}
        return found | ({"fd": self.flow.name} if self.flow.name == RaftFlow.name else {})


FeatureRows = tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]
"""Features of a method's pictures and of the truth, a row for each window."""


@dataclass(frozen=True, slots=True)
class ClipScores:
    """What one method reached on one clip.

    Attributes:
        values: scores by name; see ``any2bokeh.evaluation.metrics``.
        psnr_frames_db: PSNR of every frame.
        render_s: seconds that its pictures took, all frames together.
    """

    values: dict[str, float]
    psnr_frames_db: list[float]
    render_s: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of all methods on all clips.

    Attributes:
        clips: in the order in which they were scored.
        blur_strength, focus_disparity: K and d_f of the frame in the middle of each clip, by name of clip.
        scores: by name of method, then of clip.
        distances: FVD and VFID by method, over all clips.
        networks: which networks were used, by metric.
        absent: metrics that could not be measured, and why.
        elapsed_s: how long it took.
        misplaced: ``subject_blurred`` and ``background_sharp`` by name of clip, of what renderers are told; see
            ``misplaced_blur``. Real clips have them, in which the subject should be in focus.
    """

    clips: list[EvaluationClip]
    blur_strength: dict[str, float]
    focus_disparity: dict[str, float]
    scores: dict[str, dict[str, ClipScores]]
    distances: dict[str, dict[str, float]]
    networks: dict[str, str]
    absent: dict[str, str]
    elapsed_s: float
    misplaced: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def has_truth(self) -> bool:
        """Whether the ground truth of its clips is known."""
        return all(clip.has_truth for clip in self.clips)

    @property
    def frame_count(self) -> int:
        """Frames of all clips together."""
        return sum(clip.frame_count for clip in self.clips)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The frame in the middle of a clip, for looking at.

    Attributes:
        clip: which.
        index: which frame.
        source, truth: as given; no truth where nobody knows it.
        pictures: by method.
        slices: by method, ``(t, W, 3)``: one row of every frame, one below the other; of clips without truth.
        source_slice: the same of the source.
    """

    clip: EvaluationClip
    index: int
    source: Picture
    truth: Picture | None
    pictures: dict[str, Picture]
    slices: dict[str, Picture] = field(default_factory=dict)
    source_slice: Picture | None = None


def evaluate(
    clips: Sequence[EvaluationClip],
    methods: Sequence[Method],
    *,
    networks: Networks | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    show: Callable[[Sample], None] = lambda sample: None,
) -> Evaluation:
    """Score methods on clips.

    Results are rounded to 8 bits first, as the ground truth is, so that a renderer scores as its files would. Memory
    does not grow with the length or number of clips.

    Args:
        clips: with ground truth; or clips without, all of them.
        methods: with names that differ.
        networks: None = what needs no weights.
        progress: takes the frames done so far (of all methods) and the frames of the whole job.
        show: takes a sample of every clip as soon as that is scored.

    Raises:
        InputError: nothing to score, names that clash, or a result that does not fit its ground truth.
    """
    bench = Bench(list(clips), list(methods), networks or Networks())
    return evaluated(bench, lambda tell, show: _here(bench, tell, show), progress=progress, show=show)


@dataclass(frozen=True, slots=True)
class Bench:
    """What is scored: clips, methods, and the networks behind metrics."""

    clips: list[EvaluationClip]
    methods: list[Method]
    networks: Networks


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What became of one clip; it can be pickled.

    Attributes:
        blur_strength, focus_disparity: of its frame in the middle.
        scores: by name of method.
        features: rows of the methods and of the truth, by metric, by name of method.
        misplaced: see ``Evaluation``.
    """

    blur_strength: float
    focus_disparity: float
    scores: dict[str, ClipScores]
    features: dict[str, dict[str, FeatureRows]]
    misplaced: dict[str, float]


Scored = Callable[[Callable[[], None], Callable[[Sample], None]], Iterable[ClipResult]]
"""Scores all clips of a bench: is given what to call after each frame of a method, and with the sample of each clip,
and gives the results in the order of the clips."""


def evaluated(
    bench: Bench,
    scored: Scored,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    show: Callable[[Sample], None] = lambda sample: None,
) -> Evaluation:
    """Put the results of all clips together.

    Args:
        bench: what is scored.
        scored: scores it, in this process or in others.
        progress, show: see ``evaluate``.

    Raises:
        InputError: see ``evaluate``.
    """
    clips, methods, networks = bench.clips, bench.methods, bench.networks
    _check(clips, methods)
    began = time.perf_counter()
    total = sum(clip.frame_count for clip in clips) * len(methods)
    done = 0
    progress(0, total)

    def told() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    results = list(scored(told, show))
    features = _Features(results)
    named = list(zip((clip.name for clip in clips), results, strict=True))
    return Evaluation(
        list(clips),
        {name: result.blur_strength for name, result in named},
        {name: result.focus_disparity for name, result in named},
        {method.name: {name: result.scores[method.name] for name, result in named} for method in methods},
        features.distances(),
        networks.names(has_truth=clips[0].has_truth),
        networks.absent(has_truth=clips[0].has_truth) | features.absent(),
        time.perf_counter() - began,
        {name: result.misplaced for name, result in named if result.misplaced},
    )


def _here(bench: Bench, told: Callable[[], None], show: Callable[[Sample], None]) -> Iterator[ClipResult]:
    for clip in bench.clips:
        yield score_clip(clip, bench, told, show)


def score_clip(
    clip: EvaluationClip, bench: Bench, told: Callable[[], None], show: Callable[[Sample], None]
) -> ClipResult:
    """Score all methods on one clip.

    Args:
        clip: which.
        bench: the methods and networks.
        told: called after each frame of a method.
        show: takes the sample of the clip.

    Raises:
        InputError: a result does not fit its ground truth.
    """
    runs = [_Run(method, clip, bench.networks) for method in bench.methods]
    misplaced, source_slice, sample = MisplacedBlurMeter(), TimeSlice(clip), None
    strength = focus = 0.0
    for index, (given, frame, pictures) in enumerate(_side_by_side(clip, runs, bench.networks.flow)):
        # The focus of a real clip follows its mask; that of a synthetic one may lie elsewhere.
        if frame.subject is not None and not clip.has_truth:
            misplaced.add(given, frame.subject)
        source_slice.add(frame.source, frame)
        for run, picture in zip(runs, pictures, strict=True):
            run.add(picture, frame)
            told()
        if index == clip.frame_count // 2:
            strength, focus = frame.blur_strength, frame.focus_disparity
            by_name = {run.method.name: picture for run, picture in zip(runs, pictures, strict=True)}
            truth = frame.truth if isinstance(frame, TruthFrame) else None
            sample = Sample(clip, index, frame.source, truth, by_name)
    result = ClipResult(
        strength,
        focus,
        {run.method.name: run.scores() for run in runs},
        {
            run.method.name: {metric: (meter.rows, meter.truth_rows) for metric, meter in run.features.items()}
            for run in runs
        },
        misplaced.scores(),
    )
    if sample is not None:
        slices = {run.method.name: run.slice.picture() for run in runs}
        show(sample if clip.has_truth else replace(sample, slices=slices, source_slice=source_slice.picture()))
    return result


class _Run:
    """One method on one clip."""

    def __init__(self, method: Method, clip: EvaluationClip, networks: Networks) -> None:
        self.method = method
        self.clip = clip
        self.render_s = 0.0
        self.slice = TimeSlice(clip)
        self._psnr, flow = PsnrMeter(), ResultFlow()
        regions = {"edges": edges} if clip.has_truth else {"inside": inside, "outside": outside, "outline": outline}
        self._meters: list[SourceMeter] = [
            BlurMeter(clip.frame_count // 2),
            VepiMeter(),
            GlowMeter(),
            FlickerMeter(regions),
        ]
        if networks.flow.name == RaftFlow.name:
            self._meters.append(FlowDifferenceMeter(flow))
        self._truth_meters: list[Meter] = []
        self.features: dict[str, FeatureMeter] = {}
        if not clip.has_truth:
            self._meters.append(SharpnessMeter())
            return
        self._truth_meters = [
            self._psnr,
            SsimMeter(),
            RelationMeter(),
            TemporalMeter(),
            EndPointErrorMeter(flow),
            EdgeCorrelationMeter(),
        ]
        if networks.lpips is not None:
            self._truth_meters.append(LpipsMeter(networks.lpips))
        self.features = {network.metric: FeatureMeter(network) for network in networks.features}

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        self.slice.add(prediction, frame)
        for meter in self._meters:
            meter.add(prediction, frame)
        if isinstance(frame, TruthFrame):
            for meter in (*self._truth_meters, *self.features.values()):
                meter.add(prediction, frame)

    def scores(self) -> ClipScores:
        meters = (*self._truth_meters, *self._meters)
        values = {name: value for meter in meters for name, value in meter.scores().items()}
        return ClipScores(values, self._psnr.frames, self.render_s)


class _Features:
    """Features of all clips, by metric and method."""

    def __init__(self, results: Sequence[ClipResult]) -> None:
        self._rows: dict[str, dict[str, list[NDArray[np.float32]]]] = {}
        self._truth_rows: dict[str, dict[str, list[NDArray[np.float32]]]] = {}
        for result in results:
            for name, metrics in result.features.items():
                for metric, (rows, truth_rows) in metrics.items():
                    self._rows.setdefault(name, {}).setdefault(metric, []).extend(rows)
                    self._truth_rows.setdefault(name, {}).setdefault(metric, []).extend(truth_rows)

    def distances(self) -> dict[str, dict[str, float]]:
        return {
            name: {
                metric: frechet_distance(np.stack(rows), np.stack(self._truth_rows[name][metric]))
                for metric, rows in metrics.items()
                if len(rows) >= 2
            }
            for name, metrics in self._rows.items()
        }

    def absent(self) -> dict[str, str]:
        few = {metric for metrics in self._rows.values() for metric, rows in metrics.items() if len(rows) < 2}
        return dict.fromkeys(few, "needs two or more clips as long as its network's window")


def _side_by_side(
    clip: EvaluationClip, runs: Sequence[_Run], estimator: FlowEstimator
) -> Iterator[tuple[RenderInput, SourceFrame, list[Picture]]]:
    """Every frame with the picture of each method; frames wait only while an engine looks ahead in its window."""
    own, *given = tee(clip.frames(), len(runs) + 1)
    results = [
        iter(run.method.pictures(clip, (frame.given for frame in frames)))
        for run, frames in zip(runs, given, strict=True)
    ]
    before = None
    for index, frame in enumerate(own):
        scored = _scored(frame, before, clip, estimator)
        pictures = []
        for run, result in zip(runs, results, strict=True):
            began = time.perf_counter()
            picture = next(result, None)
            run.render_s += time.perf_counter() - began
            if picture is None or picture.shape != frame.given.pixels.shape:
                got = "ended" if picture is None else f"gave {picture.shape[2]}x{picture.shape[1]}"
                raise InputError(
                    f"{run.method.name} {got} at frame {index} of {clip.name}, whose {clip.reference} has "
                    f"{clip.frame_count} frames of {clip.width}x{clip.height}; render the whole clip at its size"
                )
            pictures.append(_as_file(picture))
        yield frame.given, scored, pictures
        before = scored
    for result in results:
        # What looks ahead ends only when it is asked once more.
        next(result, None)


def _scored(
    frame: EvaluationFrame, before: SourceFrame | None, clip: EvaluationClip, estimator: FlowEstimator
) -> SourceFrame:
    known: dict[str, Any] = {
        "source": _as_file(frame.given.pixels),
        "disparity": frame.disparity[0],
        "focus_disparity": frame.given.focus_disparity,
        "blur_strength": frame.given.blur_strength,
        "source_before": None if before is None else before.source,
        "subject": frame.subject,
        "transfer": clip.transfer,
        "estimator": estimator,
    }
    if frame.truth is None:
        return SourceFrame(**known)
    return TruthFrame(
        **known, truth=_as_file(frame.truth), before=before.truth if isinstance(before, TruthFrame) else None
    )


def _as_file(pixels: NDArray[np.float32]) -> Picture:
    """``(3, H, W)`` as it comes back from an 8-bit file: ``(H, W, 3)``."""
    codes = np.rint(np.clip(pixels.transpose(1, 2, 0), 0, 1) * np.float32(255))
    return np.ascontiguousarray(codes, np.float32) / np.float32(255)


def _check(clips: Sequence[EvaluationClip], methods: Sequence[Method]) -> None:
    if len({clip.has_truth for clip in clips}) > 1:
        raise InputError("some clips have a ground truth and some have none; score them in two runs")
    if not clips:
        raise InputError("there are no clips to score; give a folder of clips or a suite")
    if not methods:
        raise InputError("there is nothing to score; give an engine with --engine or results with --results")
    for kind, names in (("clip", [clip.name for clip in clips]), ("method", [one.name for one in methods])):
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two {kind}s are called {name}; rename one (for results: --results NAME=FOLDER)")
    for method in methods:
        for clip in clips:
            method.check(clip)
