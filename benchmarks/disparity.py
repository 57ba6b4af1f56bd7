"""What a frame costs before it is rendered: estimating disparity, holding it still, edges, following a subject."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes import Scene, scaled
from benchmarks.table import table
from benchmarks.timing import Cost, timed

if TYPE_CHECKING:
    from any2bokeh.subject.tracker import View

Maps = list[NDArray[np.float32]]

_MAP_LONG_SIDE_PX = 518
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Material:
    """What the stages are given.

    Attributes:
        frames: ``(3, H, W)`` each, in order of time.
        maps: disparity of each at the size that depth models work at, ``(1, h, w)``.
    """

    frames: Maps
    maps: Maps

    @classmethod
    def of(cls, scene: Scene) -> "Material":
        """Frames of a scene, and its disparity reduced."""
        frames = [given.pixels for given in scene.inputs]
        height, width = frames[0].shape[1:]
        scale = min(1.0, _MAP_LONG_SIDE_PX / min(height, width), 924 / max(height, width))
        size = (round(width * scale), round(height * scale))
        return cls(frames, [scaled(given.disparity, size) for given in scene.inputs])


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way to disparity or focus.

    Attributes:
        name: for the table.
        prepare: takes the material and gives a job that goes once through all frames; None where the step cannot be
            taken here.
        frames: how many of the frames it is given; None = all.
        is_model: a depth model, which takes seconds.
    """

    name: str
    prepare: Callable[[Material], Callable[[], object] | None]
    frames: int | None = None
    is_model: bool = False


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a frame costs in one stage; ``absent`` where it cannot be taken here."""

    stage: str
    cost: Cost | str


def measure(scene: Scene, *, rounds: int, with_models: bool = True) -> list[StageCost]:
    """Cost of a frame in every stage."""
    whole = Material.of(scene)
    results = []
    for stage in STAGES:
        if stage.is_model and not with_models:
            continue
        material = Material(whole.frames[: stage.frames], whole.maps[: stage.frames])
        job = stage.prepare(material)
        if job is None:
            results.append(StageCost(stage.name, _ABSENT))
            continue
        if not stage.is_model:
            job()  # compiles
        pairs = [timed(job) for _ in range(rounds)]
        wall, cpu = zip(*pairs, strict=True)
        results.append(StageCost(stage.name, Cost.of(wall, cpu, frames=len(material.frames))))
    return results


def report(results: Sequence[StageCost]) -> str:
    """A table of all stages."""
    rows = []
    for result in results:
        if isinstance(result.cost, str):
            rows.append([result.stage, result.cost, "", ""])
            continue
        cost = result.cost
        rows.append([result.stage, f"{cost.median_ms:.1f}", f"{cost.iqr_ms:.1f}", f"{cost.cpu_ms:.1f}"])
    return table(["stage", "ms/frame", "IQR", "CPU ms"], rows)


def _rough(material: Material) -> Callable[[], object]:
    from any2bokeh.disparity.rough.estimator import RoughEstimator

    return lambda: _run_out(RoughEstimator().maps(material.frames))


def _depth_anything_small(material: Material) -> Callable[[], object] | None:
    """The published size with random weights, which cost the same."""
    try:
        import torch
        from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
    except ImportError:
        return None
    from any2bokeh.disparity.estimators.preprocessing import Preprocessing

    backbone = {
        "hidden_size": 384,
        "num_attention_heads": 6,
        "out_indices": [3, 6, 9, 12],
        "apply_layernorm": True,
        "reshape_hidden_states": False,
        "image_size": 518,
        "patch_size": 14,
    }
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(**backbone),
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
    )
    network = DepthAnythingForDepthEstimation(config).eval()
    taken = Preprocessing(518, 518, multiple=14)

    def job() -> None:
        with torch.inference_mode():
            for pixels in material.frames:
                network(pixel_values=torch.from_numpy(taken(pixels))[None])

    return job


def _stabilised(mode: str) -> Callable[[Material], Callable[[], object]]:
    def prepare(material: Material) -> Callable[[], object]:
        from any2bokeh.disparity.stabilise import stabilised

        return lambda: _run_out(stabilised(material.maps, material.frames, mode=mode))  # type: ignore[arg-type]

    return prepare


def _refined(material: Material) -> Callable[[], object]:
    from any2bokeh.disparity.refine import refine

    halves = [scaled(one, (one.shape[2] // 2, one.shape[1] // 2)) for one in material.maps]
    return lambda: [refine(one, pixels) for one, pixels in zip(halves, material.frames, strict=True)]


def _upsampled(material: Material) -> Callable[[], object]:
    from any2bokeh.disparity import upsample

    halves = [scaled(one, (one.shape[2] // 2, one.shape[1] // 2)) for one in material.maps]
    return lambda: [upsample(one, pixels) for one, pixels in zip(halves, material.frames, strict=True)]


def _views(material: Material) -> "list[View]":
    """The frames as trackers take them."""
    from any2bokeh.focus.pictures import LONG_SIDE_PX
    from any2bokeh.subject.tracker import View

    height, width = material.frames[0].shape[1:]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    size = (round(width * scale), round(height * scale))
    return [
        View(np.ascontiguousarray(np.moveaxis(scaled(pixels, size), 0, 2) * 255).astype(np.uint8), scaled(one, size)[0])
        for pixels, one in zip(material.frames, material.maps, strict=True)
    ]


def _tracked(material: Material) -> Callable[[], object]:
    from any2bokeh.focus.target import PointTarget
    from any2bokeh.subject.classical import ClassicalTracker

    views = _views(material)
    return lambda: _run_out(ClassicalTracker().track(views, PointTarget(0.5, 0.5)))


def _tracked_by_sam2(material: Material) -> Callable[[], object] | None:
    """The published size of SAM 2.1 tiny with random weights, which cost the same."""
    try:
        from transformers.models.sam2_video.configuration_sam2_video import Sam2VideoConfig
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoModel
    except ImportError:
        return None
    from any2bokeh.focus.target import PointTarget
    from any2bokeh.subject.sam2 import Sam2Tracker

    tracker, views = Sam2Tracker(Sam2VideoModel(Sam2VideoConfig()).eval()), _views(material)
    return lambda: _run_out(tracker.track(views, PointTarget(0.5, 0.5)))


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Views as the pictures of a clip."""

    views: "list[View]"

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        return (view.pixels for view in self.views[start:stop])


