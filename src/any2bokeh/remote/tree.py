"""Trees of clips and of results at addresses: a batch sees their names, and has one clip at a time on this machine."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.remote.address import COPIES, Address, address_of, renamed
from any2bokeh.remote.stage import PREFIX, Stage

_ROOTS = ".roots.json"
_CLIPS, _RESULTS = "in", "out"
_MANIFESTS = (".csv", ".jsonl", ".ndjson")


class Tree:
    """Empty files with the names of the clips at an address, and a folder for results; all of it goes in the end.

    Args:
        input: a folder or a pattern, perhaps at an address.
        output: the folder for the results, perhaps at an address.

    Attributes:
        input, output: the same on this machine.

    Raises:
        InputError: an address cannot be reached, or is that of a manifest.
    """

    def __init__(self, input: str, output: Path | None) -> None:
        self.input, self.output = input, output
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        clips, results = address_of(input), None if output is None else address_of(output)
        roots: dict[str, str] = {}
        try:
            if clips is not None:
                self.input = self._named(clips, roots)
            if results is not None:
                self.output = self._folder / _RESULTS
                self.output.mkdir()
                roots[_RESULTS] = results
            (self._folder / _ROOTS).write_text(json.dumps(roots))
        except BaseException:
            self.remove()
            raise
        COPIES.update({str(self._folder / name): address for name, address in roots.items()})

    def remove(self) -> None:
        """Remove all of it."""
        for name in (_CLIPS, _RESULTS):
            COPIES.pop(str(self._folder / name), None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def send(self, report: str) -> None:
        """Send the report of the batch, if it has been written among the results.

        Raises:
            InputError: the address cannot be written.
        """
        place = self._folder / _RESULTS / report
        if not place.is_file():
            return
        place.write_text(renamed(place.read_text(encoding="utf-8")), encoding="utf-8")
        _roots_around(place)[1][_RESULTS].within(report).send(place)

    def _named(self, clips: str, roots: dict[str, str]) -> str:
        """Make the empty files, and give the folder or the pattern that they are found by."""
        if clips.lower().endswith(_MANIFESTS):
            raise InputError(f"manifest {clips} is at an address; give one on this machine, or a folder")
        protocol, _, rest = clips.partition("://")
        parts = rest.split("/")
        count = next((at for at, part in enumerate(parts) if has_magic(part)), len(parts))
        root = f"{protocol}://{'/'.join(parts[:count])}".rstrip("/")
        here = self._folder / _CLIPS
        here.mkdir()
        for name in Address(root).files():
            if name:
                place = here / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
        roots[_CLIPS] = root
        return str(here.joinpath(*parts[count:]))


@contextmanager
def lent(clip: Path, output: Path) -> Iterator[Path]:
    """A clip of a batch on this machine, for as long as it is worked on, and its result, which is sent in the end.

    Yields:
        The clip; as it is where neither it nor the result belongs to a ``Tree``.

    Raises:
        InputError: an address cannot be reached or written; or the work's own, which names addresses.
    """
    clips, results = _roots_around(clip), _roots_around(output)
    if _CLIPS not in clips[1] and _RESULTS not in results[1]:
        yield clip
        return
    with Stage() as stage:
        try:
            if _CLIPS in clips[1] and clip.is_relative_to(clips[0] / _CLIPS):
                name = clip.relative_to(clips[0] / _CLIPS).as_posix()
                clip = Path(stage.fetched(str(clips[1][_CLIPS] if name == "." else clips[1][_CLIPS].within(name))))
            if _RESULTS not in results[1]:
                yield clip
                return
            result = _Result(output, results[1][_RESULTS].within(output.relative_to(results[0] / _RESULTS).as_posix()))
            result.fetch()
            stage.place(output, result.address)
            try:
                yield clip
            finally:
                result.send()
                stage.keep()
                result.remove()
        except InputError as error:
            raise InputError(renamed(str(error))) from error


@dataclass(frozen=True, slots=True)
class _Result:
    """A result of a batch at an address, with the record beside it.

    The result itself stays where it is: empty files of its size and time stand for it while it is as it was sent.
    """

    output: Path
    address: Address

    @property
    def _record(self) -> Path:
        return self.output.with_name(f"{self.output.name}.made.json")

    @property
    def _fetched(self) -> Path:
        return self.output.with_name(f".{self._record.name}.fetched")

    def fetch(self) -> None:
        self.output.parent.mkdir(parents=True, exist_ok=True)
        there = self.address.files()
        record = self.address.beside(self._record.name)
        if record.exists():
            record.fetch(self._record)
            shutil.copyfile(self._record, self._fetched)
        if not there:
            return
        kept = _json(self._record)
        if kept.get("sent") != there:
            self.output.touch()  # what no batch has made
            return
        for name, (size, time_ns) in kept.get("result", {}).items():
            place = self.output / name if name else self.output
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                file.truncate(size)
            os.utime(place, ns=(time_ns, time_ns))

    def send(self) -> None:
        before, now = (each.read_bytes() if each.exists() else None for each in (self._fetched, self._record))
        if now == before:
            return
        there = self.address.beside(self._record.name)
        if now is None:
            there.remove()
            return
        kept = _json(self._record)
        if "result" in kept:
            if self.output.is_dir():
                self.address.remove()
            self.address.send(self.output)
            kept["sent"] = self.address.files()
            self._record.write_text(json.dumps(kept))
        there.send(self._record)

    def remove(self) -> None:
        for each in (self.output, self.output.with_name(f"{self.output.name}.parts"), self._record, self._fetched):
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink(missing_ok=True)


def _roots_around(place: Path) -> tuple[Path, dict[str, Address]]:
    """The tree that a place belongs to, and its addresses; read from the disk, for other processes ask, too."""
    for folder in place.parents:
        if folder.name.startswith(PREFIX) and (folder / _ROOTS).is_file():
            return folder, {name: Address(text) for name, text in _json(folder / _ROOTS).items()}
    return place, {}


def _json(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(kept, dict):
            return kept
    return {}
