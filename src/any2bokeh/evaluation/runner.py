"""Score methods on clips: every clip is read once, frame by frame, by all methods side by side."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import tee

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError
from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame
from any2bokeh.evaluation.methods import Method
from any2bokeh.evaluation.metrics.blur import BlurMeter
from any2bokeh.evaluation.metrics.edge_preservation import EdgePreservationMeter
from any2bokeh.evaluation.metrics.features import FeatureExtractor, FeatureMeter
from any2bokeh.evaluation.metrics.flow import DisFlow, FlowEstimator
from any2bokeh.evaluation.metrics.flow_difference import FlowDifferenceMeter
from any2bokeh.evaluation.metrics.frechet import frechet_distance
from any2bokeh.evaluation.metrics.lpips import Lpips, LpipsMeter
from any2bokeh.evaluation.metrics.meter import Meter
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.psnr import PsnrMeter
from any2bokeh.evaluation.metrics.relation import RelationMeter
from any2bokeh.evaluation.metrics.ssim import SsimMeter
from any2bokeh.evaluation.metrics.temporal import TemporalMeter
from any2bokeh.evaluation.metrics.truth import TruthFrame


@dataclass(frozen=True, slots=True)
class Networks:
    """What metrics need beyond the package; what is not given is reported absent.

    Attributes:
        flow: estimator of optical flow.
        lpips: for LPIPS.
        video_features: for FVD.
        image_features: for VFID.
    """

    flow: FlowEstimator = field(default_factory=DisFlow)
    lpips: Lpips | None = None
    video_features: FeatureExtractor | None = None
    image_features: FeatureExtractor | None = None

    def absent(self) -> dict[str, str]:
        """Names of metrics that cannot be measured, and what they need."""
        needs = {
            "lpips": (self.lpips, "needs weights of LPIPS on AlexNet; give --lpips FILE.safetensors"),
            "fvd": (self.video_features, "needs a video network; give --video-features FOLDER"),
            "vfid": (self.image_features, "needs an image network; give --image-features FOLDER"),
        }
        return {name: why for name, (given, why) in needs.items() if given is None}

    def names(self) -> dict[str, str]:
        """Metric and name of the network behind it."""
        given = {"fd_px": self.flow, "temporal_warped": self.flow, "lpips": self.lpips}
        given |= {"fvd": self.video_features, "vfid": self.image_features}
        return {metric: network.name for metric, network in given.items() if network is not None}


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
    """

    clips: list[EvaluationClip]
    blur_strength: dict[str, float]
    focus_disparity: dict[str, float]
    scores: dict[str, dict[str, ClipScores]]
    distances: dict[str, dict[str, float]]
    networks: dict[str, str]
    absent: dict[str, str]
    elapsed_s: float

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
        source, truth: as given.
        pictures: by method.
    """

    clip: EvaluationClip
    index: int
    source: Picture
    truth: Picture
    pictures: dict[str, Picture]


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
        clips: with ground truth.
        methods: with names that differ.
        networks: None = what needs no weights.
        progress: takes the frames done so far (of all methods) and the frames of the whole job.
        show: takes a sample of every clip as soon as that is scored.

    Raises:
        InputError: nothing to score, names that clash, or a result that does not fit its ground truth.
    """
    networks = networks or Networks()
    _check(clips, methods)
    began = time.perf_counter()
    total = sum(clip.frame_count for clip in clips) * len(methods)
    done = 0
    progress(0, total)
    scores: dict[str, dict[str, ClipScores]] = {method.name: {} for method in methods}
    features = _Features(networks)
    strengths: dict[str, float] = {}
    focus: dict[str, float] = {}
    for clip in clips:
        runs = [_Run(method, clip, networks) for method in methods]
        sample = None
        for index, (frame, pictures) in enumerate(_side_by_side(clip, runs, networks.flow)):
            for run, picture in zip(runs, pictures, strict=True):
                run.add(picture, frame)
                done += 1
                progress(done, total)
            if index == clip.frame_count // 2:
                strengths[clip.name], focus[clip.name] = frame.blur_strength, frame.focus_disparity
                by_name = {run.method.name: picture for run, picture in zip(runs, pictures, strict=True)}
                sample = Sample(clip, index, frame.source, frame.truth, by_name)
        for run in runs:
            scores[run.method.name][clip.name] = run.scores()
            features.collect(run)
        if sample is not None:
            show(sample)
    return Evaluation(
        list(clips),
        strengths,
        focus,
        scores,
        features.distances(),
        networks.names(),
        networks.absent() | features.absent(),
        time.perf_counter() - began,
    )


