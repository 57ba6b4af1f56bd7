"""How a result on the disk is known again without reading it, and small files that are whole or not there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

Marks = dict[str, Sequence[int]]
"""Size and time of a file, under the name ``""``; of a folder those of each file in it."""


def marks_of(place: Path) -> Marks:
    """Those of a file or a folder; a new name does not change them.

    Raises:
        OSError: it cannot be looked at.
    """
    files = sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]
    return {
        "" if each == place else each.relative_to(place).as_posix(): [each.stat().st_size, each.stat().st_mtime_ns]
        for each in files
    }


def is_marked(place: Path, marks: Mapping[str, Sequence[int]] | None) -> bool:
    """Whether a file or a folder is there as it was marked; a folder may hold more."""
    if not marks:
        return False
    try:
        return all(
            [(found := (place / name if name else place).stat()).st_size, found.st_mtime_ns] == list(mark)
            for name, mark in marks.items()
        )
    except OSError:
        return False


def write_whole(path: Path, text: str) -> None:
    """Write a small file that is there whole or not at all, and stays if the machine goes off.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
