"""Which frames of its media a clip of a timeline shows."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from any2bokeh.batch.timeline_media import Media, frames_of
from any2bokeh.errors import InputError

Remark = Callable[[str], None]

# Times of a timeline are floats: what lies this near a frame is that frame.
_NEAR = Fraction(1, 100)
# Editors round the ends of clips whose rate is not the timeline's.
_OVERSHOOT = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Frames of a media file.

    Attributes:
        first: where the clip's own range begins, counted from the first frame of the file; a fraction, where the
            timeline has another rate.
        start, stop: the frames ``start <= index < stop`` that are rendered.
    """

    first: Fraction
    start: int
    stop: int


def span_of(clip: Any, media: Media, numbered_from: int | None, handles: int, remark: Remark) -> Span:
    """The frames that a clip shows, with those under transitions, those that a speed effect reaches, and handles.

    Args:
        clip: ``otio.schema.Clip``.
        media: what it refers to.
        numbered_from: the number of the image at which the reference's available range begins, of a sequence.
        handles: frames more on either side, as far as the media has them.
        remark: told what the user should know.

    Raises:
        InputError: the media does not have these frames.
    """
    fps, available = media.fps, clip.media_reference.available_range
    if clip.source_range is None and available is None:
        return Span(Fraction(0), 0, media.frame_count)
    own, seen = clip.trimmed_range(), clip.visible_range()
    begin, end = frames_of(own.start_time, fps), frames_of(own.start_time, fps) + frames_of(own.duration, fps)
    origin = _origin(begin, end, media, available, numbered_from)
    if origin is None:
        raise InputError(
            f"it shows the frames {math.floor(begin)} to {math.ceil(end) - 1} of {media.path}, which has the frames "
            f"{media.begins_at} to {media.begins_at + media.frame_count - 1}; link it to the right media"
        )
    begin, end = begin - origin, end - origin
    if begin < -_NEAR or end > media.frame_count + _OVERSHOOT:
        remark(f"shows frames that {media.path} does not have, and can show those {media.frame_count} only")
    low = frames_of(seen.start_time, fps) - origin
    low, high = _retimed(clip, low, low + frames_of(seen.duration, fps), media, remark)
    start = max(0, math.floor(low + _NEAR) - handles)
    return Span(begin, start, min(media.frame_count, max(start + 1, math.ceil(high - _NEAR) + handles)))


def _origin(begin: Fraction, end: Fraction, media: Media, available: Any, numbered_from: int | None) -> Fraction | None:
    """What the timeline counts the first frame of the file as: the first reading under which the file has the range.

    Timelines count from the media's time code, from the number of its first image, or from 0, whatever their available
    range says; and a file may begin elsewhere than when the timeline was made.
    """
    readings = [Fraction(media.begins_at), Fraction(0)]
    if available is not None:
        stated = frames_of(available.start_time, media.fps)
        if numbered_from is not None and media.numbers is not None:
            stated += media.begins_at - numbered_from
        readings.insert(0, stated)
    count = media.frame_count

    def shown(origin: Fraction) -> Fraction:
        return min(end - origin, Fraction(count)) - max(begin - origin, Fraction(0))

    fitting = (each for each in readings if begin - each >= -_NEAR and end - each <= count + _OVERSHOOT)
    best = next(fitting, None)
    if best is None:
        best = max(readings, key=shown)
    return best if shown(best) > 0 else None


def _retimed(clip: Any, low: Fraction, high: Fraction, media: Media, remark: Remark) -> tuple[Fraction, Fraction]:
    """The frames that a clip reaches through its speed effects.

    Programs disagree on whether a clip's range is that before or after the effect: all frames of both are taken.
    """
    import opentimelineio as otio  # pyright: ignore[reportMissingImports]

    speed = Fraction(1)
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= Fraction(effect.time_scalar).limit_denominator(10_000)
        elif isinstance(effect, otio.schema.TimeEffect) or "time" in f"{effect.name} {effect.effect_name}".lower():
            remark(
                f"has the effect {effect.name or effect.effect_name}; all of its media is refocused, as the effect "
                "may show any of it"
            )
            return Fraction(0), Fraction(media.frame_count)
    if speed == 1:
        return low, high
    length = (high - low) * abs(speed)
    remark(
        f"runs at {float(speed) * 100:g} % of its speed; the effect is kept, and the frames that it reaches are "
        "refocused"
    )
    if speed < 0:
        return low - length, max(high, low + length)
    return low, max(high, low + length)
