"""Where copies of what lies at addresses are worked on."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from any2bokeh.errors import InputError
from any2bokeh.remote.address import COPIES, Address, address_of, has_address
from any2bokeh.segments.parts import PARTIAL, parts_folder

PREFIX, _MARK = "a2b-stage-", ".begun-here"

Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class Staged:
    """What a stage holds, in plain values, for other machines: they make the same stage at the same path.

    Attributes:
        folder: of the stage.
        mark: tells the stage itself from one that another machine has made.
        inputs: places in it, and the addresses that they are copies of.
        outputs: places in it, and the addresses that they are sent to.
    """

    folder: Path
    mark: str
    inputs: tuple[tuple[Path, str], ...]
    outputs: tuple[tuple[Path, str], ...]

    @property
    def is_begun_here(self) -> bool:
        """Whether this machine sees the stage of the process that joins the result."""
        with suppress(OSError):
            return (self.folder / _MARK).read_text() == self.mark
        return False

    def fetch(self) -> None:
        """Make the stage here, too: the inputs, and what is noted beside the segments.

        Raises:
            InputError: an address cannot be reached, or the disk is full.
        """
        if self.is_begun_here:
            return
        for place, address in self.inputs:
            Address(address).fetch(place)
        for place, depot in self._depots():
            for name in depot.files():
                if "/" not in name:  # notes are few and small
                    depot.within(name).fetch(place / name)

    def fetch_notes(self) -> None:
        """Bring what a machine has noted beside the segments to the process that joins them."""
        for place, depot in self._depots():
            for name in depot.files():
                if "/" not in name:
                    depot.within(name).fetch(place / name)

    def fetch_segment(self, name: str) -> None:
        """Bring a segment that is complete to the process that joins them.

        Raises:
            InputError: it is not there, or the disk is full.
        """
        for place, depot in self._depots():
            depot.within(name).fetch(place / name)

    def send(self, *, segment: str | None = None) -> None:
        """Send what is noted beside the segments, or one segment; nothing where the stage itself is seen.

        Raises:
            InputError: an address cannot be written.
        """
        if self.is_begun_here:
            return
        for place, depot in self._depots():
            if segment is None:
                _send_notes(place, depot)
            else:
                depot.within(segment).send(place / segment)
                shutil.rmtree(place / segment, ignore_errors=True)

    def mirror(self) -> None:
        """Make what is beside the result what is kept here: the notes, and the segments that are complete.

        Raises:
            InputError: an address cannot be written.
        """
        for place, depot in self._depots():
            there = {name.partition("/")[0] for name in depot.files()}
            here = (
                {each.name for each in place.iterdir() if not each.name.endswith(PARTIAL)} if place.is_dir() else set()
            )
            for name in there - here:
                depot.within(name).remove()
            for name in here - there:
                if (place / name).is_dir():
                    depot.within(name).send(place / name)
            if place.is_dir():
                _send_notes(place, depot)

    def leave(self) -> None:
        """Remove the stage that this machine has made for itself."""
        if self.is_begun_here:
            return
        for place in (self.folder, *(parts_folder(place) for place, _ in self.outputs)):
            if any(each.name.startswith(PREFIX) for each in (place, *place.parents)):
                shutil.rmtree(place, ignore_errors=True)
                _remove_empty(place.parent)

    def _depots(self) -> Iterator[tuple[Path, Address]]:
        """Where segments are kept, here and beside the result."""
        for place, address in self.outputs:
            parts = parts_folder(place)
            remote = Address(address)
            yield parts, remote.beside(parts.name)


_LIVE: "list[Stage]" = []
"""Stages of this process: paths in them stand for addresses."""


def stage_around(*places: Path) -> "Stage | None":
    """The stage that one of these places belongs to; None where none does."""
    return next((stage for stage in tuple(_LIVE) if any(map(stage.has, places))), None)


class Stage:
    """A folder of this machine for the inputs and the result of one render; it goes with all that is in it.

    Attributes:
        folder: it.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._mark = uuid.uuid4().hex
        (self.folder / _MARK).write_text(self._mark)
        self._inputs: dict[str, Path] = {}
        self._outputs: dict[str, Path] = {}
        _LIVE.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def staged(self) -> Staged:
        """What it holds now."""
        inputs, outputs = (tuple((place, text) for text, place in of.items()) for of in (self._inputs, self._outputs))
        return Staged(self.folder, self._mark, inputs, outputs)

    def has(self, place: Path) -> bool:
        """Whether a place is in it, or is that of its result."""
        return place.is_relative_to(self.folder) or place in self._outputs.values()

    def remove(self) -> None:
        """Remove the folder; harmless when called twice."""
        if self in _LIVE:
            _LIVE.remove(self)
        for place in (*self._inputs.values(), *self._outputs.values()):
            COPIES.pop(str(place), None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetched(self, given: str) -> str:
        """A path, as it is; the copy of what lies at an address.

        Raises:
            InputError: it is not there, it cannot be reached, or the disk is full.
        """
        address = address_of(given)
        if address is None:
            return given
        if address not in self._inputs:
            remote = Address(address)
            place = self.folder / f"in{len(self._inputs)}" / remote.name
            remote.fetch(place)
            self._inputs[address] = place
            COPIES[str(place)] = address
        return str(self._inputs[address])

    def localised(self, options: Options) -> Options:
        """Options with copies in the place of the addresses among their paths.

        Raises:
            InputError: see ``fetched``.
        """

        def local(value: Any) -> Any:
            if not has_address(value):
                return value
            if is_dataclass(value) and not isinstance(value, type):
                return replace(value, **{each.name: local(getattr(value, each.name)) for each in fields(value)})
            return Path(self.fetched(str(value)))

        return local(options)

    def output(self, given: Path, *, overwrite: bool) -> Path:
        """Where a result is written: a path as it is, or the place for what is sent to an address.

        Raises:
            InputError: something is there and may not be replaced, or it cannot be reached.
        """
        address = address_of(given)
        if address is None:
            return given
        remote = Address(address)
        if remote.exists() and not overwrite:
            raise InputError(f"output {address} exists; pass --overwrite to replace it, or give another name")
        place = self.folder / "out" / remote.name
        place.parent.mkdir(exist_ok=True)
        self.place(place, remote)
        return place

    def place(self, place: Path, remote: Address) -> None:
        """Let a place on this machine be that of the result; segments that were kept beside it are fetched.

        Raises:
            InputError: they cannot be.
        """
        parts = parts_folder(place)
        depot = remote.beside(parts.name)
        if depot.exists():
            depot.fetch(parts)
        self._outputs[remote.text] = place
        COPIES[str(place)] = remote.text

    def send(self) -> None:
        """Send the results, with what was written beside them, and remove the segments beside them.

        Raises:
            InputError: an address cannot be written.
        """
        for address, place in self._outputs.items():
            for each in sorted(place.parent.iterdir()):
                if each not in (place, parts_folder(place)):
                    Address(address).beside(each.name).send(each)
            remote = Address(address)
            if place.is_dir():
                remote.remove()
            remote.send(place)
        for parts, depot in self.staged._depots():
            if not parts.exists():
                depot.remove()

    def keep(self) -> None:
        """After a failure: leave beside the result the segments that are kept, and nothing else.

        Raises:
            InputError: an address cannot be written.
        """
        self.staged.mirror()


def _remove_empty(folder: Path) -> None:
    """Remove a folder of a stage, and those around it, where nothing is left in them."""
    with suppress(OSError):
        for each in (folder, *folder.parents):
            if not any(outer.name.startswith(PREFIX) for outer in (each, *each.parents)):
                return
            each.rmdir()


def _send_notes(place: Path, depot: Address) -> None:
    """What is noted, that of the shot last: it says that the rest of it is there."""
    notes = [each for each in place.iterdir() if each.is_file() and not each.name.endswith(PARTIAL)]
    for each in sorted(notes, key=lambda each: (each.name == "shot.json", each.name)):
        depot.within(each.name).send(each)
