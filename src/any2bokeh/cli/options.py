"""Groups of options: a dataclass that a command takes as one parameter and the user as many options."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import typer


def option(*names: str, help: str, panel: str | None = None, metavar: str | None = None) -> Any:
    """An option, for ``Annotated``."""
    return typer.Option(*names, help=help, rich_help_panel=panel, metavar=metavar)


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command whose parameters may be dataclasses: each of their fields becomes an option.

    A field is annotated as a parameter of typer is; its default is the option's.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        groups, flat = _flattened(function)

        def called(**values: Any) -> None:
            for parameter, group in groups.items():
                values[parameter] = group(**{field.name: values.pop(field.name) for field in fields(group)})
            function(**values)

        called.__doc__ = function.__doc__
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
        called.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
        app.command(name)(called)
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
    return [getattr(group, field.name) for field in fields(group)]


def _exists(value: str | Path) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # text that is no path, too long for one
        return False


def _flattened(function: Callable[..., None]) -> tuple[dict[str, type], list[inspect.Parameter]]:
    groups: dict[str, type] = {}
    flat = []
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        kind = hints[parameter.name]
        if not is_dataclass(kind):
            flat.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        assert isinstance(kind, type)
        groups[parameter.name] = kind
        field_hints = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            flat.append(
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field_hints[field.name]
                )
            )
    return groups, flat
