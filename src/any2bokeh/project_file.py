"""A project: one file with all that a person has decided about a clip, and which clip that is; docs/studio.md.

The file is untrusted: it is bounded, every value in it is checked, and what is refused is named by its place. Nothing
that it names is opened here; ``cli`` opens what its user names, and the studio what it has kept itself.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from any2bokeh import json_file, recipe_json
from any2bokeh.disparity import DepthModel
from any2bokeh.errors import InputError, is_finite_number, shown
from any2bokeh.focus import FocusScript
from any2bokeh.json_file import require_known, require_version, within
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import Look
from any2bokeh.recipe import Recipe
from any2bokeh.segments.fingerprint import clip_content, file_content
from any2bokeh.video import Encoding, VideoSource

VERSION = 1
SUFFIX = ".a2b.json"
MAX_BYTES = json_file.MAX_BYTES

FORMATS: dict[str, tuple[str, Encoding]] = {
    "mp4": (".mp4", Encoding()),
    "mov": (".mov", Encoding(codec="prores")),
    "webm": (".webm", Encoding()),
    "mkv": (".mkv", Encoding(codec="ffv1")),
}
"""What the render of a project can be: its extension, and how it is encoded."""

_KEYS = ("version", "name", "saved", "clip", "disparity", "in_frame", "out_frame", "lens", "blur", "recipe")
_NAME_LENGTH = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_FRAME = 10**9
_MAX_SIZE = 1 << 60


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file, or the files of a folder, by name, by place and by what is in it.

    Attributes:
        name: what people call it; it is never opened.
        size: bytes.
        sha256: of its content; see ``segments.fingerprint``.
        path: where it lay; None where it was uploaded.
    """

    name: str
    size: int
    sha256: str
    path: Path | None = None

    def is_same(self, other: "FileReference") -> bool:
        """Whether another holds the same, wherever it lies and whatever it is called."""
        return (self.size, self.sha256) == (other.size, other.sha256)

    def require_same(self, content: tuple[int, str], *, title: str, remedy: str) -> None:
        """Refuse another file.

        Args:
            content: of the file that is to be it.
            title: what messages call that file.
            remedy: what the user can do.

        Raises:
            InputError: it holds something else.
        """
        if content != (self.size, self.sha256):
            raise InputError(
                f"{title} is not {self.name}, which the project was made with: it holds something else; {remedy}"
            )


@dataclass(frozen=True, slots=True)
class ProjectLens:
    """The lens that is on the camera of a project, beside its look.

    Attributes:
        name: of the lens of the catalogue that its look came from.
        f_number, focal_length_mm, sensor_width_mm, focus_distance_m: see ``Lens``.
        gives_blur: whether the blur is to have the strength of the lens once the disparity of the subject is known.
    """

    name: str = "plain"
    f_number: float = 1.8
    focal_length_mm: float = 50.0
    sensor_width_mm: float = 36.0
    focus_distance_m: float = 2.0
    gives_blur: bool = False

    def __post_init__(self) -> None:
        _ = Lens(self.f_number, self.focal_length_mm, self.sensor_width_mm, self.focus_distance_m)  # refused here


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A project.

    Attributes:
        name: what its user calls it.
        clip: which clip it is of.
        recipe: what decides the pictures. Its disparity is the depth model, or the file that ``disparity`` refers to;
            its focus is no script where nothing has been put in focus yet.
        disparity: the file of disparity that was given; None where it is estimated.
        in_frame, out_frame: first and last frame that is rendered; None = that end of the clip.
        lens: on the camera.
        blur_strength: K that a focus script begins with.
        saved: when, in ISO 8601 and UTC.
    """

    name: str
    clip: FileReference
    recipe: Recipe
    disparity: FileReference | None = None
    in_frame: int | None = None
    out_frame: int | None = None
    lens: ProjectLens = field(default_factory=ProjectLens)
    blur_strength: float = 20.0
    saved: str = ""

    @property
    def script(self) -> FocusScript | None:
        """What is in focus; None where nothing has been said."""
        return self.recipe.focus if isinstance(self.recipe.focus, FocusScript) else None

    @property
    def frames(self) -> tuple[int, int | None] | None:
        """The part that is rendered, its end exclusive; None where that is the whole clip."""
        if self.in_frame is None and self.out_frame is None:
            return None
        return self.in_frame or 0, None if self.out_frame is None else self.out_frame + 1


def render_recipe(recipe: Recipe) -> Recipe:
    """What the render of a project follows: the look is for the layered engine alone."""
    return recipe if recipe.engine.engine == "layered" else replace(recipe, look=Look())


def clip_reference(source: VideoSource, *, name: str | None = None, is_upload: bool = False) -> FileReference:
    """Which clip a source is; reads all of it.

    Raises:
        InputError: it cannot be read.
    """
    path = source.info.path
    return FileReference(name or path.name, *clip_content(source.info), None if is_upload else path.absolute())


def file_reference(path: Path, *, name: str | None = None, is_upload: bool = False) -> FileReference:
    """The same of a file or folder of disparity."""
    return FileReference(name or path.name, *file_content(path), None if is_upload else path.absolute())


def now() -> str:
    """The time, as ``saved`` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load_project(path: str | Path) -> ProjectFile:
    """Read a project; relative paths in it count from its folder.

    Raises:
        InputError: see ``json_file.read_text``, or ``loads`` refuses it.
    """
    path = Path(path)
    return loads(json_file.read_text(path, "project"), title=f"project {path}", root=path.parent)


