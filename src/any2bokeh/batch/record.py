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
        return self.made_of is not None and not differences(self.made_of, made_of) and self.is_ours

    @property
    def is_ours(self) -> bool:
        """Whether what stands in the result's place was made by a batch, and is as it was made."""
        if "result" in self._kept:
            return is_marked(self.output, self._kept["result"])
        # It was begun: what is there now is the result, unless it is what was there before.
        before = self._kept.get("before")
        is_fresh = self.output.exists() and not (before and is_marked(self.output, before))
        return "made_of" in self._kept and is_fresh and not parts_folder(self.output).exists()

    def begin(self, made_of: Fingerprint, frames: int) -> None:
        """Note what is being made.

        Raises:
            InputError: it cannot be written.
        """
        before = marks_of(self.output) if self.output.exists() else {}
        self._write({"format": _FORMAT, "made_of": made_of, "frames": frames, "before": before})

    def finish(self, made_of: Fingerprint, frames: int) -> None:
        """Note what was made.

        Raises:
            InputError: it cannot be written.
        """
        self._write({"format": _FORMAT, "made_of": made_of, "frames": frames, "result": marks_of(self.output)})

    def drop_unless_kept(self) -> None:
        """Remove the note of what was begun and has left nothing behind."""
        if "before" in self._kept and not parts_folder(self.output).exists():
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
