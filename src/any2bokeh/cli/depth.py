"""``any2bokeh depth``: the disparity of a clip, as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from any2bokeh.cli.clip_options import ModelOptions, PipedReadingOptions, RangeOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, progress_report
from any2bokeh.cli.project_options import OpenedProject, ProjectInput, require_input
from any2bokeh.cli.report import model_facts, tell, warn
from any2bokeh.disparity.writing import PictureFormat
from any2bokeh.engines import Device
from any2bokeh.errors import InputError

Edges = Literal["soft", "hard"]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from any2bokeh.disparity import EstimatedDisparity
    from any2bokeh.subject.seed import ClipSeed
    from any2bokeh.video import VideoSource


def depth_command(
    output: Annotated[
        Path,
        option(
            "--output",
            "-o",
            metavar="OUT",
            help="Folder or .npz file for the disparity.",
            common=True,
            panel=Group.OUTPUT,
        ),
    ],
    model: ModelOptions,
    part: RangeOptions,
    reading: PipedReadingOptions,
    report: ReportOptions,
    input: ProjectInput = None,
    project: Annotated[
        Path | None,
        option(
            "--project",
            help="Project saved in the studio, in place of INPUT: write the disparity of its clip, with its brush "
            "strokes.",
            common="Project of the studio, in place of INPUT.",
            panel=Group.RECIPE,
            metavar="FILE",
        ),
    ] = None,
    format: Annotated[
        PictureFormat | None,
        option(
            "--format",
            help="Format of the pictures in a folder: 16-bit PNG or float EXR (default: png).",
            common=True,
            panel=Group.OUTPUT,
        ),
    ] = None,
    refine: Annotated[
        Edges | None,
        option(
            "--refine",
            help="Write the disparity at the size of the picture, with its edges moved to those of the picture: soft "
            "or hard (default: at the size that the model gives).",
            common="Write it at full size, with soft or hard edges.",
            panel=Group.OUTPUT,
        ),
    ] = None,
    subject_point: Annotated[
        str | None,
        option(
            "--subject-point",
            help="Point on the subject in the first frame, for the built-in estimate; 0,0 is the top left corner and "
            "1,1 the bottom right (default: the middle).",
            common="Point on the subject in the first frame, 0 to 1.",
            panel=Group.SUBJECT,
            metavar="X,Y",
        ),
    ] = None,
    subject_box: Annotated[
        str | None,
        option(
            "--subject-box",
            help="Box around the subject, in place of --subject-point and in the same units.",
            panel=Group.SUBJECT,
            metavar="X0,Y0,X1,Y1",
        ),
    ] = None,
    device: Annotated[
        Device, option("--device", help="Device that the depth model runs on.", common=True, panel=Group.ENGINE)
    ] = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Estimate the disparity of a clip (how near things are) and write it for --disparity."""
    from any2bokeh.disparity.refined import RefinedDisparity
    from any2bokeh.disparity.writing import ARCHIVE_SUFFIX, check_disparity_target, write_disparity
    from any2bokeh.read_paths import ReadPaths
    from any2bokeh.video.frame_numbers import result_stems

    if format is not None and output.suffix.lower() == ARCHIVE_SUFFIX:
        raise InputError(f"--format {format} is for pictures in a folder; leave it out, or write a folder")
    picture_format: PictureFormat = format or "png"
    notice = None if report.quiet else warn
    opened = None if project is None else OpenedProject.of(project, input)
    if opened is not None:
        _require_nothing_else(opened, model, part, subject_point or subject_box)
    with (
        reading.opened(opened.input if opened else require_input(project, input), notice) as source,
        progress_report(quiet=report.quiet or report.json, doing=ESTIMATING) as progress,
    ):
        start, stop = part.of(source)
        stems = result_stems(source.numbers, start, stop)  # maps are matched by the numbers of the frames
        ReadPaths([source.info.path, *paths_of(model), *(opened.paths() if opened else [])]).require_kept(output)
        check_disparity_target(
            output,
            source.info.path,
            picture_format=picture_format,
            frame_count=stop - start,
            stems=stems,
            overwrite=overwrite,
        )
        if opened is not None:
            _write_of_project(opened, source, output, picture_format, stems, refine, report, progress)
            return
        maps = model.model().estimated(
            source,
            seed=_seed(subject_point, subject_box),
            start=start,
            stop=stop,
            device=device,
            progress=progress,
            notice=notice,
        )
        _require_effect(maps, device, {"--subject-point": subject_point, "--subject-box": subject_box})
        maps.estimate()
        written = maps if refine is None else RefinedDisparity(maps, source, start=start, edges=refine)
        write_disparity(written, output, picture_format=picture_format, stems=stems)
        height, width = written.at(0).shape[1:]
    facts = model_facts(maps)
    summary = {
        "output": str(output),
        "frames": maps.frame_count,
        "start_frame": start,
        "width": width,
        "height": height,
        **facts,
        "inverse_metres_per_unit": maps.inverse_metres_per_unit,
    }
    line = f"{output}: disparity of {maps.frame_count} frames, {width}x{height}, from {facts['depth_model']}"
    tell(summary, line, report)


