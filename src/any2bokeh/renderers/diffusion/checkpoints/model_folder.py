"""Where a model lies, and which kind of model it is."""

from pathlib import Path
from typing import Literal

from safetensors import SafetensorError

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT, compact_model_folder
from any2bokeh.renderers.diffusion.checkpoints.model_card import CARD_FILE
from any2bokeh.renderers.diffusion.checkpoints.weights import PICKLE_SUFFIXES, read_config, weight_files

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
    if path.is_file():
        why = "is a pickle; only safetensors folders are read" if path.suffix in PICKLE_SUFFIXES else "is a file"
        raise InputError(f"model {path} {why}; give the model's folder in diffusers layout")
    parts = str(model).split("/")
    if isinstance(model, Path) or len(parts) != 2 or not all(part and not part.startswith(".") for part in parts):
        raise InputError(f"model {model} is neither a folder nor a hub id such as owner/name")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(model), allow_patterns=list(_HUB_PATTERNS), ignore_patterns=["*.fp16.*"]))
    except Exception as error:  # the hub client's errors have no common base
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"model {model} is no folder here, and the hub does not give it: {reason}") from None


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

    for path in weight_files(folder / "unet"):
        try:
            with safe_open(path, framework="pt") as file:
                if any(".fuser." in key or key.startswith("conv_in_mpi.") for key in file.keys()):  # noqa: SIM118
                    return "published"
        except SafetensorError as error:
            raise InputError(f"{path} is truncated or not a safetensors file ({error}); copy it again") from None
    return "svd"
