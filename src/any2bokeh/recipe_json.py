"""The recipe as JSON, version 1; docs/recipe.md describes the format. What is default is left out."""

import json
import types
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from any2bokeh import json_file
from any2bokeh.disparity import DepthModel, DisparityReading
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.mending import stroke_json, strokes_of
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import InputError, is_finite_number, require_choice, shown
from any2bokeh.focus import Autofocus, FocusFinder, FocusScript, TextSubject, TrackerChoice, script_json
from any2bokeh.focus.plane import FocusPlane
from any2bokeh.json_file import require_known, require_version, within
from any2bokeh.optics.breathing import Breathing
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import Look
from any2bokeh.pending_output import check_target
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.read_paths import ReadPaths
from any2bokeh.recipe import Recipe
from any2bokeh.source_blur import SourceBlur, SourceBlurChoice, SourceLens

VERSION = 1

_PARTS: dict[str, type] = {
    "disparity_reading": DisparityReading,
    "tracker": TrackerChoice,
    "focus_range": FocusRange,
    "breathing": Breathing,
    "look": Look,
    "engine": EngineSettings,
}
"""Fields of a recipe that are an object of plain values each."""

_CHOICES: dict[str, Any] = {"edges": EdgeTreatment, "plate": PlateChoice}
"""Fields that are one of some words, of which ``auto`` is the default."""