def _require_nothing_else(opened: OpenedProject, model: ModelOptions, part: RangeOptions, subject: str | None) -> None:
    """Refuse what a project says already.

    Raises:
        InputError: a model, a part or a subject is typed.
    """
    if model != ModelOptions() or part != RangeOptions() or subject is not None:
        raise InputError(
            f"project {opened.path} says where its disparity comes from, and all of the clip's is written; leave the "
            f"options for the model, the part and the subject out"
        )


def _write_of_project(
    opened: OpenedProject,
    source: "VideoSource",
    output: Path,
    picture_format: PictureFormat,
    stems: "Sequence[str] | None",
    refine: Edges | None,
    report: ReportOptions,
    progress: "Callable[[int, int], None]",
) -> None:
    """Write the disparity of a project as its render uses it."""
    from any2bokeh.clip_disparity import opened_maps, with_estimate
    from any2bokeh.disparity.refined import RefinedDisparity
    from any2bokeh.disparity.writing import write_disparity

    notice = None if report.quiet else warn
    recipe = with_estimate(opened.recipe(source, needs_focus=False), source, progress=progress, notice=notice)
    maps = opened_maps(source, recipe, start=0, stop=source.info.frame_count, estimating=progress, notice=notice)
    written = maps if refine is None else RefinedDisparity(maps, source, edges=refine)
    write_disparity(written, output, picture_format=picture_format, stems=stems)
    height, width = written.at(0).shape[1:]
    count = len(recipe.strokes)
    summary = {
        "output": str(output),
        "frames": maps.frame_count,
        "start_frame": 0,
        "width": width,
        "height": height,
        "brush_strokes": count,
    }
    line = f"{output}: disparity of {maps.frame_count} frames, {width}x{height}, with {count} brush strokes"
    tell(summary, line, report)


def _require_effect(maps: "EstimatedDisparity", device: Device, subject: dict[str, str | None]) -> None:
    """Refuse what the estimator that was chosen does not look at.

    Raises:
        InputError: a subject for a depth model, or a device for the built-in estimate.
    """
    from any2bokeh.disparity.rough.estimator import RoughEstimator

    if isinstance(maps.estimator, RoughEstimator):
        if device not in ("auto", "cpu"):
            raise InputError(f"--device {device} is for depth models, not for the built-in estimate; leave it out")
        return
    for name, value in subject.items():
        if value is not None:
            raise InputError(f"{name} {value} is for the built-in estimate, not for depth models; leave it out")


def _seed(point: str | None, box: str | None) -> "ClipSeed | None":
    from any2bokeh.cli.focus_options import numbers_of
    from any2bokeh.focus import BoxTarget, PointTarget
    from any2bokeh.subject.seed import ClipSeed

    if point is not None and box is not None:
        raise InputError(f"--subject-point {point} and --subject-box {box} contradict each other; give one")
    if point is not None:
        x, y = numbers_of("--subject-point", point, "X,Y", "0.5,0.4")
        at = PointTarget(x, y)
        return ClipSeed(point=(at.x, at.y))
    if box is not None:
        x0, y0, x1, y1 = numbers_of("--subject-box", box, "X0,Y0,X1,Y1", "0.3,0.2,0.6,0.9")
        around = BoxTarget(x0, y0, x1, y1)
        return ClipSeed(box=(around.x0, around.y0, around.x1, around.y1))
    return None
