"""How a studio was started, and how much it takes on."""

from dataclasses import dataclass, field

from any2bokeh.disparity.estimators import DEFAULT_CHOICE
from any2bokeh.engines import Device
from any2bokeh.focus import TrackerChoice


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep one session from taking the machine.

    Attributes:
        upload_bytes: largest video or disparity file.
        script_bytes: largest focus script.
        long_side_px: largest longer side of a video.
        frame_count: most frames of a video.
        sessions: most pages that are open at a time.
        waiting_renders: most renders that wait while others run.
        renders_at_once: renders that run at a time, each with all cores.
        grace_s: how long the files of a page that was closed are kept, in case that only its connection broke.
        idle_s: how long those of a page that does nothing are kept.
    """

    upload_bytes: int = 2 << 30
    script_bytes: int = 1 << 20
    long_side_px: int = 8192
    frame_count: int = 200_000
    sessions: int = 32
    waiting_renders: int = 8
    renders_at_once: int = 1
    grace_s: float = 90.0
    idle_s: float = 6 * 3600.0


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
