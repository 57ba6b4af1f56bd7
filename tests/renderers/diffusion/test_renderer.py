"""The engine behind the renderer interface, and on the one path of a clip."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from any2bokeh.demo import CLIP_FOLDER
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import refocus
from any2bokeh.renderers.base import Renderer, RenderInput
from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer, resolve_device
from any2bokeh.renderers.diffusion.run.options import PipelineOptions
from any2bokeh.renderers.diffusion.run.pipeline import AnyToBokehPipeline
from any2bokeh.renderers.diffusion.run.windows import WindowPlan
from any2bokeh.video import open_source
from tests.renderers.diffusion.clips import render_inputs


def test_it_is_a_renderer(pipeline: AnyToBokehPipeline) -> None:
    renderer: Renderer = DiffusionRenderer(pipeline, PipelineOptions(plan=WindowPlan(4, 2)))
    assert (renderer.window, renderer.overlap) == (4, 2)
    inputs = render_inputs(5, blur_strength=[20.0, 20.0, 0.0, 20.0, 20.0])
    results = list(renderer.render(inputs))
    assert len(results) == 5
    assert results[2] is inputs[2].pixels
    assert all(result.shape == (3, 64, 64) and result.dtype == np.float32 for result in results)


def test_default_window_is_the_papers(pipeline: AnyToBokehPipeline) -> None:
    renderer = DiffusionRenderer(pipeline)
    assert (renderer.window, renderer.overlap) == (8, 4)


def test_importing_the_package_takes_no_model_library() -> None:
    code = (
        "import sys, any2bokeh, any2bokeh.mpi, any2bokeh.renderers.diffusion;"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_load_chooses_device_and_dtype(pipeline: AnyToBokehPipeline, tmp_path: Path) -> None:
    pipeline.save_pretrained(tmp_path / "model")
    assert str(DiffusionRenderer.load(tmp_path / "model", device="cpu").pipeline.dtype) == "torch.float32"
    half = DiffusionRenderer.load(tmp_path / "model", device="cpu", dtype="bfloat16")
    (result,) = half.render(render_inputs(1, 64, 128))
    assert np.isfinite(result).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "tpu"}, "device is 'tpu'; allowed is auto, cpu, cuda or mps"),
        ({"dtype": "int8"}, "dtype is 'int8'; allowed is auto, float32, bfloat16 or float16"),
        ({"device": "cpu", "cpu_offload": True}, "cpu_offload needs a GPU"),
    ],
)
def test_bad_choices_are_named(
    arguments: dict[str, str], message: str, pipeline: AnyToBokehPipeline, tmp_path: Path
) -> None:
    pipeline.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match=message):
        DiffusionRenderer.load(tmp_path / "model", **arguments)  # pyright: ignore[reportArgumentType]


def test_a_device_that_is_not_there_is_named() -> None:
    absent = [name for name in ("cuda", "mps") if resolve_device("auto").type != name]
    for name in absent:
        if name == "cuda" and os.environ.get("CUDA_VISIBLE_DEVICES", "") == "" and resolve_device("auto").type == "cpu":
            with pytest.raises(InputError, match=f"device {name} is not available"):
                resolve_device(name)


def refocused_size(output: Path) -> tuple[int, int, int]:
    with open_source(output) as source:
        return source.info.frame_count, source.info.width, source.info.height


@pytest.mark.parametrize("frame_count", [1, 5, pytest.param(9, marks=pytest.mark.slow)])
def test_the_bundled_clip_end_to_end(pipeline: AnyToBokehPipeline, frame_count: int, tmp_path: Path) -> None:
    renderer = DiffusionRenderer(pipeline, PipelineOptions(processing_size_px=128))
    result = refocus(
        CLIP_FOLDER / "clip.mp4",
        tmp_path / "out.mp4",
        Recipe(focus=FocusScript.constant(0.6, 20.0), disparity=CLIP_FOLDER / "disparity.mkv"),
        renderer=renderer,
        end_s=(frame_count - 0.5) / 24,
    )
    assert result.frame_count == frame_count
    assert refocused_size(tmp_path / "out.mp4") == (frame_count, 960, 540)


def long_clip(frame_count: int, side_px: int) -> Iterator[RenderInput]:
    once = render_inputs(8, side_px, side_px)
    for frame in range(frame_count):
        each = once[frame % 8]
        yield RenderInput(each.pixels.copy(), each.disparity.copy(), each.focus_disparity, each.blur_strength)


def peak_mib(frame_count: int) -> float:
    """Peak resident memory of a process that renders a clip of so many frames."""
    code = (
        "import resource\n"
        "from any2bokeh.renderers.diffusion.checkpoints.tiny import tiny_pipeline\n"
        "from any2bokeh.renderers.diffusion.renderer import DiffusionRenderer\n"
        "from tests.renderers.diffusion.test_renderer import long_clip\n"
        f"for _ in DiffusionRenderer(tiny_pipeline()).render(long_clip({frame_count}, 192)): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}", "OMP_NUM_THREADS": "1"},
    )
    return float(done.stdout)


@pytest.mark.slow
def test_frames_are_let_go(pipeline: AnyToBokehPipeline) -> None:
    """After a window of a clip, no more is held however long it runs."""
    process, held = psutil.Process(), []
    for frame, _ in enumerate(DiffusionRenderer(pipeline).render(long_clip(24, 128))):
        if frame % 4 == 3:
            gc.collect()
            held.append(process.memory_info().rss / 2**20)
    # A frame with what is kept of it takes about 3 MiB here: twelve frames more would add 36.
    assert held[-1] - held[2] < 18, held


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_clip() -> None:
    short, long = peak_mib(40), peak_mib(400)
    assert long < 1.1 * short, (short, long)
