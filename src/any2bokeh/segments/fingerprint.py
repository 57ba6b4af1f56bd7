"""What a result is made of, so that it is recognised by that and not by its name."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from any2bokeh import recipe_json
from any2bokeh.errors import InputError
from any2bokeh.recipe import Recipe
from any2bokeh.video import Encoding, VideoInfo, VideoSource
from any2bokeh.video.frame_numbers import NamePattern

_CHUNK_BYTES = 1 << 20

Fingerprint = dict[str, Any]
"""Plain JSON; what is the same has equal ``essence``s."""

_NAMES = {
    "version": "the version of any2bokeh",
    "codecs": "the version of the encoders",
    "input": "the input",
    "clip": "how the input is read",
    "recipe": "the recipe",
    "files": "a file that the recipe names",
    "encoding": "the encoding",
    "frames": "the part of the clip",
    "segment_frames": "the length of segments",
    "output": "the kind of the output",
    "aovs": "the AOVs",
}


def fingerprint(
    source: VideoSource, recipe: Recipe, encoding: Encoding, *, known: Mapping[str, Any] | None = None, **more: Any
) -> Fingerprint:
    """What the render of a clip is made of.

    Args:
        source: the clip.
        recipe: what is wanted.
        encoding: how it is encoded.
        known: another fingerprint; of files that are as they were then, by name, size and time, what was found then is
            taken, so that they are not read again.
        more: plain values that decide over the result, too, by their names in ``differences``.

    Raises:
        InputError: a file cannot be read, or the recipe holds what is no file or value.
    """
    import av

    from any2bokeh import __version__

    info = source.info
    seen = _Files(known)
    named = {str(Path(path).absolute()): Path(path) for path in recipe.read_paths()}
    model = recipe.engine.model
    if model is not None and Path(model).is_dir():
        named[model] = Path(model)
    files = {path: seen.of(place) for path, place in named.items()}
    return {
        "version": __version__,
        "codecs": av.__version__,
        "input": seen.of_clip(info),
        "clip": _clip(source, info),
        "recipe": _unplaced(json.loads(recipe_json.dumps(recipe)), list(files)),
        "files": list(files.values()),
        "encoding": {name: value for name, value in asdict(encoding).items() if name != "threads"},
        **json.loads(json.dumps(more)),
    }


def essence(of: Mapping[str, Any]) -> Any:
    """A fingerprint without what changes when files are copied: their times, and the name of a file that stands alone.

    Equal ones are of the same result.
    """
    plain: dict[str, Any] = dict(of)
    for name in ("input", "files"):
        groups = plain.get(name, [])
        plain[name] = _timeless(groups) if name == "input" else [_timeless(each) for each in groups]
    return plain


def digest(of: Mapping[str, Any]) -> str:
    """One word for an ``essence``."""
    return hashlib.sha256(json.dumps(essence(of), sort_keys=True).encode()).hexdigest()


def recipe_digest(recipe: Recipe) -> str | None:
    """One word for a recipe, equal for equal ones; None for one that cannot be written to a file."""
    with suppress(InputError):
        return hashlib.sha256(recipe_json.dumps(recipe).encode("utf-8", "surrogateescape")).hexdigest()
    return None


def clip_content(info: VideoInfo) -> tuple[int, str]:
    """Bytes of a clip and one word for what they are, wherever its file lies and whatever it is called.

    Raises:
        InputError: it cannot be read.
    """
    return _summary(_Files(None).of_clip(info))


def file_content(path: Path) -> tuple[int, str]:
    """The same of any file, or of the files that a folder or a pattern stands for."""
    return _summary(_Files(None).of(path))


def _summary(group: list[list[Any]]) -> tuple[int, str]:
    content = hashlib.sha256(json.dumps(_timeless(group)).encode()).hexdigest()
    return sum(size for _, size, _, _ in group), content


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """In what two fingerprints differ, in words."""
    before, after = essence(one), essence(other)
    names: list[str] = [*before, *(name for name in after if name not in before)]
    return [_NAMES.get(name, name) for name in names if before.get(name) != after.get(name)]


class _Files:
    """Finds out what files are, unless it is known."""

    def __init__(self, known: Mapping[str, Any] | None) -> None:
        groups = [] if known is None else [known.get("input", []), *known.get("files", [])]
        self._known = {(name, size, time): content for group in groups for name, size, time, content in group}

    def of_clip(self, info: VideoInfo) -> list[list[Any]]:
        """Name, size, time and content of the file of a clip, or of each of its images."""
        from any2bokeh.video.sequence import find_sequence

        return self._each(info.path, (find_sequence(info.path) if info.is_sequence else None) or [info.path])

    def of(self, path: Path) -> list[list[Any]]:
        """The same of a file, or of each file that a folder or a pattern stands for."""
        return self._each(path, _files_of(path))

    def _each(self, path: Path, files: list[Path]) -> list[list[Any]]:
        try:
            return [self._file(file) for file in files]
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None

    def _file(self, path: Path) -> list[Any]:
        stat = path.stat()
        place = (path.name, stat.st_size, stat.st_mtime_ns)
        return [*place, self._known.get(place) or _content(path)]


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    if path.exists():
        return [path]
    if has_magic(str(path)):
        return sorted(Path(each) for each in glob(str(path), recursive=True))  # noqa: PTH207
    pattern = NamePattern.of(path)
    if pattern is None or not pattern.folder.is_dir():
        return []  # whoever opens it tells that it is missing
    return sorted(each for each in pattern.folder.iterdir() if pattern.matches(each.name))


def _content(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def _timeless(group: Iterable[list[Any]]) -> list[list[Any]]:
    files = [[name, size, content] for name, size, _, content in group]
    return files if len(files) > 1 else [each[1:] for each in files]


def _clip(source: VideoSource, info: VideoInfo) -> list[str | None]:
    """What the options for reading make of the same file: its rate, its frames, its fields, its layer."""
    return [
        str(info.fps),
        str(info.frame_count),
        f"{info.width}x{info.height}",
        info.pixel_format,
        info.transfer,
        info.scan,
        source.layer,
    ]


def _unplaced(given: Any, paths: list[str]) -> Any:
    """A recipe with numbers for the paths in it, whose files are looked at instead."""
    if isinstance(given, dict):
        return {key: _unplaced(value, paths) for key, value in given.items()}
    if isinstance(given, list):
        return [_unplaced(each, paths) for each in given]
    return f"file {paths.index(given)}" if isinstance(given, str) and given in paths else given
