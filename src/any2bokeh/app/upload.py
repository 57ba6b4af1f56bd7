"""A file from the page: into a user's folder, under a name of ours, or not at all."""

import errno
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from any2bokeh.app.refusal import TooLarge
from any2bokeh.app.settings import Limits
from any2bokeh.errors import InputError
from any2bokeh.video import VideoSource, open_source

Kind = Literal["video", "disparity"]

_SNIFFED_BYTES = 16
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_NAME_LENGTH = 80


async def receive(chunks: AsyncIterator[bytes], path: Path, *, limit_bytes: int, name: str) -> None:
    """Write what comes to a new file; nothing stays of one that is too large or breaks off.

    Args:
        chunks: the bytes.
        path: where they go; ours, never the page's.
        limit_bytes: most of them.
        name: what messages call the file.

    Raises:
        TooLarge: more than the limit.
        InputError: nothing, or more than the disk holds.
    """
    size = 0
    try:
        with path.open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                require_size(str(size), limit_bytes, name)
                file.write(chunk)
        if size == 0:
            raise InputError(f"{name} is empty; choose another file")
    except FileExistsError:
        raise
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(f"the studio's disk is full, so {name} was not kept; free some space there") from None
        raise


def require_size(
    length: str | None, limit_bytes: int, name: str, remedy: str = "choose a shorter or more strongly compressed file"
) -> None:
    """Refuse a body that is too large by what is told of it, or has come of it.

    Raises:
        TooLarge: it is.
    """
    if length is not None and length.isascii() and length.isdigit() and int(length[:20]) > limit_bytes:
        raise TooLarge(f"{name} is larger than {_in_words(limit_bytes)}; {remedy}")


def suffix_of(path: Path, *, kind: Kind, name: str) -> str:
    """The extension that the first bytes of a file stand for.

    Only containers that hold their pictures themselves are let through to FFmpeg: a playlist or a list of files would
    make it open what it names, on this machine or elsewhere.

    Raises:
        InputError: another kind of file.
    """
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    if head[4:8] in _MOV_BOXES:
        return ".mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".mkv"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    if kind == "disparity":
        if head.startswith(b"\x93NUMPY"):
            return ".npy"
        raise InputError(
            f"{name} is not a disparity file that the studio can read; choose a grey .mp4, .mov or .mkv, or a .npy file"
        )
    raise InputError(f"{name} is not a video that the studio can read; choose an .mp4, .mov, .mkv, .webm or .avi file")


def open_video(path: Path, limits: Limits, *, name: str) -> VideoSource:
    """Open a video that was received.

    Raises:
        InputError: it cannot be read, or is too large or too long; the message calls it ``name``.
    """
    try:
        source = open_source(path)
    except InputError as error:
        raise InputError(with_name(error, path, name)) from error
    info = source.info
    if max(info.width, info.height) > limits.long_side_px:
        source.close()
        raise InputError(
            f"{name} is {info.width}x{info.height}; at most {limits.long_side_px} px a side are allowed: scale it down"
        )
    if info.frame_count > limits.frame_count:
        source.close()
        raise InputError(f"{name} has {info.frame_count} frames; at most {limits.frame_count} are allowed: shorten it")
    return source


def display_name(given: str) -> str:
    """A file's name as a page gives it, made fit to be shown and to be offered for a download; never opened."""
    base = given.replace("\\", "/").rsplit("/", 1)[-1]
    allowed = [c for c in unicodedata.normalize("NFC", base) if c.isalnum() or c in " ._-()+,"]
    return "".join(allowed).strip(" .")[:_NAME_LENGTH] or "clip"


def with_name(error: Exception, path: Path, name: str) -> str:
    """The sentence of an error, without the place on this machine that the file lies at."""
    return str(error).replace(str(path), name).replace(path.name, name).replace(str(path.parent), "the studio's folder")


def _in_words(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} bytes"
