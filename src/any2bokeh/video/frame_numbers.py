"""How the files of a sequence are numbered, and what the files of a result are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from any2bokeh.errors import InputError

_PLACE = re.compile(r"#+|%0?(\d*)d")


@dataclass(frozen=True, slots=True)
class FrameNumbers:
    """Numbers of the files of a sequence, in their order.

    Attributes:
        prefix, suffix: what stands before and after the number in every name, without the extension.
        spelled: the numbers as the names spell them, such as ``0042``.
    """

    prefix: str
    suffix: str
    spelled: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """One number for each file."""
        return tuple(map(int, self.spelled))

    def stem(self, index: int) -> str:
        """Name of one file without its extension."""
        return f"{self.prefix}{self.spelled[index]}{self.suffix}"

    def gaps(self) -> list[tuple[int, int]]:
        """First and last number of every run of numbers that are missing.

        Numbers that are all a step of 2 or more apart (every second frame of a render) have no gaps.
        """
        steps = [after - before for before, after in pairwise(self.numbers)]
        usual = min(steps, default=1)
        return [
            (before + usual, after - usual)
            for (before, after), step in zip(pairwise(self.numbers), steps, strict=True)
            if step > usual
        ]

    def gap_remark(self) -> str | None:
        """What the user is told about gaps; None where there are none."""
        gaps = self.gaps()
        if not gaps:
            return None
        runs = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in gaps[:5])
        more = f" and {len(gaps) - 5} more gaps" if len(gaps) > 5 else ""
        numbers = self.numbers
        return f"of the frames {numbers[0]} to {numbers[-1]} some are missing: {runs}{more}"


def frame_numbers(files: Sequence[Path]) -> FrameNumbers | None:
    """The numbers by which the files of a sequence differ; None where they are not numbered alike, in rising order.

    Args:
        files: in natural order. Where a name holds several numbers (``take2_v03.1001.exr``), the frame's is the one
            that changes; of one file alone, the last one.
    """
    if not files or len({file.parent for file in files}) > 1:
        return None
    names = [re.split(r"(\d+)", file.stem, flags=re.ASCII) for file in files]
    if len({len(parts) for parts in names}) > 1 or len(names[0]) < 3:
        return None
    changing = [place for place in range(len(names[0])) if len({parts[place] for parts in names}) > 1]
    place = changing[0] if changing else len(names[0]) - 2
    if len(changing) > 1 or place % 2 == 0:
        return None
    spelled = tuple(parts[place] for parts in names)
    if any(int(after) <= int(before) for before, after in pairwise(spelled)):
        return None
    return FrameNumbers("".join(names[0][:place]), "".join(names[0][place + 1 :]), spelled)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A file name with a place for the frame's number: ``shot.####.exr`` or ``shot.%04d.exr``.

    Attributes:
        folder: where the files lie.
        before, after: what stands around the number; ``after`` holds the extension.
        digits: how many the number has at least.
    """

    folder: Path
    before: str
    after: str
    digits: int

    @classmethod
    def of(cls, path: Path) -> "NamePattern | None":
        """The pattern that a path is; None where its name has no place for a number.

        Raises:
            InputError: it has more than one.
        """
        places = list(_PLACE.finditer(path.name))
        if not places:
            return None
        if len(places) > 1:
            raise InputError(f"pattern {path} has {len(places)} places for a frame number; give one, such as ####")
        place = places[0]
        digits = len(place[0]) if place[0].startswith("#") else int(place[1] or 1)
        return cls(path.parent, path.name[: place.start()], path.name[place.end() :], digits)

    def folder_beside(self, ending: str) -> Path:
        """A folder for what belongs to the sequence: beside its own folder, or in the working folder."""
        if self.folder.name:
            return self.folder.with_name(self.folder.name + ending)
        return Path((self.before.rstrip("._- ") or "frames") + ending)

    def name(self, number: int) -> str:
        """File name of a frame."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def matches(self, name: str) -> bool:
        """Whether a file name is one of a frame: at least as many digits as asked for, and more only where needed."""
        number = name[len(self.before) : len(name) - len(self.after)]
        return name == f"{self.before}{number}{self.after}" and self._is_number(number)

    def _is_number(self, text: str) -> bool:
        return (
            text.isascii()
            and text.isdigit()
            and (len(text) == self.digits or (len(text) > self.digits and text[0] != "0"))
        )


def result_stems(
    numbers: FrameNumbers | None, start: int, stop: int, *, pattern: NamePattern | None = None
) -> list[str]:
    """Names without extension of the files of a result: those of its source where it is numbered, else the frames'
    places in the clip, the first of which is 00000.

    Args:
        numbers: of the source.
        start, stop: the frames ``start <= index < stop`` of the source that are written; they count from its first one.
        pattern: what the files are to be called.
    """
    if pattern is None:
        if numbers is None:
            return [f"{index:05d}" for index in range(start, stop)]
        return [numbers.stem(index) for index in range(start, stop)]
    counted = range(start, stop) if numbers is None else numbers.numbers[start:stop]
    return [Path(pattern.name(number)).stem for number in counted]
