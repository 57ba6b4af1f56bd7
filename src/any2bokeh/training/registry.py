"""The configs that have names: ``paper``, ``compact`` and ``debug``."""

from pathlib import Path
from typing import Any

from any2bokeh.errors import InputError
from any2bokeh.training.clips import ProceduralClips
from any2bokeh.training.config import TrainingConfig, changed, read_config
from any2bokeh.training.networks import ModelStart
from any2bokeh.training.stages import Stage
from any2bokeh.training.windows import Cut


def paper() -> TrainingConfig:
    """The paper's training: three stages at 1024x576 from Stable Video Diffusion, on GPUs of 80 GB.

    The paper names parameters, losses, frames and learning rates of the stages; their lengths are ours.
    """
    return TrainingConfig(
        name="paper",
        start=ModelStart(base="stabilityai/stable-video-diffusion-img2vid-xt"),
        stages=(
            Stage("1", "unet", "latent", frames=4, steps=20_000, learning_rate=1e-5, accumulation=4, warmup_steps=500),
            Stage(
                "2",
                "unet-temporal",
                "latent",
                frames=8,
                steps=10_000,
                learning_rate=5e-6,
                accumulation=4,
                perturbation=0.5,
                warmup_steps=500,
            ),
            Stage(
                "3",
                "decoder-spatial",
                "picture",
                frames=3,
                steps=10_000,
                learning_rate=5e-6,
                accumulation=4,
                warmup_steps=500,
            ),
        ),
        clips=ProceduralClips(height_px=576, width_px=1024),
        precision="bf16",
        average_decay=0.9999,
        gradient_checkpointing=True,
        export_dtype="bfloat16",
    )


def compact() -> TrainingConfig:
    """The model that ships: 11.2 M parameters, trained from nothing but our own clips.

    No pretrained autoencoder may be shipped, so stage 0 trains a small one: it gives back all-in-focus frames, bokeh
    frames and disparity differences without its skip convolutions. Then come the paper's three stages; learning rates
    are those of small networks with random weights.
    """
    return TrainingConfig(
        name="compact",
        start=ModelStart(unet=_COMPACT_UNET, vae=_COMPACT_VAE),
        stages=(
            Stage(
                "0",
                "autoencoder",
                "reconstruction",
                frames=3,
                steps=4_000,
                learning_rate=6e-4,
                batch_size=8,
                warmup_steps=200,
                decay="cosine",
            ),
            Stage(
                "1",
                "unet",
                "latent",
                frames=4,
                steps=10_000,
                learning_rate=6e-4,
                batch_size=16,
                warmup_steps=300,
                decay="cosine",
            ),
            Stage(
                "2",
                "unet-temporal",
                "latent",
                frames=8,
                steps=2_000,
                learning_rate=2e-4,
                batch_size=8,
                perturbation=0.5,
                warmup_steps=100,
                decay="cosine",
            ),
            Stage(
                "3",
                "decoder-spatial",
                "picture",
                frames=3,
                steps=4_000,
                learning_rate=4e-4,
                batch_size=12,
                warmup_steps=100,
                decay="cosine",
            ),
        ),
        cut=Cut(height_px=256, width_px=256, flip=True),
        precision="bf16",
        export_dtype="float16",
    )


def compact_cpu() -> TrainingConfig:
    """``compact`` as far as one core brings it in two hours: a smaller autoencoder, small cuts, few steps.

    An autoencoder that finds its own latents takes longer than that. So stage 0 tells the encoder what they are: block
    means and contrasts. The decoder learns in stage 3 alone; it stays without effect between frames.
    """
    short = {"batch_size": 2, "warmup_steps": 30}
    changes = {
        "name": "compact-cpu",
        "start": {"vae": {"block_out_channels": [32, 32, 64, 96]}, "still_decoder": True},
        "stages": {
            "0": short | {"trains": "encoder", "loss": "thumbnail", "frames": 2, "steps": 600, "learning_rate": 1.5e-3},
            "1": short | {"batch_size": 4, "steps": 1_000, "learning_rate": 1e-3},
            "2": short | {"warmup_steps": 20, "steps": 120, "learning_rate": 5e-4},
            "3": short | {"steps": 4_500, "learning_rate": 1.5e-3},
        },
        "cut": {"height_px": 128, "width_px": 128},
        "average_decay": 0.98,
    }
    return changed(compact(), changes, "compact-cpu")


def debug() -> TrainingConfig:
    """A tiny model and a few steps: every part of the training within minutes on a CPU. It learns next to nothing.

    In float64: on so small frames the norms of the coarsest level stand on two pixels, and magnify the rounding of
    float32 to a third of the loss within twenty steps, so that no golden would hold.
    """
    return TrainingConfig(
        name="debug",
        start=ModelStart(unet=_DEBUG_UNET, vae=_DEBUG_VAE),
        stages=(
            Stage("0", "autoencoder", "reconstruction", frames=2, steps=8, learning_rate=2e-3, batch_size=2),
            Stage("1", "unet", "latent", frames=4, steps=12, learning_rate=1e-3, batch_size=2, warmup_steps=2),
            Stage(
                "2",
                "unet-temporal",
                "latent",
                frames=8,
                steps=6,
                learning_rate=5e-4,
                accumulation=2,
                perturbation=0.5,
                decay="cosine",
            ),
            Stage("3", "decoder-spatial", "picture", frames=3, steps=8, learning_rate=2e-3, batch_size=2),
        ),
        clips=ProceduralClips(count=16, height_px=64, width_px=128, frames=8, lens_samples=16, in_focus_samples=4),
        precision="float64",
        average_decay=0.9,
    )


_COMPACT_UNET: dict[str, Any] = {
    "block_out_channels": [64, 64, 64, 96],
    "num_attention_heads": [2, 2, 2, 3],
    "layers_per_block": 1,
    "cross_attention_dim": 32,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
    "norm_num_groups": 8,
}
_COMPACT_VAE: dict[str, Any] = {
    "block_out_channels": [32, 64, 128, 128],
    "layers_per_block": 1,
    "sample_size": 256,
    "force_upcast": False,
    "norm_num_groups": 8,
}
_DEBUG_UNET: dict[str, Any] = {
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"],
    "block_out_channels": [32, 32],
    "num_attention_heads": [2, 2],
    "layers_per_block": 1,
    "cross_attention_dim": 32,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
}
_DEBUG_VAE: dict[str, Any] = {
    "block_out_channels": [32, 32, 32, 32],
    "layers_per_block": 1,
    "sample_size": 64,
    "force_upcast": False,
}

CONFIGS = {"paper": paper, "compact": compact, "compact-cpu": compact_cpu, "debug": debug}


def find_config(name: str) -> TrainingConfig:
    """A config by its name, or by the path of a TOML file; see ``read_config``.

    Raises:
        InputError: neither, or the file is bad.
    """
    if name in CONFIGS:
        return CONFIGS[name]()
    path = Path(name)
    if not path.is_file():
        raise InputError(f"config {name} is neither {', '.join(CONFIGS)} nor a TOML file; name one of them")
    return read_config(path, {known: make() for known, make in CONFIGS.items()})
