"""What the page can ask of a user, by name; whatever else it sends is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from any2bokeh.app.project import Project
from any2bokeh.app.session import Session
from any2bokeh.errors import InputError

_CHANGES: dict[str, type | tuple[type, ...]] = {
    "easing": str,
    "transition_s": (int, float, type(None)),
    "blur_strength": (int, float, type(None)),
    "focus_disparity": (int, float),
    "cut": bool,
    "track": bool,
    "locked": bool,
}


def run(session: Session, asked: Any) -> None:
    """Do what the page asks.

    Args:
        session: for whom.
        asked: ``{"do": name, ...}`` as it came from the page.

    Raises:
        InputError: it asks for something else, or for something that cannot be done.
    """
    if not isinstance(asked, Mapping) or asked.get("do") not in _COMMANDS:
        raise InputError("the studio does not know this command; reload the page")
    with session.lock:
        _COMMANDS[asked["do"]](session, asked)


def _focus(session: Session, asked: Mapping[str, Any]) -> None:
    opened(session).focus(
        _whole(asked, "frame"), _number(asked, "x"), _number(asked, "y"), is_locked=asked.get("locked") is True
    )


def _change(session: Session, asked: Mapping[str, Any]) -> None:
    given = asked.get("changes")
    if not isinstance(given, Mapping):
        raise InputError("the page sent no changes; reload it")
    changes: dict[str, Any] = {}
    for name, value in given.items():
        kinds = _CHANGES.get(name)
        if kinds is None or not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise InputError(f"{str(name)[:40].replace('_', ' ')} of a keyframe cannot be {str(value)[:40]!r}")
        changes[name] = value
    if "locked" in changes:
        changes["strength"] = "strong" if changes.pop("locked") else "weak"
    opened(session).change(_whole(asked, "frame"), changes)


_COMMANDS: dict[str, Callable[[Session, Mapping[str, Any]], None]] = {
    "sync": lambda session, asked: None,
    "demo": lambda session, asked: session.open_demo(),
    "focus": _focus,
    "change": _change,
    "move": lambda session, asked: opened(session).move(_whole(asked, "frame"), _whole(asked, "to")),
    "delete": lambda session, asked: opened(session).delete(_whole(asked, "frame")),
    "clear": lambda session, asked: opened(session).clear(),
    "undo": lambda session, asked: opened(session).undo(),
    "redo": lambda session, asked: opened(session).redo(),
    "loop": lambda session, asked: session.loop(_whole(asked, "frame")),
    "cancel": lambda session, asked: session.cancel(),
}


def opened(session: Session) -> Project:
    """The clip that is open.

    Raises:
        InputError: none is.
    """
    if session.project is None:
        raise InputError("no clip is open; open a video or the demo first")
    return session.project


def _whole(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name} is {str(value)[:40]!r}; it must be a whole number")
    return value


def _number(asked: Mapping[str, Any], name: str) -> float:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is {str(value)[:40]!r}; it must be a number")
    return float(value)