@dataclass(frozen=True, slots=True)
class _Disparity:
    """Maps as the disparity of a clip."""

    maps: Maps

    @property
    def frame_count(self) -> int:
        return len(self.maps)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        return iter(self.maps[start:stop])

    def at(self, index: int) -> NDArray[np.float32]:
        return self.maps[index]


def _autofocus(material: Material) -> Callable[[], object]:
    from any2bokeh.focus import Autofocus, TrackerChoice
    from any2bokeh.focus.finder import Range
    from any2bokeh.focus.tracked_subjects import TrackedSubjects

    pictures, disparity = _Pictures(_views(material)), _Disparity(material.maps)
    frames, tracker = Range(0, disparity.frame_count, 24.0), TrackerChoice("classical")
    return lambda: Autofocus().find(TrackedSubjects(pictures, disparity, tracker), frames)


def _run_out(items: Iterable[object]) -> None:
    for _ in items:
        pass


STAGES = (
    Stage("rough estimate", _rough),
    Stage("Depth Anything V2 Small", _depth_anything_small, frames=2, is_model=True),
    Stage("stabilise: none (smoothing alone)", _stabilised("none")),
    Stage("stabilise: blend", _stabilised("blend")),
    Stage("stabilise: whole-clip", _stabilised("whole-clip")),
    Stage("stabilise: anchors", _stabilised("anchors")),
    Stage("upsample", _upsampled),
    Stage("refine", _refined),
    Stage("follow a subject, classical", _tracked),
    Stage("follow a subject, SAM 2.1 tiny", _tracked_by_sam2, frames=2),
    Stage("autofocus, classical tracker included", _autofocus),
)
"""In the order in which a clip meets them; a new step is a new line."""
