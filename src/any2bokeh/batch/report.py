"""What became of a batch, in a file."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from any2bokeh import __version__, json_file
from any2bokeh.batch.item import Outcome


def summary(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """What became of each clip, and how many of each there are, as plain JSON."""
    given = list(outcomes)
    counts = Counter(each.state for each in given)
    return {
        "version": 1,
        "any2bokeh": __version__,
        "rendered": counts["rendered"],
        "kept": counts["kept"],
        "failed": counts["failed"],
        "clips": [_plain(each) for each in given],
    }


def write_report(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write the ``summary`` to a file.

    Raises:
        InputError: it cannot be written.
    """
    text = json.dumps(summary(outcomes), indent=2, ensure_ascii=False) + "\n"
    # Names of files that are no text stand as JSON's escapes.
    text = text.encode("utf-8", "backslashreplace").decode()
    json_file.write_text(text, path, "report")


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "clip": str(outcome.item.clip),
        "output": str(outcome.item.output),
        "state": outcome.state,
        "frames": outcome.frames,
        "elapsed_s": round(outcome.elapsed_s, 3),
        "message": outcome.message,
        "is_defect": outcome.is_defect,
        "remarks": list(outcome.remarks),
    }
