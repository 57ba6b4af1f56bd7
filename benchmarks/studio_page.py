"""How long somebody waits at the studio's page: a long clip in 1080p that it has never seen, in a real browser.

Run ``python -m benchmarks.studio_page``; it needs the extra ``app``, playwright, and Chromium on the PATH. Times are
wall-clock times, of a server in a process of its own and of Chromium without a GPU, both on this machine.
"""

import argparse
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright

from benchmarks.scenes import demo_scene
from benchmarks.table import table

_SIZE = 1920, 1080
_FPS, _GOP = 24, 250
_NEAR, _FAR = (0.38, 0.5), (0.64, 0.46)
"""Points on the two robots of the demo."""
_WAITS_MS = 300_000
_SCRUBS_S, _PLAYS_S = 5, 6
# A picture of the newest decisions is on the stage.
_SHOWN = """() => { const {token, snapshot, frame, view} = window.studio.store;
  const {shown} = document.querySelector('.st-stage').dataset;
  return snapshot.clip && shown && shown.startsWith(`${token}/${snapshot.clip.revision}/${frame}/${view}`); }"""
_READY = """() => { const {finding, playback} = window.studio.store.snapshot.clip;
  return playback.proxy === 'ready' && !['estimating', 'following'].includes(finding.stage); }"""
_SCRUB = """async ([frames, seconds]) => {
  const slider = document.querySelector('#scrub');
  const stage = document.querySelector('.st-stage'), shown = new Set();
  const watcher = new MutationObserver(() => shown.add(stage.dataset.shown));
  watcher.observe(stage, {attributes: true, attributeFilter: ['data-shown']});
  const end = performance.now() + 1000 * seconds;
  for (let at = 0; performance.now() < end; at = (at + 7) % frames) {
    slider.value = at;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  watcher.disconnect();
  return shown.size / seconds;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=240)
    frames = parser.parse_args().frames
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        clip = _written_clip(Path(folder) / "clip.mp4", frames)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        begin = time.perf_counter()
        with _served() as (address, server):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(_WAITS_MS)
            page.goto(address)
            page.wait_for_function("() => window.studio && window.studio.store.snapshot")
            rows = [("start, to the page", time.perf_counter() - begin, "s"), *_waits(page, clip, frames)]
            rows.append(("memory of the server", _resident_mb(server), "MB"))
        browser.close()
    print(table(["", "measured", ""], [[name, f"{value:.2f}", unit] for name, value, unit in rows]))


def _waits(page: Any, clip: Path, frames: int) -> Iterator[tuple[str, float, str]]:
    """What is waited for, in the order in which somebody comes to it."""

    def seconds(act: Any, until: str) -> float:
        begin = time.perf_counter()
        act()
        page.wait_for_function(until)
        return time.perf_counter() - begin

    def click(point: tuple[float, float]) -> float:
        revision = page.evaluate("window.studio.store.snapshot.clip.revision")
        box = page.locator(".st-pic").bounding_box()
        place = {"x": point[0] * box["width"], "y": point[1] * box["height"]}
        begin = time.perf_counter()
        page.locator(".st-stage").click(position=place)
        page.wait_for_function("(before) => window.studio.store.snapshot.clip.revision > before", arg=revision)
        page.wait_for_function(_SHOWN)
        return time.perf_counter() - begin

    yield "first picture, as recorded", seconds(lambda: page.locator("#file-video").set_input_files(clip), _SHOWN), "s"
    yield "first click", click(_NEAR), "s"
    yield "estimate of the whole clip, and its small copy", seconds(lambda: None, _READY), "s"
    yield "later clicks, median of 6", statistics.median(click(each) for each in (_FAR, _NEAR) * 3), "s"
    yield f"scrubbing, group of {_GOP} pictures", page.evaluate(_SCRUB, [frames, _SCRUBS_S]), "pictures/s"
    page.wait_for_function(_SHOWN)
    played = page.evaluate("window.studio.store.played")
    begins = seconds(lambda: page.keyboard.press(" "), f"() => window.studio.store.played > {played}")
    yield "play, to its first refocused frame", begins, "s"
    played = page.evaluate("window.studio.store.played")
    time.sleep(_PLAYS_S)
    yield "play, refocused frames", (page.evaluate("window.studio.store.played") - played) / _PLAYS_S, "frames/s"
    page.keyboard.press(" ")


@contextmanager
def _served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The studio's address, and its process."""
    command = [sys.executable, "-m", "any2bokeh", "app", "--port", "0", "--depth-model", "rough", "--autosave", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            said = (re.search(r"https?://\S+", line) for line in server.stdout)
            link = next(filter(None, said), None)
            if link is None:
                raise RuntimeError("the studio did not start")
            yield link[0], server
        finally:
            server.terminate()


def _written_clip(path: Path, frames: int) -> Path:
    """The demo's pictures to and fro, with one key frame in 250."""
    inputs = demo_scene(_SIZE, frames=12, blur_strength=16).inputs
    pictures = [np.rint(each.pixels.transpose(1, 2, 0) * 255).astype(np.uint8) for each in inputs]
    order: Iterator[NDArray[np.uint8]] = itertools.islice(itertools.cycle([*pictures, *reversed(pictures)]), frames)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=_FPS, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        stream.codec_context.gop_size = _GOP
        for picture in order:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def _resident_mb(server: "subprocess.Popen[str]") -> float:
    """Memory in use, on Linux; 0 elsewhere."""
    status = Path(f"/proc/{server.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
