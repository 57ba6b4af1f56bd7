"""Numbers of the published modules, on weights and inputs in a folder.

The folder is ``ANY2BOKEH_PARITY``, or ``../shared/data/parity`` beside the checkout; every shape is read from it.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from any2bokeh import mpi
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from any2bokeh.renderers.diffusion.network.conditioning import MpiMode
from any2bokeh.renderers.diffusion.network.fourier import fourier_features
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.run.windows import WindowPlan, plan_windows

FOLDER = Path(os.environ.get("ANY2BOKEH_PARITY") or Path(__file__).resolve().parents[4] / "shared" / "data" / "parity")

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir() and "ANY2BOKEH_PARITY" not in os.environ,
    reason="needs ../shared/data/parity, which is not part of the repository, or ANY2BOKEH_PARITY",
)


@cache
def cases() -> dict[str, torch.Tensor]:
    return load_file(FOLDER / "cases.safetensors")


@cache
def tables() -> dict[str, Any]:
    return json.loads((FOLDER / "tables.json").read_text())


@cache
def published(mode: MpiMode) -> AnyToBokehPipeline:
    return checkpoint.load_published(FOLDER / "unet", FOLDER / "vae", image_encoder="none", mpi_mode=mode)


def unet_output(pipeline: AnyToBokehPipeline, **options: bool) -> torch.Tensor:
    with torch.no_grad():
        return pipeline.unet(
            cases()["sample"],
            cases()["encoder_hidden_states"],
            cases()["added_time_ids"],
            cases()["blur_strength"],
            cases()["mpi_region_index"],
            mpi_latents=cases()["mpi_cond"],
            **options,
        )


@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("mode", get_args(MpiMode))
def test_unet(mode: MpiMode, shortcut: bool) -> None:
    output = unet_output(published(mode), single_token_shortcut=shortcut)
    # Worst seen 2.1e-6, masked, with the default kernels of torch.
    torch.testing.assert_close(output, cases()[f"unet_out_{mode}"], rtol=0, atol=5e-6)


def test_modes_differ_here() -> None:
    difference = (cases()["unet_out_masked"] - cases()["unet_out_released"]).abs().max()
    assert difference > 1e-2, "this parity set cannot tell the modes apart"


@pytest.mark.parametrize("mode", get_args(MpiMode))
def test_converted_weights_give_the_same(mode: MpiMode, tmp_path: Path) -> None:
    checkpoint.convert(FOLDER, tmp_path / "ours", image_encoder="none", mpi_mode=mode)
    converted = checkpoint.load(tmp_path / "ours")
    assert not any(".ff_k." in key for key in converted.unet.state_dict())
    converted.unet.time_context = "interleaved"  # as the published modules lay out a batch of several clips
    torch.testing.assert_close(unet_output(converted), cases()[f"unet_out_{mode}"], rtol=0, atol=2e-5)


def test_encoder() -> None:
    with torch.no_grad():
        encoded = published("released").vae.encode_frames(cases()["pixels"])
    # Worst seen 9.5e-7 and 1.3e-6.
    torch.testing.assert_close(encoded.mean, cases()["latent_mean"], rtol=0, atol=1e-5)
    torch.testing.assert_close(encoded.logvar, cases()["latent_logvar"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("framewise", [False, True])
def test_decoder(framewise: bool) -> None:
    vae = published("released").vae
    with torch.no_grad():
        features = vae.encode_frames(cases()["pixels"]).skip_features
        decoded = vae.decode_frames(cases()["decode_latents"], features, framewise=framewise)
    # Worst seen 6.4e-6.
    torch.testing.assert_close(decoded, cases()["decoded"], rtol=0, atol=2e-5)


def test_blur_features() -> None:
    torch.testing.assert_close(fourier_features(cases()["k_values"]), cases()["k_fourier"], rtol=0, atol=1e-6)


def test_region_indices() -> None:
    arrays = load_file(FOLDER / "tables.safetensors")
    disparity = arrays["disparity"].numpy()
    for row in tables()["mpi"]:
        index = mpi.region_index(disparity, row["focus_disparity"], alpha=row["alpha"], region_count=row["segments"])
        np.testing.assert_array_equal(index, arrays[row["key"]].numpy(), err_msg=str(row))


def test_window_plans() -> None:
    for row in tables()["groups"]:
        windows = list(plan_windows(row["num_frames"], WindowPlan(row["group"], row["overlap"], "cosine")))
        assert [list(window.frames) for window in windows] == row["frames"]
        for window, weights in zip(windows, row["weights"], strict=True):
            np.testing.assert_allclose(window.weights, weights, rtol=0, atol=1e-6)
