"""What a page can ask of a session: one frozen dataclass for each command.

A command comes as ``{"do": name, ...}`` with the fields of its class. ``command_of`` takes nothing else: no other
name, no other field, no value of another type. None has a path.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from any2bokeh.app.project_commands import PROJECT_COMMANDS
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.engines import Engine
from any2bokeh.errors import InputError, require_choice, shown
from any2bokeh.optics.look import LOOK_SETTINGS

if TYPE_CHECKING:
    from any2bokeh.app.session import Session

_TEXT_LENGTH = 200


class Command(Protocol):
    """Something that a session can be asked for."""

    def run(self, session: "Session") -> None:
        """Do it.

        Raises:
            InputError: it cannot be done.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenDemo:
    """Open the bundled clip."""

    def run(self, session: "Session") -> None:
        session.open_demo()


@dataclass(frozen=True, slots=True)
class Focus:
    """Focus on what is at a point of a frame, x and y in 0..1 of the picture."""

    frame: int
    x: float
    y: float
    locked: bool = False

    def run(self, session: "Session") -> None:
        session.opened().focus(self.frame, self.x, self.y, is_locked=self.locked)


@dataclass(frozen=True, slots=True)
class ChangeKeyframe:
    """Change values of the keyframe of a frame; see ``editing.changed``."""

    frame: int
    changes: dict[str, Any]

    def run(self, session: "Session") -> None:
        session.opened().change(self.frame, _keyframe_changes(self.changes))


@dataclass(frozen=True, slots=True)
class MoveKeyframe:
    """Put a keyframe at another frame."""

    frame: int
    to: int

    def run(self, session: "Session") -> None:
        session.opened().move(self.frame, self.to)


@dataclass(frozen=True, slots=True)
class DeleteKeyframe:
    """Take a keyframe away."""

    frame: int

    def run(self, session: "Session") -> None:
        session.opened().delete(self.frame)


@dataclass(frozen=True, slots=True)
class Clear:
    """Take all keyframes away."""

    def run(self, session: "Session") -> None:
        session.opened().clear()


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo the last edit."""

    def run(self, session: "Session") -> None:
        session.opened().undo()


@dataclass(frozen=True, slots=True)
class Redo:
    """Redo what was undone."""

    def run(self, session: "Session") -> None:
        session.opened().redo()


@dataclass(frozen=True, slots=True)
class SetBlur:
    """Give the blur another strength K where it holds at a frame; with ``begins`` from that frame on."""

    frame: int
    strength: float
    begins: bool = False

    def run(self, session: "Session") -> None:
        session.opened().blur(self.strength, frame=self.frame, begins=self.begins)


@dataclass(frozen=True, slots=True)
class SetAperture:
    """Give the blur the strength of an f-number of the lens, as ``SetBlur`` does with K."""

    frame: int
    f_number: float
    begins: bool = False

    def run(self, session: "Session") -> None:
        session.opened().aperture(self.f_number, frame=self.frame, begins=self.begins)


@dataclass(frozen=True, slots=True)
class TakeLens:
    """Put on a lens of the catalogue."""

    name: str

    def run(self, session: "Session") -> None:
        session.opened().take_lens(self.name)


@dataclass(frozen=True, slots=True)
class SetLensNumber:
    """Change a number of the lens; see ``mounted_lens.LENS_SETTINGS``."""

    name: str
    value: float

    def run(self, session: "Session") -> None:
        session.opened().blur_of_lens(**{self.name: self.value})


@dataclass(frozen=True, slots=True)
class SetLook:
    """Change what the lens does to light; see ``optics.look.LOOK_SETTINGS``. What is ``chosen`` is one step of undo."""

    name: str
    value: float | Literal["auto"]
    chosen: bool = False

    def run(self, session: "Session") -> None:
        require_choice("setting of a look", self.name, LOOK_SETTINGS)
        session.opened().change_look(is_choice=self.chosen, **{self.name: self.value})


@dataclass(frozen=True, slots=True)
class SetEdges:
    """Treat edges of disparity in another way; see ``Recipe.edges``."""

    treatment: EdgeTreatment

    def run(self, session: "Session") -> None:
        session.opened().treat_edges(self.treatment)


@dataclass(frozen=True, slots=True)
class Propose:
    """Look for subjects in the whole clip, and propose keyframes."""

    def run(self, session: "Session") -> None:
        session.opened().propose(session.lock)


@dataclass(frozen=True, slots=True)
class PlayOnly:
    """Play and render from the in point to the out point, both included; None = that end of the clip."""

    in_frame: int | None
    out_frame: int | None

    def run(self, session: "Session") -> None:
        session.opened().play_only(self.in_frame, self.out_frame)


@dataclass(frozen=True, slots=True)
class Render:
    """Render the clip, from its in point to its out point."""

    engine: Engine = "layered"
    format: str = "mp4"

    def run(self, session: "Session") -> None:
        session.render(engine=self.engine, format=self.format)


@dataclass(frozen=True, slots=True)
class Play:
    """The page plays from a frame on: make its frames ahead of it."""

    frame: int

    def run(self, session: "Session") -> None:
        session.opened().play(self.frame)


@dataclass(frozen=True, slots=True)
class Stop:
    """The page does not play any more."""

    def run(self, session: "Session") -> None:
        session.opened().playback.stop()


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the render, if there is one."""

    def run(self, session: "Session") -> None:
        session.cancel()


