"""Checkpoints of ours in the hands of diffusers: ``DiffusionPipeline.from_pretrained`` and its usual arguments."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from any2bokeh.errors import InputError
from any2bokeh.renderers.diffusion.checkpoints.compact_model import compact_model_folder
from any2bokeh.renderers.diffusion.checkpoints.model_card import CARD_FILE, ModelCard
from any2bokeh.renderers.diffusion.checkpoints.model_index import INDEX_FILE, model_index
from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline
from any2bokeh.renderers.diffusion.diffusers_names import AnyToBokehPipeline, BokehUNet
from any2bokeh.renderers.diffusion.run.options import PipelineOptions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tiny_pipeline(3, card=ModelCard(alpha=1.5)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    shape = (2, 64, 96)
    return {
        "frames": rng.random((2, 3, *shape[1:]), dtype=np.float32),
        "disparity": rng.random((2, 1, *shape[1:]), dtype=np.float32),
    }


def test_the_base_class_opens_a_checkpoint_and_makes_the_same_frames(folder: Path, clip: dict[str, Any]) -> None:
    ours = AnyToBokehPipeline.from_pretrained(folder)
    theirs = DiffusionPipeline.from_pretrained(folder)
    assert isinstance(theirs, AnyToBokehPipeline)
    assert isinstance(theirs.unet, BokehUNet)
    assert not theirs.unet.training
    assert theirs.card == ModelCard(alpha=1.5)
    expected = ours(**clip, focus_disparity=0.5, blur_strength=20)
    found = theirs(**clip, focus_disparity=0.5, blur_strength=20)
    # Worst seen 1.4e-6: diffusers maps weights into memory unaligned, so that sums are in another order.
    np.testing.assert_allclose(found.frames, expected.frames, atol=2e-5)


def test_without_an_image_encoder(tmp_path: Path) -> None:
    tiny_pipeline(3, image_encoder=False).save_pretrained(tmp_path / "model")
    assert DiffusionPipeline.from_pretrained(tmp_path / "model").image_encoder is None


def test_the_usual_arguments_of_loading(folder: Path, tmp_path: Path) -> None:
    assert AnyToBokehPipeline.from_pretrained(folder, torch_dtype=torch.bfloat16).unet.dtype == torch.bfloat16
    assert AnyToBokehPipeline.from_pretrained(folder, use_safetensors=True).unet.dtype == torch.float32
    with pytest.raises(InputError, match="safetensors only"):
        AnyToBokehPipeline.from_pretrained(folder, use_safetensors=False)
    with pytest.raises(InputError, match=r"diffusion_pytorch_model\.fp16\.safetensors"):
        AnyToBokehPipeline.from_pretrained(folder, variant="fp16")
    for part in ("unet", "vae"):
        whole = folder / part / "diffusion_pytorch_model.safetensors"
        (tmp_path / part).mkdir()
        (tmp_path / part / "diffusion_pytorch_model.fp16.safetensors").symlink_to(whole)
        (tmp_path / part / "config.json").symlink_to(folder / part / "config.json")
    (tmp_path / CARD_FILE).symlink_to(folder / CARD_FILE)
    variant = AnyToBokehPipeline.from_pretrained(tmp_path, variant="fp16")
    plain = AnyToBokehPipeline.from_pretrained(folder)
    assert all(torch.equal(a, b) for a, b in zip(variant.unet.parameters(), plain.unet.parameters(), strict=True))


def test_the_usual_arguments_of_a_call(folder: Path, clip: dict[str, Any]) -> None:
    pipeline = AnyToBokehPipeline.from_pretrained(folder)
    strength: dict[str, Any] = {"focus_disparity": 0.5, "blur_strength": 20}
    expected = pipeline(**clip, **strength).frames
    plain: Any = pipeline(**clip, **strength, output_type="np", return_dict=False)
    [arrays] = plain
    np.testing.assert_array_equal(arrays, expected.transpose(0, 2, 3, 1))
    tensor = pipeline(**clip, **strength, output_type="pt").frames
    np.testing.assert_array_equal(tensor.numpy(), expected)
    [picture, _] = pipeline(**clip, **strength, output_type="pil").frames
    assert picture.size == (96, 64)
    with pytest.raises(InputError, match="output_type"):
        pipeline(**clip, **strength, output_type="latent")  # pyright: ignore[reportArgumentType]


def test_a_generator_is_the_seed_of_sampled_latents(folder: Path, clip: dict[str, Any]) -> None:
    pipeline = AnyToBokehPipeline.from_pretrained(folder)
    sampled = PipelineOptions(latent="sample", compose=False)

    def frames_of(seed: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(seed)
        return pipeline(**clip, focus_disparity=0.5, blur_strength=20, options=sampled, generator=generator).frames

    first = frames_of(1)
    np.testing.assert_array_equal(first, frames_of(1))
    assert np.abs(first - frames_of(2)).max() > 1e-4


def test_the_compact_model_has_the_index_that_saving_writes() -> None:
    folder = compact_model_folder()
    card = ModelCard.load(folder / CARD_FILE)
    assert (folder / INDEX_FILE).read_text() == model_index(card, has_image_encoder=False)
    assert json.loads((folder / INDEX_FILE).read_text())["unet"] == ["any2bokeh", "BokehUNet"]
