"""The small model that comes with the package."""

from importlib.resources import files
from pathlib import Path

COMPACT = "compact"
"""What ``--model`` and ``checkpoint.load`` call it."""


def compact_model_folder() -> Path:
    """Its checkpoint; ``any2bokeh.json`` there holds the record of its training."""
    return Path(str(files("any2bokeh"))) / "compact_model"
