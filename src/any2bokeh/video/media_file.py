"""Media files as FFmpeg opens them, alike in every version of PyAV that pyproject.toml allows."""

import os
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer

from any2bokeh.errors import InputError
from any2bokeh.video.container_length import missing_bytes

_PYAV_MAJOR = int(av.__version__.partition(".")[0])
# FFmpeg paints any text file as a terminal would show it.
_TEXT_FORMATS = ("tty", "bin", "xbin", "adf", "idf")


def file_url(path: str | Path) -> str:
    """The name to give FFmpeg for a file, whatever stands in it.

    FFmpeg takes what stands before a colon for a protocol (``take12:30.mp4``), and a leading ``-`` or ``|`` may mean
    something to it; after ``file:`` everything is the name.
    """
    return "file:" + os.fspath(path)


def open_input(path: str | Path) -> InputContainer:
    """Open a container to read from, whatever its name is and its tags are encoded in.

    Bytes that are not UTF-8 become replacement characters, or with PyAV 19 surrogate escapes, which are written as the
    bytes that they were.

    Raises:
        av.error.FFmpegError, OSError: as ``av.open``.
    """
    # Version 19 takes no argument for it.
    options: dict[str, Any] = {"metadata_errors": "replace"} if _PYAV_MAJOR < 19 else {}
    return av.open(file_url(path), "r", **options)


def open_container(path: Path) -> InputContainer:
    """Open a file for reading.

    Raises:
        InputError: if FFmpeg cannot read it.
    """
    try:
        container = open_input(path)
        if container.format.name in _TEXT_FORMATS:
            container.close()
            raise InputError(f"{path} cannot be read as a video (it is text); give a video file or a folder of images")
        return container
    except av.error.FFmpegError as error:
        hint = "give a video file, a folder of images or a glob pattern"
        if isinstance(error, av.error.InvalidDataError) and missing_bytes(path):
            hint = "it is cut short, so its index is missing; copy it again or finish the recording"
        raise InputError(f"{path} cannot be read as a video ({error.strerror}); {hint}") from None
