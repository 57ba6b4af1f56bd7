"""One clip of a batch, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal[
    "rendered",
    "kept",  # it was there already
    "failed",
]


@dataclass(frozen=True, slots=True)
class Item:
    """One clip that is to be rendered.

    Attributes:
        clip: video file, folder of images or pattern.
        output: of the result.
        folder: of the clip, relative to that which the batch was made from.
        fields: of the recipe, over those that all clips share; their keys may name parts, such as ``look.cat_eye``.
        frames: the part that is rendered, ``A:B``; None = all.
        title: how messages call the place where it is written down, such as ``clips.csv line 3``.
        root: folder that relative paths in ``fields`` count from.
        problem: why it cannot be rendered, where that is known before.
        fps: rate of a sequence of images, where what lists the clips says it.
    """

    clip: Path
    output: Path
    folder: Path = Path()
    fields: Mapping[str, Any] = field(default_factory=dict)
    frames: str | None = None
    title: str = ""
    root: Path = Path()
    problem: str | None = None
    fps: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        item: which.
        state: of its result.
        frames: of the result; 0 of one that failed.
        elapsed_s: wall-clock time that it took.
        message: why it failed, in one line.
        is_defect: it failed by a defect of ours, whose traceback ``message`` is.
        remarks: what was told of the clip.
    """

    item: Item
    state: State
    frames: int = 0
    elapsed_s: float = 0.0
    message: str = ""
    is_defect: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it failed, in one line, a defect too."""
        if self.is_defect:
            last = self.message.strip().splitlines()[-1]
            return f"a defect of any2bokeh ({last}); please report it with report.json"
        return self.message
