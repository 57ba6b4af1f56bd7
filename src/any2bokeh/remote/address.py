"""What lies at an address such as ``s3://bucket/clip.mp4``; fsspec and its packages know how it is reached."""

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from any2bokeh.errors import InputError, require_extra

_ADDRESS = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]+):(?P<slashes>/+)(?P<rest>[^/].*)")

_APPEARING_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory", "http", "https"}
"""Protocols whose files appear when all of them has been sent, and where a new name costs a copy."""


def address_of(given: str | Path) -> str | None:
    """The address that a text or a path is; None of a place on this machine.

    A ``Path`` has lost all but one of the slashes after the protocol, which come back here.
    """
    found = _ADDRESS.fullmatch(str(given))
    if found is None or Path(given).exists():
        return None
    protocol = found["protocol"]
    is_rooted = len(found["slashes"]) == 3 or protocol in ("file", "local")
    return f"{protocol}:{'///' if is_rooted else '//'}{found['rest']}"


def has_address(options: Any) -> bool:
    """Whether a path, or one of the paths in groups of options, is an address."""
    if is_dataclass(options) and not isinstance(options, type):
        return any(has_address(getattr(options, each.name)) for each in fields(options))
    return isinstance(options, Path) and address_of(options) is not None


COPIES: dict[str, str] = {}
"""Places of this machine that stand for addresses now, and these; for what is told of them."""


def renamed(text: str) -> str:
    """A message with addresses in the place of their copies."""
    for place, address in COPIES.items():
        text = text.replace(place, address)
    return text


class Address:
    """A file or a folder at an address.

    Args:
        address: as ``address_of`` gives it.

    Raises:
        InputError: fsspec, or the package for the protocol, is not installed, or there is no such protocol.
    """

    def __init__(self, address: str) -> None:
        with require_extra(address, "remote"):
            fsspec: Any = import_module("fsspec.core")
        try:
            found = fsspec.url_to_fs(address)
        except ImportError as error:
            raise InputError(f"{address} needs another package ({_line(error)}); install it") from None
        except Exception as error:
            raise InputError(f"{address} is no address that can be reached ({_line(error)}); check it") from None
        self._files: Any = found[0]
        self._place = str(found[1])
        self.text = address
        self.name = PurePosixPath(self._place).name

    def __str__(self) -> str:
        return self.text

    def beside(self, name: str) -> "Address":
        """Another name in the same folder."""
        return Address(f"{self.text.rstrip('/').rpartition('/')[0]}/{name}")

    def within(self, name: str) -> "Address":
        """What has a name, perhaps with slashes, in this folder."""
        return Address(f"{self.text.rstrip('/')}/{name}")

    def exists(self) -> bool:
        """Whether anything is there.

        Raises:
            InputError: it cannot be reached.
        """
        with self._told("looked at"):
            self._files.invalidate_cache()
            return bool(self._files.exists(self._place))

    def files(self) -> dict[str, str]:
        """What tells each file below it from another, by its name with slashes; that of a file is ``""``.

        Raises:
            InputError: it cannot be reached.
        """
        with self._told("looked at"):
            self._files.invalidate_cache()
            root = self._files._strip_protocol(self._place).rstrip("/")
            found: dict[str, dict[str, Any]] = {}
            with suppress(FileNotFoundError):
                found = self._files.find(root, detail=True)
            return {
                name.removeprefix(root).strip("/"): _state(facts)
                for name, facts in found.items()
                if name == root or name.startswith(f"{root}/")
            }

    def fetch(self, place: Path) -> None:
        """Copy it to this machine, where it appears whole or not at all; what is there stays.

        Raises:
            InputError: it is not there, it cannot be reached, or the disk is full.
        """
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.partial")
        try:
            with self._told("read"):
                names = [""] if self._files.isfile(self._place) else list(self.files())
                if not names:
                    raise FileNotFoundError("there is no such file")
                for name in names:
                    to = partial / name if name else partial
                    to.parent.mkdir(parents=True, exist_ok=True)
                    self._files.get_file(f"{self._place}/{name}" if name else self._place, str(to))
            with suppress(OSError):  # another process was faster
                partial.rename(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            partial.unlink(missing_ok=True)

    def send(self, place: Path) -> None:
        """Copy a file or a folder there, in place of what is there; files appear whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        names = [each.relative_to(place).as_posix() for each in sorted(place.rglob("*")) if each.is_file()]
        with self._told("written"):
            if place.is_file():
                self._send(place, self._place)
                return
            self._files.makedirs(self._place, exist_ok=True)
            for name in names:
                self._send(place / name, f"{self._place}/{name}")

    def remove(self) -> None:
        """Remove it and what lies below it; harmless where there is nothing.

        Raises:
            InputError: it cannot be removed.
        """
        with self._told("removed"):
            self._files.invalidate_cache()
            if self._files.exists(self._place):
                self._files.rm(self._place, recursive=True)

    def _send(self, place: Path, target: str) -> None:
        folder, _, name = target.rpartition("/")
        protocols = self._files.protocol if isinstance(self._files.protocol, tuple) else (self._files.protocol,)
        is_whole = not _APPEARING_WHOLE.isdisjoint(protocols)
        first = target if is_whole else f"{folder}/.{name}.{uuid.uuid4().hex[:8]}.partial"
        if folder:
            self._files.makedirs(folder, exist_ok=True)
        try:
            self._files.put_file(str(place), first)
            if not is_whole:
                if self._files.exists(target):
                    self._files.rm(target)
                self._files.mv(first, target)
        except BaseException:
            if not is_whole:
                with suppress(Exception):
                    self._files.rm(first)
            raise

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """Every protocol has errors of its own; all of them are told as the user's to mend."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.text} cannot be {done} ({_line(error)}); check the address and your rights"
            ) from None


def _state(facts: dict[str, Any]) -> str:
    """Size, and what else a store says of the content or the time of a file."""
    of = [str(facts[name]) for name in ("size", "ETag", "etag", "md5Hash", "mtime", "created") if facts.get(name)]
    return " ".join(of)


def _line(error: BaseException) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(reason.split())[:200]
