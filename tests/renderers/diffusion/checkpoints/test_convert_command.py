"""``any2bokeh convert`` from the command line."""

import json
from pathlib import Path

import pytest

from any2bokeh.cli.main import run
from any2bokeh.renderers.diffusion.checkpoints import checkpoint
from tests.renderers.diffusion.checkpoints.test_checkpoint import write_published


def test_converts_and_tells(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_published(tmp_path / "published")
    assert run(["convert", str(tmp_path / "published"), str(tmp_path / "ours"), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    pipeline = checkpoint.load(tmp_path / "ours")
    assert told["parameters"]["unet"] == sum(parameter.numel() for parameter in pipeline.unet.parameters())
    assert (told["mode"], told["alpha"], told["image_encoder"]) == ("released", 1.5, True)


def test_tiny_is_a_model_at_once(tmp_path: Path) -> None:
    assert run(["convert", "tiny", str(tmp_path / "tiny"), "--mode", "masked"]) == 0
    assert checkpoint.load(tmp_path / "tiny").unet.mpi_mode == "masked"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["published", "out"], "has no image_encoder folder"),
        (["nowhere/at/all", "out"], "is neither a folder nor a hub id"),
        (["published", "published", "--image-encoder", "none"], "is read by this run and would be replaced"),
        (["published", "out", "--mode", "soft"], "soft"),
    ],
)
def test_bad_input_ends_with_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write_published(tmp_path / "published", image_encoder=False)
    monkeypatch.chdir(tmp_path)
    assert run(["convert", *arguments]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()
