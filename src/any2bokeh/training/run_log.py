"""The log of a training: one JSON object a line, and TensorBoard where it is installed."""

import json
from pathlib import Path
from typing import Any

from any2bokeh.pending_output import writing

LOG_FILE = "log.jsonl"


class RunLog:
    """Writes the log.

    Every line has ``kind``: ``step`` (``stage``, ``step``, ``total_steps``, ``loss``, ``learning_rate``,
    ``gradient_norm``, ``seconds``), ``strip`` (``stage``, ``total_steps``, ``psnr_db``, ``source_psnr_db``) or
    ``stage`` (what a finished stage came to).

    Args:
        folder: of the run.
        total_steps: steps of the training so far; lines of later steps, which an interrupted run has left, are dropped.
    """

    def __init__(self, folder: Path, total_steps: int) -> None:
        self.path = folder / LOG_FILE
        kept = [line for line in read_log(self.path) if line["total_steps"] <= total_steps]
        with writing(self.path):
            self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
            self._file = self.path.open("a")
        self._board = _tensorboard(folder / "tensorboard", total_steps)
        self.has_tensorboard = self._board is not None

    def write(self, kind: str, **values: Any) -> None:
        """Add a line; numbers go to TensorBoard under ``stage/name``."""
        with writing(self.path):
            self._file.write(json.dumps({"kind": kind, **values}) + "\n")
            self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if isinstance(value, int | float) and name not in ("step", "total_steps"):
                    self._board.add_scalar(f"{values['stage']}/{name}", value, values["total_steps"])

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Lines of a log; a last line that was cut off in the writing is left out."""
    if not path.is_file():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _tensorboard(folder: Path, total_steps: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=total_steps + 1)