_FINDERS: dict[str, type] = {"auto": Autofocus, "text": TextSubject, "plane": FocusPlane}
"""What finds the focus by itself, by the key that its values stand under."""


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe; relative paths in it count from its folder.

    Raises:
        InputError: see ``json_file.read_text``, or ``loads`` refuses it.
    """
    path = Path(path)
    return loads(json_file.read_text(path, "recipe"), title=f"recipe {path}", root=path.parent)


def save_recipe(recipe: Recipe, path: str | Path) -> None:
    """Write a recipe; it appears under its name only when it is complete, in place of what was there.

    Raises:
        InputError: the file cannot be written, or see ``dumps``.
    """
    json_file.write_text(dumps(recipe), Path(path), "recipe")


def check_recipe_target(recipe: Recipe, path: Path, *, read: Iterable[str | Path], overwrite: bool) -> None:
    """Refuse a file that a recipe cannot be written to.

    Args:
        recipe: what is to be written.
        path: where.
        read: files that must not be replaced.
        overwrite: whether another file may be.

    Raises:
        InputError: the name does not end in .json, the file exists or is read, or the recipe cannot be written.
    """
    if path.suffix.lower() != ".json":
        raise InputError(f"recipe {path} is not a .json file; give a name that ends in .json")
    files = list(read)
    ReadPaths(files).require_kept(path)
    check_target(path, Path(files[0]), overwrite=overwrite)
    dumps(recipe)


def dumps(recipe: Recipe) -> str:
    """A recipe as JSON text; ``loads`` gives an equal one back. Paths are absolute.

    Raises:
        InputError: it holds something that is not a file or a value, such as disparity in memory.
    """
    given: dict[str, Any] = {"version": VERSION, "focus": _focus_json(recipe.focus)}
    if recipe.disparity != DepthModel():
        given["disparity"] = _disparity_json(recipe.disparity)
    if recipe.blur_strength is not None:
        blur = recipe.blur_strength
        given["blur"] = {"lens": _values_json(blur)} if isinstance(blur, Lens) else blur
    for name in _CHOICES:
        if getattr(recipe, name) != "auto":
            given[name] = getattr(recipe, name)
    if recipe.source_blur != "off":
        given["source_blur"] = _source_blur_json(recipe.source_blur)
    if recipe.strokes:
        given["strokes"] = [stroke_json(stroke) for stroke in recipe.strokes]
    if recipe.grain != 0:
        given["grain"] = recipe.grain
    defaults = {each.name: _default(each) for each in fields(Recipe)}
    for name, kind in _PARTS.items():
        part = getattr(recipe, name)
        if type(part) is not kind:
            raise InputError(f"{name} of the recipe is a {type(part).__name__}, which cannot be written to a file")
        if part != defaults[name]:
            given[name] = _values_json(part)
    return json.dumps(given, indent=2, ensure_ascii=False) + "\n"


def loads(text: str, *, title: str = "recipe", root: Path | None = None) -> Recipe:
    """Read a recipe from JSON text.

    Args:
        text: the JSON.
        title: what messages call it.
        root: folder that relative paths count from; the working directory unless given.

    Raises:
        InputError: malformed JSON, a key that is unknown or given twice, a version other than 1, or a value of another
            kind or outside its range; the message says where.
    """
    return within(title, lambda: recipe_of(json_file.parsed(text), root or Path()))


def recipe_of(given: object, root: Path) -> Recipe:
    """The recipe that parsed JSON stands for; see ``loads``."""
    given = _object(given, "a recipe is an object with version and focus")
    readers: dict[str, tuple[str, Callable[[object], object]]] = {
        "disparity": ("disparity", lambda value: _disparity(value, root)),
        "blur": ("blur_strength", _blur),
        "source_blur": ("source_blur", lambda value: _source_blur(value, root)),
        "strokes": ("strokes", strokes_of),
        "grain": ("grain", lambda value: _value(float, value, root)),
    }
    require_version(given, VERSION)
    require_known(given, ("version", "focus", *readers, *_CHOICES, *_PARTS), "recipe")
    if "focus" not in given:
        raise InputError('focus is missing; give a script, auto, text or plane, such as "focus": {"auto": {}}')
    values: dict[str, Any] = {"focus": within("focus", lambda: _focus(given["focus"], root))}
    for key, (name, read) in readers.items():
        if key in given:
            values[name] = within(key, lambda key=key, read=read: read(given[key]))
    for name, choice in _CHOICES.items():
        if name in given:
            values[name] = within(name, lambda name=name, choice=choice: _value(choice, given[name], root))
    for name, kind in _PARTS.items():
        if name in given:
            values[name] = within(name, lambda name=name, kind=kind: _values(kind, given[name], root))
    return Recipe(**values)


def _focus(given: object, root: Path) -> FocusScript | FocusFinder:
    given = _object(given, "give a script, auto, text or plane")
    require_known(given, ("script", *_FINDERS), "focus")
    if len(given) != 1:
        raise InputError(f"it has {' and '.join(given) or 'nothing'}; give one of script, {', '.join(_FINDERS)}")
    [(name, value)] = given.items()
    if name == "script":
        return replace(within("script", lambda: script_json.script_of(value)), root=root)
    return within(name, lambda: _values(_FINDERS[name], value, root))


def _focus_json(focus: FocusScript | FocusFinder) -> dict[str, Any]:
    if isinstance(focus, FocusScript):
        script = json.loads(script_json.dumps(focus))
        for keyframe in script.get("keyframes", ()):
            if "mask" in keyframe:
                keyframe["mask"] = str(((focus.root or Path()) / keyframe["mask"]).absolute())
        return {"script": script}
    for name, kind in _FINDERS.items():
        if type(focus) is kind:
            return {name: _values_json(focus)}
    raise InputError(f"focus of the recipe is a {type(focus).__name__}, which cannot be written to a file")


def _disparity(given: object, root: Path) -> Path | DepthModel:
    if isinstance(given, str):
        return _path(given, root)
    given = _object(given, "give a path, or an object with model")
    require_known(given, ("model", "allow_noncommercial", "scale_alignment"), "disparity")
    values = {("name" if key == "model" else key): value for key, value in given.items()}
    return _values(DepthModel, values, root)


def _disparity_json(disparity: object) -> object:
    if isinstance(disparity, str | Path):
        return str(Path(disparity).absolute())
    if isinstance(disparity, DepthModel):
        return {("model" if key == "name" else key): value for key, value in _values_json(disparity).items()}
    raise InputError(
        f"disparity of the recipe is a {type(disparity).__name__}, which cannot be written to a file; give a path or a "
        "DepthModel"
    )


def _blur(given: object) -> float | Lens:
    if isinstance(given, dict):
        require_known(cast(dict[str, Any], given), ("lens",), "blur")
        return within("lens", lambda: _values(Lens, given.get("lens"), Path()))
    blur_strength = _value(float, given, Path())
    if blur_strength < 0:
        raise InputError(f"it is {blur_strength:g}; give 0 or more, or a lens")
    return blur_strength


def _source_blur(given: object, root: Path) -> SourceBlur:
    if isinstance(given, dict):
        return _values(SourceLens, given, root)
    if not isinstance(given, str):
        raise InputError(f"it is {shown(given)}; give auto, off, a path, or blur_strength and focus_disparity")
    return cast(SourceBlurChoice, given) if given in get_args(SourceBlurChoice) else _path(given, root)


def _source_blur_json(blur: SourceBlur) -> object:
    if isinstance(blur, SourceLens):
        return _values_json(blur)
    return str(blur.absolute()) if isinstance(blur, Path) else blur


def _values_json(part: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not at their defaults."""
    return {
        each.name: _plain(getattr(part, each.name))
        for each in fields(part)
        if getattr(part, each.name) != _default(each)
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _values_json(value)
    return str(value.absolute()) if isinstance(value, Path) else value


def _values(kind: type, given: object, root: Path) -> Any:
    """A dataclass of plain values, or of others such, from a JSON object."""
    values = _object(given, "give an object")
    hints = get_type_hints(kind)
    require_known(values, [each.name for each in fields(kind)], "part of a recipe such as this")
    missing = [each.name for each in fields(kind) if _default(each) is MISSING and each.name not in values]
    if missing:
        raise InputError(f"{missing[0]} is missing; give it")
    return kind(**{name: within(name, lambda name=name: _value(hints[name], values[name], root)) for name in values})


def _path(given: str, root: Path) -> Path:
    if not given:
        raise InputError("it is an empty path, which would be the recipe's folder; give a path, or leave it out")
    return root / given


def _value(hint: Any, given: object, root: Path) -> Any:
    """A value of a field whose type is a number, text, a path, a choice, a dataclass, or one of these or None."""
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [each for each in get_args(hint) if each is not type(None)]
        if given is None and len(kinds) < len(get_args(hint)):
            return None
        # A number, or a word for one.
        hint = next((each for each in kinds if (get_origin(each) is Literal) == isinstance(given, str)), kinds[0])
    if get_origin(hint) is Literal:
        require_choice("it", given, get_args(hint))
        return given
    if is_dataclass(hint):
        return _values(cast(type, hint), given, root)
    if hint is Path and isinstance(given, str):
        return _path(given, root)
    if hint is float and is_finite_number(given):
        return float(cast(float, given))
    if hint in (int, bool, str) and type(given) is hint:
        return given
    words = {float: "a finite number", int: "a whole number", bool: "true or false", str: "text", Path: "a path"}
    raise InputError(f"it is {shown(given)}; give {words[hint]}")


def _object(given: object, remedy: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"it is {shown(given)}; {remedy}")
    return cast(dict[str, Any], given)


def _default(of: "Field[Any]") -> Any:
    return of.default if of.default_factory is MISSING else of.default_factory()
