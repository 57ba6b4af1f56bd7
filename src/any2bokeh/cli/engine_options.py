"""Options that choose the engine, and say how it runs."""

from dataclasses import asdict, dataclass
from typing import Annotated

from any2bokeh.cli.options import option
from any2bokeh.engines import Device, Engine, EngineSettings, Precision, Quality, TransferChoice

_ENGINE, _DIFFUSION = "Engine", "Diffusion engine"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The engine and how it runs, as typed; see ``EngineSettings``."""

    engine: Annotated[Engine, option("--engine", help="Rendering engine.", panel=_ENGINE)] = "layered"
    model: Annotated[
        str | None,
        option(
            "--model",
            help="Folder or hub id of the diffusion engine's weights (default: the compact model of this package).",
            panel=_ENGINE,
            metavar="PATH|ID",
        ),
    ] = None
    device: Annotated[
        Device, option("--device", help="Device that depth models and engines run on.", panel=_ENGINE)
    ] = "auto"
    transfer: Annotated[
        TransferChoice,
        option(
            "--transfer",
            help="Transfer function that code values are decoded with; auto takes the source's, none blurs code "
            "values as they are.",
            panel=_ENGINE,
        ),
    ] = "auto"
    threads: Annotated[
        int | None,
        option("--threads", help="Threads of the layered engine (default: all cores).", panel=_ENGINE, metavar="N"),
    ] = None

    processing_size: Annotated[
        int | None,
        option(
            "--processing-size",
            help="Longer side, in pixels, that the diffusion model sees at most (default: the model's own).",
            panel=_DIFFUSION,
            metavar="PX",
        ),
    ] = None
    window: Annotated[
        int | None,
        option("--window", help="Frames that the diffusion model sees together.", panel=_DIFFUSION, metavar="N"),
    ] = None
    overlap: Annotated[
        int | None, option("--overlap", help="Frames that neighbouring windows share.", panel=_DIFFUSION, metavar="N")
    ] = None
    dtype: Annotated[
        Precision | None,
        option(
            "--dtype",
            help="Number format of the diffusion engine's weights (default: what suits the device).",
            panel=_DIFFUSION,
        ),
    ] = None

    render_quality: Annotated[
        Quality,
        option(
            "--render-quality",
            help="Render quality; draft and preview blur at a smaller size, several times faster.",
            panel=_ENGINE,
        ),
    ] = "final"

    def settings(self) -> EngineSettings:
        return EngineSettings(**asdict(self))
