"""The recipe of a refocused clip: everything that decides its pictures, apart from the clip itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from any2bokeh.disparity import DepthModel, DisparityReading, DisparitySource
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.disparity.mending import Stroke
from any2bokeh.engines import EngineSettings
from any2bokeh.errors import require_choice
from any2bokeh.focus import FocusFinder, FocusScript, TrackerChoice
from any2bokeh.focus.tracked_subjects import LoadsTracker
from any2bokeh.optics.breathing import Breathing
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import Look
from any2bokeh.plate.choice import PlateChoice
from any2bokeh.source_blur import SourceBlur, SourceBlurChoice


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is in focus, how strong the blur is and what it looks like, and where the disparity comes from.

    Attributes:
        focus: what is in focus, and how strong the blur is; or what finds the subject by itself.
        disparity: path of the clip's disparity (see ``open_disparity``), an open source of it, or the depth model that
            estimates it; for the whole clip, or for just the frames that are rendered.
        disparity_reading: what the values in the files of ``disparity`` mean (depth or disparity, its polarity), and
            what is done to them (levels, scale alignment).
        strokes: of a brush, which mend the disparity; counted like the clip's frames.
        edges: how edges of disparity are treated at the size of the picture: ``auto`` draws them sharp where the
            picture has them if those of a map are soft or displaced, ``classical`` always, ``learned`` by a trained
            network, ``off`` never.
        plate: where hidden background comes from: ``auto`` takes it from the frames around that show it, ``off``
            continues all of it from beside it. Of no effect on renderers that do not take it.
        source_blur: what blur the clip has already; only what it lacks is added. ``off`` takes it as sharp, ``auto``
            estimates the lens that it was shot through, a `SourceLens` states it, and a `Path` leads to maps of radii
            (see `RadiusMaps`).
        tracker: which tracker follows subjects; by default SAM 2 where it is on this machine, else the classical one.
        blur_strength: K where ``focus`` gives none at all; or a lens, whose focus distance is that of what is in focus
            in the clip's first frame.
        focus_range: what stays in focus, and how differently near and far are blurred; by default all of a subject that
            is followed, and else as a thin lens has it.
        breathing: how the field of view changes with the focus distance.
        look: what the lens does to light besides blurring it.
        grain: how much of the source's grain is put back where it was blurred away; 1 = as much as there was.
        engine: which engine renders, and how.

    Raises:
        InputError: an amount of grain outside its range, or an unknown word for the blur of the source.
    """

    focus: FocusScript | FocusFinder
    disparity: str | Path | DisparitySource | DepthModel = field(default_factory=DepthModel)
    disparity_reading: DisparityReading = field(default_factory=DisparityReading)
    strokes: tuple[Stroke, ...] = ()
    edges: EdgeTreatment = "auto"
    plate: PlateChoice = "auto"
    source_blur: SourceBlur = "off"
    tracker: LoadsTracker = field(default_factory=TrackerChoice)
    blur_strength: float | Lens | None = None
    focus_range: FocusRange = field(default_factory=lambda: FocusRange(slab="auto"))
    breathing: Breathing = field(default_factory=Breathing)
    look: Look = field(default_factory=Look)
    grain: float = 0.0
    engine: EngineSettings = field(default_factory=EngineSettings)

    def __post_init__(self) -> None:
        from any2bokeh.grain import require_amount

        require_amount(self.grain)
        if isinstance(self.source_blur, str):
            require_choice("source blur", self.source_blur, get_args(SourceBlurChoice))

    def read_paths(self) -> list[str | Path]:
        """Files and folders that a run with this recipe reads."""
        masks = self.focus.mask_paths() if isinstance(self.focus, FocusScript) else []
        disparity = [self.disparity] if isinstance(self.disparity, str | Path) else []
        picture = [self.look.aperture_image] if self.look.aperture_image is not None else []
        radii = [self.source_blur] if isinstance(self.source_blur, Path) else []
        return [*disparity, *masks, *picture, *radii]
