"""The clips of a batch: those in a folder tree, those that a pattern names, or those that a manifest lists."""

import os
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from any2bokeh.batch.item import Item
from any2bokeh.batch.manifest import SUFFIXES, manifest_items
from any2bokeh.errors import InputError, require_choice
from any2bokeh.video.frame_numbers import NamePattern
from any2bokeh.video.opening import CONTAINER_EXTENSIONS
from any2bokeh.video.sequence import is_image

if TYPE_CHECKING:
    from any2bokeh.batch.timeline import Timeline
    from any2bokeh.batch.timeline_media import Opened

VIDEO_EXTENSIONS = frozenset(
    {
        *CONTAINER_EXTENSIONS,
        *(
            ".avi",
            ".mxf",
            ".m4v",
            ".mts",
            ".m2ts",
            ".ts",
            ".mpg",
            ".mpeg",
            ".wmv",
            ".flv",
            ".dv",
            ".ogv",
            ".3gp",
            ".y4m",
        ),
    }
)
"""Files of a folder tree that are clips."""

ResultFormat = Literal["auto", "mp4", "mov", "mkv", "webm", "frames"]


def batch_items(
    given: str, output: Path | None, *, result_format: ResultFormat = "auto", leave_out: Iterable[Path] = ()
) -> list[Item]:
    """What is to be rendered.

    A folder is searched with the folders in it: videos are clips, and so is a folder that holds two images or more.
    Results go to the same places below ``output``.

    Args:
        given: a folder, a glob pattern (``rushes/**/*.mov``), or a manifest (.csv, .jsonl); see ``manifest_items``.
        output: folder for the results; of a manifest whose rows name them, None.
        result_format: what results are: ``auto`` is what the clip is, where we write that, and .mp4 elsewhere;
            ``frames`` is a folder of images.
        leave_out: files and folders of a tree that are no clips, such as maps.

    Returns:
        The items in the order of their names or of the manifest. Those that would be written to one place have a
        ``problem``, all but the first.

    Raises:
        InputError: there is no such thing, no clip in it, or no place for the results.
    """
    require_choice("format", result_format, get_args(ResultFormat))
    path = Path(given)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return _apart(manifest_items(path, output, lambda clip: _result_name(clip, result_format)))
    if output is None:
        raise InputError(f"no folder for the results of {given} is given; give one with --output")
    if path.is_dir():
        root = path
        found = list(_clips_in(path, {each.resolve() for each in [output, *leave_out]}))
    elif has_magic(given) and not path.exists():
        root = _fixed_part(path)
        found = [Path(each) for each in sorted(glob(given, recursive=True))]  # noqa: PTH207
        found = [each for each in found if not each.name.startswith(".") and not _is_within(each, [output])]
    elif path.is_file():
        kinds = ", ".join(sorted(SUFFIXES))
        raise InputError(f"{given} is neither a folder nor a manifest ({kinds}); any2bokeh refocus renders one clip")
    else:
        raise InputError(f"{given} does not exist; give a folder, a pattern or a manifest")
    if not found:
        raise InputError(f"no clip is in {given}; videos are clips, and folders with two images or more")
    if path.is_dir() and output.resolve() == path.resolve():
        raise InputError(f"output {output} is the folder of the clips; give another folder")
    return _apart(_item(clip, root, output, result_format) for clip in found)


def timeline_items(
    timeline: "Timeline",
    output: Path,
    opened: "Opened",
    *,
    result_format: ResultFormat = "auto",
    handles: int = 0,
    media: Path | None = None,
) -> list[Item]:
    """What is to be rendered of a timeline.

    Args:
        timeline: which.
        output: folder for the results.
        opened: opens media.
        result_format: what results are; see ``batch_items``.
        handles: frames that are rendered on either side of what a clip shows, 0 or more.
        media: folder in which media is looked for that is not where the timeline has it.

    Raises:
        InputError: no clip of it can be refocused, ``handles`` is below 0, or ``media`` is no folder.
    """
    from any2bokeh.batch.timeline_media import MediaFolder

    require_choice("format", result_format, get_args(ResultFormat))
    if handles < 0:
        raise InputError(f"--handles is {handles}; give 0 or more frames")

    def result_name(clip: Path, is_sequence: bool) -> str:
        if not is_sequence:
            return _result_name(clip, result_format)
        pattern = NamePattern.of(clip)
        name = "" if pattern is None else pattern.before.rstrip(" ._-")
        name = name or clip.parent.name
        return name if result_format in ("auto", "frames") else f"{name}.{result_format}"

    folder = MediaFolder(media, VIDEO_EXTENSIONS)
    return timeline.items(output, result_name, opened, handles=handles, media=folder)


def _item(clip: Path, root: Path, output: Path, result_format: ResultFormat) -> Item:
    place = clip.relative_to(root) if clip.is_relative_to(root) else Path(clip.name)
    if place == Path():  # the folder itself is a sequence
        place = Path(clip.resolve().name)
    return Item(clip, output / place.parent / _result_name(clip, result_format), place.parent, title=str(place))


def _result_name(clip: Path, result_format: ResultFormat) -> str:
    name = clip.resolve().name if clip.is_dir() else clip.stem
    if result_format == "frames" or (result_format == "auto" and clip.is_dir()):
        return name
    if result_format != "auto":
        return f"{name}.{result_format}"
    return f"{name}{clip.suffix.lower() if clip.suffix.lower() in CONTAINER_EXTENSIONS else '.mp4'}"


def _clips_in(folder: Path, left_out: Set[Path]) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not name.endswith(".parts") and (here / name).resolve() not in left_out
        )
        files = [here / name for name in sorted(names) if not name.startswith(".")]
        if sum(is_image(each) for each in files) >= 2:
            yield here
        yield from (
            each for each in files if each.suffix.lower() in VIDEO_EXTENSIONS and each.resolve() not in left_out
        )


def _fixed_part(pattern: Path) -> Path:
    """The folder up to the first part of a pattern that is one."""
    fixed = Path()
    for part in pattern.parts[:-1]:
        if has_magic(part):
            break
        fixed /= part
    return fixed


def _is_within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def _apart(items: Iterable[Item]) -> list[Item]:
    """Items with a problem where another one has the same output."""
    owners: dict[Path, Item] = {}
    checked: list[Item] = []
    for item in items:
        place = Path(os.path.normcase(item.output.absolute()))
        owner = owners.setdefault(place, item)
        if owner is not item and item.problem is None:
            problem = f"output {item.output} is that of {owner.clip}, too; give each clip one of its own"
            checked.append(replace(item, problem=problem))
        else:
            checked.append(item)
    return checked
