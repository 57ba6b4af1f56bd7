"""Checkpoints: ours, the published ones, and the start from Stable Video Diffusion.

Layout of ours: ``any2bokeh.json`` (the card), and ``unet/``, ``vae/``, ``image_encoder/``, each with ``config.json``
and safetensors.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import CLIPVisionModelWithProjection

from any2bokeh.errors import InputError
from any2bokeh.models.aligned_weights import align_weights
from any2bokeh.pending_output import PendingOutput, writing
from any2bokeh.renderers.diffusion.autoencoder import BokehAutoencoder
from any2bokeh.renderers.diffusion.compact_model import COMPACT, compact_model_folder
from any2bokeh.renderers.diffusion.conditioning import MpiMode, TimeContext
from any2bokeh.renderers.diffusion.model_card import CARD_FILE, PUBLISHED_CARD, ModelCard
from any2bokeh.renderers.diffusion.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.svd_start import start_autoencoder, start_unet
from any2bokeh.renderers.diffusion.unet import BokehUNet
from any2bokeh.renderers.diffusion.weights import (
    CONFIG_NAME,
    ENCODER_WEIGHTS_NAME,
    PICKLE_SUFFIXES,
    WEIGHTS_NAME,
    assign_weights,
    check_keys,
    read_config,
    read_weights,
    weight_files,
    write_weights,
)

NO_IMAGE_ENCODER = "none"
"""In place of an image encoder: run without one, on a zero context."""

_SVD_UNET, _SVD_VAE = "UNetSpatioTemporalConditionModel", "AutoencoderKLTemporalDecoder"
_HUB_PATTERNS = ("*.json", "unet/*.safetensors", "vae/*.safetensors", "image_encoder/*.safetensors")

Layout = Literal["ours", "published", "svd"]


@dataclass(frozen=True, slots=True)
class NewParameter:
    """A parameter that a base checkpoint does not have, and what it starts from."""

    name: str
    start: str


def load(
    model: str | Path,
    *,
    dtype: torch.dtype | None = None,
    mpi_mode: MpiMode | None = None,
    image_encoder: str | Path | None = None,
) -> AnyToBokehPipeline:
    """Load one of our checkpoints, or a folder that holds the published ``unet/`` and ``vae/``.

    Args:
        model: folder, hub id, or ``compact``, the one that comes with the package.
        dtype: of the weights; that of the files where None. Take float32 to run on a CPU, which emulates float16 at a
            fortieth of the speed; ``DiffusionRenderer.load`` does.
        mpi_mode: in place of the checkpoint's: ``masked`` or ``released``. Published weights are ``released``.
        image_encoder: folder or hub id of CLIP's image encoder, or of a model that has one in ``image_encoder/``,
            where the checkpoint brings none; ``"none"`` to run without one.

    Raises:
        InputError: nothing there, another architecture, missing or unexpected keys, a truncated file, a pickle.
    """
    folder = model_folder(model)
    layout = layout_of(folder)
    if layout == "svd":
        raise InputError(
            f"{folder} is plain Stable Video Diffusion, which has no MPI block and makes no bokeh; "
            "give a model trained from it, or the published Any-to-Bokeh weights"
        )
    if layout == "published":
        return load_published(
            folder / "unet",
            folder / "vae",
            image_encoder=folder / "image_encoder" if (folder / "image_encoder").is_dir() else image_encoder,
            mpi_mode=mpi_mode or "released",
            dtype=dtype,
        )
    card = ModelCard.load(folder / CARD_FILE)
    config = read_config(folder / "unet", (BokehUNet.__name__,))
    if mpi_mode is not None:
        config["mpi_mode"] = mpi_mode
    unet = _build(BokehUNet, config, folder / "unet", dtype)
    vae_config = read_config(folder / "vae", (BokehAutoencoder.__name__,))
    vae = _build(BokehAutoencoder, vae_config, folder / "vae", _vae_dtype(dtype, vae_config))
    own_encoder = folder / "image_encoder"
    encoder = (
        load_image_encoder(own_encoder, dtype)
        if own_encoder.is_dir()
        else load_image_encoder(image_encoder or NO_IMAGE_ENCODER, dtype)
    )
    return _joined(unet, vae, encoder, card)


def load_published(
    unet_folder: str | Path,
    vae_folder: str | Path,
    *,
    image_encoder: str | Path | None,
    mpi_mode: MpiMode = "released",
    time_context: TimeContext = "interleaved",
    keep_unused_feed_forward: bool = True,
    card: ModelCard = PUBLISHED_CARD,
    dtype: torch.dtype | None = None,
) -> AnyToBokehPipeline:
    """Load published Any-to-Bokeh weights as they are.

    Args:
        unet_folder, vae_folder: in diffusers layout.
        image_encoder: CLIP's, which the published checkpoints leave to Stable Video Diffusion; see ``load``.
        mpi_mode: see ``MpiMode``; the published weights are ``released``.
        time_context: see ``TimeContext``; ``interleaved`` is what the published modules compute.
        keep_unused_feed_forward: carry ``ff_k``, which nothing reads.
        card: how the weights want to be fed; the published inference by default.
        dtype: of the weights; that of the files where None.

    Raises:
        InputError: see ``load``.
    """
    unet_folder, vae_folder = Path(unet_folder), Path(vae_folder)
    if image_encoder is None:
        raise InputError(
            f"{unet_folder.parent} has no image_encoder folder; give the one of Stable Video Diffusion: "
            "any2bokeh convert MODEL OUT --image-encoder PATH|ID (or 'none' to run without one)"
        )
    config = read_config(unet_folder, (_SVD_UNET,))
    config |= {
        "mpi_mode": mpi_mode,
        "time_context": time_context,
        "unused_feed_forward": keep_unused_feed_forward,
    }
    drop = () if keep_unused_feed_forward else (".fuser.ff_k.",)
    unet = _build(BokehUNet, config, unet_folder, dtype, drop=drop)
    vae_config = read_config(vae_folder, (_SVD_VAE,))
    vae = _build(BokehAutoencoder, vae_config, vae_folder, _vae_dtype(dtype, vae_config))
    return _joined(unet, vae, load_image_encoder(image_encoder, dtype), card)


def from_svd(
    base: str | Path, *, mpi_mode: MpiMode = "masked", card: ModelCard | None = None, dtype: torch.dtype | None = None
) -> tuple[AnyToBokehPipeline, list[NewParameter]]:
    """Start from Stable Video Diffusion: every key of the base is used, every new parameter starts on purpose.

    With these starts the U-Net equals the base U-Net, and the decoder nearly the base decoder.

    Args:
        base: folder or hub id of the image-to-video model.
        mpi_mode: see ``MpiMode``.
        card: alpha and the like; the paper's by default.
        dtype: of the weights; that of the files where None.

    Returns:
        The pipeline, and what each new parameter starts from.

    Raises:
        InputError: see ``load``; also if a key of the base is not used.
    """
    folder = model_folder(base)
    unet_config = read_config(folder / "unet", (_SVD_UNET,)) | {"mpi_mode": mpi_mode}
    unet_state = read_weights(weight_files(folder / "unet"), dtype)
    unet_starts = start_unet(unet_state)
    unet = _assigned(_on_meta(BokehUNet, unet_config), unet_state, unet_starts, str(folder / "unet"))

    vae_config = read_config(folder / "vae", (_SVD_VAE,))
    vae_state = read_weights(weight_files(folder / "vae"), _vae_dtype(dtype, vae_config))
    vae = _on_meta(BokehAutoencoder, vae_config)
    vae_starts = start_autoencoder(vae_state, vae.state_dict())
    vae = _assigned(vae, vae_state, vae_starts, str(folder / "vae"))

    encoder = load_image_encoder(folder / "image_encoder", dtype)
    card = card or ModelCard()
    card = replace(card, provenance={"base": str(base) if not Path(base).exists() else folder.name, **card.provenance})
    new = [NewParameter(f"unet.{name}", start) for name, (_, start) in unet_starts.items()]
    new += [NewParameter(f"vae.{name}", start) for name, (_, start) in vae_starts.items()]
    return _joined(unet, vae, encoder, card), new


def save(
    pipeline: AnyToBokehPipeline, folder: Path, *, provenance: dict[str, Any] | None = None, overwrite: bool = False
) -> None:
    """Save a checkpoint that describes itself; the folder appears when it is complete.

    Args:
        pipeline: what to save.
        folder: must not exist, unless ``overwrite``.
        provenance: added to the card's.
        overwrite: replace the folder.

    Raises:
        InputError: the folder exists, another run writes it, or it cannot be written.
    """
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} exists; choose another folder, or pass --overwrite")
    card = replace(pipeline.card, provenance={**pipeline.card.provenance, **(provenance or {})})
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    pending = PendingOutput.replacing_folder(folder)
    try:
        with writing(folder):
            _save_parts(pipeline, pending.temporary, card)
        pending.publish()
    finally:
        pending.discard()


def _save_parts(pipeline: AnyToBokehPipeline, folder: Path, card: ModelCard) -> None:
    (folder / CARD_FILE).write_text(card.to_json())
    for name, network in (("unet", pipeline.unet), ("vae", pipeline.vae)):
        _save_network(network, folder / name, card)
    if pipeline.image_encoder is not None:
        (folder / "image_encoder").mkdir()
        pipeline.image_encoder.config.save_pretrained(folder / "image_encoder")
        write_weights(pipeline.image_encoder.state_dict(), folder / "image_encoder" / ENCODER_WEIGHTS_NAME, {})


def convert(
    model: str | Path,
    folder: Path,
    *,
    image_encoder: str | Path | None = None,
    mpi_mode: MpiMode | None = None,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> AnyToBokehPipeline:
    """Turn published weights into one of our checkpoints, without the feed-forward that nothing reads.

    Clips of a batch no longer see each other's image embeddings (``time_context="per_clip"``); one clip at a time, as
    in inference, the result is the same.

    Args:
        model: folder or hub id with the published ``unet/`` and ``vae/``.
        folder: the new checkpoint.
        image_encoder: see ``load``.
        mpi_mode: see ``load``.
        dtype: of the weights; that of the files where None.
        overwrite: replace ``folder``.

    Returns:
        The converted pipeline.

    Raises:
        InputError: see ``load``; not published weights; the folder exists.
    """
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} exists; choose another folder, or pass --overwrite")
    source = model_folder(model)
    layout = layout_of(source)
    if layout != "published":
        what = "one of our checkpoints already" if layout == "ours" else "plain Stable Video Diffusion"
        raise InputError(f"{source} is {what}; convert takes the published Any-to-Bokeh unet and vae folders")
    pipeline = load_published(
        source / "unet",
        source / "vae",
        image_encoder=source / "image_encoder" if (source / "image_encoder").is_dir() else image_encoder,
        mpi_mode=mpi_mode or "released",
        time_context="per_clip",
        keep_unused_feed_forward=False,
        dtype=dtype,
    )
    save(pipeline, folder, overwrite=overwrite)
    return pipeline


def load_image_encoder(encoder: str | Path, dtype: torch.dtype | None = None) -> CLIPVisionModelWithProjection | None:
    """Load CLIP's image encoder from a folder, a hub id, or a model that has one; None for ``none``.

    Raises:
        InputError: nothing there, a pickle, a truncated file, missing keys.
    """
    if str(encoder) == NO_IMAGE_ENCODER:
        return None
    folder = model_folder(encoder)
    if not (folder / CONFIG_NAME).is_file() and (folder / "image_encoder").is_dir():
        folder = folder / "image_encoder"
    if not (folder / CONFIG_NAME).is_file():
        raise InputError(f"{folder} has no {CONFIG_NAME}; give the folder of a CLIP image encoder")
    read_weights(weight_files(folder, stem="model")[:1], dtype=None)  # a clear word on pickles and truncated files
    try:
        model, report = cast(Any, CLIPVisionModelWithProjection).from_pretrained(
            folder, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{folder} is not a CLIP image encoder: {' '.join(str(error).split())[:300]}") from None
    missing = sorted(str(key) for key in report["missing_keys"])
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} keys of a CLIP image encoder, such as {missing[0]}")
    align_weights(model)
    model.eval().requires_grad_(False)
    return model if dtype is None else model.to(dtype)


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
    read_config(folder / "unet", (_SVD_UNET, BokehUNet.__name__))
    from safetensors import safe_open

    for path in weight_files(folder / "unet"):
        try:
            with safe_open(path, framework="pt") as file:
                if any(".fuser." in key or key.startswith("conv_in_mpi.") for key in file.keys()):  # noqa: SIM118
                    return "published"
        except SafetensorError as error:
            raise InputError(f"{path} is truncated or not a safetensors file ({error}); copy it again") from None
    return "svd"


def _joined(
    unet: BokehUNet, vae: BokehAutoencoder, encoder: CLIPVisionModelWithProjection | None, card: ModelCard
) -> AnyToBokehPipeline:
    wanted = unet.context_dim
    if encoder is not None and encoder.config.projection_dim != wanted:
        raise InputError(
            f"the image encoder gives {encoder.config.projection_dim} channels but the U-Net takes {wanted}; "
            "give the image encoder of the base model"
        )
    return AnyToBokehPipeline(unet.eval(), vae.eval(), encoder, card)


def _on_meta(network: type[Any], config: dict[str, Any]) -> Any:
    known = network._get_init_keys(network)
    unknown = sorted(set(config) - known)
    if unknown:
        raise InputError(f"config of the {network.__name__} has unknown keys: {', '.join(unknown)}")
    with torch.device("meta"):
        return network(**{key: tuple(value) if isinstance(value, list) else value for key, value in config.items()})


def _build(
    network: type[Any], config: dict[str, Any], folder: Path, dtype: torch.dtype | None, drop: Sequence[str] = ()
) -> Any:
    model = _on_meta(network, config)
    state = read_weights(weight_files(folder), dtype)
    kept = {key: value for key, value in state.items() if not any(part in key for part in drop)}
    assign_weights(model, kept, str(folder))
    return model


def _assigned(
    model: Any, state: dict[str, torch.Tensor], starts: dict[str, tuple[torch.Tensor, str]], where: str
) -> Any:
    check_keys(model.state_dict(), state, where, may_lack=starts)
    model.load_state_dict(state | {name: value for name, (value, _) in starts.items()}, assign=True)
    return model


def _vae_dtype(dtype: torch.dtype | None, config: dict[str, Any]) -> torch.dtype | None:
    """The autoencoder of Stable Video Diffusion overflows in float16."""
    return torch.float32 if dtype == torch.float16 and config.get("force_upcast", True) else dtype


def _save_network(network: nn.Module, folder: Path, card: ModelCard) -> None:
    folder.mkdir()
    cast(Any, network).save_config(folder)
    config = (folder / CONFIG_NAME).read_text()
    metadata = {"any2bokeh_card": card.to_json(), "any2bokeh_config": json.dumps(json.loads(config))}
    write_weights(network.state_dict(), folder / WEIGHTS_NAME, metadata)
