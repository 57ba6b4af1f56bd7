"""The model that ships: small enough, where it comes from, and better than doing nothing."""

import numpy as np
import pytest

from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.diffusion.checkpoints.compact_model import COMPACT, compact_model_folder
from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.synthesis.clip import SyntheticClip
from any2bokeh.synthesis.maker import ClipConfig, ClipMaker
from any2bokeh.synthesis.scene import SceneConfig


@pytest.fixture(scope="module")
def model() -> AnyToBokehPipeline:
    # As every command loads it. The files are float16, which a CPU emulates: 22 s a frame instead of 0.5.
    return DiffusionRenderer.load(COMPACT, device="cpu").pipeline


def test_it_is_small(model: AnyToBokehPipeline) -> None:
    count = sum(p.numel() for network in (model.unet, model.vae) for p in network.parameters())
    assert count <= 30e6
    assert all(path.stat().st_size <= 16 * 2**20 for path in compact_model_folder().rglob("*") if path.is_file())


def test_it_says_where_it_comes_from(model: AnyToBokehPipeline) -> None:
    record = model.card.provenance["training"]
    assert record["config"]["name"] == "compact-cpu"
    assert record["stands_in_stage"] == "finished"
    assert [stage["stage"] for stage in record["stages"]] == ["0", "1", "2", "3"]
    assert record["hours"] > 0
    assert all(len(stage["loss_curve"]) > 10 for stage in record["stages"])


def unseen_clip() -> SyntheticClip:
    """A scene of the paper's kind from a seed that no training used."""
    config = ClipConfig(
        width=256, height=128, frame_count=4, lens_samples=64, in_focus_samples=16, transfer="none",
        blur_strength=(48.0, 48.0), schedules=("fixed",), scene=SceneConfig.paper(),
    )  # fmt: skip
    return ClipMaker(config, seed=90_001, count=1).clip(0)


def test_it_is_nearer_to_the_truth_than_the_source(model: AnyToBokehPipeline) -> None:
    clip = unseen_clip()
    lens = zip(clip.focus_disparity.tolist(), clip.blur_strength.tolist(), strict=True)
    inputs = [
        RenderInput(pixels, disparity, d_f, k)
        for pixels, disparity, (d_f, k) in zip(clip.frames, clip.disparity, lens, strict=True)
    ]
    rendered = np.stack(list(DiffusionRenderer(model).render(inputs)))
    source, result = (float(np.mean((pictures - clip.bokeh) ** 2)) for pictures in (clip.frames, rendered))
    gain_db = 10 * np.log10(source / result)
    assert gain_db > 2
