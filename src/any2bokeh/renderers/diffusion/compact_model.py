"""The small model that comes with the package."""

from pathlib import Path

import any2bokeh

COMPACT = "compact"
"""What ``--model`` and ``checkpoint.load`` call it."""


def compact_model_folder() -> Path:
    """Its checkpoint; ``any2bokeh.json`` there holds the record of its training."""
    return Path(any2bokeh.__file__).parent / "compact_model"
