"""The built-in estimate, which needs no weights."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimators.base import MapMeaning, ScaleAlignment
from any2bokeh.disparity.rough.layout import Layout, backdrop_edges
from any2bokeh.motion.camera import Motion
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.shots import is_cut
from any2bokeh.motion.thumbnail import Thumbnail
from any2bokeh.motion.warp import warp
from any2bokeh.subject.certainty import outline_certainty, seed_certainty
from any2bokeh.subject.grab_cut import voted_matte
from any2bokeh.subject.propagation import PropagatedMatte
from any2bokeh.subject.seed import ClipSeed

_LONG_SIDE_PX = 384
_LEAST_SIDE_PX = 16
# Frames before the seed's that are kept to be gone through backwards; at 0.25 MB each.
_LOOK_BACK_FRAMES = 240
# Motion against the camera that counts as fully near, over the longer side, and how fast it is learnt.
_PARALLAX_FULL = 0.006
_PARALLAX_LEARN = 0.1
# How fast it makes up its mind about an outline, and below which certainty a frame is told of.
_LEARN_CERTAINTY = 0.1
_UNSURE = 0.5
_VERSION = 3

ROUGH_CAVEAT = (
    "disparity is the built-in rough estimate: the subject in front of a plain layout, no measured distances; "
    "for better, give --disparity PATH or a --depth-model"
)


@dataclass(frozen=True)
class RoughEstimator:
    """A coarse estimate from classical cues: a subject before a plain layout. It measures no distances.

    The subject's matte starts from the seed by GrabCut, with what moves against the camera, and is carried through the
    clip by flow, colour and speed. What is low in the picture is near; the ground reaches up to the subject's feet;
    what moves against the camera is nearer than what does not. After a cut the subject is looked for in the middle.
    Where it is not sure what is the subject, the surroundings come nearer to it: they blur less, and not wrongly.

    Attributes:
        seed: where the subject is.
        caveat: what a user is told of it.
    """

    seed: ClipSeed = field(default_factory=ClipSeed)
    name: str = "rough"
    licence: str = "apache-2.0"
    caveat: str | None = ROUGH_CAVEAT
    scale_alignment: ScaleAlignment = "none"

    @property
    def meaning(self) -> MapMeaning:
        """Its values are disparities from 0 to 1 by convention."""
        return MapMeaning("disparity")

    @property
    def settings(self) -> Mapping[str, object]:
        return {"version": _VERSION, "long_side_px": _LONG_SIDE_PX, "seed": asdict(self.seed)}

    def maps(self, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """See ``DepthEstimator.maps``; they tell of the frames in which the subject is not sure (``RemarkedMaps``)."""
        return _Maps(self.seed, frames)


class _Maps:
    """The maps of one run, made one by one."""

    def __init__(self, seed: ClipSeed, frames: Iterable[NDArray[np.float32]]) -> None:
        self._frame_count = self._unsure = 0
        self._maps = self._made(seed, frames)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> NDArray[np.float32]:
        return next(self._maps)

    @property
    def remark(self) -> str | None:
        """How often it was not sure of the subject; None where it was."""
        if not self._unsure:
            return None
        return (
            f"the rough estimate is not sure of its subject in {self._unsure} of {self._frame_count} frames, and lets "
            f"what is about it blur less there; a box around it may help (--focus-box, or --subject-box of any2bokeh "
            "depth)"
        )

    def _made(self, seed: ClipSeed, frames: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        layout, parallax = Layout(), _Parallax()
        for view, guess in _guesses((_View.of(pixels) for pixels in frames), seed):
            self._frame_count += 1
            self._unsure += guess.certainty < _UNSURE
            disparity = layout.disparity(guess.share, parallax.seen(view.motion), guess.doubt, guess.certainty)
            if disparity.shape[::-1] != view.size:
                disparity = np.asarray(cv2.resize(disparity, view.size, interpolation=cv2.INTER_AREA), np.float32)
            yield disparity[None]


@dataclass(slots=True, eq=False)
class _Guess:
    """Where the subject of a frame is, as far as is known; see ``Layout.disparity``."""

    share: NDArray[np.float32]
    doubt: NDArray[np.float32] | None = None
    certainty: float = 1.0

    @classmethod
    def none(cls, view: "_View") -> "_Guess":
        """Nowhere."""
        return cls(np.zeros(view.grey.shape, np.float32))


def _guesses(views: Iterable["_View"], seed: ClipSeed) -> Iterator[tuple["_View", _Guess]]:
    flow = FlowFinder()
    ahead: list[_View] = []
    rest = iter(_with_motion(views, flow))
    subject: _Subject | None = None
    for index, view in enumerate(rest):
        if subject is not None:
            subject = subject.after(view)
            yield view, subject.guess
            continue
        ahead.append(view)
        if index < seed.frame:
            if len(ahead) > _LOOK_BACK_FRAMES:
                early = ahead.pop(0)
                yield early, _Guess.none(early)
            continue
        following = next(rest, None)
        residual = None
        if following is not None and not following.begins_shot:
            residual = Motion.of(flow(view.grey, following.grey)).residual_px
        subject = _Subject(view, seed, residual)
        yield from zip(ahead, _backwards(ahead, subject.guess, flow, residual), strict=True)
        ahead = []
        if following is not None:
            subject = subject.after(following)
            yield following, subject.guess
    for view in ahead:  # the seed lies past the end
        yield view, _Guess.none(view)


class _Subject:
    """The subject of one shot, from the frame of its seed on."""

    def __init__(self, view: "_View", seed: ClipSeed, residual_px: NDArray[np.float32] | None) -> None:
        share, agreement = voted_matte(view.pixels, seed, residual_px)
        self._matte = PropagatedMatte(view.pixels, share, residual_px)
        self._seed = seed_certainty(agreement)
        self._outline = outline_certainty(view.pixels, share)

    @property
    def guess(self) -> _Guess:
        """What is known in the newest frame."""
        return _Guess(self._matte.share, self._matte.doubt, self._seed * self._outline)

    def after(self, view: "_View") -> "_Subject":
        """It with the next frame taken in; after a cut, the one in the middle of the new shot."""
        if view.begins_shot or view.motion is None:
            return _Subject(view, ClipSeed(), None)
        share = self._matte.advance(view.pixels, view.motion)
        self._outline += _LEARN_CERTAINTY * (outline_certainty(view.pixels, share) - self._outline)
        return self


@dataclass(slots=True, eq=False)
class _View:
    """A frame at the working size, ``(h, w, 3)`` and ``(h, w)`` uint8, and its motion to the frame before.

    ``size``, width and height, is what its map shall have; it differs where flow needs more pixels than there are.
    """

    pixels: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    size: tuple[int, int]
    motion: Motion | None = None
    begins_shot: bool = False

    @classmethod
    def of(cls, frame: NDArray[np.float32]) -> "_View":
        height, width = frame.shape[1:]
        scale = min(1.0, _LONG_SIDE_PX / max(height, width))
        own_size = (max(1, round(width * scale)), max(1, round(height * scale)))
        size = (max(_LEAST_SIDE_PX, own_size[0]), max(_LEAST_SIDE_PX, own_size[1]))
        planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in frame]
        pixels = (np.clip(np.stack(planes, axis=-1), 0, 1) * 255 + 0.5).astype(np.uint8)
        return cls(pixels, np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8), own_size)

    def thumbnail(self) -> Thumbnail:
        """The view as cuts are found on."""
        return Thumbnail(self.pixels.astype(np.float32) / np.float32(255), self.grey)


def _with_motion(views: Iterable[_View], flow: FlowFinder) -> Iterator[_View]:
    before: _View | None = None
    for view in views:
        if before is not None:
            motion = Motion.of(flow(view.grey, before.grey))
            view.begins_shot = is_cut(before.thumbnail(), view.thumbnail(), motion.flow)
            view.motion = None if view.begins_shot else motion
        before = view
        yield view


def _backwards(
    views: list[_View], guess: _Guess, flow: FlowFinder, residual_px: NDArray[np.float32] | None
) -> list[_Guess]:
    """Guesses at frames that end with the seed's, carried back from it; empty before a cut."""
    matte = PropagatedMatte(views[-1].pixels, guess.share, residual_px)
    found = [guess]
    for view, after in zip(reversed(views[:-1]), reversed(views[1:]), strict=True):
        if after.begins_shot:
            break
        share = matte.advance(view.pixels, Motion.of(flow(view.grey, after.grey)))
        found.append(_Guess(share, matte.doubt, guess.certainty))
    found += [_Guess.none(view) for view in reversed(views[: len(views) - len(found)])]
    return found[::-1]


class _Parallax:
    """How much each pixel moves against the camera, learnt over time and carried with what moves."""

    def __init__(self) -> None:
        self._learnt: NDArray[np.float32] | None = None

    def seen(self, motion: Motion | None) -> NDArray[np.float32] | None:
        """``(h, w)`` in [0, 1]; None where a shot begins."""
        if motion is None:
            self._learnt = None
            return None
        full = _PARALLAX_FULL * max(motion.residual_px.shape)
        seen = backdrop_edges(np.clip(motion.residual_px / np.float32(full) - np.float32(0.25), 0, 1))
        if self._learnt is None:
            self._learnt = np.zeros_like(seen)
        self._learnt = warp(self._learnt, motion.flow)
        self._learnt += np.float32(_PARALLAX_LEARN) * (seen - self._learnt)
        return self._learnt
