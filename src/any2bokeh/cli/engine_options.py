"""Options that choose the engine, and say how it runs."""

from dataclasses import asdict, dataclass
from typing import Annotated

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.engines import Engine, EngineDevice, EngineSettings, Precision, Quality, TransferChoice

_ENGINE, _DIFFUSION = Group.ENGINE, Group.DIFFUSION


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The engine and how it runs, as typed; see ``EngineSettings``."""

    engine: Annotated[
        Engine,
        option(
            "--engine",
            help="Rendering engine: layered (optical model) or diffusion (neural network).",
            common="Optical or neural.",
            panel=_ENGINE,
        ),
    ] = "layered"
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
        EngineDevice,
        option(
            "--device",
            help="Device that renders: cpu or gpu (through WebGPU) for the layered engine, cpu, cuda or mps for the "
            "diffusion engine and for depth models; auto takes a hardware GPU where there is one.",
            common="Device that renders.",
            panel=_ENGINE,
        ),
    ] = "auto"
    transfer: Annotated[
        TransferChoice,
        option(
            "--transfer",
            help="Transfer function that decodes pixel values to linear light; auto takes that of the source, none "
            "blurs the values as they are.",
            panel=_ENGINE,
        ),
    ] = "auto"
    threads: Annotated[
        int | None,
        option(
            "--threads",
            help="Number of threads of the layered engine, 1 to 1024 (default: all cores).",
            panel=_ENGINE,
            metavar="N",
        ),
    ] = None

    processing_size: Annotated[
        int | None,
        option(
            "--processing-size",
            help="Longest side at which the diffusion model works, in pixels (default: 1024).",
            panel=_DIFFUSION,
            metavar="PX",
        ),
    ] = None
    window: Annotated[
        int | None,
        option(
            "--window",
            help="Number of frames that the diffusion model processes together, at least 1 (default: 8).",
            panel=_DIFFUSION,
            metavar="N",
        ),
    ] = None
    overlap: Annotated[
        int | None,
        option(
            "--overlap",
            help="Number of frames that neighbouring windows share, 0 to below --window (default: 4).",
            panel=_DIFFUSION,
            metavar="N",
        ),
    ] = None
    dtype: Annotated[
        Precision | None,
        option(
            "--dtype",
            help="Number format of the diffusion engine's weights (default: auto, the one that suits the device).",
            panel=_DIFFUSION,
        ),
    ] = None

    render_quality: Annotated[
        Quality,
        option(
            "--render-quality",
            help="Render quality; draft and preview blur at a reduced size and are several times faster than final.",
            common="How fine; draft is the fastest.",
            panel=_ENGINE,
        ),
    ] = "final"

    def settings(self) -> EngineSettings:
        return EngineSettings(**asdict(self))
