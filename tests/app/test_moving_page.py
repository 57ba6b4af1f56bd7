"""The page refocuses the clip that it plays itself, where the browser has WebGPU; in Chromium, on SwiftShader."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.app.final_region import Region
from any2bokeh.app.session import Session
from tests.app import test_live_page, test_page
from tests.app.conftest import FPS, Site, decoded_jpeg, wait_for, write_disparity_video, write_video
from tests.app.test_live_page import _KEEP_DEVICES, LivePage  # pyright: ignore[reportPrivateUsage]

pytestmark = [*test_page.pytestmark, pytest.mark.slow]
site, browser = test_live_page.site, test_live_page.browser

# SwiftShader takes a second for a frame of 192x108.
WIDTH, HEIGHT, FRAMES = 96, 54, 2 * FPS
NEAR_POINT = (0.3, 0.5)
_LIVE = (*test_live_page._LIVE, "/live-disparity")  # pyright: ignore[reportPrivateUsage]

# Keeps each frame that is drawn, by its number, as the canvas has it: code values, row by row. A canvas cannot be read
# any more once it was presented, so it is not displayed.
_KEEP_FRAMES = """() => {
  const stage = document.querySelector('.st-stage'), canvas = document.querySelector('#moving');
  const small = Object.assign(document.createElement('canvas'), {width: 96, height: 54}), kept = window.kept = {};
  const context = small.getContext('2d', {willReadFrequently: true});
  canvas.style.display = 'none';
  new MutationObserver(() => {
    context.drawImage(canvas, 0, 0);
    kept[stage.dataset.moving] = [...context.getImageData(0, 0, 96, 54).data];
  }).observe(stage, {attributeFilter: ['data-moving']});
}"""


def picture(index: int) -> NDArray[np.uint8]:
    """A red square with checks that moves before checks."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    shown = np.repeat(70 + 110 * ((columns // 4 + rows // 4) % 2)[..., None], 3, axis=2)
    square = shown[14:40, _left(index) : _left(index) + 26]
    square[..., 0], square[..., 1:] = 200, square[..., 1:] // 2
    return shown.astype(np.uint8)


def disparity(index: int) -> NDArray[np.float64]:
    far = np.full((HEIGHT, WIDTH), 0.1)
    far[14:40, _left(index) : _left(index) + 26] = 0.9
    return far


def _left(index: int) -> int:
    return 18 + index // 8


@pytest.fixture
def opened(site: Site, browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LivePage]:
    """The page with the clip, its disparity, and its small copy; the square is in focus."""
    context = browser.new_context(viewport={"width": 900, "height": 700})
    seen = LivePage(context.new_page(), site, getattr(request, "param", "/?webgpu=software"))
    seen.page.add_init_script(_KEEP_DEVICES)
    seen.arrive()
    video = write_video(tmp_path / "clip.mp4", frames=FRAMES, tone=True, picture=picture)
    seen.page.locator("#file-video").set_input_files(video)
    # Its small copy goes with the disparity that comes: not while the page loads it.
    seen.until("() => window.studio.store.snapshot.clip && document.querySelector('#proxy').readyState === 4")
    maps = write_disparity_video(tmp_path / "disparity.mkv", frames=FRAMES, disparity=disparity)
    seen.page.locator("#file-disparity").set_input_files(maps)
    seen.until("() => window.studio.store.snapshot.clip.depth === 'from a file'")
    seen.click(NEAR_POINT)
    seen.until("() => window.studio.store.snapshot.clip.playback.proxy === 'ready'")
    seen.settle()
    yield seen
    context.close()
    assert seen.faults == []


def session_of(opened: LivePage) -> Session:
    return opened.site.studio.session(opened.page.evaluate("window.studio.store.token"))


def begin(opened: LivePage) -> None:
    if not opened.has_gpu():
        pytest.skip("this Chromium has no WebGPU on SwiftShader")
    assert opened.asked(*_LIVE) == []
    opened.page.keyboard.press(" ")
    opened.until("() => window.studio.store.drawn >= 1")


def kept(opened: LivePage) -> dict[int, NDArray[np.float32]]:
    found = opened.page.evaluate("window.kept")
    return {int(frame): np.array(each, np.float32).reshape(HEIGHT, WIDTH, 4)[..., :3] for frame, each in found.items()}


