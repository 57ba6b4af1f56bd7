"""What a page of help says about one option or argument."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer

from any2bokeh.cli.option_groups import Group

_KINDS = {"int": "N", "float": "X", "Path": "PATH"}
_PATHS = ("INPUT", "OUT", "PATH", "FILE", "DIR", "FOLDER")  # also of options whose value may be an address
_TOO_PLAIN = ("required", "default: auto", "default: 0")  # not worth their place among the common options


@dataclass(frozen=True, slots=True)
class Entry:
    """An option or argument as a page shows it.

    Attributes:
        names: of an option, the short one first; or the place of an argument.
        value: what stands for its value; empty for a flag, and for an argument.
        brief: the sentence of ``--help``; None where the option is rare, and only ``--help-all`` shows it.
        full: the sentences of ``--help-all``.
        group: heading that it stands under.
        is_required: whether a line without it is refused.
        is_path: whether its value is a file or a folder.
    """

    names: tuple[str, ...]
    value: str
    brief: str | None
    full: str
    group: Group
    is_required: bool
    is_path: bool = False

    @property
    def usage(self) -> str | None:
        """Its part of the line of usage; None for the options that "[OPTIONS]" stands for."""
        if self.group == Group.ARGUMENTS:
            return self.names[0] if self.is_required else f"[{self.names[0]}]"
        return f"{self.names[0]} {self.value}" if self.is_required else None

    @property
    def spelling(self) -> str:
        return f"{', '.join(self.names)} {self.value}".strip()


def entries_of(parameters: Iterable[inspect.Parameter]) -> list[Entry]:
    """The entries of a command's parameters, which are annotated with ``option`` or with what typer has for them."""
    return [
        _entry(parameter, declared)
        for parameter in parameters
        for declared in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(declared, typer.models.ParameterInfo)
    ]


def first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".") + "."


def _entry(parameter: inspect.Parameter, declared: typer.models.ParameterInfo) -> Entry:
    text = " ".join((declared.help or "").split())
    is_required = parameter.default is inspect.Parameter.empty
    if isinstance(declared, typer.models.ArgumentInfo):
        place = (declared.metavar or parameter.name.upper()).strip("[]")
        is_path = _is_path(get_args(parameter.annotation)[0], place)
        return Entry((place,), "", first_sentence(text), text, Group.ARGUMENTS, is_required, is_path)
    # Within ``Annotated``, typer holds the first name as the default until it reads a line.
    declared_names = [name for name in (declared.default, *(declared.param_decls or ())) if isinstance(name, str)]
    names = [name for both in declared_names for name in both.split("/")]
    default = _default(parameter.default, names)
    common = getattr(declared, "common", False)
    brief = text if common is True or is_required else common or None
    kind = get_args(parameter.annotation)[0]
    return Entry(
        tuple(sorted(names, key=lambda name: name.startswith("--"))),
        "" if kind is bool else declared.metavar or _value(kind),
        brief and _with(brief, None if default in _TOO_PLAIN else default),
        _with(text, default),
        Group(declared.rich_help_panel or Group.OTHER),
        is_required,
        _is_path(kind, declared.metavar),
    )


def _is_path(kind: Any, metavar: str | None) -> bool:
    return metavar in _PATHS or kind is Path or Path in get_args(kind)


def _value(kind: Any) -> str:
    """What stands for a value of this kind, such as N for an integer."""
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if get_origin(kind) in (Union, UnionType, list):
        return _value(next(each for each in get_args(kind) if each is not type(None)))
    return _KINDS.get(kind.__name__, "TEXT")


def _default(default: Any, names: Sequence[str]) -> str | None:
    if default is inspect.Parameter.empty:
        return "required"
    if default is True:
        return f"default: {names[0]}"
    if default is None or default is False or default == ():
        return None
    return f"default: {default:g}" if isinstance(default, float) else f"default: {default}"


def _with(text: str, default: str | None) -> str:
    """A sentence with the default before its full stop, unless it says so itself."""
    if default is None or "(default:" in text or "; default:" in text:
        return text
    return f"{text.rstrip('.')} ({default})."
