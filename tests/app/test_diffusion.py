"""The diffusion engine behind the studio, with a tiny model of random weights."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.cli.main import run
from tests import clips
from tests.app.conftest import FRAMES


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("diffusers") is None, reason="needs diffusers, of the extra [diffusion]")
def test_render_with_a_model_of_the_server_is_the_command_lines(settings: Settings, demo_clip: Path, tmp_path: Path):
    from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline

    model = tmp_path / "model"
    tiny_pipeline().save_pretrained(model)
    studio = Studio(replace(settings, model=str(model), device="cpu"))
    try:
        session = studio.arrive()
        assert session.snapshot()["engines"] == ["layered", "diffusion"]
        session.open_demo()
        session.render(engine="diffusion")
        assert session.job is not None
        assert session.job.wait(300)
        assert session.job.state == "done", session.job.snapshot()
        mine = session.result("render").result
        assert mine is not None
        (tmp_path / "focus.json").write_text(session.script_text())
        clip = [demo_clip / "clip.mp4", "--disparity", demo_clip / "disparity.mkv"]
        how = ["--focus-script", tmp_path / "focus.json", "--tracker", "classical", "--quiet"]
        engine = ["--engine", "diffusion", "--model", model, "--device", "cpu"]
        assert run(list(map(str, ["refocus", *clip, *how, *engine, "-o", tmp_path / "out.mp4"]))) == 0
        one, other = clips.decoded(mine), clips.decoded(tmp_path / "out.mp4")
        assert len(one) == FRAMES
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    finally:
        studio.close()
