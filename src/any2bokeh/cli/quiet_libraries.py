"""C libraries kept from printing beside our own messages."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

KEEP_MESSAGES = "ANY2BOKEH_LIBRARY_MESSAGES"
"""Environment variable; set, it lets the messages of C libraries through, to look into a defect."""


@contextmanager
def libraries_are_quiet() -> Iterator[None]:
    """Send what C libraries print on standard error nowhere; what Python prints there still arrives.

    libpng, libjpeg, OpenCV and the encoders of FFmpeg write to the file descriptor itself, where no option reaches
    them, and say in their own words what our one line says too.
    """
    if os.environ.get(KEEP_MESSAGES) or sys.stderr is None:
        yield
        return
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    before = sys.stderr
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123  os.devnull is no Path
            os.dup2(nowhere.fileno(), 2)
        if _writes_to_descriptor(before):
            sys.stderr = open(  # noqa: SIM115  closed below
                kept, "w", buffering=1, encoding=before.encoding, errors="backslashreplace", closefd=False
            )
        yield
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)


def _writes_to_descriptor(stream: TextIO) -> bool:
    """Whether it is standard error itself, and not what a program that calls ``run`` has put in its place."""
    try:
        return stream.fileno() == 2
    except (OSError, io.UnsupportedOperation):
        return False
