"""What the page can ask of a visitor, by name; whatever else it sends is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from any2bokeh.app.project import Project
from any2bokeh.app.visitor import Visitor
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


def do(visitor: Visitor, asked: Any) -> None:
    """Do what the page asks.

    Args:
        visitor: for whom.
        asked: ``{"do": name, ...}`` as it came from the page.

    Raises:
        InputError: it asks for something else, or for something that cannot be done.
    """
    if not isinstance(asked, Mapping) or asked.get("do") not in _DEEDS:
        raise InputError("the page asked for something that the studio does not know; reload it")
    with visitor.lock:
        _DEEDS[asked["do"]](visitor, asked)


def _focus(visitor: Visitor, asked: Mapping[str, Any]) -> None:
    opened(visitor).focus(
        _whole(asked, "frame"), _number(asked, "x"), _number(asked, "y"), is_locked=asked.get("locked") is True
    )


def _change(visitor: Visitor, asked: Mapping[str, Any]) -> None:
    given = asked.get("changes")
    if not isinstance(given, Mapping):
        raise InputError("nothing is to be changed")
    changes: dict[str, Any] = {}
    for name, value in given.items():
        kinds = _CHANGES.get(name)
        if kinds is None or not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise InputError(f"{str(name)[:40].replace('_', ' ')} of a keyframe cannot be {str(value)[:40]!r}")
        changes[name] = value
    if "locked" in changes:
        changes["strength"] = "strong" if changes.pop("locked") else "weak"
    opened(visitor).change(_whole(asked, "frame"), changes)


_DEEDS: dict[str, Callable[[Visitor, Mapping[str, Any]], None]] = {
    "sync": lambda visitor, asked: None,
    "demo": lambda visitor, asked: visitor.open_demo(),
    "focus": _focus,
    "change": _change,
    "move": lambda visitor, asked: opened(visitor).move(_whole(asked, "frame"), _whole(asked, "to")),
    "delete": lambda visitor, asked: opened(visitor).delete(_whole(asked, "frame")),
    "clear": lambda visitor, asked: opened(visitor).clear(),
    "undo": lambda visitor, asked: opened(visitor).undo(),
    "redo": lambda visitor, asked: opened(visitor).redo(),
    "loop": lambda visitor, asked: visitor.loop(_whole(asked, "frame")),
    "cancel": lambda visitor, asked: visitor.cancel(),
}


def opened(visitor: Visitor) -> Project:
    """The clip that is open.

    Raises:
        InputError: none is.
    """
    if visitor.project is None:
        raise InputError("no clip is open; open a video or the demo first")
    return visitor.project


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
