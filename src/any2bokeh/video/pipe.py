"""Video through pipes, as YUV4MPEG2 or raw frames: standard input kept on disk, standard output for frames alone."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from any2bokeh.errors import InputError
from any2bokeh.pending_output import write_failure

if TYPE_CHECKING:
    from any2bokeh.video.raw_frames import RawFrames

PIPE = "-"
"""What stands for standard input or output in place of a path."""

MAGIC = b"YUV4MPEG2 "
_REMEDY = "pipe a video into it, such as that of ffmpeg -i IN -f yuv4mpegpipe -strict -1 -"

_OUTPUT: ContextVar[BinaryIO | None] = ContextVar("_OUTPUT", default=None)


def is_pipe(path: str | Path) -> bool:
    """Whether a path stands for standard input or output."""
    return str(path) == PIPE


@contextmanager
def spooled(stream: BinaryIO | None, raw: "RawFrames | None" = None, fps: Fraction | None = None) -> Iterator[Path]:
    """A temporary file with all of a stream; it is on disk, in ``TMPDIR``, until the end of the block.

    A clip is read more than once, and its length is needed before its first frame is rendered; a pipe has neither.

    Args:
        stream: YUV4MPEG2, or raw frames.
        raw: what raw frames are; None = it is YUV4MPEG2.
        fps: of raw frames.

    Raises:
        InputError: the stream is a terminal, closed (None), or not YUV4MPEG2, raw frames end early or have no rate, or
            the disk is full.
    """
    if stream is None or stream.isatty():
        raise InputError(f"standard input is {'closed' if stream is None else 'a terminal'}; {_REMEDY}")
    if raw is not None:
        if fps is None:
            raise InputError("--raw says no frame rate; give one with --fps, such as --fps 24")
        with TemporaryDirectory(prefix="any2bokeh-") as folder:
            path = Path(folder) / "standard-input.nut"
            try:
                raw.keep(stream, path, fps)
            except OSError as error:
                raise write_failure(path, error) from None
            yield path
        return
    begin = stream.read(len(MAGIC))
    if begin != MAGIC:
        found = "is empty" if not begin else "is not YUV4MPEG2"
        raise InputError(f"standard input {found}; {_REMEDY}")
    with TemporaryDirectory(prefix="any2bokeh-") as folder:
        path = Path(folder) / "standard-input.y4m"
        try:
            with path.open("wb") as file:
                file.write(begin)
                shutil.copyfileobj(stream, file, 1 << 20)
        except OSError as error:
            raise write_failure(path, error) from None
        yield path


@contextmanager
def output_for_frames() -> Iterator[None]:
    """Keep standard output for ``standard_output``; what anything else prints there goes to standard error.

    Raises:
        InputError: it is closed.
    """
    before, kept = sys.stdout, None
    if before is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise InputError("standard output is closed; pipe it into a program that reads YUV4MPEG2, such as ffmpeg")
    stream: BinaryIO = before.buffer
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        before.flush()
        if before.fileno() == 1:  # not what a program that calls ``run`` has put in its place
            kept = os.dup(1)
            os.dup2(2, 1)
            stream = open(kept, "wb", buffering=0, closefd=False)  # noqa: SIM115  closed below
    token = _OUTPUT.set(stream)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = before
        _OUTPUT.reset(token)
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def standard_output() -> BinaryIO:
    """Where frames go.

    Raises:
        InputError: it is a terminal.
    """
    stream = _OUTPUT.get() or sys.stdout.buffer
    if stream.isatty():
        raise InputError("standard output is a terminal; pipe it into a program that reads YUV4MPEG2, such as ffmpeg")
    return stream
