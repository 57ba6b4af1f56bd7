"""``any2bokeh app``: the studio, in a browser."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from any2bokeh.cli.completion import depth_model_names
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.engines import Device, diffusion_is_installed
from any2bokeh.errors import InputError, require_installed

_GIB = 1 << 30

Password = Literal["auto", "off"]
Autosave = Literal["auto", "off"]


def app_command(
    clip: Annotated[
        Path | None,
        typer.Argument(
            help="Video that the studio opens with; without it, a video is opened in the page.", metavar="[CLIP]"
        ),
    ] = None,
    disparity: Annotated[
        Path | None,
        option(
            "--disparity",
            help="Disparity of CLIP, as for any2bokeh refocus; estimated if not given.",
            common="Disparity of CLIP; estimated if not given.",
            panel=Group.DISPARITY,
            metavar="PATH",
        ),
    ] = None,
    host: Annotated[
        str,
        option(
            "--host",
            help="Address to listen on; 0.0.0.0 lets other machines connect, with the link that is printed.",
            common="Address to listen on; 0.0.0.0 for other machines.",
            panel=Group.CONNECTION,
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        option(
            "--port",
            help="Port to listen on (0 to 65535); 0 picks a free one.",
            common="Port to listen on; 0 picks a free one.",
            panel=Group.CONNECTION,
            metavar="N",
        ),
    ] = 7860,
    host_name: Annotated[
        list[str] | None,
        option(
            "--host-name",
            help="Further name that the studio is reached under, such as that of a proxy; may be given more than once.",
            panel=Group.CONNECTION,
            metavar="NAME",
        ),
    ] = None,
    password: Annotated[
        Password,
        option(
            "--password",
            help="Whether the page opens only with a link that carries a random password: auto asks for it unless the "
            "studio listens on this machine alone; off lets in everyone who can reach it.",
            panel=Group.CONNECTION,
        ),
    ] = "auto",
    framed_by: Annotated[
        list[str] | None,
        option(
            "--framed-by",
            help="Origin whose pages may show the studio in a frame, such as https://example.org; may be given more "
            "than once (default: none).",
            panel=Group.CONNECTION,
            metavar="ORIGIN",
        ),
    ] = None,
    model: Annotated[
        str | None,
        option(
            "--model",
            help="Folder or hub id of the diffusion engine's weights (default: the compact model of this package).",
            panel=Group.ENGINE,
            metavar="PATH|ID",
        ),
    ] = None,
    depth_model: Annotated[
        str,
        option(
            "--depth-model",
            help="Depth model for clips without disparity: auto, rough, a known name such as small, a hub id or a "
            "folder.",
            panel=Group.DISPARITY,
            metavar="auto|ID|FOLDER",
            completion=depth_model_names,
        ),
    ] = "auto",
    device: Annotated[
        Device, option("--device", help="Device that models run on.", common=True, panel=Group.ENGINE)
    ] = "auto",
    max_upload_gb: Annotated[
        float,
        option(
            "--max-upload-gb",
            help="Largest file that can be uploaded, in GiB; more than 0.",
            common="Largest file that can be uploaded, in GiB.",
            panel=Group.STUDIO,
            metavar="N",
        ),
    ] = 2.0,
    autosave: Annotated[
        Autosave,
        option(
            "--autosave",
            help="Whether projects and their uploads are kept, in $XDG_STATE_HOME/any2bokeh/studio or "
            "~/.local/state/any2bokeh/studio, until their user discards them: auto keeps them for the browser that "
            "made them; off keeps nothing.",
            common="Whether projects are kept until discarded.",
            panel=Group.STUDIO,
        ),
    ] = "auto",
    browser: Annotated[
        bool, option("--browser", help="Open the studio in the default browser.", common=True, panel=Group.CONNECTION)
    ] = False,
    quiet: Annotated[bool, option("--quiet", help="Print errors only.", panel=Group.PRINTED)] = False,
) -> None:
    """Open the studio in a browser, to set the focus by clicking; it runs on this machine."""
    require_installed("the studio", ("starlette", "uvicorn"), "app")
    from any2bokeh.app.access import Access, new_password
    from any2bokeh.app.server import serve
    from any2bokeh.app.settings import Limits, Settings
    from any2bokeh.app.studio import Studio
    from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT

    if not 0 <= port <= 65535:
        raise InputError(f"--port is {port}; give a number from 0 to 65535")
    if not (math.isfinite(max_upload_gb) and max_upload_gb > 0):
        raise InputError(f"--max-upload-gb is {max_upload_gb:g}; give a number above 0, such as 2")
    _require_depth_model(depth_model, device)
    _require_clip(clip, disparity)
    if model is not None:
        _require_model(model)
    elif diffusion_is_installed():
        model = COMPACT
    limits = replace(Limits(), upload_bytes=round(max_upload_gb * _GIB))

    access = Access(host, tuple(host_name or ()), framed_by=tuple(framed_by or ()))
    if password == "auto" and not access.is_local:
        access = replace(access, password=new_password())

    def ready(links: list[str]) -> None:
        if not quiet or access.password is not None:
            typer.echo(f"the studio is open at {links[0]} (Ctrl-C closes it)")
            for link in links[1:]:
                typer.echo(f"on this machine also at {link}")
        if browser:
            import webbrowser

            webbrowser.open(links[-1])

    settings = Settings(
        limits=limits,
        model=model,
        depth_model=depth_model,
        device=device,
        clip=clip,
        disparity=disparity,
        keeps=autosave == "auto",
    )
    studio = Studio(settings)
    try:
        serve(studio, access=access, port=port, ready=ready)
    finally:
        studio.close()


def _require_clip(clip: Path | None, disparity: Path | None) -> None:
    """Now, and not when the page is opened."""
    from any2bokeh.disparity import open_disparity
    from any2bokeh.video import open_source

    if clip is None:
        if disparity is not None:
            raise InputError(f"--disparity {disparity} needs CLIP, which it belongs to; give the video before it")
        return
    with open_source(clip) as source:
        if disparity is not None:
            info = source.info
            open_disparity(disparity, clip_frame_count=info.frame_count, frame_size=(info.width, info.height)).at(0)


def _require_model(model: str) -> None:
    """Now, and not when a user first asks for it; the weights of a hub id are fetched now, too."""
    from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT

    is_path = model.startswith((".", "/", "~")) or model.count("/") != 1
    if model != COMPACT and is_path and not Path(model).is_dir():
        raise InputError(f"--model {model} is not a folder; give one made by any2bokeh convert or any2bokeh train")
    require_installed("--model", ("torch", "diffusers", "transformers"), "diffusion")
    if model == COMPACT:
        return
    from any2bokeh.renderers.diffusion.checkpoints.model_folder import layout_of, model_folder

    if layout_of(model_folder(model)) == "svd":
        raise InputError(f"--model {model} is plain Stable Video Diffusion, which makes no bokeh; train it first")


def _require_depth_model(model: str, device: Device) -> None:
    """Now, and not when a user first opens a clip."""
    from any2bokeh.disparity.estimators import open_estimator

    open_estimator(model, device=device)
