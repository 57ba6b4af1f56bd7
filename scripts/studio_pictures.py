"""Make docs/images/studio-*: the studio with the demo clip and a second keyframe, at a desk and on a phone; and how a
rack is made, as an animation.

Run ``python -m scripts.studio_pictures``, or with names of pictures to make those alone; it needs the extra ``app``,
playwright, and Chromium on the PATH.
"""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, sync_playwright

from any2bokeh.app.access import Access
from any2bokeh.app.server import StudioServer, bind
from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.focus import TrackerChoice

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
PICTURES: dict[str, dict[str, Any]] = {
    "studio-desktop": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "studio-phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "device_scale_factor": 1.5,
        "has_touch": True,
    },
}
FRAME, FAR_ROBOT = 14, (0.64, 0.46)
JPEG_QUALITY = 88
RACK = "studio-rack"
"""The animation: the far robot is clicked on a later frame, and the focus goes to it."""
RACK_SCREEN: dict[str, Any] = {"viewport": {"width": 1200, "height": 860}, "color_scheme": "dark"}
RACK_SIZE = 1000, 716
RACK_ENDS_AT = 20
WEBP_QUALITY = 60
STEP_MS, LOOK_MS, REST_MS = 80, 1200, 2500
_WAITS_MS = 240_000
# The picture shows the newest decisions, nothing is on its way, and it is not provisional.
_SETTLED = """() => {
  const stage = document.querySelector('.st-stage'), {token, snapshot, frame, view} = window.studio.store;
  return snapshot.clip && stage.dataset.shown === `${token}/${snapshot.clip.revision}/${frame}/${view}`
    && !stage.hasAttribute('aria-busy') && stage.dataset.provisional === 'false'
    && !['estimating', 'following'].includes(snapshot.clip.finding.stage);
}"""
_ARRIVED = "() => window.studio && window.studio.store.snapshot"


def main() -> None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    chromium = next((path for path in map(shutil.which, names) if path), None)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        asked = sys.argv[1:] or [*PICTURES, RACK]
        for name, screen in PICTURES.items():
            if name not in asked:
                continue
            shot = np.frombuffer(_shot(browser, address, screen), np.uint8)
            picture = cv2.imdecode(shot, cv2.IMREAD_COLOR)
            assert picture is not None
            path = TARGET / f"{name}.jpg"
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            print(f"{path}: {path.stat().st_size} bytes")
        if RACK in asked:
            path = TARGET / f"{RACK}.webp"
            write_animation(path, Rack(browser, address).pictures)
            print(f"{path}: {path.stat().st_size} bytes")
        browser.close()


def _shot(browser: Browser, address: str, screen: dict[str, Any]) -> bytes:
    """A picture of the window, as PNG."""
    context = browser.new_context(**screen)
    page = context.new_page()
    _open_demo(page, address)
    page.get_by_role("slider", name="Frame", exact=True).fill(str(FRAME))
    page.wait_for_function(_SETTLED)
    area = page.locator(".st-pic").bounding_box()
    assert area is not None
    page.locator(".st-stage").click(position={"x": FAR_ROBOT[0] * area["width"], "y": FAR_ROBOT[1] * area["height"]})
    page.wait_for_function("() => window.studio.store.snapshot.clip.keyframes.length === 2")
    page.wait_for_function(_SETTLED)
    page.mouse.move(0, 0)
    page.wait_for_timeout(800)  # transitions of the page
    shot = page.screenshot()
    context.close()
    return shot


def _open_demo(page: Any, address: str) -> None:
    page.set_default_timeout(_WAITS_MS)
    page.goto(address)
    page.wait_for_function(_ARRIVED)
    page.get_by_role("button", name="Open the demo", exact=True).click()
    page.wait_for_function(_SETTLED)


