"""``any2bokeh refocus --engine diffusion``, end to end on a tiny model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from any2bokeh.cli.main import run
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.video import open_source
from tests import clips
from tests.renderers.diffusion.checkpoints.test_checkpoint import WEIGHTS, as_pickle, truncate


@pytest.fixture
def model(pipeline: AnyToBokehPipeline, tmp_path: Path) -> Path:
    pipeline.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def refocus(folder: Path, model: Path, *more: str, frames: int, width: int, height: int) -> int:
    clips.write_clip(folder / "clip.mp4", frames=frames, width=width, height=height)
    clips.write_disparity(folder / "disparity", stop=frames, width=width, height=height)
    return run(
        [
            *("refocus", str(folder / "clip.mp4"), "-o", str(folder / "out.mp4"), "--quiet"),
            *("--disparity", str(folder / "disparity"), "--focus", "0.7", "--blur", "30"),
            *("--engine", "diffusion", "--model", str(model), "--device", "cpu", *more),
        ]
    )


@pytest.mark.parametrize(
    ("frames", "width", "height"), [(1, 96, 64), (8, 64, 112), pytest.param(13, 80, 80, marks=pytest.mark.slow)]
)
def test_frames_size_and_sound_are_the_sources(
    frames: int, width: int, height: int, model: Path, tmp_path: Path
) -> None:
    assert refocus(tmp_path, model, frames=frames, width=width, height=height) == 0
    with open_source(tmp_path / "out.mp4") as source:
        info = source.info
        assert (info.frame_count, info.width, info.height) == (frames, width, height)
    assert clips.sound_packets(tmp_path / "out.mp4") == clips.sound_packets(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model: truncate(model / "unet" / WEIGHTS), "is truncated or not a safetensors file"),
        (lambda model: as_pickle(model / "vae" / WEIGHTS), "a pickle"),
        (lambda model: (model / "unet" / "config.json").unlink(), "has no config.json"),
    ],
)
def test_a_spoilt_model_ends_with_one_line(
    spoil: Callable[[Path], object], message: str, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(model)
    assert refocus(tmp_path, model, frames=1, width=96, height=64) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "out.mp4").exists()


def test_frames_that_are_too_small_end_with_one_line(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert refocus(tmp_path, model, frames=1, width=96, height=60) == 2
    assert "frames are 96x60; the diffusion engine needs at least 64 px" in capfd.readouterr().err
    assert not (tmp_path / "out.mp4").exists()
