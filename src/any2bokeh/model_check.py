"""A model tried on the bundled clip: whether it loads, how long a frame takes here, and what it says."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.disparity.estimators.base import Device
from any2bokeh.errors import InputError
from any2bokeh.model_table import ListedModel, find_listed

_STRIDE = 8  # frames of the clip between those that are looked at
_LONG_SIDE_PX = 512  # of pictures for trackers, and for the diffusion engine
_SUBJECT = (0.31, 0.57)  # a point on the nearer robot in the clip's first frame
_WORDS = "the robot"
_BLUR_STRENGTH = 16.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it.

    Attributes:
        name: of the model.
        licence: of its weights.
        frames: that it was given.
        first_s: seconds until the first result, with loading; until the last where frames do not come one by one.
        frame_s: seconds of each frame after it, the median; None where frames do not come one by one.
        said: what it says of the clip, by name.
        line: the same, for people.
        maps: disparity of the frames of a depth model, ``(h, w)`` each in a unit of its own, larger is nearer.
    """

    name: str
    licence: str
    frames: int
    first_s: float
    frame_s: float | None
    said: dict[str, Any]
    line: str
    maps: tuple[NDArray[np.float32], ...] = ()


class _Seen(NamedTuple):
    """A frame of the clip: ``(3, H, W)`` RGB in [0, 1], and ``(1, H, W)`` disparity as its renderer knows it."""

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]


def check_model(model: str, *, frames: int = 3, device: Device = "auto") -> Checked:
    """Try a model that is on this machine. Nothing is fetched.

    Args:
        model: name or hub id of the table, the hub id of another depth model, or the folder of one.
        frames: of the bundled clip, from 1.
        device: where it runs; the network for edges runs on the CPU.

    Raises:
        InputError: not on this machine, does not load, or says nothing of the clip.
    """
    listed = None if Path(model).is_dir() else find_listed(model)
    clip = list(_clip(frames))
    match "depth" if listed is None else listed.purpose:
        case "depth":
            return _depth(model, clip, device)
        case "tracking":
            return _tracking(_required(listed), clip, device)
        case "text":
            return _text(_required(listed), clip)
        case "faces" | "people":
            return _detection(_required(listed), clip)
        case "diffusion":
            return _diffusion(_required(listed), clip, device)
        case _:
            return _edges(_required(listed), clip)


def picture_of(checked: Checked) -> NDArray[np.float32]:
    """The clip's first frame, and beside it what a depth model says of it: ``(3, H, 2 W)``, near is white."""
    [seen] = _clip(1)
    height, width = seen.pixels.shape[1:]
    found = checked.maps[0][None]
    low, high = float(np.nanmin(found)), float(np.nanmax(found))
    grey = np.nan_to_num(_resized((found - low) / max(high - low, 1e-12), (width, height)))
    return np.concatenate([seen.pixels, np.repeat(grey, 3, axis=0)], axis=2)


def _required(listed: ListedModel | None) -> ListedModel:
    assert listed is not None
    if not listed.is_here:
        raise InputError(
            f"model {listed.name} is not on this machine, or what runs it is not installed; see any2bokeh doctor, and "
            f"fetch it with any2bokeh models get {listed.name}"
        )
    return listed


def _clip(count: int) -> Iterator[_Seen]:
    from any2bokeh.disparity import open_disparity
    from any2bokeh.video import open_source

    with open_source(CLIP_FOLDER / "clip.mp4") as source:
        total = source.info.frame_count
        if not 1 <= count <= total // _STRIDE:
            raise InputError(f"--frames is {count}; allowed is 1 to {total // _STRIDE}")
        maps = open_disparity(CLIP_FOLDER / "disparity.mkv", clip_frame_count=total)
        for index in range(0, count * _STRIDE, _STRIDE):
            [frame] = source.frames(index, index + 1)
            yield _Seen(frame.pixels, maps.at(index))


