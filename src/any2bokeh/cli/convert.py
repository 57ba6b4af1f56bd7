"""``any2bokeh convert``: published weights into a checkpoint of ours."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.report import tell
from any2bokeh.errors import InputError
from any2bokeh.read_paths import ReadPaths

WeightType = Literal["keep", "float32", "bfloat16", "float16"]
MpiModeChoice = Literal["released", "masked"]

TINY = "tiny"


def convert_command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help=f"Folder or hub id with unet/ and vae/, or '{TINY}' to make a tiny model with random weights.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the checkpoint.")],
    report: ReportOptions,
    image_encoder: Annotated[
        str | None,
        option(
            "--image-encoder",
            help="Folder or hub id of a CLIP image encoder or of a model that has one; 'none' does without (default: "
            "the one in MODEL).",
            common=True,
            panel=Group.OTHER,
            metavar="PATH|ID|none",
        ),
    ] = None,
    mode: Annotated[
        MpiModeChoice,
        option(
            "--mode",
            help="Attention of the MPI block: released, as in the published weights, or masked.",
            common=True,
            panel=Group.OTHER,
        ),
    ] = "released",
    dtype: Annotated[
        WeightType,
        option(
            "--dtype",
            help="Number format of the new weights; keep leaves them as they are.",
            common=True,
            panel=Group.OTHER,
        ),
    ] = "keep",
    overwrite: Overwrite = False,
) -> None:
    """Convert published Any-to-Bokeh weights to a checkpoint for --model."""
    is_tiny = model == TINY and not Path(model).exists()
    for name, value in (("--image-encoder", image_encoder), ("--dtype", None if dtype == "keep" else dtype)):
        if is_tiny and value is not None:
            raise InputError(f"{name} {value} is for published weights; '{TINY}' makes its own: leave it out")
    ReadPaths(paths_of(model, image_encoder)).require_kept(output, replaces="tree")
    if output.exists() and not overwrite:
        raise InputError(f"{output} exists; choose another folder, or pass --overwrite")
    import torch

    from any2bokeh.renderers.diffusion.checkpoints import checkpoint
    from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline

    if is_tiny:
        pipeline = tiny_pipeline(unet={"mpi_mode": mode})
        checkpoint.save(pipeline, output, overwrite=overwrite)
    else:
        pipeline = checkpoint.convert(
            model,
            output,
            image_encoder=image_encoder,
            mpi_mode=mode,
            dtype=None if dtype == "keep" else getattr(torch, dtype),
            overwrite=overwrite,
        )
    counts = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in (("unet", pipeline.unet), ("vae", pipeline.vae))
    }
    summary = {
        "output": str(output),
        "mode": pipeline.unet.mpi_mode,
        "alpha": pipeline.card.alpha,
        "image_encoder": pipeline.image_encoder is not None,
        "parameters": counts,
    }
    line = (
        f"{output}: {pipeline.unet.mpi_mode} mode, alpha {pipeline.card.alpha:g}, "
        f"{counts['unet'] / 1e6:.1f} M parameters in the U-Net, {counts['vae'] / 1e6:.1f} M in the autoencoder"
    )
    tell(summary, line, report)
