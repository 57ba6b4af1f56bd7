"""What a run reads, none of which it may replace."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from any2bokeh.errors import InputError

Replaces = Literal[
    "pictures",  # numbered pictures, and what a folder of them brings along, right in the folder
    "tree",  # any file in the folder, and in folders within it
]
_PICTURES = (".png", ".exr")

Identity = tuple[int, int]
"""Device and number of a file: the same through every link, spelling and ``..``."""


class ReadPaths:
    """Files and folders that a run reads.

    Args:
        paths: of files, folders of files and glob patterns; what is not there is left out.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._roots: dict[Identity, Path] = {}
        self._files: dict[Identity, Path] = {}
        for given in dict.fromkeys(map(os.fspath, paths)):
            for path in _named_by(Path(given)):
                self._add(path)

    def require_kept(self, output: str | os.PathLike[str], *, replaces: Replaces = "pictures") -> None:
        """Refuse an output that would replace any of it.

        Args:
            output: a file or a folder, which need not exist.
            replaces: what a folder's files are.

        Raises:
            InputError: it would.
        """
        output = Path(output)
        found = _identity(output)
        if found is None:
            return
        read = self._roots.get(found) or self._files.get(found)
        if read is None and output.is_dir():
            replaced = _files_in(output) if replaces == "tree" else _pictures_in(output)
            read = next((self._files[one] for one in map(_identity, replaced) if one in self._files), None)
        if read is not None:
            same = "is" if _spelt_alike(output, read) else f"is or holds {read}, which is"
            raise InputError(f"output {output} {same} read by this run and would be replaced; choose another name")

    def _add(self, path: Path) -> None:
        found = _identity(path)
        if found is None:
            return
        self._roots.setdefault(found, path)
        for file in _files_in(path) if path.is_dir() else ():
            inside = _identity(file)
            if inside is not None:
                self._files.setdefault(inside, file)


def _named_by(path: Path) -> Iterator[Path]:
    from glob import glob, has_magic

    if not path.exists() and has_magic(str(path)):
        yield from map(Path, glob(str(path), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    else:
        yield path


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
    return os.path.abspath(one) == os.path.abspath(other)
