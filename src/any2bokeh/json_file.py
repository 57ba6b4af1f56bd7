"""JSON files from outside: read whole and strictly, and written in one go."""

import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from any2bokeh.errors import InputError, shown
from any2bokeh.pending_output import pointed_at

T = TypeVar("T")

MAX_BYTES = 16 * 2**20
"""A file is untrusted, and is read whole. Four hours of focus at 24 fps take less."""


def read_text(path: Path, kind: str) -> str:
    """The text of a file.

    Args:
        path: where it lies.
        kind: what messages call it.

    Raises:
        InputError: the file is missing, unreadable, larger than ``MAX_BYTES``, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            encoded = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {kind} {path}: {error.strerror or error}") from error
    if len(encoded) > MAX_BYTES:
        raise InputError(f"{kind} {path} is larger than {MAX_BYTES >> 20} MiB; it holds something else, or split it")
    try:
        return encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{kind} {path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def parsed(text: str) -> object:
    """What JSON text stands for.

    Raises:
        InputError: malformed JSON (with line and column), NaN or Infinity, or a key given twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except InputError:
        raise
    except json.JSONDecodeError as error:
        raise InputError(f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise InputError("malformed: nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"malformed: {str(error).splitlines()[0]}") from error


def write_text(text: str, path: Path, kind: str) -> None:
    """Write a file; it appears under its name only when it is complete, in place of what was there.

    Raises:
        InputError: the file cannot be written.
    """
    path = pointed_at(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {kind} {path}: {error.strerror or error}") from error


def require_version(given: dict[str, Any], version: int) -> None:
    """Refuse an object of another version of its format.

    Raises:
        InputError: its ``version`` is missing, or another.
    """
    if "version" not in given:
        raise InputError(f'version is missing; give "version": {version}')
    if isinstance(given["version"], bool) or given["version"] != version:
        raise InputError(f"version is {shown(given['version'])}; this release reads version {version}")


def require_known(given: dict[str, Any], allowed: Iterable[str], kind: str) -> None:
    """Refuse an object with a key that nobody reads.

    Raises:
        InputError: names the key, and those that are known.
    """
    unknown = [key for key in given if key not in allowed]
    if unknown:
        raise InputError(f"unknown key {shown(unknown[0])}; a {kind} knows {', '.join(allowed)}")


def within(where: str, read: Callable[[], T]) -> T:
    """Read a part, and say in messages where the trouble is."""
    try:
        return read()
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise InputError(f"key {shown(key)} is given twice; give it once")
        unique[key] = value
    return unique


def _refuse_constant(constant: str) -> None:
    raise InputError(f"{constant} is not a number that JSON knows; give a finite number")
