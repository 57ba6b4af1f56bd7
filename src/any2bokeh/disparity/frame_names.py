"""File names of a numbered sequence: natural order, and which number is missing."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key under which ``frame2`` comes before ``frame10``; equal numbers keep a fixed order by spelling."""
    parts = re.split(r"(\d+)", name)
    numbers: list[tuple[int, int | str]] = [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]
    return (*numbers, (2, name))


def first_missing(names: Sequence[str]) -> tuple[int, str]:
    """Position and name of the first frame that a naturally ordered sequence lacks.

    A gap in the numbers names it; without one, or without numbers, it is the frame after the last.

    Args:
        names: file names in natural order, at least one.

    Returns:
        ``(index, label)``; the label is spelled as the neighbouring file's number (``00041``), or ``frame 83`` where
        the names are not numbered alike.
    """
    numbered = [_split_number(name) for name in names]
    numbers = [number for split in numbered if split is not None for number in [int(split[1])]]
    alike = len({(split[0], split[2]) for split in numbered if split is not None}) == 1 and None not in numbered
    if not alike:
        return len(names), f"frame {len(names)}"
    steps = [after - before for before, after in pairwise(numbers)]
    step = Counter(steps).most_common(1)[0][0] if steps else 1
    index = next((i + 1 for i, found in enumerate(steps) if found > step), len(names))
    before = numbered[index - 1]
    assert before is not None
    return index, str(numbers[index - 1] + step).zfill(len(before[1]))


def numbers_of(names: Sequence[str]) -> tuple[int, ...] | None:
    """Frame numbers of file names that differ in one number only, in their order; None where they do not.

    A single name has no numbering: its digits may mean anything.
    """
    split = [_split_number(name) for name in names]
    numbered = [parts for parts in split if parts is not None]
    if len(names) < 2 or len(numbered) < len(names) or len({(before, after) for before, _, after in numbered}) > 1:
        return None
    numbers = tuple(int(number) for _, number, _ in numbered)
    return numbers if len(set(numbers)) == len(numbers) else None


def _split_number(name: str) -> tuple[str, str, str] | None:
    """The last number of a file name with what stands around it."""
    match = re.fullmatch(r"(.*?)(\d+)(\D*)", PurePath(name).stem)
    return (match[1], match[2], match[3]) if match else None
