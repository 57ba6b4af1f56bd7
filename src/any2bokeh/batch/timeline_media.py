"""Media of a timeline: where it lies, and how the frames of its file are counted."""

import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource
from any2bokeh.video.frame_numbers import FrameNumbers
from any2bokeh.video.timecode import Timecode, timecode_in

Opened = Callable[[Path, str | None], AbstractContextManager[VideoSource]]
"""Opens the media at a path; a rate is given for images."""

# Rates such as 23.98, 23.976 and 29.97 stand for n*1000/1001, which lies 0.024 or more below n.
_NTSC_WITHIN = Fraction(6, 1000)
_SLOWEST = 0.001  # frames a second; what is slower is no rate


@dataclass(frozen=True, slots=True)
class Media:
    """A file or sequence on disk.

    Attributes:
        path: file, or pattern of images.
        fps: its rate.
        frame_count: how many frames it has.
        timecode: of its first frame, where it has one.
        numbers: of its images, where it is a numbered sequence.
    """

    path: Path
    fps: Fraction
    frame_count: int
    timecode: Timecode | None
    numbers: FrameNumbers | None

    @classmethod
    def at(cls, path: Path, opened: Opened, rate: str | None = None) -> "Media":
        """What lies at a path.

        Raises:
            InputError: nothing, or no video.
        """
        with opened(path, rate) as source:
            info = source.info
            timecode = None if info.is_sequence else timecode_in(path, info.fps)
            return cls(path, info.fps, info.frame_count, timecode, source.numbers)

    @property
    def begins_at(self) -> int:
        """The frame that editors count its first one as: by its time code, by the number of its image, or 0."""
        if self.timecode is not None:
            return self.timecode.frames
        return 0 if self.numbers is None else self.numbers.numbers[0]


def frames_of(time: Any, fps: Fraction) -> Fraction:
    """A time of OpenTimelineIO as frames of media.

    Two rates of one nominal rate, such as 30 and 29.97, count the same frames.

    Args:
        time: ``RationalTime``.
        fps: of the media.

    Raises:
        InputError: the time or its rate is no number that frames can be counted by.
    """
    if not math.isfinite(time.value):
        raise InputError(f"a time of it is {time.value:g} frames; export the timeline again")
    value, rate = Fraction(time.value).limit_denominator(1_000_000), exact_rate(time.rate)
    return value if round(time.rate) == round(fps) else value * fps / rate


def exact_rate(rate: float) -> Fraction:
    """A rate as it is meant: 29.97 is 30000/1001.

    Raises:
        InputError: it is not above 0, or not finite.
    """
    if not _SLOWEST <= rate < math.inf:
        raise InputError(f"a rate of it is {rate:g} frames a second; export the timeline with that of its media")
    ntsc = Fraction(round(rate) * 1000, 1001)
    return ntsc if abs(Fraction(rate) - ntsc) < _NTSC_WITHIN else Fraction(rate).limit_denominator(1000)


def local_path(url: str, folder: Path) -> Path | None:
    """The path that a URL or path of a timeline means; None where it is no file of this machine.

    Args:
        url: ``file:///a/b%20c.mov``, ``file://localhost/a/b.mov``, ``/a/b.mov``, ``b.mov`` or ``C:\\b.mov``.
        folder: that relative paths count from.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", url)  # one letter is a drive
    if scheme is None:
        return Path(os.path.normpath(folder / url))
    if scheme[1].lower() != "file":
        return None
    parts = urlsplit(url)
    if not url.lower().startswith("file://"):
        return Path(os.path.normpath(folder / unquote(url[5:])))
    if parts.netloc not in ("", "localhost") and os.name != "nt":
        return None
    # A name may have a # or ? that was not escaped.
    rest = url.split("://", 1)[1].removeprefix(parts.netloc)
    return Path(os.path.normpath(url2pathname(rest)))


def url_of(path: Path, like: str) -> str:
    """A path as a URL where the timeline's own are URLs, otherwise as an absolute path, as Resolve writes it.

    Args:
        path: of a result.
        like: what stood in its place.
    """
    place = path.absolute()
    if not like.lower().startswith("file:"):
        return str(place)
    url = place.as_uri()
    return url.replace("file:///", "file://localhost/", 1) if like.startswith("file://localhost/") else url


def sequence_path(reference: Any, folder: Path) -> Path | None:
    """The pattern of an ``ImageSequenceReference``; None where it is no place on this machine."""
    base = local_path(reference.target_url_base.rstrip("/") + "/", folder)
    digits = f"%0{reference.frame_zero_padding}d" if reference.frame_zero_padding else "%d"
    return None if base is None else base / f"{reference.name_prefix}{digits}{reference.name_suffix}"


class MediaFolder:
    """Where media is looked for that is not where the timeline has it.

    Args:
        folder: searched with all folders in it; None = nowhere.
        extensions: of videos.
    """

    def __init__(self, folder: Path | None, extensions: frozenset[str]) -> None:
        if folder is not None and not folder.is_dir():
            raise InputError(f"--media {folder} is no folder; give the folder in which the media lies")
        self._folder, self._extensions = folder, extensions

    def found(self, name: str) -> Path | None:
        """The one file of a name, with or without its extension.

        Raises:
            InputError: there are several.
        """
        wanted = Path(name.replace("\\", "/")).name.casefold()
        alike = [each for each in self._files if each.name.casefold() == wanted]
        alike = alike or [each for each in self._files if each.stem.casefold() == wanted]
        if len(alike) > 1:
            raise InputError(f"{alike[0]} and {alike[1]} both have the name {name}; leave one in the folder of --media")
        return alike[0] if wanted and alike else None

    @cached_property
    def _files(self) -> list[Path]:
        return [] if self._folder is None else sorted(self._videos_in(self._folder))

    def _videos_in(self, folder: Path) -> Iterator[Path]:
        for place, _, names in os.walk(folder):
            yield from (Path(place, name) for name in names if Path(name).suffix.lower() in self._extensions)
