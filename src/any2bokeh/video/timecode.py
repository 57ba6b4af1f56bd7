"""SMPTE time code: the label of a clip's first frame."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

_PATTERN = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")
# Two labels a minute at 30 frames a second are left out, but for every tenth minute. Source: SMPTE ST 12-1, 6.2.
_DROPPED_AT_30 = 2
_HIGHEST_FPS = 120


@dataclass(frozen=True, slots=True)
class Timecode:
    """Frames since 00:00:00:00, at a nominal rate, labelled with or without dropped numbers."""

    frames: int
    nominal_fps: int
    drop: bool

    @classmethod
    def parsed(cls, label: str, fps: Fraction) -> "Timecode | None":
        """A label such as ``01:00:00:00``, or ``01:00:00;00`` for drop frame; None where it is none at this rate."""
        match = _PATTERN.fullmatch(label.strip())
        nominal = round(fps)
        if (
            not match
            or not 1 <= nominal <= _HIGHEST_FPS
            or int(match[5]) >= nominal
            or int(match[2]) > 59
            or int(match[3]) > 59
        ):
            return None
        drop = match[4] in ";."
        if drop and nominal % 30:
            return None
        hours, minutes, seconds, rest = (int(match[group]) for group in (1, 2, 3, 5))
        frames = ((hours * 60 + minutes) * 60 + seconds) * nominal + rest
        if drop:
            whole_minutes = hours * 60 + minutes
            frames -= _dropped(nominal) * (whole_minutes - whole_minutes // 10)
        return cls(frames, nominal, drop)

    def advanced(self, frames: int) -> "Timecode":
        """The time code so many frames later; a day wraps."""
        return Timecode((self.frames + frames) % self._frames_a_day, self.nominal_fps, self.drop)

    def __str__(self) -> str:
        frames = self.frames
        if self.drop:
            dropped = _dropped(self.nominal_fps)
            per_minute = 60 * self.nominal_fps - dropped
            per_ten = 10 * per_minute + dropped
            tens, rest = divmod(frames, per_ten)
            frames += 9 * dropped * tens
            if rest >= dropped:
                frames += dropped * ((rest - dropped) // per_minute)
        seconds, rest = divmod(frames, self.nominal_fps)
        separator = ";" if self.drop else ":"
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{separator}{rest:02d}"

    @property
    def _frames_a_day(self) -> int:
        whole = 24 * 3600 * self.nominal_fps
        return whole - _dropped(self.nominal_fps) * (24 * 60 - 24 * 6) if self.drop else whole


def timecode_of(container: Any, video: Any) -> str | None:
    """The time code that an open source carries: of its pictures, of a track of its own, or of the whole file."""
    places = [video.metadata, *(stream.metadata for stream in container.streams), container.metadata]
    for place in places:
        for key, value in place.items():
            if key.lower() == "timecode":
                return value
    return None


def timecode_in(path: Path, fps: Fraction) -> Timecode | None:
    """The time code of a file's first frame; None where it has none, or is no file that FFmpeg opens."""
    import av

    try:
        with av.open(str(path)) as container:
            label = timecode_of(container, container.streams.video[0])
    except (OSError, ValueError, IndexError):  # FFmpeg's errors are both of the first two
        return None
    return None if label is None else Timecode.parsed(label, fps)


def _dropped(nominal_fps: int) -> int:
    return _DROPPED_AT_30 * nominal_fps // 30
