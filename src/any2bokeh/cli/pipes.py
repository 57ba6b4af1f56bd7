"""``-`` as INPUT and OUT: video through pipes, as YUV4MPEG2."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from any2bokeh.cli.report import warn
from any2bokeh.errors import InputError
from any2bokeh.video.pipe import is_pipe, output_for_frames, spooled


def from_pipe(command: Callable[..., None]) -> Callable[..., None]:
    """A command with ``input`` and ``report``, which is given what comes through standard input as a file."""

    @wraps(command)
    def called(**given: Any) -> None:
        if given["input"] is None or not is_pipe(given["input"]):
            command(**given)
            return
        if not (given["report"].quiet or given["report"].json):
            warn("standard input is kept in a temporary file until the end; TMPDIR says in which folder")
        with spooled(None if sys.stdin is None else sys.stdin.buffer) as file:  # pyright: ignore[reportUnnecessaryComparison]
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