COMMANDS: dict[str, type[Command]] = {
    "demo": OpenDemo,
    "focus": Focus,
    "change": ChangeKeyframe,
    "move": MoveKeyframe,
    "delete": DeleteKeyframe,
    "clear": Clear,
    "undo": Undo,
    "redo": Redo,
    "blur": SetBlur,
    "aperture": SetAperture,
    "lens": TakeLens,
    "lens number": SetLensNumber,
    "look": SetLook,
    "edges": SetEdges,
    "propose": Propose,
    "part": PlayOnly,
    "render": Render,
    "play": Play,
    "stop": Stop,
    "cancel": Cancel,
    **PROJECT_COMMANDS,
}
"""All commands, by the name that the page gives them."""


def command_of(asked: object) -> Command:
    """The command that a page asks for.

    Args:
        asked: as it came, decoded from JSON.

    Raises:
        InputError: no command, or one with other fields or values of other types.
    """
    name = asked.get("do") if isinstance(asked, Mapping) else None
    kind = COMMANDS.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(asked, Mapping):
        raise InputError("the studio does not know this command; reload the page")
    given = {key: value for key, value in asked.items() if key != "do"}
    types_of, needed = _shape(kind)
    for key in given:
        if key not in types_of:
            raise InputError(f"{name} takes no {shown(key)}; reload the page")
    for key in needed:
        if key not in given:
            raise InputError(f"{name} needs {key}; reload the page")
    return kind(**{key: _taken(key, value, types_of[key]) for key, value in given.items()})


@cache
def _shape(kind: type[Command]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The types of a command's fields, and the names of those without a default."""
    names = [each.name for each in fields(kind)]  # pyright: ignore[reportArgumentType]
    needed = [each.name for each in fields(kind) if each.default is MISSING]  # pyright: ignore[reportArgumentType]
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names}, tuple(needed)


def _taken(name: str, value: Any, wanted: Any) -> Any:
    """A value as its type has it; whole numbers stand for numbers, and nothing else for anything else."""
    kinds = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
    for kind in kinds:
        if _is_of(value, kind):
            return float(value) if kind is float else dict(value) if get_origin(kind) is dict else value
    allowed = [
        _WORDS.get(kind) or _WORDS.get(get_origin(kind)) or " or ".join(map(str, get_args(kind)))
        for kind in kinds
        if kind is not _NONE
    ]
    raise InputError(f"{name} is {shown(value)}; it must be {' or '.join(allowed)}")


_NONE = type(None)
_WORDS: dict[Any, str] = {
    bool: "yes or no",
    int: "a whole number",
    float: "a number",
    str: "a short text",
    list: "a list",
}


def _is_of(value: Any, kind: Any) -> bool:
    if isinstance(value, bool) or kind in (bool, _NONE):
        return kind in (bool, _NONE) and isinstance(value, kind)
    if kind is int:
        return isinstance(value, int)
    if kind is float:
        return isinstance(value, int | float) and _is_finite(value)
    if get_origin(kind) in (dict, list):
        return isinstance(value, Mapping if get_origin(kind) is dict else list)
    return isinstance(value, str) and len(value) <= _TEXT_LENGTH and (kind is str or value in get_args(kind))


_KEYFRAME_CHANGES: dict[str, Any] = {
    "easing": str,
    "transition_s": float | None,
    "blur_strength": float | None,
    "f_number": float | None,
    "focus_disparity": float,
    "cut": bool,
    "track": bool,
    "locked": bool,
}


def _keyframe_changes(given: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _KEYFRAME_CHANGES:
            raise InputError(f"a keyframe has no {shown(name)}; reload the page")
        changes[name] = _taken(f"{name.replace('_', ' ')} of a keyframe", value, _KEYFRAME_CHANGES[name])
    if "locked" in changes:
        changes["strength"] = "strong" if changes.pop("locked") else "weak"
    return changes


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
