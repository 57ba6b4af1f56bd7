"""The first run on a machine: the renderer's kernels are compiled by a process beside the one that needs them.

Compiling holds one lock in a process, so a thread would gain nothing: while this process decodes, and compiles what
treats edges, the other compiles the renderer and leaves the code where this one looks for it.
"""

import atexit
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import numpy as np

from any2bokeh.compiled import may_be_kept
from any2bokeh.disparity.edges import EdgeBands
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.layers import prepare
from any2bokeh.renderers.layered.workers import available_cores

_PATIENCE_S = 300.0  # a process that takes longer does not get on; this one compiles by itself


class Ahead:
    """A process that compiles, if there is one; to be closed. Whoever asks for one while it runs shares it."""

    _lock = threading.Lock()
    _shared: "ClassVar[subprocess.Popen[bytes] | None]" = None
    _users = 0

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it where code is kept, none is yet, and there is a core for it."""
        with Ahead._lock:
            if Ahead._shared is None:
                Ahead._shared = _started()
            if Ahead._shared is not None and self._process is None:
                self._process = Ahead._shared
                Ahead._users += 1

    def wait(self) -> None:
        """Until it has done what it can."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_S)
            self.close()

    def close(self) -> None:
        """End it, once nobody else waits for it."""
        with Ahead._lock:
            if self._process is None:
                return
            self._process = None
            Ahead._users -= 1
            if Ahead._users == 0:
                _end()


def _started() -> "subprocess.Popen[bytes] | None":
    is_python = Path(sys.executable or "").stem.lower().startswith("python")  # not a program that holds one
    if not (is_python and available_cores() > 1 and may_be_kept(prepare)):
        return None
    nowhere = subprocess.DEVNULL
    command = [sys.executable, "-m", "any2bokeh.renderers.layered"]
    try:
        return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    except OSError:  # too little memory, or none may be started: this process compiles by itself
        return None


@atexit.register
def _end() -> None:
    """Also where the interpreter ends while a thread waits for it."""
    process, Ahead._shared = Ahead._shared, None
    if process is not None:
        process.kill()
        process.wait()


def small_frame() -> RenderInput:
    """A frame that takes the renderer what most pictures take: mixed pixels, hidden background, a lamp."""
    shape = (96, 96)
    pixels = np.full((3, *shape), 0.05, np.float32)
    pixels[:, 40:44, 20:24] = 1
    disparity = np.full((1, *shape), 0.1, np.float32)
    disparity[:, 24:72, 30:72] = 0.9
    alpha, near, far = np.zeros(shape, np.float32), np.full(shape, 0.9, np.float32), np.full(shape, 0.1, np.float32)
    alpha[24:72, 29] = 0.3
    bands = EdgeBands(disparity, alpha > 0, near, far, alpha, alpha, pixels, pixels)
    known = np.full(shape, 0.5, np.float32)
    return RenderInput(pixels, disparity, 0.6, 200.0, HiddenBackground(pixels, 0 * disparity, known), bands)
