"""``any2bokeh batch``: many clips, one after the other."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from any2bokeh.batch.finding import ResultFormat
from any2bokeh.cli.clip_options import RangeOptions, ReadingOptions
from any2bokeh.cli.event_stream import current_events
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import EncodingOptions, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, Report, progress_report
from any2bokeh.cli.recipe_options import RecipeOptions
from any2bokeh.cli.report import tell, warn
from any2bokeh.cli.segment_options import ClusterOptions
from any2bokeh.cli.timeline_options import TimelineOptions, write_timeline
from any2bokeh.errors import InputError
from any2bokeh.events import ClipStarted, Event, FramesDone, RunFinished, RunPlanned
from any2bokeh.remote.address import renamed

if TYPE_CHECKING:
    from any2bokeh.batch.item import Item, Outcome
    from any2bokeh.batch.plan import Need
    from any2bokeh.batch.running import Batch
    from any2bokeh.recipe import Recipe
    from any2bokeh.video import VideoSource

SOME_FAILED = 3
"""Exit code where clips could not be rendered."""

ONE_PROCESS = "ANY2BOKEH_ONE_PROCESS"
"""Environment variable; set, clips are rendered in the process of the command, for debuggers and profilers."""

_BATCH = Group.BATCH
_MOST_AT_ONCE = 8
"""Clips that are worked on at one time on a cluster: each is fingerprinted and joined on this machine."""

_GB = 1e9

Options = TypeVar("Options")


def batch_command(
    input: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="Folder that is searched for clips with all folders in it, pattern such as 'rushes/**/*.mov', "
            "manifest (.csv, .jsonl) with a clip on each line, or timeline (.otio, .xml, .fcpxml, .edl).",
        ),
    ],
    options: RecipeOptions,
    encoding: EncodingOptions,
    reading: ReadingOptions,
    cluster: ClusterOptions,
    timelines: TimelineOptions,
    report: ReportOptions,
    output: Annotated[
        Path | None,
        option(
            "--output",
            "-o",
            help="Folder for the results, which keep the places of their clips (default: a manifest's own folder, if "
            "its rows name the outputs).",
            common="Folder for the results.",
            panel=Group.OUTPUT,
            metavar="FOLDER",
        ),
    ] = None,
    result_format: Annotated[
        ResultFormat,
        option(
            "--format",
            help="Kind of the results: a video container, or frames for a folder of images; auto is that of the clip, "
            "or mp4 if it cannot be written.",
            common="Kind of the results.",
            panel=_BATCH,
        ),
    ] = "auto",
    segment_frames: Annotated[
        int | None,
        option(
            "--segment-frames",
            help="Frames of the segments that are kept while a clip is rendered, 8 or more (default: those of 5 "
            "seconds).",
            panel=_BATCH,
            metavar="N",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        option(
            "--dry-run",
            help="Print what would be rendered, what is missing and the disk space that it takes; render nothing.",
            common="Print what would be done; render nothing.",
            panel=_BATCH,
        ),
    ] = False,
    report_file: Annotated[
        Path | None,
        option(
            "--report",
            help="JSON file that says what became of each clip (default: report.json in the folder for the results).",
            panel=_BATCH,
            metavar="FILE",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        option(
            "--overwrite",
            help="Render finished clips again, and replace files that no batch has made.",
            common="Render finished clips again.",
            panel=_BATCH,
        ),
    ] = False,
) -> None:
    """Refocus many clips; started again, it goes on with those that are not finished."""
    from any2bokeh.batch.finding import batch_items
    from any2bokeh.batch.running import Batch
    from any2bokeh.batch.timeline import is_edit_list
    from any2bokeh.segments.cut import Segmentation

    cluster.require_ray()
    if segment_frames is not None and segment_frames < 8:
        raise InputError(f"--segment-frames is {segment_frames}; give 8 or more")
    timeline = timelines.opened(input, output, reading)
    if timeline is not None and is_edit_list(timeline.path):
        reading = replace(reading, fps=None)  # it was the list's, not that of its media
    shared = _Shared(options, reading)
    if timeline is not None and output is not None:
        items = timelines.items(timeline, output, result_format, reading, overwrite=overwrite)
        for remark in timeline.remarks if not report.quiet else ():
            warn(remark)
    else:
        items = batch_items(input, output, result_format=result_format, leave_out=shared.fixed_paths(Path(input)))
    if all(each.problem is not None for each in items):
        raise InputError(items[0].problem or "")
    batch = Batch(
        opened=shared.opened,
        part=_part,
        recipe=shared.recipe,
        encoding=encoding.encoding(),
        segmentation=Segmentation(segment_frames),
        overwrite=overwrite,
        also_read=tuple(options.paths()),
    )
    current_events().tell(RunPlanned([{"input": str(each.clip), "output": str(each.output)} for each in items]))
    if dry_run:
        _tell_plan(batch, items, report)
        return
    place = report_file or (output or Path(input).parent) / "report.json"
    with cluster.workers() as workers:
        if workers is not None:
            batch = replace(batch, workers=workers, at_once=min(workers.at_once, _MOST_AT_ONCE))
        outcomes = _run(batch, items, place, report)
    made = None
    if timeline is not None and output is not None:
        made = timelines.place(timeline, output)
        kept = write_timeline(timeline, made, outcomes)
        for remark in kept if not report.quiet else ():
            warn(remark)
    _tell_outcomes(outcomes, place, report, made)
    if any(each.state == "failed" for each in outcomes):
        raise typer.Exit(SOME_FAILED)


@dataclass(frozen=True, slots=True)
class _Shared:
    """The options that all clips share; ``{stem}``, ``{name}`` and ``{folder}`` in paths stand for a clip's own."""

    options: RecipeOptions
    reading: ReadingOptions

    @contextmanager
    def opened(self, item: "Item") -> "Iterator[VideoSource]":
        from any2bokeh.remote.tree import lent

        reading = replace(self.reading, fps=item.fps or self.reading.fps)
        with lent(item.clip, item.output) as clip, reading.opened(str(clip)) as source:
            yield source

    def recipe(
        self, item: "Item", source: "VideoSource", first_frame: int, notice: Callable[[str], None] | None
    ) -> "Recipe":
        from any2bokeh.remote.stage import stage_around

        options = _placed(self.options, item)
        if (stage := stage_around(item.output, source.info.path)) is not None:
            options = stage.localised(options)
        if options.recipe is None and ("recipe" in item.fields or "focus" in item.fields):
            # The row says what is in focus; the rest is shared.
            with suppress(InputError):
                return options.made(source.info, first_frame=first_frame, notice=notice)
            options = replace(options, focus=replace(options.focus, focus="auto"))
        return options.made(source.info, first_frame=first_frame, notice=notice)

    def fixed_paths(self, root: Path) -> list[Path]:
        """Maps and masks beside the clips of a folder, none of which are clips, up to the first name that varies."""
        named = [self.options.disparity.disparity, self.options.focus.focus_mask]
        return [_before_names(path) for path in named if path is not None and _before_names(path) != Path()]


