"""Entry of the command line: commands, exit codes, and one line for what went wrong.

Exit codes: 0 done, 2 bad input or usage, 3 some clips of a batch failed, 1 a defect of ours (with its traceback), 130
interrupted, 143 terminated.
"""

import errno
import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from any2bokeh import __version__
from any2bokeh.cli.addresses import at_addresses, trees_at_addresses
from any2bokeh.cli.app import app_command
from any2bokeh.cli.batch import batch_command
from any2bokeh.cli.convert import convert_command
from any2bokeh.cli.demo import demo_command
from any2bokeh.cli.depth import depth_command
from any2bokeh.cli.doctor import doctor_command
from any2bokeh.cli.evaluate import evaluate_command
from any2bokeh.cli.event_stream import EventStream, events_told
from any2bokeh.cli.help_page import GroupWithPage
from any2bokeh.cli.info import info_command
from any2bokeh.cli.lenses import lenses_command
from any2bokeh.cli.models import models_command
from any2bokeh.cli.option_groups import Commands
from any2bokeh.cli.options import command
from any2bokeh.cli.pipes import from_pipe, to_pipe
from any2bokeh.cli.preview import preview_command
from any2bokeh.cli.quiet_libraries import libraries_are_quiet
from any2bokeh.cli.refocus import refocus_command
from any2bokeh.cli.report import warn
from any2bokeh.cli.synth import synth_command
from any2bokeh.cli.track import track_command
from any2bokeh.cli.train import train_command
from any2bokeh.errors import InputError, KernelCacheWarning
from any2bokeh.events import Warned
from any2bokeh.heap import keep_freed_memory
from any2bokeh.interruption import (
    INTERRUPTED,
    TERMINATED,
    Terminated,
    interrupted_line,
    interruptions_unwind,
    say_interrupted,
)
from any2bokeh.pending_output import PUBLISHED, too_long

DONE, DEFECT, BAD_INPUT = 0, 1, 2
_DEFECT_LINE = "this is a defect of any2bokeh; please report it with the lines above"

app = typer.Typer(
    name="any2bokeh",
    cls=GroupWithPage,
    help="Turn any video into the same video shot through a fast lens.",
    pretty_exceptions_enable=False,
)
command(app, "refocus", Commands.REFOCUS)(at_addresses(from_pipe(to_pipe(refocus_command))))
command(app, "batch", Commands.REFOCUS)(trees_at_addresses(batch_command))
command(app, "demo", Commands.REFOCUS)(demo_command)
command(app, "depth", Commands.PREPARE)(from_pipe(depth_command))
command(app, "track", Commands.PREPARE)(track_command)
command(app, "preview", Commands.REFOCUS)(preview_command)
command(app, "app", Commands.REFOCUS)(app_command)
command(app, "lenses", Commands.LOOK_UP)(lenses_command)
command(app, "info", Commands.LOOK_UP)(info_command)
command(app, "convert", Commands.MODELS)(convert_command)
command(app, "synth", Commands.MODELS)(synth_command)
command(app, "evaluate", Commands.MODELS)(evaluate_command)
command(app, "train", Commands.MODELS)(train_command)
command(app, "models", Commands.MODELS)(models_command)
command(app, "doctor", Commands.LOOK_UP)(doctor_command)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"any2bokeh {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; ``arguments`` default to those of the process."""
    PUBLISHED.clear()
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # its warnings would stand beside our one line
    _names_are_bytes()
    keep_freed_memory()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    with (
        libraries_are_quiet(),
        interruptions_unwind(),
        events_told(arguments) as events,
        _kernel_remarks(events, quiet="--quiet" in arguments),
    ):
        return _outcome(arguments, events)


def _outcome(arguments: list[str], events: EventStream) -> int:
    try:
        outcome = _parser().main(args=arguments, prog_name="any2bokeh", standalone_mode=False)
    except InputError as error:
        return _fail(str(error), events)
    except OSError as error:
        return _fail(_os_error_line(error), events)
    except Terminated:
        events.failed(_interruption(), TERMINATED)
        if PUBLISHED:
            say_interrupted()
        raise
    except (KeyboardInterrupt, typer.Abort):
        outcome = INTERRUPTED
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of typer, whose classes move between its versions
            return _fail(_usage_line(error), events)
        traceback.print_exc()
        print(f"error: {_DEFECT_LINE}", file=sys.stderr)
        last = "".join(traceback.format_exception_only(error)).strip()
        events.failed(f"{_DEFECT_LINE} ({last})", DEFECT, is_defect=True)
        return DEFECT
    if outcome == INTERRUPTED:
        events.failed(_interruption(), INTERRUPTED)
        say_interrupted()
    return outcome if isinstance(outcome, int) else DONE


@cache
def _parser() -> Any:
    """Made once for all runs of a process: typer looks at every option of every command."""
    return typer.main.get_command(app)


def _names_are_bytes() -> None:
    """Let names of files that are no text be printed as the bytes that they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="surrogateescape")


@contextmanager
def _kernel_remarks(events: EventStream, *, quiet: bool) -> Iterator[None]:
    """Print a ``KernelCacheWarning`` as one line, as other remarks are; kernels are compiled under every command."""
    with warnings.catch_warnings():  # restores what shows them, too
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, KernelCacheWarning):
                usual(message, category, *place, **more)
                return
            events.tell(Warned(str(message)))
            if not quiet:
                warn(str(message))

        warnings.showwarning = show
        yield


def _fail(message: str, events: EventStream) -> int:
    message = " ".join(message.split())
    print(f"error: {message}", file=sys.stderr)
    events.failed(message, BAD_INPUT)
    return BAD_INPUT


def _interruption() -> str:
    return interrupted_line(list(map(str, PUBLISHED))).removeprefix("error: ")


def _usage_line(error: Exception) -> str:
    message = error.format_message().rstrip(".")  # type: ignore[attr-defined]
    for fault in error.__cause__.errors() if hasattr(error.__cause__, "errors") else ():  # type: ignore[union-attr]
        message += f" (got {fault['input']!r})"
    context = getattr(error, "ctx", None)
    return f"{message}; see {context.command_path if context else 'any2bokeh'} --help"


def _os_error_line(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG and error.filename:
        return too_long(Path(os.fsdecode(error.filename)))
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
