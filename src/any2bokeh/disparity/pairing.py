"""Which map belongs to which frame of the clip."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.grey_frames import GreyFrames, require_frame_count
from any2bokeh.errors import InputError

Notice = Callable[[str], None]


def paired(
    frames: GreyFrames,
    *,
    clip_frame_count: int,
    frame_numbers: Sequence[int] | None = None,
    dropped_frames: Sequence[int] = (),
    stop: int | None = None,
    notice: Notice | None = None,
) -> GreyFrames:
    """Maps counted like the frames of the clip.

    Files whose names are numbered belong to the frames of the same number, where the clip is numbered too. Where the
    numbers have nothing in common (a clip from 1001 on, maps from 0 on), or are as many without a gap and only begin
    elsewhere, they belong together in their order.

    Args:
        frames: the maps.
        clip_frame_count: frames of the clip.
        frame_numbers: their numbers; None where they have none, as in a video.
        dropped_frames: places of frames that the clip lacks (see ``VideoInfo``); where there are as many maps as with
            them, theirs are left out.
        stop: frame after the last that is needed; maps may be missing from there on.
        notice: told of maps that are left over, and of an order that numbers do not confirm.

    Raises:
        InputError: names the first frame without a map.
    """
    numbers = frames.numbers
    told = notice or (lambda remark: None)
    if dropped_frames and frames.frame_count == clip_frame_count + len(dropped_frames):
        told(
            f"{frames.title} has {frames.frame_count} frames, as the clip had before {len(dropped_frames)} were "
            f"dropped from it; those of the dropped ones are left out (the first: {frames.label(dropped_frames[0])})"
        )
        return PairedFrames(frames, tuple(at for at in range(frames.frame_count) if at not in set(dropped_frames)))
    if numbers is None or frame_numbers is None:
        require_frame_count(frames, clip_frame_count=clip_frame_count, stop=stop)
        gap = _first_gap(numbers)
        if gap is not None and frames.frame_count == clip_frame_count:
            told(
                f"{frames.title} has no number {gap}, but as many maps as the clip has frames ({clip_frame_count}): "
                f"they are matched in order; check that none is missing"
            )
        return frames
    if _is_shifted(numbers, frame_numbers):
        if numbers[0] != frame_numbers[0] and set(numbers) & set(frame_numbers):
            told(
                f"{frames.title} is numbered {numbers[0]} to {numbers[-1]} and the clip {frame_numbers[0]} to "
                f"{frame_numbers[-1]}: as there are as many, they are matched in order"
            )
        return frames
    place_of = {number: place for place, number in enumerate(numbers)}
    if not any(number in place_of for number in frame_numbers):
        _require_order_without_gap(frames, numbers, frame_numbers)
        require_frame_count(frames, clip_frame_count=clip_frame_count, stop=stop)
        return frames
    needed = frame_numbers[: clip_frame_count if stop is None else stop]
    lacking = [number for number in needed if number not in place_of]
    if lacking:
        raise InputError(
            f"{frames.title} has no map numbered {lacking[0]}, which the clip has a frame for "
            f"({len(lacking)} of {len(needed)} frames lack one); export it again, or pass --start/--end to leave it out"
        )
    left_over = sorted(set(numbers) - set(frame_numbers))
    if left_over:
        several = "" if len(left_over) == 1 else f" and {len(left_over) - 1} more"
        told(f"{frames.title} has maps that the clip has no frame for, which are left out: {left_over[0]}{several}")
    count = next((at for at, number in enumerate(frame_numbers) if number not in place_of), clip_frame_count)
    places = tuple(place_of[number] for number in frame_numbers[:count])
    return frames if places == tuple(range(frames.frame_count)) else PairedFrames(frames, places)


class PairedFrames:
    """Some of the maps of a folder, in the order of the clip's frames.

    Args:
        frames: all maps.
        places: of each frame of the clip, which of them is its map.
    """

    def __init__(self, frames: GreyFrames, places: Sequence[int]) -> None:
        self._frames = frames
        self._places = places
        self.title, self.frame_count = frames.title, len(places)
        self.normalised, self.full_scale = frames.normalised, frames.full_scale
        self.holds_depth, self.is_cut_out = frames.holds_depth, frames.is_cut_out
        self.numbers = None if frames.numbers is None else tuple(frames.numbers[place] for place in places)

    def at(self, index: int) -> NDArray[np.float32]:
        """The map of one frame, ``(h, w)``."""
        return self._frames.at(self._places[index])

    def frames(self, start: int, stop: int) -> Iterator[NDArray[np.float32]]:
        """Maps of frames ``start`` to ``stop`` in order."""
        for place in self._places[start:stop]:
            yield self._frames.at(place)

    def label(self, index: int) -> str:
        """What messages call one frame."""
        return self._frames.label(self._places[index])

    def first_missing(self) -> tuple[int, str]:
        """Position and name of the frame after the last."""
        return self.frame_count, f"frame {self.frame_count}"

    def close(self) -> None:
        """Close what is open."""
        self._frames.close()


def _is_shifted(numbers: Sequence[int], frame_numbers: Sequence[int]) -> bool:
    """Whether both are numbered alike but for where they begin."""
    if len(numbers) != len(frame_numbers):
        return False
    return len({own - other for own, other in zip(numbers, frame_numbers, strict=True)}) == 1


def _require_order_without_gap(frames: GreyFrames, numbers: Sequence[int], frame_numbers: Sequence[int]) -> None:
    """Refuse maps in order where a number of theirs is missing: those after it would be one frame late."""
    gap = _first_gap(numbers)
    if gap is not None and len(numbers) <= len(frame_numbers):
        raise InputError(
            f"{frames.title} has no map numbered {gap}, and its numbers {numbers[0]} to {numbers[-1]} are not those of "
            f"the clip ({frame_numbers[0]} to {frame_numbers[-1]}), which could match them; export it again"
        )


def _first_gap(numbers: Sequence[int] | None) -> int | None:
    """The first number that is left out of a row that counts in steps of one otherwise."""
    if numbers is None:
        return None
    steps = [after - before for before, after in pairwise(numbers)]
    if not steps or min(steps) != 1 or steps.count(1) < len(steps) / 2:
        return None
    return next((before + 1 for before, step in zip(numbers, steps, strict=False) if step > 1), None)
