"""What a command tells when it is done: a line for people, or one JSON object for programs, on standard output."""

import json
from typing import TYPE_CHECKING, Any

import typer

from any2bokeh.cli.output_options import ReportOptions
from any2bokeh.remote.address import renamed

if TYPE_CHECKING:
    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.recipe import Recipe
    from any2bokeh.refocusing import RefocusResult


def tell(result: dict[str, Any], line: str, report: ReportOptions) -> None:
    """Print the result object, the line, or nothing, as the options ask."""
    if report.json:
        typer.echo(renamed(json.dumps(result, ensure_ascii=False)))
    elif not report.quiet:
        typer.echo(renamed(line))


def warn(remark: str) -> None:
    """Tell what looks wrong but may be meant, on standard error."""
    typer.echo(renamed(f"warning: {remark}"), err=True)


def disparity_facts(recipe: "Recipe") -> dict[str, Any]:
    """What the result object says of the disparity: the file, or the model and what its values mean."""
    from any2bokeh.disparity import EstimatedDisparity

    if not isinstance(recipe.disparity, EstimatedDisparity):
        return {"disparity": str(recipe.disparity)}
    return model_facts(recipe.disparity)


def model_facts(disparity: "EstimatedDisparity") -> dict[str, Any]:
    """What the result object says of a depth model, and of what its values mean."""
    estimator = disparity.estimator
    return {"depth_model": estimator.name, "licence": estimator.licence, "estimated_as": str(estimator.meaning)}


def refocus_summary(result: "RefocusResult", *, engine: str) -> tuple[dict[str, Any], str]:
    """The result object of a finished job, and the line for people."""
    info, track = result.info, result.track
    rate = result.frame_count / max(result.elapsed_s, 1e-9)
    summary = {
        "output": str(result.output),
        "frames": result.frame_count,
        "start_frame": result.start,
        "width": info.width,
        "height": info.height,
        "fps": str(info.fps),
        "engine": engine,
        "focus_disparity": [round(float(d), 6) for d in track.focus_disparity],
        "blur_strength": [round(float(k), 6) for k in track.blur_strength],
        "aov": None if result.aovs is None else str(result.aovs),
        "warnings": list(track.warnings),
        "elapsed_s": round(result.elapsed_s, 3),
        "frames_per_s": round(rate, 3),
    }
    line = (
        f"{result.output}: {result.frame_count} frames, {info.width}x{info.height}, {float(info.fps):g} fps, "
        f"in {result.elapsed_s:.1f} s ({rate:.1f} frames/s)"
    )
    return summary, line
