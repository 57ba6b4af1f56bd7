"""Options of a timeline whose clips are refocused."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.clip_options import ReadingOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError
from any2bokeh.remote.address import renamed

if TYPE_CHECKING:
    from any2bokeh.batch.finding import ResultFormat
    from any2bokeh.batch.item import Item, Outcome
    from any2bokeh.batch.timeline import Timeline
    from any2bokeh.video import VideoSource

_HANDLES = 12


@dataclass(frozen=True, slots=True)
class TimelineOptions:
    """What is done with a timeline, as typed."""

    handles: Annotated[
        int | None,
        option(
            "--handles",
            help="Frames that are refocused on either side of what a clip of a timeline shows, so that it can be "
            f"trimmed afterwards, 0 or more (default: {_HANDLES}).",
            panel=Group.TIMELINES,
            metavar="N",
        ),
    ] = None
    media: Annotated[
        Path | None,
        option(
            "--media",
            help="Folder in which media is looked for by its name, with all folders in it, if it is not where the "
            "timeline says.",
            panel=Group.TIMELINES,
            metavar="FOLDER",
        ),
    ] = None
    timeline: Annotated[
        Path | None,
        option(
            "--timeline",
            help="File for the timeline of the results: .otio, or .xml (Final Cut Pro 7, for Premiere) "
            "(default: in the folder for the results, under the name of the timeline that is read).",
            panel=Group.TIMELINES,
            metavar="FILE",
        ),
    ] = None

    def opened(self, given: str, output: Path | None, reading: ReadingOptions) -> "Timeline | None":
        """The timeline that a command was given; None where that is something else.

        Args:
            given: the input, as typed.
            output: folder for the results.
            reading: of which the rate is that of an edit decision list.

        Raises:
            InputError: it cannot be read, there is no folder for its results, or an option is for timelines alone.
        """
        from any2bokeh.batch.timeline import SUFFIXES, Timeline
        from any2bokeh.video.opening import rate_of

        path = Path(given)
        if not path.is_file() or path.suffix.lower() not in SUFFIXES:
            typed = {"--handles": self.handles, "--media": self.media, "--timeline": self.timeline}
            wrong = next((name for name, value in typed.items() if value is not None), None)
            if wrong is not None:
                raise InputError(f"{wrong} is for timelines, and {given} is none ({', '.join(sorted(SUFFIXES))})")
            return None
        if output is None:
            raise InputError(f"no folder for the results of {given} is given; give one with --output")
        if renamed(str(output)) != str(output):
            raise InputError(
                f"--output {renamed(str(output))} is an address; the results of a timeline need a local folder"
            )
        return Timeline(path, rate_of(reading.fps))

    def items(
        self,
        timeline: "Timeline",
        output: Path,
        result_format: "ResultFormat",
        reading: ReadingOptions,
        *,
        overwrite: bool,
    ) -> "list[Item]":
        """The clips of a timeline that are rendered, if the timeline of the results can be written.

        Raises:
            InputError: see ``timeline_items``, and ``Timeline.require_writable``.
        """
        from any2bokeh.batch.finding import timeline_items

        handles = _HANDLES if self.handles is None else self.handles
        opened = opened_with(reading)
        items = timeline_items(timeline, output, opened, result_format=result_format, handles=handles, media=self.media)
        timeline.require_writable(self.place(timeline, output), overwrite=overwrite)
        return items

    def place(self, timeline: "Timeline", output: Path) -> Path:
        """Where the timeline of the results goes."""
        return self.timeline or timeline.result_path(output)


def opened_with(reading: ReadingOptions) -> "Callable[[Path, str | None], AbstractContextManager[VideoSource]]":
    """What opens media as the options say, images at the rate that the timeline says."""

    @contextmanager
    def opened(path: Path, fps: str | None) -> "Iterator[VideoSource]":
        with replace(reading, fps=fps or reading.fps).opened(str(path)) as source:
            yield source

    return opened


def write_timeline(timeline: "Timeline", place: Path, outcomes: "list[Outcome]") -> list[str]:
    """Write the timeline of the results, and give what the user should know of it."""
    return timeline.write(place, outcomes, opened_with(ReadingOptions()))
