"""The process that compiles the renderer beside the first run on a machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from any2bokeh.renderers.layered import LayeredRenderer
from any2bokeh.renderers.layered.ahead import Ahead, small_frame

_RENDERED = """
import numpy as np
from any2bokeh.renderers.layered import LayeredRenderer, ahead, cpu, layers
ahead.available_cores = lambda: 2
frame = ahead.small_frame()
picture = next(LayeredRenderer(threads=1).render(iter([frame])))
for kernel in (layers.prepare, layers.fill_ring, cpu._sum_tile, cpu._compose):
    assert kernel.stats.cache_hits and not kernel.stats.cache_misses, kernel
assert np.isfinite(picture).all()
"""

_SHARED = """
from any2bokeh.renderers.layered import ahead
ahead.available_cores = lambda: 2
first, second = ahead.Ahead(), ahead.Ahead()
first.begin(), second.begin()
process = first._process
assert process is not None and second._process is process
first.close(), first.close()
assert process.poll() is None, "the other waits for it"
second.close()
assert process.poll() is not None
"""


def test_its_frame_has_mixed_pixels_hidden_background_and_a_lamp():
    renderer = LayeredRenderer()
    renderer.render_frame(small_frame())
    image = renderer.image
    assert image is not None
    assert len(image.lamps[0]) > 0
    assert np.unique(image.kind).size > 2


def test_nothing_is_compiled_ahead_once_it_is_known():
    LayeredRenderer().render_frame(small_frame())
    ahead = Ahead()
    ahead.begin()
    ahead.wait()
    assert ahead._process is None


def test_those_who_ask_while_it_runs_share_it(tmp_path: Path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    made = subprocess.run([sys.executable, "-c", _SHARED], env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


@pytest.mark.slow
def test_the_first_run_finds_what_it_has_compiled(tmp_path: Path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    made = subprocess.run(
        [sys.executable, "-c", _RENDERED], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