class _Run:
    """One method on one clip."""

    def __init__(self, method: Method, clip: EvaluationClip, networks: Networks) -> None:
        self.method = method
        self.clip = clip
        self.render_s = 0.0
        self._psnr = PsnrMeter()
        self._meters: list[Meter] = [
            self._psnr,
            SsimMeter(),
            RelationMeter(),
            TemporalMeter(),
            FlowDifferenceMeter(),
            EdgePreservationMeter(),
            BlurMeter(clip.frame_count // 2),
        ]
        if networks.lpips is not None:
            self._meters.append(LpipsMeter(networks.lpips))
        given = {"fvd": networks.video_features, "vfid": networks.image_features}
        self.features = {name: FeatureMeter(network) for name, network in given.items() if network is not None}

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        for meter in (*self._meters, *self.features.values()):
            meter.add(prediction, frame)

    def scores(self) -> ClipScores:
        values = {name: value for meter in self._meters for name, value in meter.scores().items()}
        return ClipScores(values, self._psnr.frames, self.render_s)


class _Features:
    """Features of all clips, by metric and method."""

    def __init__(self, networks: Networks) -> None:
        given = {"fvd": networks.video_features, "vfid": networks.image_features}
        self._wanted = [name for name, network in given.items() if network is not None]
        self._rows: dict[str, dict[str, list[NDArray[np.float32]]]] = {}
        self._truth_rows: dict[str, dict[str, list[NDArray[np.float32]]]] = {}

    def collect(self, run: _Run) -> None:
        name = run.method.name
        for metric, meter in run.features.items():
            self._rows.setdefault(name, {}).setdefault(metric, []).extend(meter.rows)
            self._truth_rows.setdefault(name, {}).setdefault(metric, []).extend(meter.truth_rows)

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
) -> Iterator[tuple[TruthFrame, list[Picture]]]:
    """Every frame with the picture of each method; frames wait only while an engine looks ahead in its window."""
    own, *given = tee(clip.read(), len(runs) + 1)
    results = [
        iter(run.method.pictures(clip, (frame.given for frame in frames)))
        for run, frames in zip(runs, given, strict=True)
    ]
    before = None
    for index, frame in enumerate(own):
        truth = _truth(frame, before, clip, estimator)
        pictures = []
        for run, result in zip(runs, results, strict=True):
            began = time.perf_counter()
            picture = next(result, None)
            run.render_s += time.perf_counter() - began
            if picture is None or picture.shape != frame.truth.shape:
                got = "ended" if picture is None else f"gave {picture.shape[2]}x{picture.shape[1]}"
                raise InputError(
                    f"{run.method.name} {got} at frame {index} of {clip.name}, whose ground truth has "
                    f"{clip.frame_count} frames of {clip.width}x{clip.height}; render the whole clip at its size"
                )
            pictures.append(_as_file(picture))
        yield truth, pictures
        before = truth.truth
    for result in results:
        # What looks ahead ends only when it is asked once more.
        next(result, None)


def _truth(
    frame: EvaluationFrame, before: Picture | None, clip: EvaluationClip, estimator: FlowEstimator
) -> TruthFrame:
    return TruthFrame(
        _as_file(frame.truth),
        _as_file(frame.given.pixels),
        frame.disparity[0],
        frame.given.focus_disparity,
        frame.given.blur_strength,
        before,
        clip.transfer,
        estimator,
    )


def _as_file(pixels: NDArray[np.float32]) -> Picture:
    """``(3, H, W)`` as it comes back from an 8-bit file: ``(H, W, 3)``."""
    codes = np.rint(np.clip(pixels.transpose(1, 2, 0), 0, 1) * np.float32(255))
    return np.ascontiguousarray(codes, np.float32) / np.float32(255)


def _check(clips: Sequence[EvaluationClip], methods: Sequence[Method]) -> None:
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