def _depth(model: str, clip: list[_Seen], device: Device) -> Checked:
    from any2bokeh.disparity.estimators import open_estimator
    from any2bokeh.disparity.estimators.model_folder import find_depth_model
    from any2bokeh.disparity.estimators.registry import find_model, is_short_name
    from any2bokeh.disparity.raw_scale import raw_disparity

    is_folder = Path(model).is_dir() and not is_short_name(model)
    known = None if is_folder else find_model(model)
    hub_id = known.hub_id if known else model
    if not is_folder and find_depth_model(hub_id) is None:
        raise InputError(f"depth model {hub_id} is not on this machine; fetch it with any2bokeh models get {model}")
    estimator = open_estimator(model, allow_noncommercial=True, device=device)  # a look at it is no use of it
    raw, seconds = _timed(estimator.maps(seen.pixels for seen in clip))
    maps = [raw_disparity(each, estimator.meaning)[0] for each in raw]
    known_values = np.concatenate([each[np.isfinite(each)] for each in maps])
    if known_values.size == 0 or np.ptp(known_values) == 0:
        raise InputError(
            f"depth model {model} gives maps without relief, so that its files may be damaged; fetch it again"
        )
    agrees = float(np.mean([_order_agreement(each, seen.disparity) for each, seen in zip(maps, clip, strict=True)]))
    low, high = float(known_values.min()), float(known_values.max())
    unit = " 1/m" if estimator.meaning.is_metric else ""
    said = {
        "estimated_as": str(estimator.meaning),
        "map_size": [maps[0].shape[1], maps[0].shape[0]],
        "disparity_range": [low, high],
        "order_agreement": round(agrees, 3),
    }
    line = (
        f"{estimator.meaning} {maps[0].shape[1]}x{maps[0].shape[0]}, disparity {low:.4g} to {high:.4g}{unit}, "
        f"order of near and far as in the scene {agrees:.2f} (1 is the same, 0 is chance)"
    )
    return _checked(estimator.name, estimator.licence, seconds, said, line, tuple(maps))


def _order_agreement(found: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Spearman's rank correlation of two maps, at the size of the smaller; 0 where one of them is flat."""
    import cv2

    height, width = found.shape
    true = cv2.resize(truth[0], (width, height), interpolation=cv2.INTER_AREA)
    is_known = np.isfinite(found)
    ranks = [_ranks(values[is_known]) for values in (found, true)]
    spread = float(np.prod([rank.std() for rank in ranks]))
    return 0.0 if spread == 0 else float(np.mean(np.prod([rank - rank.mean() for rank in ranks], axis=0)) / spread)


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each value its place in order; equal values share theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)]


def _tracking(model: ListedModel, clip: list[_Seen], device: Device) -> Checked:
    from any2bokeh.subject.sam2 import Sam2Tracker
    from any2bokeh.subject.seed import PointSeed
    from any2bokeh.subject.tracker import View

    def tracked() -> Iterator[Any]:
        tracker = Sam2Tracker.load(_folder(model), device=device)
        yield from tracker.track((View(_small(seen.pixels)) for seen in clip), PointSeed(*_SUBJECT))

    frames, seconds = _timed(tracked())
    shares = [float(frame.matte.mean()) for frame in frames]
    said = {"visible": [bool(frame.visible) for frame in frames], "matte_share": [round(each, 4) for each in shares]}
    line = f"the subject fills {100 * shares[0]:.1f}% of the first frame and {100 * shares[-1]:.1f}% of the last"
    return _checked(model.name, model.licence, seconds, said, line)


def _text(model: ListedModel, clip: list[_Seen]) -> Checked:
    from any2bokeh.focus.text import GroundingModel

    def found() -> Iterator[Any]:
        grounding = GroundingModel.load(model.hub_id)
        for seen in clip:
            yield grounding.best_box(_small(seen.pixels), _WORDS)

    boxes, seconds = _timed(found())
    where = "not found" if boxes[0] is None else "in the box " + ",".join(f"{value:.2f}" for value in boxes[0])
    said = {"words": _WORDS, "boxes": boxes}
    return _checked(model.name, model.licence, seconds, said, f"'{_WORDS}' is {where} in the first frame")


