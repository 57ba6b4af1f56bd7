"""Where a model lies, and which kind of model it is."""

from pathlib import Path
from typing import Literal

from safetensors import SafetensorError

from any2bokeh.errors import InputError
from any2bokeh.models.hub import fetch, is_hub_id
from any2bokeh.models.model_files import refuse_file, weight_files
from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT, compact_model_folder
from any2bokeh.renderers.diffusion.checkpoints.model_card import CARD_FILE
from any2bokeh.renderers.diffusion.checkpoints.weights import WEIGHTS_STEM, read_config

SVD_UNET, SVD_VAE = "UNetSpatioTemporalConditionModel", "AutoencoderKLTemporalDecoder"
"""Architectures of Stable Video Diffusion, which the published weights name too."""

OUR_UNET, OUR_VAE = "BokehUNet", "BokehAutoencoder"

Layout = Literal["ours", "published", "svd"]

_HUB_PATTERNS = ("*.json", "unet/*.safetensors", "vae/*.safetensors", "image_encoder/*.safetensors")


def model_folder(model: str | Path) -> Path:
    """The folder of a model: itself, the one that comes with the package, or the download of a hub id.

    Raises:
        InputError: neither a folder nor a hub id that can be had; a single file.
    """
    path = Path(model)
    if path.is_dir():
        return path
    if str(model) == COMPACT:
        return compact_model_folder()
    refuse_file(path, "model")
    if isinstance(model, Path) or not is_hub_id(model):
        raise InputError(f"model {model} is neither a folder nor a hub id such as owner/name; give one of them")
    return fetch(model, noun="model", only=_HUB_PATTERNS, without=("*.fp16.*",))


def layout_of(folder: Path) -> Layout:
    """Which kind of model a folder holds.

    Raises:
        InputError: none that we know.
    """
    if (folder / CARD_FILE).is_file():
        return "ours"
    missing = [name for name in ("unet", "vae") if not (folder / name).is_dir()]
    if missing:
        raise InputError(
            f"{folder} has neither {CARD_FILE} nor the folder {' and '.join(missing)}; "
            "give a folder with unet/ and vae/ in diffusers layout"
        )
    read_config(folder / "unet", (SVD_UNET, OUR_UNET))
    from safetensors import safe_open

    for path in weight_files(folder / "unet", WEIGHTS_STEM):
        try:
            with safe_open(path, framework="pt") as file:
                if any(".fuser." in key or key.startswith("conv_in_mpi.") for key in file.keys()):  # noqa: SIM118
                    return "published"
        except SafetensorError as error:
            raise InputError(f"{path} is truncated or not a safetensors file ({error}); copy it again") from None
    return "svd"
