"""``any2bokeh demo``: the main job on the bundled clip."""

from pathlib import Path
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import progress_report
from any2bokeh.cli.report import refocus_summary, tell


def demo_command(
    report: ReportOptions,
    output: Annotated[
        Path,
        option("--output", "-o", metavar="FOLDER", help="Folder for the results.", common=True, panel=Group.OUTPUT),
    ] = Path("demo-output"),
    overwrite: Overwrite = False,
) -> None:
    """Refocus the bundled clip, with a focus pull between its subjects."""
    from any2bokeh.demo import demo

    with progress_report(quiet=report.quiet or report.json) as progress:
        made = demo(output, overwrite=overwrite, progress=progress)
    summary, line = refocus_summary(made.refocused, engine="layered")
    summary |= {"strip": str(made.strip), "contact_sheet": str(made.contact_sheet)}
    tell(summary, f"{line}\n{made.strip}: before and after\n{made.contact_sheet}: over time", report)
