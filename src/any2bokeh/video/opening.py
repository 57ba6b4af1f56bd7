"""Opening containers, alike in every version of PyAV that pyproject.toml allows."""

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

_PYAV_MAJOR = int(av.__version__.partition(".")[0])


def open_input(path: Path | str) -> InputContainer:
    """Open a container to read from, whatever its tags are encoded in.

    Bytes that are not UTF-8 become replacement characters, or with PyAV 19 surrogate escapes, which are written as the
    bytes that they were.

    Raises:
        av.error.FFmpegError, OSError: as ``av.open``.
    """
    # Version 19 takes no argument for it.
    options: dict[str, Any] = {"metadata_errors": "replace"} if _PYAV_MAJOR < 19 else {}
    return av.open(str(path), "r", **options)
