"""``any2bokeh doctor``: what works on this machine."""

from dataclasses import asdict
from typing import Annotated

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.cli.report import tell

_BROKEN = 2


def doctor_command(
    json: Annotated[bool, option("--json", help="Print one JSON object.", common=True, panel=Group.PRINTED)] = False,
) -> None:
    """Print what works on this machine and how to mend the rest, one thing a line."""
    from any2bokeh.doctor import findings

    found = findings()
    is_broken = any(each.state == "broken" for each in found)
    width = max(len(each.name) for each in found)
    lines = [f"{each.state:<7}  {each.name:<{width}}  {each}" for each in found]
    tell(
        {"works": not is_broken, "findings": [asdict(each) for each in found]},
        "\n".join(lines),
        ReportOptions(json=json),
    )
    if is_broken:
        raise typer.Exit(_BROKEN)