def _detection(model: ListedModel, clip: list[_Seen]) -> Checked:
    from any2bokeh.subject.detection.at_hand import detector_of
    from any2bokeh.subject.detection.detector import Detection

    def found() -> Iterator[list[Detection]]:
        detector = detector_of("face" if model.purpose == "faces" else "person")
        assert detector is not None
        for seen in clip:
            yield detector(_small(seen.pixels))

    frames, seconds = _timed(found())
    boxes = [[[round(each, 4) for each in (one.box.x0, one.box.y0, one.box.x1, one.box.y1)] for one in every]
             for every in frames]  # fmt: skip
    counts = [len(every) for every in frames]
    line = f"it finds {counts[0]} {model.purpose} in the first frame of the clip, which shows robots and nobody"
    return _checked(model.name, model.licence, seconds, {"found": counts, "boxes": boxes}, line)


def _diffusion(model: ListedModel, clip: list[_Seen], device: Device) -> Checked:
    from any2bokeh.engines import EngineSettings, make_renderer
    from any2bokeh.optics.look import Look
    from any2bokeh.renderers.base import RenderInput

    small = [_reduced(seen) for seen in clip]
    inputs = (RenderInput(seen.pixels, seen.disparity, 0.0, _BLUR_STRENGTH) for seen in small)
    settings = EngineSettings(engine="diffusion", model=str(_folder(model)), device=device)

    def rendered() -> Iterator[NDArray[np.float32]]:
        yield from make_renderer(settings, Look()).render(inputs)

    pictures, seconds = _timed(rendered())
    changed = float(np.mean([np.abs(one - seen.pixels).mean() for one, seen in zip(pictures, small, strict=True)]))
    height, width = small[0].pixels.shape[1:]
    line = f"frames of {width}x{height}, changed by {changed:.3f} of the range from black to white on average"
    said = {"size": [width, height], "mean_change": round(changed, 4)}
    return _checked(model.name, model.licence, [sum(seconds)], said, line, frames=len(clip))  # they come by windows


def _edges(model: ListedModel, clip: list[_Seen]) -> Checked:
    from any2bokeh.disparity.edges.choice import edge_estimator

    def treated() -> Iterator[NDArray[np.float32]]:
        estimator = edge_estimator("learned")
        assert estimator is not None
        for seen in clip:
            height, width = seen.disparity.shape[1:]
            rough = _resized(_resized(seen.disparity, (width // 8, height // 8)), (width, height))
            yield np.abs(estimator(rough, seen.pixels).disparity - rough)

    changes, seconds = _timed(treated())
    share = float(np.mean([np.mean(change > 1e-3) for change in changes]))
    line = f"moves {100 * share:.1f}% of the pixels of maps that were reduced 8 times"
    return _checked(model.name, model.licence, seconds, {"moved_share": round(share, 4)}, line)


def _folder(model: ListedModel) -> Path:
    folder = model.folder
    assert folder is not None
    return folder


def _timed(results: Iterator[Any]) -> tuple[list[Any], list[float]]:
    """Results, and the seconds that each took."""
    made, seconds = [], []
    began = time.perf_counter()
    for result in results:
        seconds.append(time.perf_counter() - began)
        made.append(result)
        began = time.perf_counter()
    return made, seconds


def _checked(
    name: str,
    licence: str,
    seconds: list[float],
    said: dict[str, Any],
    line: str,
    maps: tuple[NDArray[np.float32], ...] = (),
    *,
    frames: int | None = None,
) -> Checked:
    rest = float(np.median(seconds[1:])) if len(seconds) > 1 else None
    return Checked(name, licence, frames or len(seconds), seconds[0], rest, said, line, maps)


def _small(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A frame as trackers take it, ``(h, w, 3)``."""
    height, width = pixels.shape[1:]
    small = _resized(pixels, _reduced_size(width, height))
    return np.ascontiguousarray((small.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))


def _reduced(seen: _Seen) -> _Seen:
    height, width = seen.pixels.shape[1:]
    size = _reduced_size(width, height)
    return _Seen(_resized(seen.pixels, size), _resized(seen.disparity, size))


def _reduced_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, _LONG_SIDE_PX / max(width, height))
    return round(width * scale), round(height * scale)


def _resized(planes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    import cv2

    is_smaller = size[0] < planes.shape[2]
    how = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    return np.stack([cv2.resize(plane, size, interpolation=how) for plane in planes]).astype(np.float32)
