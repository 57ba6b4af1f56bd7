"""``-`` as INPUT and OUT: video through pipes, as YUV4MPEG2 or raw frames."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from any2bokeh.cli.clip_options import PipedReadingOptions
from any2bokeh.cli.report import warn
from any2bokeh.errors import InputError
from any2bokeh.video.pipe import is_pipe, output_for_frames, spooled


def from_pipe(command: Callable[..., None]) -> Callable[..., None]:
    """A command with ``input``, ``reading`` and ``report``, given what comes through standard input as a file."""

    @wraps(command)
    def called(**given: Any) -> None:
        reading: PipedReadingOptions = given["reading"]
        if given["input"] is None or not is_pipe(given["input"]):
            if reading.raw is not None:
                raise InputError(f"--raw {reading.raw} is for standard input (-), and the input is {given['input']}")
            command(**given)
            return
        raw, fps = reading.raw_frames()
        if not (given["report"].quiet or given["report"].json):
            warn("standard input is kept in a temporary file until the end; TMPDIR says in which folder")
        stdin = None if sys.stdin is None else sys.stdin.buffer  # pyright: ignore[reportUnnecessaryComparison]
        if raw is not None:  # the file knows its rate
            given |= {"reading": replace(reading, raw=None, fps=None)}
        with spooled(stdin, raw, fps) as file:
            command(**given | {"input": str(file)})

    return called


def to_pipe(command: Callable[..., None]) -> Callable[..., None]:
    """A command with ``output`` and options; beside frames on standard output, nothing else is printed there."""

    @wraps(command)
    def called(**given: Any) -> None:
        if given["output"] is None or not is_pipe(given["output"]):
            command(**given)
            return
        _require_one_stream(given)
        with output_for_frames():
            command(**given)

    return called


def _require_one_stream(given: dict[str, Any]) -> None:
    """Refuse what needs a file, or standard output for itself.

    Raises:
        InputError: such an option is typed.
    """
    refused = {
        "--json": given["report"].json,
        "--aov": given["aovs"].aov is not None and given["aovs"].aov_output is None,
        "--resume": given["segments"].resume,
        "--cluster": given["cluster"].cluster is not None,
    }
    remedies = {"--json": "leave it out", "--aov": "give --aov-output, too"}
    for option, is_typed in refused.items():
        if is_typed:
            remedy = remedies.get(option, "write a file")
            raise InputError(f"{option} does not go with -o -, which is standard output for frames alone; {remedy}")