def save_project(project: ProjectFile, path: str | Path) -> None:
    """Write a project; it appears under its name only when it is complete, in place of what was there.

    Raises:
        InputError: the file cannot be written, or see ``dumps``.
    """
    json_file.write_text(dumps(project), Path(path), "project")


def dumps(project: ProjectFile) -> str:
    """A project as JSON text; ``loads`` gives an equal one back. Paths are absolute.

    Raises:
        InputError: it holds something that is not a file or a value, or is larger than ``MAX_BYTES``.
    """
    recipe = project.recipe if project.disparity is None else replace(project.recipe, disparity=DepthModel())
    given: dict[str, Any] = {
        "version": VERSION,
        "name": project.name,
        "saved": project.saved,
        "clip": _reference_json(project.clip),
    }
    if project.disparity is not None:
        given["disparity"] = _reference_json(project.disparity)
    for name in ("in_frame", "out_frame"):
        if getattr(project, name) is not None:
            given[name] = getattr(project, name)
    given["lens"] = {each.name: getattr(project.lens, each.name) for each in fields(ProjectLens)}
    given["blur"] = project.blur_strength
    given["recipe"] = json.loads(recipe_json.dumps(recipe))
    text = json.dumps(given, indent=1, ensure_ascii=False) + "\n"
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise InputError(f"project {project.name} is larger than {MAX_BYTES >> 20} MiB; it has too many brush strokes")
    return text


def loads(text: str, *, title: str = "project", root: Path | None = None) -> ProjectFile:
    """Read a project from JSON text.

    Args:
        text: the JSON.
        title: what messages call it.
        root: folder that relative paths count from; the working directory unless given.

    Raises:
        InputError: malformed JSON, a key that is unknown, missing or given twice, another version, or a value of
            another kind or outside its range; the message says where.
    """
    return within(title, lambda: _project(json_file.parsed(text), root or Path()))


