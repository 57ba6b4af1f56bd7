"""A subject that is followed from a keyframe on: its disparity in every frame."""

from collections.abc import Callable, Generator, Iterator
from itertools import tee

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.focus.mask import subject_of
from any2bokeh.focus.pictures import Pictures
from any2bokeh.focus.point import disparity_at_point, disparity_in_box
from any2bokeh.focus.target import BoxTarget, PointTarget
from any2bokeh.focus.tracking.scenery import is_scenery
from any2bokeh.focus.tracking.tracker import Seed, Sighting, Tracker, View

OnSighting = Callable[[int, Sighting], None]
# Less of a subject than this share of the frames is remarked on.
_SEEN_SHARE = 0.5


class TrackedSubject:
    """The subject that a seed points at, followed forward; each frame is tracked once, when it is first asked for.

    Only one number a frame is kept. Scenery (a wall, the ground) has no outline that could be followed: its disparity
    where it was pointed at is held.

    Args:
        seed: where the subject is.
        frame: in which frame.
        tracker: what follows it.
        pictures: of the clip.
        disparity: of the clip.
        on_sighting: called with every frame and its sighting, in order.

    Attributes:
        title: what messages call it.
        frame_count: frames that can be asked for.
    """

    def __init__(
        self,
        seed: Seed,
        frame: int,
        *,
        tracker: Tracker,
        pictures: Pictures,
        disparity: DisparitySource,
        on_sighting: OnSighting | None = None,
    ) -> None:
        self.title = f"the subject of frame {frame}"
        self.frame_count = disparity.frame_count
        self._first = frame
        self._on_sighting = on_sighting
        self._disparities: list[float | None] = []
        self._newest: Sighting | None = None
        self._seed = seed
        self._held: float | None = None
        self._sightings = _sightings(seed, frame, tracker, pictures, disparity)

    def disparity(self, frame: int) -> float | None:
        """Disparity of the subject in a frame, None where it is not in view and before the frame of the seed."""
        if frame < self._first:
            return None
        while len(self._disparities) <= frame - self._first:
            self._track_one()
        return self._disparities[frame - self._first]

    def matte(self, frame: int) -> NDArray[np.float32] | None:
        """Matte of the subject in the newest frame that was tracked, or in one after it; None where it is not in view.

        Raises:
            ValueError: the frame is an older one, whose matte is not kept.
        """
        if frame < self._first + len(self._disparities) - 1:
            raise ValueError(f"the matte of frame {frame} is not kept")
        seen = self.disparity(frame) is not None
        return self._newest.matte if seen and self._newest is not None else None

    def read_ahead(self, start: int, stop: int) -> None:
        """Frames are tracked in order in any case; here to be read like a mask."""

    def warnings(self) -> tuple[str, ...]:
        """What looks wrong about the frames tracked so far."""
        seen = sum(value is not None for value in self._disparities)
        if not self._disparities or seen >= _SEEN_SHARE * len(self._disparities):
            return ()
        return (
            f"{self.title} is seen in only {seen} of {len(self._disparities)} frames, and the focus is held in the "
            f"others; give another keyframe where it comes back, or a mask",
        )

    def close(self) -> None:
        """Stop reading the clip."""
        self._sightings.close()

    def _track_one(self) -> None:
        if self._held is not None:
            self._disparities.append(self._held)
            return
        sighting, disparity = next(self._sightings)
        if not self._disparities and is_scenery(sighting.matte, disparity):
            self._held = _disparity_at(self._seed, disparity, sighting)
            self.close()
            self._disparities.append(self._held)
            return
        self._newest = sighting
        if self._on_sighting:
            self._on_sighting(self._first + len(self._disparities), sighting)
        self._disparities.append(subject_of(sighting.matte, disparity[None]).disparity if sighting.visible else None)


def _disparity_at(seed: Seed, disparity: NDArray[np.float32], sighting: Sighting) -> float | None:
    match seed:
        case PointTarget():
            return disparity_at_point(disparity[None], seed.x, seed.y)
        case BoxTarget():
            return disparity_in_box(disparity[None], seed.x0, seed.y0, seed.x1, seed.y1)
        case _:
            return subject_of(sighting.matte, disparity[None]).disparity


def _sightings(
    seed: Seed, frame: int, tracker: Tracker, pictures: Pictures, disparity: DisparitySource
) -> Generator[tuple[Sighting, NDArray[np.float32]], None, None]:
    """Sightings from a frame to the end, each with the disparity at the size of its matte."""
    views, again = tee(views_of(pictures, disparity, frame))
    for sighting in tracker.track(views, seed):
        reduced = next(again).disparity
        assert reduced is not None
        yield sighting, reduced


def views_of(pictures: Pictures, disparity: DisparitySource, start: int, stop: int | None = None) -> Iterator[View]:
    """Pictures of a clip, each with its disparity brought to the picture's size."""
    import cv2

    end = disparity.frame_count if stop is None else stop
    for pixels, full in zip(pictures.frames(start, end), disparity.frames(start, end), strict=True):
        height, width = pixels.shape[:2]
        reduced = full[0]
        if reduced.shape != (height, width):
            reduced = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_AREA)
        yield View(pixels, np.asarray(reduced, np.float32))
