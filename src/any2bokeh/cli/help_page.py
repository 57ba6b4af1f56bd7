"""Pages of help: ``--help`` shows the common options, one sentence each; ``--help-all`` shows every option in full."""

import inspect
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from any2bokeh.cli.completion import one_line
from any2bokeh.cli.help_entry import Entry, entries_of, first_sentence
from any2bokeh.cli.option_groups import Commands, Group
from any2bokeh.errors import InputError

HELP_ALL = "--help-all"

_NARROWEST, _WIDEST = 30, 100
_MARGIN, _NAMES_WIDTH = 2, 32
# In a narrower terminal, names stand above what they mean.
_TWO_COLUMNS, _INDENTATION = 60, 6


def _print_all(context: typer.Context, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        typer.echo(_page(context, entries_of(cast(Any, context.command).shown), is_full=True), nl=False)
        raise typer.Exit


HELP_ALL_PARAMETER = inspect.Parameter(
    "help_all",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            HELP_ALL, help="Show every option in full.", is_eager=True, expose_value=False, callback=_print_all
        ),
    ],
)


def command_with_pages(parameters: Sequence[inspect.Parameter]) -> type[TyperCommand]:
    """The class of a command whose parameters are annotated with ``option``, or with those of typer."""

    class Command(TyperCommand):
        shown = tuple(parameters)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            formatter.write(_page(ctx, entries_of(self.shown), is_full=False))

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if "" in args or any(word.endswith("=") for word in args):
                _require_paths(entries_of(self.shown), args)
            return super().parse_args(ctx, args)

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            return _in_one_line(super().shell_complete(ctx, incomplete))

    return Command


def _require_paths(entries: Sequence[Entry], typed: Sequence[str]) -> None:
    """Refuse empty paths, which Python takes for the working folder.

    Raises:
        InputError: one is empty.
    """
    options = {name: each for each in entries for name in each.names if name.startswith("-")}
    places = [each.names[0] for each in entries if each.group == Group.ARGUMENTS and each.is_path]
    for before, word in zip(["", *typed], typed, strict=False):
        name = word[:-1] if word.startswith("--") and word.endswith("=") else "" if word else before
        known = options.get(name)
        if known is not None and known.is_path:
            raise InputError(f"{name} is empty; give {known.value} (a variable of the shell may not be set)")
        if word == "" and places and (known is None or not known.value):
            raise InputError(f"{places[0]} is empty; give a path (a variable of the shell may not be set)")


class GroupWithPage(TyperGroup):
    """All commands, under their headings."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        width = _width()
        named: dict[str, Any] = {name: command for name, command in self.commands.items() if not command.hidden}
        column = max(map(len, named)) + 2 * _MARGIN
        lines = textwrap.wrap(f"Usage: {ctx.command_path} COMMAND [OPTIONS]", width)
        lines += ["", *textwrap.wrap(self.help or "", width)]
        for heading in Commands:
            members = {name: each for name, each in named.items() if each.rich_help_panel == heading}
            if members:
                lines += ["", _heading(heading)]
            for name, command in members.items():
                lines += _row(name, first_sentence(command.help or ""), column, width)
        options_of_one = f"The options of a command: {ctx.command_path} COMMAND --help"
        lines += ["", *textwrap.wrap(options_of_one, width, break_on_hyphens=False)]
        others = [each.opts[0] for each in self.get_params(ctx) if each.opts[0].startswith("--")]
        lines += textwrap.wrap(f"Other options: {', '.join(others)}", width, break_on_hyphens=False)
        formatter.write("\n".join(lines) + "\n")

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        return _in_one_line(super().shell_complete(ctx, incomplete))


def _in_one_line(completions: list[Any]) -> list[Any]:
    """Words that a shell may complete, with what is shown beside them."""
    for each in completions:
        each.help = each.help and one_line(each.help)
    return completions


def _page(context: Any, entries: Sequence[Entry], *, is_full: bool) -> str:
    width = _width()
    usage = [each.usage for each in sorted(entries, key=lambda entry: entry.group != Group.ARGUMENTS) if each.usage]
    usage_line = " ".join(["Usage:", context.command_path, *usage, "[OPTIONS]"])
    lines = textwrap.wrap(usage_line, width, break_on_hyphens=False, break_long_words=False)
    column = _NAMES_WIDTH if width >= _TWO_COLUMNS else _INDENTATION
    for paragraph in inspect.cleandoc(context.command.help or "").split("\n\n"):
        lines += ["", *textwrap.wrap(paragraph, width)]
    for group in Group:
        members = [each for each in entries if each.group == group and (is_full or each.brief is not None)]
        if members:
            lines += [""] if group == Group.ARGUMENTS else ["", _heading(group)]
        for each in sorted(members, key=lambda entry: "-o" not in entry.names):  # the result comes first
            lines += _row(each.spelling, each.full if is_full else each.brief or "", column, width)
    if not is_full:
        lines += [
            "",
            *textwrap.wrap(f"All options, in full: {context.command_path} {HELP_ALL}", width, break_on_hyphens=False),
        ]
    return "\n".join(lines) + "\n"


def _row(names: str, text: str, column: int, width: int) -> Iterator[str]:
    """Names and, in a column of its own, what they mean; long names have a line to themselves."""
    rows = textwrap.wrap(text, width - column, break_on_hyphens=False)
    first = " " * _MARGIN + names
    if len(first) + _MARGIN > column:
        yield first
        first = ""
    for row in rows:
        yield first.ljust(column) + row
        first = ""


def _heading(text: str) -> str:
    return typer.style(text, bold=True)  # plain where the page goes into a file or another program


def _width() -> int:
    return max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))
