"""How a studio was started, and how much it takes on."""

from dataclasses import dataclass, field
from pathlib import Path

from any2bokeh.app.kept_projects import KeptLimits
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
        sessions: most sessions at a time.
        waiting_renders: most renders that wait while others run.
        renders_at_once: renders that run at a time, each with all cores.
        grace_s: how long the work of a page that was closed is kept, in case that it is only loaded again.
        idle_s: for how long a page that is open must have done nothing before it gives way to a new one, where all
            places are taken.
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
        clip: what every new page opens, as the owner of the studio has named it; None to let its user choose.
        disparity: of that clip; None to estimate it.
        keeps: whether projects are kept between runs.
        state: folder that they are kept in; None = ``kept_projects.state_folder``.
        kept: how much of them.
    """

    limits: Limits = field(default_factory=Limits)
    model: str | None = None
    depth_model: str = DEFAULT_CHOICE
    device: Device = "auto"
    tracker: TrackerChoice = field(default_factory=TrackerChoice)
    clip: Path | None = None
    disparity: Path | None = None
    keeps: bool = False
    state: Path | None = None
    kept: KeptLimits = field(default_factory=KeptLimits)

    @property
    def engines(self) -> list[str]:
        """The engines that it has."""
        return ["layered"] + (["diffusion"] if self.model else [])
