"""Which tracker follows a subject."""

from dataclasses import dataclass
from typing import Literal, get_args

from any2bokeh.errors import InputError, require_choice
from any2bokeh.models.local_model import find_model_folder, require_model_folder
from any2bokeh.subject.sam2 import DEFAULT_MODEL, Sam2Tracker
from any2bokeh.subject.tracker import Tracker

_SLOW = "the subject is followed by SAM 2 on the CPU, at seconds a frame; --tracker classical is faster"

TrackerKind = Literal[
    "auto",  # SAM 2 where its weights are on this machine, the classical tracker otherwise
    "sam2",
    "classical",
]


@dataclass(frozen=True, slots=True)
class TrackerChoice:
    """Which tracker is wanted.

    Attributes:
        kind: see `TrackerKind`.
        model: folder or hub id of the SAM 2 model; a model that is given is used, or it is an error.
        device: where it runs: ``auto``, or a device of torch.
    """

    kind: TrackerKind = "auto"
    model: str | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        require_choice("tracker", self.kind, get_args(TrackerKind))
        if self.kind == "classical" and self.model is not None:
            raise InputError(
                f"the classical tracker has no model, but {self.model} is given; leave it out, or use sam2"
            )

    def load(self) -> tuple[Tracker, str | None]:
        """The tracker, and a line that announces it where it is not what a user may expect.

        Raises:
            InputError: the model that is asked for is not on this machine, or is not a SAM 2 video model.
        """
        from any2bokeh.subject.classical import ClassicalTracker

        if self.kind == "classical":
            return ClassicalTracker(), None
        model = self.model or DEFAULT_MODEL
        if self.kind == "sam2" or self.model is not None:
            folder = require_model_folder(
                model, option="--tracker-model", instead="use --tracker classical", is_listed=model == DEFAULT_MODEL
            )
            return Sam2Tracker.load(folder, device=self.device), None
        folder = find_model_folder(model)
        if folder is not None:
            tracker = Sam2Tracker.load(folder, device=self.device)
            return tracker, _SLOW if tracker.runs_on_cpu else None
        return ClassicalTracker(), (
            "the subject is followed by the classical tracker, because SAM 2 is not on this machine; "
            "fetch it with 'any2bokeh models get sam2', or say --tracker classical"
        )
