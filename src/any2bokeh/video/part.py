"""Which part of a clip is written."""

from dataclasses import dataclass
from fractions import Fraction

from any2bokeh.video.source import VideoSource

_MICROSECONDS = 1_000_000
_SLACK_S = Fraction(1, 10_000)


@dataclass(frozen=True, slots=True)
class Part:
    """The frames ``start <= index < stop`` of a clip.

    Attributes:
        start, stop: indices of frames.
        is_whole: whether that is every frame.
        begin_s, end_s: when the first of them is shown, and when the last is over, on the source's clock; to a tenth of
            a millisecond.
        origin_s: what the result's clock calls 0, on the source's clock: where a part begins, or a whole clip does.
    """

    start: int
    stop: int
    is_whole: bool
    begin_s: Fraction
    end_s: Fraction
    origin_s: Fraction

    @classmethod
    def of(cls, source: VideoSource, start: int = 0, stop: int | None = None) -> "Part":
        """The part of ``source``; ``stop`` None = to its end."""
        count = source.info.frame_count
        stop = count if stop is None else stop
        is_whole = start == 0 and stop >= count
        begin_s = _shown_at(source, start)
        origin_s = source.info.origin_s if is_whole else begin_s
        return cls(start, stop, is_whole, begin_s, _shown_at(source, stop), origin_s)


def _shown_at(source: VideoSource, index: int) -> Fraction:
    """When a frame is shown, on the source's clock; sources tell it for times only, so it is looked for."""
    info = source.info
    if index <= 0:
        return info.start_time_s
    if index >= info.frame_count:
        return info.start_time_s + info.duration_s
    low, high = 0, int((info.duration_s + 1) * _MICROSECONDS)
    while high - low > 1:
        middle = (low + high) // 2
        if source.index_at(Fraction(middle, _MICROSECONDS)) <= index:
            low = middle
        else:
            high = middle
    # The last time that still leads to the frame: its own, and the slack that ``index_at`` gives to decimals.
    return info.start_time_s + Fraction(low, _MICROSECONDS) - _SLACK_S