class Rack:
    """A rack being made, picture by picture.

    Attributes:
        pictures: of the window, ``(H, W, 3)`` BGR, each with how long it is shown in milliseconds.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self.pictures: list[tuple[NDArray[np.uint8], int]] = []
        context = browser.new_context(**RACK_SCREEN)
        self._page = context.new_page()
        self._pointer = (600.0, 700.0)
        self._record(address)
        context.close()

    def _record(self, address: str) -> None:
        page = self._page
        _open_demo(page, address)
        page.wait_for_function(  # thumbnails, and the range of the disparity
            """() => { const {thumbnails, ribbon} = window.studio.store.snapshot.clip.overview;
            return thumbnails[0] === thumbnails[1] && !ribbon.includes(null); }"""
        )
        page.wait_for_timeout(800)  # transitions of the page
        self._shoot(LOOK_MS)
        line = page.locator("#timeline").bounding_box()
        assert line is not None
        one = line["width"] / page.evaluate("window.studio.store.snapshot.clip.frames - 1")
        self._go_to(line["x"], line["y"] + 22)
        page.mouse.down()
        for frame in range(0, FRAME + 1, 2):
            self._point(line["x"] + frame * one, line["y"] + 22)
            page.wait_for_function(_SETTLED)
            self._shoot(STEP_MS)
        page.mouse.up()
        self._shoot(LOOK_MS // 2)
        area = page.locator(".st-pic").bounding_box()
        assert area is not None
        self._go_to(area["x"] + FAR_ROBOT[0] * area["width"], area["y"] + FAR_ROBOT[1] * area["height"])
        page.mouse.click(*self._pointer)
        page.wait_for_function("() => window.studio.store.snapshot.clip.keyframes.length === 2")
        page.wait_for_function(_SETTLED)
        page.wait_for_timeout(400)
        self._shoot(LOOK_MS)
        # From the beginning: the focus goes over.
        page.mouse.move(0, 0)
        self._pointer = (-100.0, -100.0)
        for frame in range(RACK_ENDS_AT + 1):
            page.get_by_role("slider", name="Frame", exact=True).fill(str(frame))
            page.wait_for_function(_SETTLED)
            self._shoot(STEP_MS if 0 < frame < RACK_ENDS_AT else LOOK_MS)
        self._shoot(REST_MS)

    def _go_to(self, x: float, y: float) -> None:
        (from_x, from_y), steps = self._pointer, 6
        for step in range(1, steps + 1):
            share = step / steps
            self._point(from_x + share * (x - from_x), from_y + share * (y - from_y))
            self._shoot(STEP_MS)

    def _point(self, x: float, y: float) -> None:
        self._pointer = x, y
        self._page.mouse.move(x, y)

    def _shoot(self, shown_ms: int) -> None:
        """A picture of the window with the pointer, of which a browser without a screen draws none."""
        shot = cv2.imdecode(np.frombuffer(self._page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        assert shot is not None
        x, y = self._pointer
        arrow = np.array([(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)]) + np.array([x, y])
        corners = [np.rint(arrow).astype(np.int32)]
        cv2.fillPoly(shot, corners, (255, 255, 255), cv2.LINE_AA)
        cv2.polylines(shot, corners, True, (0, 0, 0), 1, cv2.LINE_AA)
        small = cv2.resize(shot, RACK_SIZE, interpolation=cv2.INTER_AREA)
        self.pictures.append((np.asarray(small, np.uint8), shown_ms))


def write_animation(path: Path, pictures: list[tuple[NDArray[np.uint8], int]]) -> None:
    """An animated WebP that goes round and round."""
    height, width = pictures[0][0].shape[:2]
    with av.open(str(path), "w", format="webp", options={"loop": "0"}) as container:
        options = {"quality": str(WEBP_QUALITY), "compression_level": "6"}
        stream: Any = container.add_stream("libwebp_anim", rate=1000, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        at_ms = 0
        for picture, shown_ms in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
            at_ms += shown_ms
        container.mux(stream.encode(None))


@contextmanager
def served() -> Iterator[str]:
    """A studio on a free port, and its address."""
    studio, bound = Studio(Settings(tracker=TrackerChoice("classical"))), bind("127.0.0.1", 0)
    server = StudioServer(studio, Access())
    bound.listen(64)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(30)
        bound.close()
        studio.close()


if __name__ == "__main__":
    main()