def _project(given: object, root: Path) -> ProjectFile:
    values = _object(given, "a project is an object with version, name, clip and recipe")
    require_version(values, VERSION)
    require_known(values, _KEYS, "project")
    for key in ("name", "clip", "recipe"):
        if key not in values:
            raise InputError(f"{key} is missing; save the project again")
    readers: dict[str, tuple[str, Callable[[object], object]]] = {
        "name": ("name", _name),
        "saved": ("saved", _time),
        "clip": ("clip", lambda value: _reference(value, root)),
        "disparity": ("disparity", lambda value: _reference(value, root)),
        "in_frame": ("in_frame", _frame),
        "out_frame": ("out_frame", _frame),
        "lens": ("lens", _lens),
        "blur": ("blur_strength", _blur),
        "recipe": ("recipe", lambda value: recipe_json.recipe_of(value, root)),
    }
    read = {
        name: within(key, lambda key=key, reader=reader: reader(values[key]))
        for key, (name, reader) in readers.items()
        if key in values
    }
    project = ProjectFile(**cast(dict[str, Any], read))
    if not isinstance(project.recipe.disparity, DepthModel):
        raise InputError("recipe: it has a path of disparity; a project has it beside the recipe")
    first, last = project.in_frame, project.out_frame
    if first is not None and last is not None and first > last:
        raise InputError(f"in_frame is {first} and out_frame {last}; the first must not lie after the last")
    if project.disparity is not None and project.disparity.path is not None:
        return replace(project, recipe=replace(project.recipe, disparity=project.disparity.path))
    return project


def _reference_json(reference: FileReference) -> dict[str, Any]:
    place = {} if reference.path is None else {"path": str(reference.path.absolute())}
    return {"name": reference.name, **place, "bytes": reference.size, "sha256": reference.sha256}


def _reference(given: object, root: Path) -> FileReference:
    values = _object(given, "give an object with name, bytes and sha256")
    require_known(values, ("name", "path", "bytes", "sha256"), "reference to a file")
    for key in ("name", "bytes", "sha256"):
        if key not in values:
            raise InputError(f"{key} is missing; save the project again")
    size, sha256, path = values["bytes"], values["sha256"], values.get("path")
    if type(size) is not int or not 0 <= size <= _MAX_SIZE:
        raise InputError(f"bytes is {shown(size)}; give a whole number, 0 or more")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise InputError(f"sha256 is {shown(sha256)}; give 64 hexadecimal digits")
    if path is not None and (not isinstance(path, str) or not path or "\0" in path):
        raise InputError(f"path is {shown(path)}; give a path, or leave it out")
    name = within("name", lambda: _name(values["name"]))
    return FileReference(name, size, sha256, None if path is None else root / path)


def _lens(given: object) -> ProjectLens:
    values = _object(given, "give an object with name and f_number")
    require_known(values, [each.name for each in fields(ProjectLens)], "lens of a project")
    for name, value in values.items():
        if name == "name":
            within("name", lambda value=value: _name(value))
        elif name == "gives_blur":
            if not isinstance(value, bool):
                raise InputError(f"gives_blur is {shown(value)}; give true or false")
        elif not is_finite_number(value):
            raise InputError(f"{name} is {shown(value)}; give a number")
    read: dict[str, Any] = {name: float(value) if type(value) is int else value for name, value in values.items()}
    return ProjectLens(**read)


def _name(given: object) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > _NAME_LENGTH or not given.isprintable():
        raise InputError(f"it is {shown(given)}; give a printable text of 1 to {_NAME_LENGTH} characters")
    return given


def _time(given: object) -> str:
    try:
        return datetime.fromisoformat(given).isoformat() if isinstance(given, str) and given else _no_time(given)
    except ValueError:
        return _no_time(given)


def _no_time(given: object) -> str:
    if given == "":
        return ""
    raise InputError(f"it is {shown(given)}; give a time such as 2026-01-31T12:00:00+00:00")


def _frame(given: object) -> int | None:
    if given is None or (type(given) is int and 0 <= given <= _MAX_FRAME):
        return cast(int | None, given)
    raise InputError(f"it is {shown(given)}; give a whole number of a frame, 0 or more")


def _blur(given: object) -> float:
    if not is_finite_number(given) or cast(float, given) < 0:
        raise InputError(f"it is {shown(given)}; give a number of pixels, 0 or more")
    return float(cast(float, given))


def _object(given: object, remedy: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; {remedy}")
    return cast(dict[str, Any], given)
