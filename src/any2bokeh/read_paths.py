"""What a run reads, none of which it may replace."""

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from any2bokeh.errors import InputError
from any2bokeh.video.frame_numbers import NamePattern

Replaces = Literal[
    "pictures",  # the pictures right in the folder
    "tree",  # any file in the folder, and in folders within it
]
_PICTURES = (".png", ".exr", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")

Identity = tuple[int, int]
"""Device and number of a file: the same through every link, spelling and ``..``."""


class ReadPaths:
    """Files and folders that a run reads.

    Args:
        paths: of files, folders of files and glob patterns; what is not there is left out.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        named = [path for given in dict.fromkeys(map(str, paths)) for path in _named_by(Path(given))]
        self._named = {identity: path for path in named if (identity := _identity(path)) is not None}

    def require_kept(self, output: str | os.PathLike[str], *, replaces: Replaces = "pictures") -> None:
        """Refuse an output that would replace any of it, or become a part of it.

        Args:
            output: a file or a folder, which need not exist.
            replaces: what a folder's files are.

        Raises:
            InputError: it would.
        """
        output = Path(output)
        if output.suffix.lower() in _PICTURES and not output.exists():
            folder = self._named.get(_identity(output.parent) or (-1, -1))
            if folder is not None:
                raise InputError(
                    f"output {output} would be a picture more in {folder}, which this run reads; choose another place"
                )
        found = _identity(output)
        read = None if found is None else self._named.get(found) or self._files.get(found)
        if read is not None:
            which = "" if _spelt_alike(output, read) else f"{read}, which is "
            raise InputError(f"output {output} is {which}read by this run and would be replaced; choose another name")
        if output.is_dir():
            replaced = _files_in(output) if replaces == "tree" else _pictures_in(output)
            read = next((path for path in replaced if (_identity(path) or (-1, -1)) in self._files), None)
            if read is not None:
                raise InputError(
                    f"output {output} holds {read.relative_to(output)}, which this run reads and would replace; choose "
                    f"another name"
                )

    @cached_property
    def _files(self) -> dict[Identity, Path]:
        """Every file, also those in folders."""
        files: dict[Identity, Path] = {}
        for path in self._named.values():
            for file in _files_in(path) if path.is_dir() else (path,):
                identity = _identity(file)
                if identity is not None:
                    files.setdefault(identity, file)
        return files


def _named_by(path: Path) -> Iterator[Path]:
    from glob import glob, has_magic

    if has_magic(str(path)) and not os.path.lexists(path):
        yield from map(Path, glob(str(path), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        return
    # Not in a folder's name: ``shot.####.exr`` and ``shot.%04d.exr``.
    pattern = None if os.path.lexists(path) else NamePattern.of(path)
    if pattern is None or not pattern.folder.is_dir():
        yield path
    else:
        yield from (file for file in pattern.folder.iterdir() if pattern.matches(file.name))


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _files_in(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield Path(place, name)


def _pictures_in(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
    except OSError:
        return


def _spelt_alike(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute()
