"""Make docs/images/studio-*.jpg: the studio with the demo clip and a second keyframe, at a desk and on a phone.

Run ``python -m scripts.studio_pictures``; it needs the extra ``app``, playwright, and Chromium on the PATH.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
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
        for name, screen in PICTURES.items():
            shot = np.frombuffer(_shot(browser, address, screen), np.uint8)
            picture = cv2.imdecode(shot, cv2.IMREAD_COLOR)
            assert picture is not None
            path = TARGET / f"{name}.jpg"
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            print(f"{path}: {path.stat().st_size} bytes")
        browser.close()


def _shot(browser: Browser, address: str, screen: dict[str, Any]) -> bytes:
    """A picture of the window, as PNG."""
    context = browser.new_context(**screen)
    page = context.new_page()
    page.set_default_timeout(_WAITS_MS)
    page.goto(address)
    page.wait_for_function(_ARRIVED)
    page.get_by_role("button", name="Open the demo", exact=True).click()
    page.wait_for_function(_SETTLED)
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
