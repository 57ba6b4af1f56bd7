"""Groups of options: a dataclass that a command takes as one parameter and the user as many options."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import typer

from any2bokeh.cli.help_page import HELP_ALL_PARAMETER, command_with_pages
from any2bokeh.cli.option_groups import Commands, Group


def option(
    *names: str,
    help: str,
    common: str | bool = False,
    panel: Group = Group.OTHER,
    metavar: str | None = None,
    completion: Callable[..., list[tuple[str, str]]] | None = None,
    at_once: Callable[[bool], None] | None = None,
) -> Any:
    """An option, for ``Annotated``.

    Args:
        names: such as ``--output`` and ``-o``.
        help: all that is to be said about it, for ``--help-all`` and the reference.
        common: what ``--help`` says about it, in one short sentence; True: the same. A rare option stands only in
            ``--help-all``. One that is required stands in both.
        panel: heading that it stands under.
        metavar: what stands for its value.
        completion: gives what a shell completes after it (``cli/completion.py``).
        at_once: called while the line is read, before what is missing in it is told.
    """
    declared = typer.Option(
        *names,
        help=help,
        rich_help_panel=panel.value,
        metavar=metavar,
        autocompletion=completion,
        callback=at_once,
        is_eager=at_once is not None,
    )
    declared.common = common
    return declared


def command(
    app: typer.Typer, name: str, heading: Commands = Commands.MODELS
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command whose parameters may be dataclasses: each of their fields becomes an option.

    A field is annotated as a parameter of typer is; its default is the option's. It may be a dataclass itself.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
        flat = [each for parameter in parameters for each in _flattened(parameter, hints[parameter.name])]

        def called(**values: Any) -> None:
            function(**{each.name: _gathered(each.name, hints[each.name], values) for each in parameters})

        called.__doc__ = function.__doc__
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in (*flat, HELP_ALL_PARAMETER)}
        called.__signature__ = inspect.Signature([*flat, HELP_ALL_PARAMETER])  # type: ignore[attr-defined]
        app.command(name, cls=command_with_pages(flat), rich_help_panel=heading.value)(called)
        return function

    return register


def paths_of(*given: Any) -> list[Path]:
    """Every file and folder that options name and that is there: a run must not replace what it reads.

    Args:
        given: groups of options, and values; text counts where there is such a file.
    """
    values = [value for group in given for value in (_values(group) if is_dataclass(group) else (group,))]
    return [Path(value) for value in values if isinstance(value, str | Path) and value and _exists(value)]


def _values(group: Any) -> list[Any]:
    """The values of a group, and of the groups in it."""
    values = [getattr(group, field.name) for field in fields(group)]
    return [each for value in values for each in (_values(value) if is_dataclass(value) else (value,))]


def _exists(value: str | Path) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # text that is no path, too long for one
        return False


def _flattened(parameter: inspect.Parameter, kind: Any) -> list[inspect.Parameter]:
    """A parameter as the options that it stands for."""
    if not is_dataclass(kind):
        return [parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)]
    assert isinstance(kind, type)
    hints = get_type_hints(kind, include_extras=True)
    return [each for field in fields(kind) for each in _flattened(_parameter(field), hints[field.name])]


def _parameter(field: "Field[Any]") -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _gathered(name: str, kind: Any, values: dict[str, Any]) -> Any:
    """The value of a parameter or field, made of the options that were typed for it."""
    if not is_dataclass(kind):
        return values[name]
    assert isinstance(kind, type)
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{field.name: _gathered(field.name, hints[field.name], values) for field in fields(kind)})