def _part(item: "Item", source: "VideoSource") -> tuple[int, int]:
    try:
        return RangeOptions(frames=item.frames).of(source)
    except InputError as error:
        raise InputError(str(error).replace("--frames", f"{item.title}: frames")) from None


_NAMES = ("{stem}", "{name}", "{folder}")


def _placed(options: Options, item: "Item") -> Options:
    """Options with a clip's own names in their paths."""
    own = dict(zip(_NAMES, (item.clip.stem, item.clip.name, item.folder.as_posix()), strict=True))

    def named(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{each.name: named(getattr(value, each.name)) for each in fields(value)})
        if isinstance(value, Path):
            text = str(value)
            for name, is_ in own.items():
                text = text.replace(name, is_)
            return Path(text)
        return value

    return named(options)


def _before_names(path: Path) -> Path:
    """The part of a path before the first that has a clip's own name in it."""
    fixed = Path()
    for part in path.parts:
        if any(name in part for name in _NAMES):
            return fixed
        fixed /= part
    return fixed


def _tell_plan(batch: "Batch", items: "list[Item]", report: ReportOptions) -> None:
    from any2bokeh.batch.item import Outcome
    from any2bokeh.batch.plan import free_bytes

    planned = [(item, batch.planned(item)) for item in items]
    needs = [each for _, each in planned if not isinstance(each, Outcome)]
    kept, most = sum(each.bytes_kept for each in needs), max((each.bytes_meanwhile for each in needs), default=0)
    free = free_bytes(items[0].output.parent)
    plan = {
        "clips": [_planned_facts(item, each) for item, each in planned],
        "frames": sum(each.frames for each in needs),
        "bytes": kept,
        "bytes_meanwhile": kept + most // 2,
        "bytes_free": free,
    }
    lines = [_planned_line(item, each) for item, each in planned]
    is_enough = "" if kept + most // 2 <= free else ", which is not enough"
    lines.append(
        f"{len(needs)} of {len(items)} clips would be rendered, {plan['frames']} frames; the results take about "
        f"{kept / _GB:.2f} GB, and {most / 2 / _GB:.2f} GB more meanwhile; {free / _GB:.2f} GB are free{is_enough}"
    )
    events = current_events()
    if events.is_on:
        events.tell(RunFinished(0, 0, 0, 0, events.seconds, plan))
    else:
        tell(plan, "\n".join(lines), report)


def _planned_facts(item: "Item", planned: "Outcome | Need") -> dict[str, Any]:
    from any2bokeh.batch.item import Outcome

    if isinstance(planned, Outcome):
        more: dict[str, Any] = {"would": "keep" if planned.state == "kept" else "fail", "message": planned.message}
    else:
        missing = [str(path) for path in planned.missing]
        more = {"would": "render", "frames": planned.frames, "bytes": planned.bytes_kept, "missing": missing}
    return {"clip": str(item.clip), "output": str(item.output), **more}


