"""Which renderer draws a clip, made from names, numbers and a look."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from any2bokeh.errors import InputError, require_extra
from any2bokeh.optics.look import LOOK_SETTINGS, Look

if TYPE_CHECKING:
    from any2bokeh.optics.transfer import Transfer
    from any2bokeh.renderers.base import Renderer
    from any2bokeh.video import VideoInfo

Engine = Literal["layered", "diffusion"]
Device = Literal["auto", "cpu", "cuda", "mps"]
"""Of models, which torch runs."""
EngineDevice = Literal["auto", "cpu", "gpu", "cuda", "mps"]
"""``gpu`` is for the layered engine, through WebGPU; ``cuda`` and ``mps`` are for models."""
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Quality = Literal["draft", "preview", "final"]
TransferChoice = Literal["auto", "srgb", "linear", "none"]

_MOST_THREADS = 1024
_OF_LAYERED = ("threads", "render_quality", "transfer")
_OF_DIFFUSION = ("model", "processing_size", "window", "overlap", "dtype")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a clip is rendered, apart from what the lens does.

    Attributes:
        engine: ``layered`` or ``diffusion``.
        device: where it runs: the layered engine on ``auto``, ``cpu`` or ``gpu``, models on ``auto``, ``cpu``, ``cuda``
            or ``mps``.
        transfer: what code values mean to the layered engine; ``auto`` is the transfer of the source, ``none`` blurs
            them as they are.
        threads: of the layered engine, 1 to 1024; None = all cores.
        render_quality: of the layered engine; ``draft`` and ``preview`` blur at a smaller size.
        model: folder or hub id of the weights of the diffusion engine; None = its own compact model.
        processing_size: longer side, in pixels, that the diffusion model sees at most; None = the model's own.
        window, overlap: frames that the diffusion model sees together, and that its windows share.
        dtype: of the weights of the diffusion engine; None = what suits the device.
    """

    engine: Engine = "layered"
    device: EngineDevice = "auto"
    transfer: TransferChoice = "auto"
    threads: int | None = None
    render_quality: Quality = "final"
    model: str | None = None
    processing_size: int | None = None
    window: int | None = None
    overlap: int | None = None
    dtype: Precision | None = None

    @property
    def model_device(self) -> Device:
        """Where models beside the layered engine run."""
        return "auto" if self.device == "gpu" else self.device

    def transfer_of(self, info: "VideoInfo | None") -> "Transfer":
        """What the code values of a source, or of sRGB pictures, mean to the layered engine."""
        if self.transfer != "auto":
            return self.transfer
        return "srgb" if info is None else info.transfer


def diffusion_is_installed() -> bool:
    """Whether what the diffusion engine needs is here."""
    return all(find_spec(name) for name in ("torch", "diffusers", "transformers"))


def make_renderer(
    settings: EngineSettings,
    look: Look,
    info: "VideoInfo | None" = None,
    *,
    notice: Callable[[str], None] | None = None,
) -> "Renderer":
    """The engine, for the pictures of a source.

    Args:
        settings: which engine, and how it runs.
        look: what the lens does to light; only the layered engine knows it.
        info: of the source; None = sRGB pictures.
        notice: told which GPU renders, if one does, and why it does not or no longer does.

    Raises:
        InputError: settings that contradict each other, values outside their range, or an engine that is not here.
    """
    if settings.threads is not None and not 1 <= settings.threads <= _MOST_THREADS:
        raise InputError(f"--threads is {settings.threads}; give a number from 1 to {_MOST_THREADS}")
    if settings.engine == "layered":
        return _layered(settings, look, info, notice)
    return _diffusion(settings, look, info)


def _layered(
    settings: EngineSettings, look: Look, info: "VideoInfo | None", notice: Callable[[str], None] | None
) -> "Renderer":
    for name, value in _changed(settings, _OF_DIFFUSION).items():
        raise InputError(f"--{name.replace('_', '-')} {value} is for --engine diffusion; leave it out")
    if settings.device in ("cuda", "mps"):
        raise InputError(
            f"--device {settings.device} is for --engine diffusion; the layered engine takes auto, cpu or gpu"
        )
    from any2bokeh.renderers.layered.gpu.choice import renderer_on
    from any2bokeh.renderers.layered.reduced import layered_renderer

    return layered_renderer(
        settings.render_quality,
        engine=partial(renderer_on, settings.device, notice=notice),
        aperture=look.aperture(),
        profile=look.profile(),
        vignetting=look.vignetting(),
        axial_chromatic=look.axial_chromatic,
        highlights=look.recovery(),
        transfer=settings.transfer_of(info),
        threads=settings.threads,
    )


def _diffusion(settings: EngineSettings, look: Look, info: "VideoInfo | None") -> "Renderer":
    options: dict[str, Any] = {LOOK_SETTINGS[name].option: value for name, value in look.numbers().items()}
    if look.aperture_image is not None:
        options["--aperture-image"] = look.aperture_image
    options |= {f"--{name.replace('_', '-')}": value for name, value in _changed(settings, _OF_LAYERED).items()}
    if settings.device == "gpu":
        options["--device"] = "gpu"
    for name, value in options.items():
        raise InputError(f"{name} {value} is for --engine layered; leave it out")
    if info is not None and info.transfer == "linear":
        raise InputError(f"{info.path} is linear light, which --engine diffusion did not learn; use --engine layered")
    with require_extra("--engine diffusion", "diffusion"):
        from transformers.utils import logging

        from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT
        from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer
        from any2bokeh.renderers.diffusion.run.options import PipelineOptions
        from any2bokeh.renderers.diffusion.run.windows import WindowPlan
    logging.disable_progress_bar()  # of loading: it would stand beside our own
    plan = WindowPlan(**_changed(settings, ("window", "overlap")))
    size: dict[str, Any] = {} if settings.processing_size is None else {"processing_size_px": settings.processing_size}
    return DiffusionRenderer.load(
        settings.model or COMPACT,
        device=settings.device,
        dtype=settings.dtype or "auto",
        options=PipelineOptions(plan=plan, **size),
    )


def _changed(settings: EngineSettings, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the settings that are not at their defaults."""
    defaults = {each.name: each.default for each in fields(EngineSettings)}
    return {name: getattr(settings, name) for name in names if getattr(settings, name) != defaults[name]}
