"""Real clips: no ground truth, but a mask of the subject, and disparity from files or from an estimate."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.errors import InputError
from any2bokeh.evaluation.clips import EvaluationClip, EvaluationFrame
from any2bokeh.evaluation.treatment import Treatment, named_treatments
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.source_blur import SourceBlur

if TYPE_CHECKING:
    from any2bokeh.disparity import DisparitySource
    from any2bokeh.disparity.grey_frames import GreyFrames
    from any2bokeh.optics.transfer import Transfer
    from any2bokeh.subject.seed import ClipSeed
    from any2bokeh.video import VideoSource

BLUR_STRENGTH = 20.0
"""K unless asked otherwise."""

Estimate = Callable[["VideoSource", "ClipSeed", int], "DisparitySource"]
"""Disparity of the first frames of a clip, given where its subject is and how many frames are wanted."""

_MASK_ON = 0.5  # of full scale
_LABEL_MAX = 1.01 / 255  # files of 0 and 1 are label maps
_PICTURES, _DISPARITY, _MASK = "frames", "disparity", "mask"


@dataclass(frozen=True, slots=True)
class RealFolder:
    """Where the parts of one real clip lie.

    Attributes:
        name: of its folder.
        pictures: ``frames/``, or a video ``frames.mp4`` or the like.
        mask: ``mask/`` or ``mask.*``: white where the subject is.
        disparity: ``disparity/`` or ``disparity.*``; None where it has none.
    """

    name: str
    pictures: Path
    mask: Path
    disparity: Path | None


def open_real_clips(
    folder: str | Path,
    *,
    blur_strengths: Sequence[float] = (BLUR_STRENGTH,),
    edges: Sequence[EdgeTreatment] = ("auto",),
    plates: Sequence[PlateChoice] = ("auto",),
    source_blurs: Sequence[SourceBlur] = ("off",),
    estimate: Estimate | None = None,
    is_estimated: bool = False,
    frame_count: int | None = None,
) -> list[EvaluationClip]:
    """Real clips, read as ``refocus --disparity --focus-mask --blur --edges --plate --source-blur`` reads
    them.

    Args:
        folder: of a clip, or with a folder for each clip, that holds ``frames``, ``mask`` and, unless it is estimated,
            ``disparity``: folders of pictures, or videos of these names.
        blur_strengths: K; a clip for each.
        edges: how edges of disparity are treated; a clip for each.
        plates: where hidden background comes from; a clip for each.
        source_blurs: what blur is there already; a clip for each.
        estimate: makes disparity where a clip has none.
        is_estimated: whether it makes disparity of every clip, whatever lies there.
        frame_count: only the first frames of each.

    Raises:
        InputError: missing, empty, without pictures or mask, or without disparity where none is estimated.
    """
    found = _real_folders(Path(folder))
    clips = []
    for real in found:
        disparity = None if is_estimated else real.disparity
        if disparity is None and estimate is None:
            raise InputError(
                f"real clip {real.pictures.parent} has no {_DISPARITY}/; add one, or estimate it with --depth-model"
            )
        width, height, count, transfer = _facts(real.pictures)
        count = min(count, frame_count or count)
        for strength in blur_strengths:
            for added, treatment in named_treatments(edges, plates, source_blurs):
                parts = (real.name, *([f"k{strength:g}"] if len(blur_strengths) > 1 else []), *added)
                reader = _RealReader(real, disparity or estimate, strength, treatment, count)
                clips.append(
                    EvaluationClip(
                        "/".join(parts),
                        real.name,
                        count,
                        width,
                        height,
                        reader,
                        transfer,
                        {"K": strength} | treatment.conditions,
                        has_truth=False,
                        treatment=None,
                    )
                )
    return clips


def mask_point(mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The point of a mask that lies deepest within it, x and y in 0..1; None where it is empty."""
    if not mask.any():
        return None
    # A border of 0, so that the border of the picture counts as the outline, too.
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(column) + 0.5) / mask.shape[1], (float(row) + 0.5) / mask.shape[0]