def _planned_line(item: "Item", planned: "Outcome | Need") -> str:
    from any2bokeh.batch.item import Outcome

    if isinstance(planned, Outcome):
        return f"{item.clip}: {'finished already' if planned.state == 'kept' else planned.reason}"
    missing = f"; missing: {', '.join(map(str, planned.missing))}" if planned.missing else ""
    return f"{item.clip} -> {item.output}: {planned.frames} frames, about {planned.bytes_kept / _GB:.3f} GB{missing}"


def _run(batch: "Batch", items: "list[Item]", place: Path, report: ReportOptions) -> "list[Outcome]":
    """Render all, and write the report, also of a batch that is interrupted."""
    from any2bokeh.batch.report import write_report
    from any2bokeh.pending_output import writing

    outcomes: list[Outcome] = []
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    apart = batch.workers is None and not os.environ.get(ONE_PROCESS)
    try:
        with _Told(items, report, one_at_a_time=batch.at_once == 1) as told:
            for outcome in batch.rendered(items, watch=told.happened, apart=apart):
                outcomes.append(outcome)
                told.finished(outcome)
    finally:
        if outcomes:
            write_report(outcomes, place)
    return outcomes


class _Told:
    """Progress over clips and frames: a line for each clip, and below it a bar on a terminal, lines elsewhere.

    Args:
        items: all clips.
        report: what is told.
        one_at_a_time: whether frames of one clip at a time are rendered, so that a bar can show them.
    """

    def __init__(self, items: "list[Item]", report: ReportOptions, *, one_at_a_time: bool) -> None:
        self._events = current_events()
        self._numbers = {id(item): number for number, item in enumerate(items)}
        self._is_quiet = report.quiet or report.json
        self._shows_remarks = not report.quiet
        self._one_at_a_time = one_at_a_time
        self._finished = 0
        self._reports: dict[str, Report] = {}
        self._bars = ExitStack()

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, *of: object) -> None:
        self._bars.close()

    def happened(self, item: "Item", event: Event) -> None:
        """What happens to a clip, as it does; from any thread where several are worked on at once."""
        self._events.tell(replace(event, clip=self._numbers[id(item)]))  # type: ignore[call-arg]  all of clips
        if self._is_quiet or not self._one_at_a_time:
            return
        if isinstance(event, ClipStarted):
            place = f"clip {self._finished + 1} of {len(self._numbers)}"
            typer.echo(renamed(f"{place}: {item.clip}"), err=sys.stderr.isatty())
        elif isinstance(event, FramesDone):
            if event.stage not in self._reports:
                doing = "rendering {total} frames" if event.stage == "rendering" else ESTIMATING
                self._reports[event.stage] = self._bars.enter_context(progress_report(quiet=False, doing=doing))
            if event.within is None:
                self._reports[event.stage](event.done, event.total)
            else:
                self._reports[event.stage].within(event.within)

    def finished(self, outcome: "Outcome") -> None:
        """What became of a clip, in their order."""
        self._bars.close()
        self._reports.clear()
        self._finished += 1
        for remark in outcome.remarks if self._shows_remarks else ():
            warn(remark)
        if outcome.state == "failed":
            typer.echo(renamed(f"failed: {outcome.item.clip}: {outcome.reason}"), err=True)
        if not self._one_at_a_time and not self._is_quiet:
            place = f"clip {self._finished} of {len(self._numbers)}"
            typer.echo(renamed(f"{place}: {outcome.item.clip}: {outcome.state}"))


def _tell_outcomes(outcomes: "list[Outcome]", place: Path, report: ReportOptions, timeline: Path | None = None) -> None:
    from any2bokeh.batch.report import summary

    facts = summary(outcomes)
    lines = [
        f"{facts['rendered']} rendered, {facts['kept']} finished already, {facts['failed']} failed; see {place}",
    ]
    if timeline is not None:
        facts["timeline"] = str(timeline)
        lines.append(f"the timeline of the results is {timeline}")
    if not report.quiet and not report.json:
        _print_table(outcomes)
    events, counts = current_events(), (facts["rendered"], facts["kept"], facts["failed"])
    if events.is_on:
        code = SOME_FAILED if facts["failed"] else 0
        events.tell(RunFinished(code, *counts, events.seconds, {**facts, "report": str(place)}))
    else:
        tell({**facts, "report": str(place)}, "\n".join(lines), report)


def _print_table(outcomes: "list[Outcome]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_edge=False)
    for name in ("clip", "state", "frames", "seconds", "why"):
        table.add_column(name, justify="right" if name in ("frames", "seconds") else "left", overflow="fold")
    for each in outcomes:
        why = each.reason if each.state == "failed" else ""
        cells = (str(each.item.clip), each.state, str(each.frames), f"{each.elapsed_s:.1f}", why)
        table.add_row(*(Text(renamed(cell)) for cell in cells))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
