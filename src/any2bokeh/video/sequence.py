"""Image sequences: which files, and in which order."""

import re
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from any2bokeh.errors import InputError

IMAGE_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".bmp", ".webp"})


def natural_sorted(paths: Iterable[Path]) -> list[Path]:
    """Paths in the order a person counts them: ``frame9`` before ``frame10``, ``frame09`` beside ``frame9``."""
    return sorted(paths, key=_natural_key)


def find_sequence(path: str | Path) -> list[Path] | None:
    """The images that ``path`` names, in natural order, or None where it is a file that is no still image.

    Raises:
        InputError: a folder or glob pattern without images.
    """
    given = Path(path)
    if given.is_dir():
        try:
            images = [p for p in given.iterdir() if is_image(p)]
        except OSError as error:
            raise InputError(f"folder {path} cannot be read ({error.strerror}); check its permissions") from None
        if not images:
            raise InputError(f"folder {path} holds no images; put {_kinds()} files in it")
        return _of_one_kind(natural_sorted(images), path)
    if given.is_file():
        return [given] if is_image(given) else None
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
