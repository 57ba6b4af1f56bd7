"""``any2bokeh models``: which models there are, getting one, and trying one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.disparity.estimators.base import Device
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.model_check import Checked
    from any2bokeh.model_table import ListedModel

Action = Literal["list", "get", "check"]

_FRAMES = 3


def models_command(
    report: ReportOptions,
    action: Annotated[
        Action,
        typer.Argument(
            metavar="[list|get|check]",
            help="List the models, download one, or try one that is here on the bundled clip.",
        ),
    ] = "list",
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Name in the list, or hub id or (for check) folder of a depth model."),
    ] = None,
    allow_noncommercial: Annotated[
        bool,
        option(
            "--allow-noncommercial",
            help="With get: download models whose licence restricts use, too.",
            common=True,
            panel=Group.MODELS,
        ),
    ] = False,
    frames: Annotated[
        int | None,
        option(
            "--frames",
            help=f"With check: frames of the bundled clip, 1 to 9 (default: {_FRAMES}).",
            common=True,
            panel=Group.MODELS,
        ),
    ] = None,
    device: Annotated[
        Device | None,
        option(
            "--device",
            help="With check: device that the model runs on (default: auto).",
            common=True,
            panel=Group.MODELS,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        option(
            "--output",
            "-o",
            help="With check of a depth model: PNG file for a frame and its disparity.",
            common=True,
            panel=Group.OUTPUT,
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """List the models that there are, download one, or check that one works here and how long a frame takes."""
    given = {
        "--allow-noncommercial": ("get", allow_noncommercial or None),
        "--frames": ("check", frames),
        "--device": ("check", device),
        "--output": ("check", output),
        "--overwrite": ("check", overwrite or None),
    }
    for name, (of, value) in given.items():
        if value is not None and action != of:
            raise InputError(f"{name} is for any2bokeh models {of}; leave it out")
    if action == "list":
        if model is not None:
            raise InputError(f"any2bokeh models list takes no name, but {model} is given; say get or check")
        _list(report)
    elif model is None:
        raise InputError(f"any2bokeh models {action} needs a model; any2bokeh models lists them")
    elif action == "get":
        _get(model, allow_noncommercial, report)
    else:
        _check(model, _FRAMES if frames is None else frames, device or "auto", output, overwrite, report)


def _list(report: ReportOptions) -> None:
    from any2bokeh.model_table import listed_models

    rows = [_row(model) for model in listed_models().values()]
    head = {"name": "name", "for": "for", "licence": "licence", "size": "size", "here": "here", "gives": "gives"}
    shown = [head, *({key: _cell(model, row, key) for key in head} for model, row in rows)]
    widths = {key: max(len(row[key]) for row in shown) for key in head}
    lines = ["  ".join(f"{row[key]:<{widths[key]}}" for key in head).rstrip() for row in shown]
    tell({"models": [row for _, row in rows]}, "\n".join(lines), report)


def _row(model: "ListedModel") -> tuple["ListedModel", dict[str, Any]]:
    folder = model.folder
    size = model.size_here_mb if folder is not None else model.size_mb
    return model, {
        "name": model.name,
        "for": model.purpose,
        "licence": model.licence,
        "size_mb": None if size is None else round(size, 2),
        "here": folder is not None,
        "packaged": model.hub_id is None,
        "folder": None if folder is None else str(folder),
        "hub_id": model.hub_id,
        "gives": model.about,
    }


def _cell(model: "ListedModel", row: dict[str, Any], key: str) -> str:
    match key:
        case "here":
            return "in the package" if row["packaged"] and row["here"] else "yes" if row["here"] else "no"
        case "size":
            size = row["size_mb"]
            return "not known" if size is None else f"{size / 1000:.1f} GB" if size >= 1000 else f"{size:.3g} MB"
        case _:
            return str(row[key])


def _get(model: str, allow_noncommercial: bool, report: ReportOptions) -> None:
    from any2bokeh.model_table import get_model

    def notice(remark: str) -> None:
        if not report.quiet:
            typer.echo(remark, err=True)

    folder = get_model(model, allow_noncommercial=allow_noncommercial, notice=notice)
    tell({"model": model, "folder": str(folder)}, f"{model} is here: {folder}", report)


def _check(
    model: str, frames: int, device: Device, output: Path | None, overwrite: bool, report: ReportOptions
) -> None:
    from any2bokeh.model_check import check_model

    if output is not None:
        _require_picture(model, output, overwrite)
    checked = check_model(model, frames=frames, device=device)
    if output is not None:
        _write(checked, output)
    result = {
        "model": checked.name,
        "licence": checked.licence,
        "frames": checked.frames,
        "first_s": round(checked.first_s, 3),
        "frame_s": None if checked.frame_s is None else round(checked.frame_s, 4),
        **checked.said,
        "output": None if output is None else str(output),
    }
    if checked.frame_s is None:
        pace = f"{checked.frames} frames in {checked.first_s:.3g} s with loading"
    else:
        pace = f"{checked.frame_s:.3g} s a frame, the first after {checked.first_s:.3g} s with loading"
    line = f"{checked.name} works: {checked.line}; {pace}"
    tell(result, line, report)


def _require_picture(model: str, output: Path, overwrite: bool) -> None:
    """Refuse a picture that cannot be written before a model is loaded for it."""
    from any2bokeh.model_table import find_listed

    listed = None if Path(model).is_dir() else find_listed(model)
    if listed is not None and listed.purpose != "depth":
        raise InputError(f"--output {output} is for depth models, and {model} is for {listed.purpose}; leave it out")
    if output.suffix.lower() != ".png":
        raise InputError(f"--output {output} is no PNG file; give a name that ends in .png")
    if output.exists() and not overwrite:
        raise InputError(f"{output} exists; choose another name or pass --overwrite")


def _write(checked: "Checked", output: Path) -> None:
    from any2bokeh.model_check import picture_of
    from any2bokeh.picture import write_picture

    write_picture(output, picture_of(checked))
