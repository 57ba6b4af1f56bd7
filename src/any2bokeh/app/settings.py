"""How a studio was started."""

from dataclasses import dataclass, field

from any2bokeh.app.limits import Limits
from any2bokeh.disparity.estimators import DEFAULT_CHOICE
from any2bokeh.engines import Device
from any2bokeh.focus import TrackerChoice


@dataclass(frozen=True, slots=True)
class Settings:
    """How a studio was started.

    Attributes:
        limits: what it takes on.
        model: weights of the diffusion engine; None where there are none.
        depth_model: what estimates disparity where a user gives none.
        device: where models run.
        tracker: what follows subjects.
    """

    limits: Limits = field(default_factory=Limits)
    model: str | None = None
    depth_model: str = DEFAULT_CHOICE
    device: Device = "auto"
    tracker: TrackerChoice = field(default_factory=TrackerChoice)
