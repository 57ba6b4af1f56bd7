"""The command line as a page, made from the parser itself, so that no option is told twice."""

from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer

from any2bokeh.cli.help_page import HELP_ALL
from any2bokeh.cli.option_groups import Group

_INTRODUCTION = """# Command line

Made from the command line of this version; `any2bokeh COMMAND --help-all` says the same, and `--help` the common
options in short.

Exit codes: 0 done, 2 bad input or usage (one line says what is wrong and what to do), 3 some clips of a batch failed, 1
a defect of ours, 130 interrupted, 143 terminated.
"""


def command_reference() -> str:
    """Every command with its arguments and options, as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(name, command) for name, command in commands().items())])


@cache
def commands() -> dict[str, Any]:
    """The commands of ``any2bokeh`` by their names; of groups, with the group's name before."""
    from any2bokeh.cli.main import app

    return _leaves("", typer.main.get_command(app))


def _leaves(prefix: str, command: Any) -> dict[str, Any]:
    if not hasattr(command, "commands"):
        return {prefix: command}
    found: dict[str, Any] = {}
    for name, child in command.commands.items():
        if not child.hidden:
            found |= _leaves(f"{prefix} {name}".strip(), child)
    return found


def _section(name: str, command: Any) -> str:
    shown = [each for each in command.params if not getattr(each, "hidden", False) and HELP_ALL not in each.opts]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    places = " ".join(_place(each) if each.required else f"[{_place(each)}]" for each in arguments)
    required = " ".join(f"{option.opts[0]} {_value(option)}" for option in options if option.required)
    usage = " ".join(part for part in ("any2bokeh", name, places, required, "[OPTIONS]") if part)
    lines = [f"## any2bokeh {name}", "", _one_line(command.help), "", "```text", usage, "```", ""]
    if arguments:
        rows = [(f"`{_place(argument)}`", _one_line(argument.help)) for argument in arguments]
        lines += _table(("argument", "meaning"), rows)
    for panel, members in _panels(options).items():
        lines += [f"**{panel}**", ""]
        rows = [(f"`{_spelling(option)}`", _meaning(option), _default(option)) for option in members]
        lines += _table(("option", "meaning", "default"), rows)
    return "\n".join(lines)


def _panels(options: list[Any]) -> dict[str, list[Any]]:
    """Options under the headings of the help, in its order."""
    panels: dict[str, list[Any]] = {heading: [] for heading in Group}
    for option in options:
        panels[option.rich_help_panel or Group.OTHER].append(option)
    return {heading: members for heading, members in panels.items() if members}


def _place(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _spelling(option: Any) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    return f"{names} {_value(option)}"


def _value(option: Any) -> str:
    return option.metavar or "|".join(_choices(option)) or _kind(option)


def _meaning(option: Any) -> str:
    choices = "" if option.metavar is None or option.is_flag else ", ".join(_choices(option))
    return _one_line(option.help) + (f" One of {choices}." if choices else "")


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.default is None or option.default is False or option.default == ():
        return ""
    if option.is_flag:
        return f"`{option.opts[0]}`"
    return f"`{option.default}`"


def _choices(option: Any) -> list[str]:
    return [str(value) for kind in _members(option.type_descriptor.annotation) for value in _literals(kind)]


def _literals(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _kind(option: Any) -> str:
    (kind, *_) = [kind for kind in _members(option.type_descriptor.annotation) if kind is not type(None)]
    return {"int": "N", "float": "X", "Path": "PATH"}.get(getattr(kind, "__name__", ""), "TEXT")


def _members(annotation: Any) -> tuple[Any, ...]:
    """The kinds of value that an annotation allows."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines] + [""]
