"""Ctrl-C and termination, which unwind the stack, so that no partial file stays behind; never within an import.

A compiled module that is interrupted while it is initialised aborts the process (pybind11 cannot pass the exception
on), so an interruption that comes during an import waits for its end. So does one within the function that numba's
compiled code calls to read a constant: what it raises comes out as a SystemError. Other threads hear of none of this
and are waited for; ``is_ending`` tells those that compile, which may take a minute, that nobody needs it any more. This
module imports nothing heavy: it is in force while the rest of the command line is imported.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

INTERRUPTED, TERMINATED = 130, 143
_RETRY_S = 0.02
_ending = threading.Event()
_IMPORTING, _READING_A_CONSTANT = "importlib._bootstrap", str(Path("numba", "core", "serialize.py"))


class Terminated(SystemExit):
    """The process was asked to end."""


@contextmanager
def interruptions_unwind() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C and ``Terminated`` on SIGTERM, as soon as they can be passed on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as of a job in the background of a shell
            signal.signal(number, _interrupt)
    usual, sys.unraisablehook = sys.unraisablehook, _heard_again(sys.unraisablehook)
    try:
        yield
    finally:
        _ending.clear()
        sys.unraisablehook = usual
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def is_ending() -> bool:
    """Whether an interruption is on its way up: what runs in other threads is not needed any more."""
    return _ending.is_set()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_lost_in(frame):
        # Not threading.Timer, which takes locks that the interrupted code may hold.
        _thread.start_new_thread(_send_again, (number,))
        return
    _ending.set()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(TERMINATED)


def _heard_again(usual: Callable[[Any], Any]) -> Callable[[Any], None]:
    """What hears of exceptions that cannot be raised: an interruption in a ``__del__`` or a callback is sent again."""

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, Terminated):
            _thread.start_new_thread(_send_again, (signal.SIGTERM,))
        elif isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.start_new_thread(_send_again, (signal.SIGINT,))
        else:
            usual(unraisable)

    return hook


def _send_again(number: int) -> None:
    time.sleep(_RETRY_S)
    os.kill(os.getpid(), number)


def _is_lost_in(frame: FrameType | None) -> bool:
    """Whether compiled code called what runs, and cannot pass an exception on."""
    while frame is not None:
        file = frame.f_code.co_filename
        if _IMPORTING in file or file.endswith(_READING_A_CONSTANT):
            return True
        frame = frame.f_back
    return False


def interrupted_line(kept: list[str]) -> str:
    """What an interrupted command says of its outputs."""
    if not kept:
        return "error: interrupted; nothing was written"
    more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
    return f"error: interrupted; complete and kept: {kept[0]}{more}"


def say_interrupted() -> None:
    """Print the one line; outputs are known where the module that writes them has been imported."""
    output = sys.modules.get("any2bokeh.pending_output")
    print(interrupted_line([] if output is None else list(map(str, output.PUBLISHED))), file=sys.stderr)
