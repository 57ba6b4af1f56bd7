"""Options that say what renders."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Literal

from any2bokeh.cli.look_options import LookOptions
from any2bokeh.cli.options import option
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.optics.catalogue import NamedLens
    from any2bokeh.optics.transfer import Transfer
    from any2bokeh.renderers.base import Renderer
    from any2bokeh.video import VideoInfo

Engine = Literal["layered", "diffusion"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Quality = Literal["draft", "preview", "final"]
TransferChoice = Literal["auto", "srgb", "linear", "none"]

_OF_DIFFUSION = ("model", "processing_size", "window", "overlap", "dtype")
_ENGINE, _DIFFUSION = "Engine", "Diffusion engine"


def diffusion_is_installed() -> bool:
    """Whether what the diffusion engine needs is here."""
    return all(find_spec(name) for name in ("torch", "diffusers", "transformers"))


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What renders, as typed."""

    engine: Annotated[Engine, option("--engine", help="What renders.", panel=_ENGINE)] = "layered"
    model: Annotated[
        str | None,
        option(
            "--model",
            help="Weights of the diffusion engine; its own compact model unless given.",
            panel=_ENGINE,
            metavar="PATH|ID",
        ),
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

    render_quality: Annotated[
        Quality, option("--render-quality", help="draft and preview are faster and look alike.", panel=_ENGINE)
    ] = "final"

    def renderer(self, info: "VideoInfo", look: LookOptions, lens: "NamedLens | None") -> "Renderer":
        """The engine, for pictures of a source.

        Args:
            info: of the source.
            look: what the lens does to light.
            lens: the named one, if any, that says what the look does not.

        Raises:
            InputError: options that contradict each other, values outside their range, or an engine that is not here.
        """
        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise InputError(f"--threads is {self.threads}; give a number from 1 to 1024")
        return self._layered(info, look, lens) if self.engine == "layered" else self._diffusion(info, look)

    def transfer_of(self, info: "VideoInfo") -> "Transfer":
        """What the code values of a source mean to the engine."""
        return info.transfer if self.transfer == "auto" else self.transfer

    def _layered(self, info: "VideoInfo", look: LookOptions, lens: "NamedLens | None") -> "Renderer":
        for name, value in self._given(_OF_DIFFUSION).items():
            raise InputError(f"--{name.replace('_', '-')} {value} is for --engine diffusion; leave it out")
        if self.device not in ("auto", "cpu"):
            raise InputError(f"--device {self.device} is not in this version of the layered engine; leave it out")
        from any2bokeh.renderers.layered.reduced import layered_renderer

        return layered_renderer(
            self.render_quality, **look.layered(lens), transfer=self.transfer_of(info), threads=self.threads
        )

    def _diffusion(self, info: "VideoInfo", look: LookOptions) -> "Renderer":
        of_layered = look.typed() | {"--threads": self.threads, "--render-quality": self.render_quality}
        for name, value in of_layered.items():
            if value is not None and value != "final":
                raise InputError(f"{name} {value} is for --engine layered; leave it out")
        if self.transfer != "auto":
            raise InputError(f"--transfer {self.transfer} is for --engine layered; the diffusion engine learnt its own")
        if info.transfer == "linear":
            raise InputError(
                f"{info.path} is linear light, which --engine diffusion did not learn; use --engine layered"
            )
        try:
            from transformers.utils import logging

            from any2bokeh.renderers.diffusion.compact_model import COMPACT
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
            self.model or COMPACT,
            device=self.device,
            dtype=self.dtype or "auto",
            options=PipelineOptions(plan=plan, **size),
        )

    def _given(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Those of the options that were typed."""
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
