"""Options that say what renders, and through which aperture."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from any2bokeh.cli.options import option
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.optics.aperture import Aperture
    from any2bokeh.optics.transfer import Transfer
    from any2bokeh.renderers.base import Renderer
    from any2bokeh.video import VideoInfo

Engine = Literal["layered", "diffusion"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
TransferChoice = Literal["auto", "srgb", "linear", "none"]

_SHAPE = ("blades", "blade_curvature", "aperture_rotation_deg", "anamorphic_ratio")
_OF_DIFFUSION = ("model", "processing_size", "window", "overlap", "dtype")
_ENGINE, _APERTURE = "Engine", "Aperture: round unless given"
_DIFFUSION = "Diffusion engine"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What renders, and through which aperture, as typed."""

    engine: Annotated[Engine, option("--engine", help="What renders.", panel=_ENGINE)] = "layered"
    model: Annotated[
        str | None, option("--model", help="Weights of the diffusion engine.", panel=_ENGINE, metavar="PATH|ID")
    ] = None
    device: Annotated[Device, option("--device", help="Where it runs.", panel=_ENGINE)] = "auto"
    transfer: Annotated[
        TransferChoice,
        option("--transfer", help="What code values mean; none blurs them as they are.", panel=_ENGINE),
    ] = "auto"
    threads: Annotated[int | None, option("--threads", help="All cores unless given.", panel=_ENGINE, metavar="N")] = (
        None
    )

    processing_size: Annotated[
        int | None,
        option("--processing-size", help="Longer side that the model sees at most.", panel=_DIFFUSION, metavar="PX"),
    ] = None
    window: Annotated[
        int | None, option("--window", help="Frames that it sees together.", panel=_DIFFUSION, metavar="N")
    ] = None
    overlap: Annotated[
        int | None, option("--overlap", help="Frames that windows share.", panel=_DIFFUSION, metavar="N")
    ] = None
    dtype: Annotated[
        Precision | None, option("--dtype", help="Of its weights; what suits the device.", panel=_DIFFUSION)
    ] = None

    blades: Annotated[int | None, option("--blades", help="Of the iris.", panel=_APERTURE, metavar="N")] = None
    blade_curvature: Annotated[
        float | None, option("--blade-curvature", help="0 straight to 1 round.", panel=_APERTURE, metavar="C")
    ] = None
    aperture_rotation_deg: Annotated[
        float | None, option("--aperture-rotation-deg", help="Clockwise.", panel=_APERTURE, metavar="DEG")
    ] = None
    anamorphic_ratio: Annotated[
        float | None,
        option("--anamorphic-ratio", help="Height over width of the discs.", panel=_APERTURE, metavar="R"),
    ] = None

    def renderer(self, info: "VideoInfo") -> "Renderer":
        """The engine, for pictures of a source.

        Raises:
            InputError: options that contradict each other, values outside their range, or an engine that is not here.
        """
        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise InputError(f"--threads is {self.threads}; give a number from 1 to 1024")
        return self._layered(info) if self.engine == "layered" else self._diffusion(info)

    def transfer_of(self, info: "VideoInfo") -> "Transfer":
        """What the code values of a source mean to the engine."""
        return info.transfer if self.transfer == "auto" else self.transfer

    def _layered(self, info: "VideoInfo") -> "Renderer":
        for name, value in self._given(_OF_DIFFUSION).items():
            raise InputError(f"--{name.replace('_', '-')} {value} is for --engine diffusion; leave it out")
        if self.device not in ("auto", "cpu"):
            raise InputError(f"--device {self.device} is not in this version of the layered engine; leave it out")
        from any2bokeh.renderers.layered import LayeredRenderer

        return LayeredRenderer(aperture=self._aperture(), transfer=self.transfer_of(info), threads=self.threads)

    def _diffusion(self, info: "VideoInfo") -> "Renderer":
        for name, value in self._given((*_SHAPE, "threads")).items():
            raise InputError(f"--{name.replace('_', '-')} {value} is for --engine layered; leave it out")
        if self.transfer != "auto":
            raise InputError(f"--transfer {self.transfer} is for --engine layered; the diffusion engine learnt its own")
        if info.transfer == "linear":
            raise InputError(
                f"{info.path} is linear light, which --engine diffusion did not learn; use --engine layered"
            )
        if self.model is None:
            raise InputError("--engine diffusion needs weights; give --model PATH, a folder made by any2bokeh convert")
        try:
            from transformers.utils import logging

            from any2bokeh.renderers.diffusion.options import PipelineOptions
            from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer
            from any2bokeh.renderers.diffusion.windows import WindowPlan
        except ImportError as error:
            raise InputError(
                f"--engine diffusion needs {error.name}, which is not installed; pip install 'any2bokeh[diffusion]'"
            ) from None
        logging.disable_progress_bar()  # of loading: it would stand beside our own
        plan = WindowPlan(**self._given(("window", "overlap")))
        size: dict[str, Any] = {} if self.processing_size is None else {"processing_size_px": self.processing_size}
        return DiffusionRenderer.load(
            self.model, device=self.device, dtype=self.dtype or "auto", options=PipelineOptions(plan=plan, **size)
        )

    def _given(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Those of the options that were typed."""
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _aperture(self) -> "Aperture":
        from any2bokeh.optics.aperture import Disc, Polygon

        if not self._given(_SHAPE):
            return Disc()
        if self.blades is None and self.blade_curvature is not None:
            raise InputError(f"--blade-curvature {self.blade_curvature:g} needs --blades, such as --blades 7")
        ratio = 1.0 if self.anamorphic_ratio is None else self.anamorphic_ratio
        if not (math.isfinite(ratio) and ratio > 0):
            raise InputError(f"--anamorphic-ratio is {ratio:g}; give a number above 0, such as 2")
        shape = {
            "blades": self.blades,
            "curvature": 1.0 if self.blades is None else self.blade_curvature,
            "rotation_deg": self.aperture_rotation_deg,
            "squeeze": 1 / ratio,
        }
        try:
            return Polygon(**{name: value for name, value in shape.items() if value is not None})
        except ValueError as error:
            raise InputError(str(error)) from None
