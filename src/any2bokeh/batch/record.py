"""What is kept beside a result of a batch, by which it is known to be finished."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from any2bokeh.pending_output import writing
from any2bokeh.segments.fingerprint import Fingerprint, differences
from any2bokeh.segments.marks import is_marked, marks_of, write_whole
from any2bokeh.segments.parts import parts_folder

_FORMAT = 1


def record_path(output: Path) -> Path:
    """``OUT.made.json`` beside ``OUT``."""
    return output.with_name(f"{output.name}.made.json")


class Record:
    """What a result was made of, and what it is on the disk.

    It is written before the work, with what stands in the result's place then, and again after it. So a result that
    got its name just before its run was killed is known, too, and a file of someone else is never taken for one.

    Args:
        output: the result.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self._kept = _kept(record_path(output))
        self._previous: dict[str, Any] = {}

    @property
    def made_of(self) -> Mapping[str, Any] | None:
        """The fingerprint of what was made, or begun, last; None where nothing was."""
        return self._kept.get("made_of")

    @property
    def frames(self) -> int:
        """Of the result."""
        return int(self._kept.get("frames", 0))

    def is_done(self, made_of: Fingerprint) -> bool:
        """Whether the result is there, whole, untouched, and made of this."""
        if self.made_of is None or differences(self.made_of, made_of) or parts_folder(self.output).exists():
            return False
        return self._is_as_made if "result" in self._kept else not self._is_as_before

    @property
    def may_be_replaced(self) -> bool:
        """Whether nothing of someone else stands in the result's place.

        Where a result was begun, what was there then might be replaced, and what came since is the result.
        """
        return not self.output.exists() or self._is_as_made or "before" in self._kept

    @property
    def _is_as_made(self) -> bool:
        return is_marked(self.output, self._kept.get("result"))

    @property
    def _is_as_before(self) -> bool:
        before = self._kept.get("before")
        return not self.output.exists() or is_marked(self.output, before)

    def begin(self, made_of: Fingerprint, frames: int) -> None:
        """Note what is being made.

        Raises:
            InputError: it cannot be written.
        """
        before = marks_of(self.output) if self.output.exists() else {}
        self._previous = self._kept
        self._write({"format": _FORMAT, "made_of": made_of, "frames": frames, "before": before})

    def finish(self, made_of: Fingerprint, frames: int) -> None:
        """Note what was made.

        Raises:
            InputError: it cannot be written.
        """
        self._write({"format": _FORMAT, "made_of": made_of, "frames": frames, "result": marks_of(self.output)})

    def give_up(self) -> None:
        """Go back to what was noted before, where nothing is left of what was begun.

        Raises:
            InputError: it cannot be written.
        """
        if parts_folder(self.output).exists():
            return
        if self._previous:
            self._write(self._previous)
        else:
            record_path(self.output).unlink(missing_ok=True)

    def _write(self, kept: dict[str, Any]) -> None:
        path = record_path(self.output)
        with writing(path):
            write_whole(path, json.dumps(kept))
        self._kept = kept


def _kept(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and kept.get("format") == _FORMAT:
            return kept
    return {}
