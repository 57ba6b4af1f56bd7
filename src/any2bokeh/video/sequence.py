"""Image sequences: which files, and in which order."""

import re
from collections import Counter
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path
from typing import Literal

from any2bokeh.errors import InputError
from any2bokeh.video.frame_numbers import NamePattern

IMAGE_EXTENSIONS = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".bmp", ".webp",
        ".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k",
        ".dpx", ".hdr", ".tga", ".psd", ".sgi", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
    }
)  # fmt: skip
# Still pictures of other kinds, and what to do with them.
_UNREAD = {
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef"), "develop it to TIFF or EXR"
    ),
    **dict.fromkeys((".svg", ".pdf", ".eps", ".ai"), "export it as PNG"),
    **dict.fromkeys((".xcf", ".kra", ".ora", ".afphoto", ".clip"), "export it as PNG, TIFF or EXR"),
    **dict.fromkeys((".cin", ".iff", ".rla", ".sxr", ".mxr", ".tx", ".pic"), "convert it to EXR or DPX"),
    **dict.fromkeys((".ico", ".dds", ".ktx", ".ktx2", ".fits", ".jph", ".j2c"), "convert it to PNG or TIFF"),
}
# Enough of a file to tell whether it is animated; colour profiles may come first.
_BEGINNING_BYTES = 1 << 20

Animation = Literal["webp", "container"]


def natural_sorted(paths: Iterable[Path]) -> list[Path]:
    """Paths in the order a person counts them: ``frame9`` before ``frame10``, ``frame09`` beside ``frame9``."""
    return sorted(paths, key=_natural_key)


def find_sequence(path: str | Path) -> list[Path] | None:
    """The images that ``path`` names, in natural order, or None where it is a file that is no still image.

    Raises:
        InputError: a folder or pattern without images, or a still image of a kind that is not read.
    """
    given = Path(path)
    if given.is_dir():
        return _in_folder(given)
    if given.is_file():
        remedy = _UNREAD.get(given.suffix.lower())
        if remedy is not None:
            raise InputError(f"{path} is a {given.suffix.lower()[1:]} picture, a kind that is not read; {remedy}")
        return [given] if is_image(given) else None
    pattern = NamePattern.of(given)
    if pattern is not None:
        return _numbered(pattern, given)
    if has_magic(str(path)):
        # Path.glob takes no absolute pattern.
        found = [Path(p) for p in glob(str(path), recursive=True)]  # noqa: PTH207
        if not found:
            raise InputError(f"no file matches {path}; check the pattern")
        images = [p for p in found if is_image(p)]
        if not images:
            raise InputError(f"no image among the {len(found)} files that match {path}; a pattern is for {_kinds()}")
        return natural_sorted(images)
    raise InputError(f"{path} does not exist; check the path")


def is_image(path: Path) -> bool:
    """Whether a file is one that a sequence takes."""
    # Hidden files are editors' and systems' droppings (._frame.png), never frames.
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".") and path.is_file()


def animation_in(images: list[Path]) -> Animation | None:
    """What reads the only image of a sequence where it is an animation; None where it is a still, or one of many."""
    if len(images) > 1:
        return None
    path = images[0]
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING_BYTES)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the file") from None
    # VP8X, whose flags say that there are ANMF chunks. Source: RFC 9649, 2.7.
    if beginning[8:16] == b"WEBPVP8X" and len(beginning) > 20 and beginning[20] & 2:
        return "webp"
    from any2bokeh.video.heif import is_heif_sequence
    from any2bokeh.video.png import is_animated

    return "container" if is_animated(beginning) or is_heif_sequence(beginning) else None


def _in_folder(folder: Path) -> list[Path]:
    try:
        files = [p for p in folder.iterdir() if not p.name.startswith(".") and p.is_file()]
    except OSError as error:
        raise InputError(f"folder {folder} cannot be read ({error.strerror}); check its permissions") from None
    images = [p for p in files if is_image(p)]
    if not images:
        kinds = Counter(p.suffix.lower() for p in files if p.suffix)
        held = f" but {', '.join(kind for kind, _ in kinds.most_common(3))} files" if kinds else ""
        raise InputError(f"folder {folder} holds no images{held}; put {_kinds()} files in it")
    return _of_one_kind(natural_sorted(images), folder)


def _numbered(pattern: NamePattern, given: Path) -> list[Path]:
    """The files whose names are those of a pattern, by their numbers."""
    folder = pattern.folder
    if not folder.is_dir():
        raise InputError(f"{given} does not exist: there is no folder {folder}; check the path")
    images = [p for p in folder.iterdir() if pattern.matches(p.name) and is_image(p)]
    if not images:
        raise InputError(f"no image matches {given}; the first would be called {pattern.name(1)}, for example")
    return natural_sorted(images)


def _of_one_kind(images: list[Path], path: str | Path) -> list[Path]:
    kinds = sorted({p.suffix.lower() for p in images})
    if len(kinds) > 1:
        raise InputError(
            f"folder {path} mixes {' and '.join(kinds)} images; say which with a pattern: {path}/*{kinds[0]}"
        )
    return images


def _kinds() -> str:
    return ", ".join(sorted(extension[1:] for extension in IMAGE_EXTENSIONS))


def _natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"(\d+)", str(path))
    # Digits sort as numbers and before letters; the plain name settles ties such as 09 and 9.
    key = [(0, int(part), "") if part.isdigit() else (1, 0, part.casefold()) for part in parts if part]
    return key, str(path)