@dataclass(frozen=True, slots=True)
class _RealReader:
    real: RealFolder
    disparity: "Path | Estimate | None"
    blur_strength: float
    treatment: Treatment
    frame_count: int

    def __call__(self) -> Iterator[EvaluationFrame]:
        from any2bokeh.focus import FocusScript
        from any2bokeh.recipe import Recipe
        from any2bokeh.shot import Shot
        from any2bokeh.shot_frames import frames_of
        from any2bokeh.video import open_source

        with open_source(str(self.real.pictures)) as source, closing(_masks(self.real, source)) as masks:
            maps = self._maps(source, masks)
            script = FocusScript.on_mask(self.real.mask, self.blur_strength)
            how = self.treatment
            recipe = Recipe(script, maps, edges=how.edges, plate=how.plate, source_blur=how.source_blur)
            shot = Shot.open(source, recipe, stop=self.frame_count)
            for frame, mask in zip(frames_of(shot), masks.frames(0, self.frame_count), strict=False):
                subject = subject_of_mask(mask, frame.frame.pixels.shape[1:])
                yield EvaluationFrame(frame.given, None, frame.disparity, subject)

    def _maps(self, source: "VideoSource", masks: "GreyFrames") -> "Path | DisparitySource":
        if isinstance(self.disparity, Path):
            return self.disparity
        from any2bokeh.subject.seed import ClipSeed

        assert self.disparity is not None
        for index, mask in enumerate(masks.frames(0, self.frame_count)):
            point = mask_point(subject_of_mask(mask, mask.shape))
            if point is not None:
                return self.disparity(source, ClipSeed(index, point), self.frame_count)
        raise InputError(f"mask {self.real.mask} shows no subject in {self.frame_count} frames; check it")


def subject_of_mask(mask: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """``(H, W)``: where a mask is on, at the size of the picture."""
    is_label = 0 < mask.max() <= _LABEL_MAX
    seen = np.asarray(mask > 0 if is_label else mask >= _MASK_ON, np.float32)
    if seen.shape != shape:
        seen = cv2.resize(seen, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(seen >= 0.5, np.bool_)


def _masks(real: RealFolder, source: "VideoSource") -> "GreyFrames":
    from any2bokeh.clip_disparity import frame_numbers
    from any2bokeh.disparity.grey_frames import open_grey_frames
    from any2bokeh.disparity.pairing import paired

    masks = open_grey_frames(real.mask, noun="mask", colour="brightest", content="mask")
    return paired(
        masks,
        clip_frame_count=source.info.frame_count,
        frame_numbers=frame_numbers(source),
        dropped_frames=source.info.dropped_frames,
    )


def _facts(pictures: Path) -> "tuple[int, int, int, Transfer]":
    from any2bokeh.video import open_source

    with open_source(str(pictures)) as source:
        info = source.info
        return info.width, info.height, info.frame_count, info.transfer


def _real_folders(folder: Path) -> list[RealFolder]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; give a folder of real clips")
    inside = [_real_folder(one) for one in (folder, *sorted(one for one in folder.iterdir() if one.is_dir()))]
    found = [one for one in inside if one is not None]
    if not found:
        raise InputError(
            f"{folder} holds no real clips; give a folder of clips that each hold {_PICTURES}/, {_MASK}/ and, unless "
            f"--depth-model estimates it, {_DISPARITY}/ (folders of pictures, or videos of these names)"
        )
    return found[:1] if inside[0] is not None else found


def _real_folder(folder: Path) -> RealFolder | None:
    pictures, mask, disparity = (_named(folder, name) for name in (_PICTURES, _MASK, _DISPARITY))
    if pictures is None or mask is None:
        return None
    return RealFolder(folder.resolve().name, pictures, mask, disparity)


def _named(folder: Path, name: str) -> Path | None:
    """A folder of that name, or else the first file."""
    if (folder / name).is_dir():
        return folder / name
    return next(iter(sorted(path for path in folder.glob(f"{name}.*") if path.is_file())), None)
