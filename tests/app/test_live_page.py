"""The page draws the picture itself while sliders move, where the browser has WebGPU; in Chromium, on SwiftShader."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from any2bokeh.app.settings import Limits, Settings
from any2bokeh.focus import TrackerChoice
from tests.app import test_page
from tests.app.conftest import FAR_POINT, HEIGHT, WIDTH, Site, served
from tests.app.live.test_browser import _VULKAN, _WEBGPU  # pyright: ignore[reportPrivateUsage]
from tests.app.test_page import (
    _CHROMIUM,  # pyright: ignore[reportPrivateUsage]
    _SETTLED,  # pyright: ignore[reportPrivateUsage]
    Studio,
    compile_the_renderer,
)

pytestmark = test_page.pytestmark

_READY = "() => document.querySelector('.st-stage').dataset.preview === 'ready'"
_DRAWN = "(before) => Number(document.querySelector('.st-stage').dataset.previews ?? 0) > before"
_LIVE = ("/static/live/", "/live-engine", "/live-frame")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    compile_the_renderer()
    limits = Limits(upload_bytes=2 << 20, sessions=40, grace_s=1000)
    with served(Settings(limits=limits, depth_model="rough", tracker=TrackerChoice("classical"))) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One with WebGPU, by the processor."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", *_WEBGPU, *_VULKAN])
        yield opened
        opened.close()


class LivePage(Studio):
    """The page, and what it asked for."""

    def __init__(self, page: Any, site: Site, mode: str = "") -> None:
        super().__init__(page, site)
        self.mode = mode
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    def arrive(self) -> None:
        self.page.goto(self.site.address + self.mode)
        self.page.wait_for_function("() => window.studio && window.studio.store.snapshot")

    def asked(self, *parts: str) -> list[str]:
        return [each for each in self.requests if any(part in each for part in parts)]

    def until(self, state: str, arg: Any = None) -> None:
        # Not by animation frames, which this browser does not give where nothing moves.
        self.page.wait_for_function(state, arg=arg, polling=100, timeout=120_000)

    def settle(self) -> None:
        self.until(_SETTLED)

    def change(self, act: Any) -> None:
        before = self.revision()
        act()
        self.until("(before) => window.studio.store.snapshot.clip.revision > before", before)
        self.settle()

    @contextmanager
    def commands_held(self) -> Iterator[list[dict[str, Any]]]:
        """The studio hears of nothing: SwiftShader is slower than it. Gives what it is to hear."""
        kept: list[Any] = []
        told: list[dict[str, Any]] = []

        is_over = False

        def keep(route: Any) -> None:
            if is_over:
                route.fallback()
                return
            kept.append(route)
            told.append(route.request.post_data_json)

        self.page.route("**/command", keep)
        yield told
        is_over = True
        for route in kept:
            route.continue_()

    def has_gpu(self) -> bool:
        return self.page.evaluate("navigator.gpu ? navigator.gpu.requestAdapter().then(each => each !== null) : false")

    def previews(self) -> int:
        return self.page.evaluate("Number(document.querySelector('.st-stage').dataset.previews ?? 0)")

    def slide(self, name: str, value: float) -> None:
        """Move a slider, and keep hold of it."""
        slider = self.page.get_by_role("slider", name=name, exact=True)
        slider.evaluate(
            """(slider, value) => {
              slider.value = value;
              slider.dispatchEvent(new Event('input', {bubbles: true}));
            }""",
            value,
        )

    def seen(self, what: str) -> NDArray[np.float32]:
        """An image or canvas of the stage as it appears on the screen, ``(H, W, 3)`` at the size of the clip."""
        shot = cv2.imdecode(np.frombuffer(self.page.locator(what).screenshot(), np.uint8), cv2.IMREAD_COLOR)
        assert shot is not None
        return cv2.resize(shot, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


@pytest.fixture
def opened(site: Site, browser: Any) -> Iterator[LivePage]:
    context = browser.new_context(viewport={"width": 900, "height": 700})
    seen = LivePage(context.new_page(), site, "/?webgpu=software")
    yield seen
    context.close()
    assert seen.faults == []


def near_the_sliders(opened: LivePage) -> None:
    """Wait until the page can draw."""
    if not opened.has_gpu():
        pytest.skip("this Chromium has no WebGPU on SwiftShader")
    opened.page.locator("#panel-focus").hover()
    opened.until(_READY)


@pytest.mark.slow
def test_what_sliders_move_is_drawn_until_the_studios_picture_has_come(opened: LivePage):
    page, live = opened.page, opened.page.locator("#live")
    opened.open()
    opened.go(3)
    assert opened.asked(*_LIVE) == []  # nobody has come near a slider
    near_the_sliders(opened)
    assert live.is_hidden()
    before = opened.seen("#stage")
    with opened.commands_held() as held:
        opened.requests.clear()
        opened.slide("Blur strength K (px)", 60)
        opened.until(_DRAWN, 0)
        assert opened.asked("/picture") == []
        assert live.is_visible()
        assert live.bounding_box() == page.locator("#picture").bounding_box()
        assert "K 60.0 px" in page.locator("#read").inner_text()
        drawn = opened.seen("#stage")
        assert abs(drawn - before).mean() > 2.5  # 4.0
        assert held == [{"do": "blur", "frame": 3, "strength": 60, "begins": False}]
    opened.until("() => document.querySelector('#live').hidden")
    opened.settle()
    assert opened.keyframes()[0]["blur_strength"] == 60
    # The draft has half the size: the mean of fine texture is taken of code values there and of light here.
    assert abs(opened.seen("#stage") - drawn).mean() < 4  # worst seen 3.5

    with opened.commands_held() as held:
        page.get_by_role("radio", name="400%").click()
        opened.tab("Lens")
        count = opened.previews()
        for blades in (1, 2, 5):  # no iris has 1 or 2
            opened.slide("Iris blades", blades)
        opened.until(_DRAWN, count)
        assert live.is_visible()
        assert live.bounding_box() == page.locator("#picture").bounding_box()
        assert live.bounding_box()["width"] > 700
        opened.tab("Focus")
        page.get_by_text("Lens data", exact=True).click()
        count = opened.previews()
        opened.slide("Aperture (f-number)", 4)
        opened.until(_DRAWN, count)
        product = page.evaluate("window.studio.store.snapshot.clip.f_number_times_blur")
        assert f"K {product / 4:#.3g} px" in page.locator("#read").inner_text()
    opened.until("() => document.querySelector('#live').hidden")
    opened.settle()
    assert page.evaluate("window.studio.store.snapshot.clip.lens.look.blades") == 5
    assert opened.keyframes()[0]["blur_strength"] == pytest.approx(product / 4, abs=1e-3)

    # Other views and tools show the studio's pictures alone.
    shows = {"3": "1", "c": "c", "m": "m"}
    for key, back in shows.items():
        with opened.commands_held():
            count = opened.previews()
            opened.slide("Focal length (mm)", 60 + 5 * len(key))
            opened.until(_DRAWN, count)
            assert live.is_visible()
            page.keyboard.press(key)
            assert live.is_hidden()
            page.keyboard.press(back)
        opened.settle()
    with opened.commands_held():
        count = opened.previews()
        opened.slide("Distance of the subject (m)", 3)
        opened.until(_DRAWN, count)
        page.locator("#stage").focus()
        page.keyboard.press("ArrowRight")
        assert live.is_hidden()
    opened.settle()
    key = page.locator(".st-key.is-blur").bounding_box()
    assert key is not None
    with opened.commands_held() as held:
        count = opened.previews()
        page.mouse.move(key["x"] + key["width"] / 2, key["y"] + key["height"] / 2)
        opened.until("() => document.querySelector('.st-stage').dataset.holds.startsWith('4/')")
        page.mouse.down()
        page.mouse.move(key["x"] + key["width"] / 2, key["y"] - 4, steps=2)
        opened.until(_DRAWN, count)
        assert held == []
        page.mouse.up()
        assert live.is_visible()
    opened.until("() => document.querySelector('#live').hidden")
    opened.settle()
    assert len(opened.asked("/live-engine")) == 0  # since the sliders came near
    assert len(opened.asked("/live-frame")) <= 1  # of the next frame


@pytest.mark.slow
def test_the_blur_on_its_way_to_another_is_drawn_as_the_studio_reckons_it(opened: LivePage):
    page, read = opened.page, opened.page.locator("#read")
    opened.open()
    opened.go(16)
    opened.click(FAR_POINT)
    page.locator("#blur-from-here").check()
    opened.change(lambda: page.get_by_role("slider", name="Blur strength K (px)").fill("60"))
    page.locator("#blur-from-here").uncheck()
    opened.go(12)
    near_the_sliders(opened)
    opened.until("() => document.querySelector('.st-stage').dataset.holds.startsWith('12/')")
    drawn = []
    for name, value in (("Blur strength K (px)", 44), ("Focal length (mm)", 70)):
        with opened.commands_held():
            count = opened.previews()
            opened.slide(name, value)
            opened.until(_DRAWN, count)
            drawn.append(read.inner_text())
        opened.until("() => document.querySelector('#live').hidden")
        opened.settle()
        assert read.inner_text() == drawn[-1]
        page.get_by_text("Lens data", exact=True).click()
    assert 44 < float(drawn[0].split()[-2]) < 60
    assert drawn[0] != drawn[1]


_KEEP_DEVICES = """if (window.GPUAdapter) {
  const request = GPUAdapter.prototype.requestDevice;
  window.devices = [];
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    window.devices.push(device);
    return device;
  };
}"""


@pytest.mark.slow
def test_a_gpu_that_is_lost_leaves_the_studios_pictures(opened: LivePage):
    page = opened.page
    page.add_init_script(_KEEP_DEVICES)
    opened.open()
    near_the_sliders(opened)
    with opened.commands_held() as held:
        opened.slide("Blur strength K (px)", 60)
        opened.until(_DRAWN, 0)
        page.evaluate("window.devices[0].destroy()")
        opened.until("() => document.querySelector('.st-stage').dataset.preview === 'none'")
        assert page.locator("#live").is_hidden()
        assert len(held) == 1  # what was decided is not lost
    opened.until("() => window.studio.store.snapshot.clip.revision === 1")
    opened.settle()
    count = opened.previews()
    opened.change(lambda: page.get_by_role("slider", name="Blur strength K (px)").fill("30"))
    assert opened.keyframes()[0]["blur_strength"] == 30
    assert opened.previews() == count
    assert page.locator(".st-message").is_hidden()


@pytest.mark.slow
def test_a_gpu_that_draws_something_else_is_not_used(opened: LivePage):
    def spoilt(route: Any) -> None:
        answer = route.fetch()
        body = bytearray(answer.body())
        size = 4 + int.from_bytes(body[:4], "little")
        begin = size + json.loads(body[4:size])["arrays"]["pixels"]["at"]
        body[begin : begin + WIDTH * HEIGHT] = bytes(WIDTH * HEIGHT)  # no red
        route.fulfill(response=answer, body=bytes(body))

    opened.page.route("**/live-frame?*", spoilt)
    opened.open()
    if not opened.has_gpu():
        pytest.skip("this Chromium has no WebGPU on SwiftShader")
    opened.page.locator("#panel-focus").hover()
    opened.until("() => document.querySelector('.st-stage').dataset.preview === 'none'")
    assert "codes off" in opened.page.evaluate("document.querySelector('.st-stage').dataset.fault")
    opened.change(lambda: opened.page.get_by_role("slider", name="Blur strength K (px)").fill("30"))
    assert opened.previews() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "before"),
    [
        ("/", ""),
        ("/?webgpu=off", ""),
        ("/?webgpu=software", "Object.defineProperty(navigator, 'gpu', {value: undefined})"),
        ("/?webgpu=software", "if (navigator.gpu) navigator.gpu.requestAdapter = async () => null"),
    ],
    ids=["software", "off", "no WebGPU", "no adapter"],
)
def test_where_no_gpu_draws_nothing_of_it_is_asked_for(site: Site, browser: Any, mode: str, before: str):
    context = browser.new_context(viewport={"width": 900, "height": 700})
    opened = LivePage(context.new_page(), site, mode)
    opened.page.add_init_script(before)
    require_no_preview(opened)
    context.close()
    assert opened.faults == []


def require_no_preview(opened: LivePage) -> None:
    """Sliders ask the studio, as they did, and it alone."""
    opened.open()
    opened.page.locator("#panel-focus").hover()
    opened.change(lambda: opened.page.get_by_role("slider", name="Blur strength K (px)").fill("50"))
    assert opened.keyframes()[0]["blur_strength"] == 50
    opened.click(FAR_POINT)
    assert opened.page.locator("#live").is_hidden()
    assert opened.previews() == 0
    assert opened.asked(*_LIVE) == []