def require_refocused(opened: LivePage) -> None:
    """What was drawn is the studio's picture of the same frame, and not the clip's."""
    session, drawn = session_of(opened), kept(opened)
    assert len(drawn) >= 3
    for frame in sorted(drawn)[:: max(1, len(drawn) // 4)]:
        plain = decoded_jpeg(session.picture(frame, "source").jpeg)
        apart, from_plain = abs(drawn[frame] - rendered(opened, frame)).mean(), abs(drawn[frame] - plain).mean()
        assert apart < 3.5  # worst seen 2.1; a frame of another second is 5 off
        assert from_plain > 20  # seen 25
        assert contrast(drawn[frame]) < 0.7 * contrast(plain)  # 0.58


def is_on_the_screen(opened: LivePage) -> bool:
    """Whether what lies behind the square, which stands still, appears there as a render has it. No draft does."""
    shot = cv2.imdecode(np.frombuffer(opened.page.locator("#stage").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert shot is not None
    seen = cv2.resize(shot, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
    return abs(seen - rendered(opened, 0))[8:46, 66:88].mean() < 8  # seen 3.9; drafts are 16 off, the clip 25


def rendered(opened: LivePage, frame: int) -> NDArray[np.float32]:
    """A frame in final quality: a draft has half the size, for which checks of 4 px are too fine."""
    jpeg, _, _ = session_of(opened).final(frame, "result", Region(0, 0, 1, 1), is_first=True)
    return decoded_jpeg(jpeg)


def contrast(shown: NDArray[np.float32]) -> float:
    """Of the checks behind the square."""
    return float(shown[8:46, 66:88].std())


def test_what_is_played_is_refocused_by_the_page(opened: LivePage):
    page = opened.page
    page.evaluate(_KEEP_FRAMES)
    page.evaluate(
        "() => { OffscreenCanvas.prototype.getContext = () => { throw new Error('a frame is read back'); }; }"
    )
    begin(opened)
    opened.until("() => window.studio.store.rounds >= 2 && window.studio.store.drawn >= 8")
    told = page.evaluate(
        """() => { const video = document.querySelector('#proxy'), {store} = window.studio;
        return {decoded: video.getVideoPlaybackQuality().totalVideoFrames, heard: video.webkitAudioDecodedByteCount,
          muted: video.muted, paused: video.paused, drawn: store.drawn,
          width: document.querySelector('#moving').width}; }"""
    )
    assert told["decoded"] > told["drawn"] >= 8  # what cannot be drawn in time is left out
    assert told["heard"] > 1000
    assert (told["muted"], told["paused"], told["width"]) == (False, False, WIDTH)
    require_refocused(opened)
    page.evaluate("document.querySelector('#moving').style.display = ''")
    wait_for(lambda: is_on_the_screen(opened), lambda: "the canvas is not displayed")

    # A decision while it plays.
    page.evaluate("document.querySelector('#moving').style.display = 'none'")
    page.get_by_role("slider", name="Blur strength K (px)").fill("0")
    wait_for(lambda: any(contrast(each) > 45 for each in kept(opened).values()), lambda: "it is blurred as before")
    page.keyboard.press(" ")
    assert page.evaluate("['moving', 'played', 'proxy'].every((id) => document.getElementById(id).hidden)")
    opened.settle()
    assert page.evaluate("window.studio.store.exact.blur") == 0
    assert opened.asked("/live-frame?") == opened.asked("/live-frame?")[:1]  # to see whether the GPU can be trusted


def test_pixels_are_read_back_where_the_browser_copies_no_video(opened: LivePage):
    page = opened.page
    refuse = """() => { window.copies = window.reads = 0;
      GPUQueue.prototype.copyExternalImageToTexture = () => { window.copies += 1; throw new TypeError('no video'); };
      const {getImageData} = OffscreenCanvasRenderingContext2D.prototype;
      OffscreenCanvasRenderingContext2D.prototype.getImageData =
        function (...all) { window.reads += 1; return getImageData.apply(this, all); }; }"""
    page.evaluate(refuse)
    page.evaluate(_KEEP_FRAMES)
    begin(opened)
    opened.until("() => Object.keys(window.kept).length >= 3")
    page.keyboard.press(" ")
    require_refocused(opened)
    assert page.evaluate("window.copies") == 1  # asked once
    assert page.evaluate("window.reads") >= 3


def test_a_gpu_that_is_lost_leaves_the_studios_frames(opened: LivePage):
    page, project = opened.page, session_of(opened).opened()
    project.keep_part(20, 27)
    session_of(opened).changes.tell()
    opened.until("() => window.studio.store.snapshot.clip.playback.first === 20")
    page.evaluate(_KEEP_FRAMES)
    begin(opened)
    opened.until("() => Object.keys(window.kept).length >= 3")
    assert set(kept(opened)) <= set(range(20, 28))
    wait_for(lambda: not project.playback.snapshot()["is_playing"], lambda: "the studio makes frames, too")
    page.evaluate("window.devices.forEach((each) => each.destroy())")
    opened.until("() => /lost/.test(document.querySelector('.st-stage').dataset.moving)")
    played, drawn = page.evaluate("[window.studio.store.played, window.studio.store.drawn]")
    opened.until("(played) => window.studio.store.played >= played + 3", played)
    assert page.evaluate("document.querySelector('#moving').hidden")
    assert page.locator("#played").is_visible()
    assert page.evaluate("window.studio.store.drawn") == drawn
    assert page.locator(".st-message").is_hidden()
    page.keyboard.press(" ")
    opened.settle()


def test_a_gpu_that_draws_something_else_does_not_play(opened: LivePage):
    def spoilt(route: Any) -> None:
        answer = route.fetch()
        body = bytearray(answer.body())
        size = 4 + int.from_bytes(body[:4], "little")
        begin = size + json.loads(body[4:size])["arrays"]["pixels"]["at"]
        body[begin : begin + WIDTH * HEIGHT] = bytes(WIDTH * HEIGHT)  # no red
        route.fulfill(response=answer, body=bytes(body))

    if not opened.has_gpu():
        pytest.skip("this Chromium has no WebGPU on SwiftShader")
    opened.page.route("**/live-frame?*", spoilt)
    opened.page.keyboard.press(" ")
    opened.until("() => /codes off/.test(document.querySelector('.st-stage').dataset.moving)")
    opened.until("() => window.studio.store.played >= 3")
    assert opened.page.evaluate("window.studio.store.drawn") == 0
    assert opened.asked("/live-disparity") == []
    opened.page.keyboard.press(" ")


@pytest.mark.parametrize("opened", ["/", "/?webgpu=off"], ids=["software", "off"], indirect=True)
def test_where_no_gpu_draws_the_studio_makes_the_frames(opened: LivePage):
    opened.page.keyboard.press(" ")
    opened.until("() => window.studio.store.rounds >= 1 && window.studio.store.played >= 3")
    opened.page.keyboard.press(" ")
    assert opened.page.evaluate("window.studio.store.drawn") == 0
    assert opened.page.locator("#moving").is_hidden()
    assert opened.asked(*_LIVE) == []
