"""The studio in a real browser, headless."""

import importlib.util
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.app.settings import Limits, Settings
from any2bokeh.cli.main import run
from any2bokeh.focus import FocusScript, TrackerChoice
from any2bokeh.renderers.base import RenderInput
from any2bokeh.renderers.layered.reduced import layered_renderer
from tests import clips
from tests.app.conftest import FAR_POINT, FRAMES, HANGS_AFTER_S, NEAR_POINT, WIDTH, Site, served, wait_for, write_video

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM = next((path for path in map(shutil.which, _BROWSERS) if path), None)

pytestmark = [
    pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium on the PATH, to open the page in"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="needs playwright, to drive a browser"),
    pytest.mark.skipif(importlib.util.find_spec("starlette") is None, reason="needs starlette, of the extra [app]"),
    pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="needs uvicorn, of the extra [app]"),
]

# Standard deviation of the pixels around a point of the picture, in 9x9 px: how much of its fine texture is left.
_DETAIL = """([x, y]) => {
  const picture = document.querySelector('.st-pic');
  const size = {width: picture.naturalWidth, height: picture.naturalHeight};
  const canvas = Object.assign(document.createElement('canvas'), size);
  const context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const left = Math.floor(x * canvas.width) - 4, top = Math.floor(y * canvas.height) - 4;
  const data = context.getImageData(left, top, 9, 9).data;
  let total = 0;
  for (let c = 0; c < 3; c++) {
    const values = [...Array(81).keys()].map(i => data[4 * i + c]);
    const mean = values.reduce((a, b) => a + b) / 81;
    total += Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 81);
  }
  return total / 3;
}"""
# The picture shows the newest decisions, nothing is on its way, and it is not provisional.
_SETTLED = """() => {
  const stage = document.querySelector('.st-stage'), {token, snapshot, frame, view} = window.studio.store;
  return snapshot.clip && stage.dataset.shown === `${token}/${snapshot.clip.revision}/${frame}/${view}`
    && !stage.hasAttribute('aria-busy') && stage.dataset.provisional === 'false'
    && !['estimating', 'following'].includes(snapshot.clip.finding.stage);
}"""
_ARRIVED = "() => window.studio && window.studio.store.snapshot"
_CLIP = "window.studio.store.snapshot.clip"
_HANGS_AFTER_MS = 1000 * HANGS_AFTER_S


class Studio:
    """The page, with the hands and the eyes of a person."""

    def __init__(self, page: Any, site: Site) -> None:
        self.page, self.site = page, site
        self.faults: list[str] = []
        page.set_default_timeout(_HANGS_AFTER_MS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)

    def _said(self, said: Any) -> None:
        # Chromium itself notes that it has WebGPU and no graphics processor.
        if said.type in ("error", "warning") and said.text != "No available adapters.":
            self.faults.append(f"{said.text} ({said.location.get('url', '')})")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.site.address, "blob:", "data:")):
            self.faults.append(f"asked another host: {request.url}")

    def open(self) -> None:
        self.arrive()
        self.page.get_by_role("button", name="Open the demo", exact=True).click()
        self.settle()

    def arrive(self) -> None:
        self.page.goto(self.site.address)
        self.page.wait_for_function(_ARRIVED)

    def settle(self) -> None:
        self.page.wait_for_function(_SETTLED)

    def detail(self, point: tuple[float, float]) -> float:
        return self.page.evaluate(_DETAIL, list(point))

    def revision(self) -> int:
        return self.page.evaluate("window.studio.store.snapshot.clip.revision")

    def click(self, point: tuple[float, float], **more: Any) -> None:
        before = self.revision()
        box = self.page.locator(".st-pic").bounding_box()
        place = {"x": point[0] * box["width"], "y": point[1] * box["height"]}
        self.page.locator(".st-stage").click(position=place, **more)
        self.page.wait_for_function("(before) => window.studio.store.snapshot.clip.revision > before", arg=before)
        self.settle()

    def change(self, act: Any) -> None:
        before = self.revision()
        act()
        self.page.wait_for_function("(before) => window.studio.store.snapshot.clip.revision > before", arg=before)
        self.settle()

    def go(self, frame: int) -> None:
        self.page.get_by_role("slider", name="Frame", exact=True).fill(str(frame))
        self.settle()

    def keyframes(self) -> list[dict[str, Any]]:
        return self.page.evaluate("window.studio.store.snapshot.clip.keyframes")

    def message(self) -> str:
        alert = self.page.locator(".st-message")
        alert.wait_for(state="visible")
        return alert.inner_text()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()


def compile_the_renderer() -> None:
    """On a new machine that takes longer than a page waits for a picture."""
    pixels = np.zeros((3, 64, 64), np.float32)
    disparity = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (1, 64, 64)).copy()
    layered_renderer("draft").render_frame(RenderInput(pixels, disparity, 0.5, 200.0))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    compile_the_renderer()
    limits = Limits(upload_bytes=2 << 20, sessions=40, grace_s=1)
    with served(Settings(limits=limits, depth_model="rough", tracker=TrackerChoice("classical"))) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def opened(site: Site, browser: Any) -> Iterator[Studio]:
    """The page at desktop size; it must have said nothing to the console, and asked no other host."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    seen = Studio(context.new_page(), site)
    yield seen
    context.close()
    assert seen.faults == []


def test_focus_goes_where_it_is_clicked(opened: Studio):
    opened.open()
    page = opened.page
    [first] = opened.keyframes()
    assert (first["frame"], first["locked"]) == (0, False)
    near, far = opened.detail(NEAR_POINT), opened.detail(FAR_POINT)

    opened.click(FAR_POINT)
    [now] = opened.keyframes()
    assert now["point"] == pytest.approx(FAR_POINT, abs=0.01)
    assert (now["track"], now["locked"]) == (True, False)
    assert opened.detail(FAR_POINT) > 1.15 * far
    assert opened.detail(NEAR_POINT) < 0.85 * near
    assert page.locator(".st-rows li").count() == 1
    assert page.locator(".st-key:not(.is-blur)").count() == 1

    blurred = opened.detail(NEAR_POINT)
    opened.change(lambda: page.get_by_role("slider", name="Blur strength K (px)").fill("90"))
    assert opened.keyframes()[0]["blur_strength"] == 90
    assert opened.detail(NEAR_POINT) < 0.8 * blurred

    opened.go(16)
    opened.click(NEAR_POINT, modifiers=["Shift"])
    assert [(k["frame"], k["locked"]) for k in opened.keyframes()] == [(0, False), (16, True)]

    opened.change(lambda: page.keyboard.press("Control+z"))
    assert len(opened.keyframes()) == 1
    opened.change(lambda: page.keyboard.press("Control+Shift+Z"))
    assert len(opened.keyframes()) == 2

    page.locator("#file-video").set_input_files(
        {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"not a video, but a note to myself"}
    )
    page.get_by_role("button", name="Open the other clip").click()
    assert "notes.mp4 is not a video" in opened.message()
    assert len(opened.keyframes()) == 2  # what was open is open still
    # Chromium itself notes the refusal.
    opened.faults = [fault for fault in opened.faults if "status of 400" not in fault]


def test_buttons_cannot_be_used_before_their_script_hears_them(site: Site, browser: Any):
    """A click on a page that is still loading is not lost: buttons come to life with the script that hears them."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    try:
        opened, kept = Studio(context.new_page(), site), []
        page = opened.page
        # The script is on its way as long as the test wants.
        page.route("**/static/main.js", lambda route: kept.append(route))
        page.goto(site.address, wait_until="commit")
        page.locator("main[inert]").wait_for(state="attached")
        page.wait_for_timeout(200)
        for route in kept:
            route.continue_()
        page.get_by_role("button", name="Open the demo", exact=True).click()
        page.locator("#columns").wait_for(state="visible")
    finally:
        context.close()


@pytest.mark.slow
def test_keyboard_alone_is_enough(opened: Studio):
    opened.open()
    page = opened.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("window.studio.store.frame") == 11
    page.keyboard.press("Home")
    for key, view in (("3", "plane"), ("4", "depth"), ("2", "source"), ("1", "result")):
        page.keyboard.press(key)
        opened.settle()
        assert page.evaluate("window.studio.store.view") == view
        assert page.locator(f"[data-view={view}]").get_attribute("aria-checked") == "true"
    page.keyboard.press("f")
    for key in ["ArrowRight"] * 10 + ["ArrowUp"] * 3:  # from the middle, in steps of 2%
        page.keyboard.press(key)
    opened.change(lambda: page.keyboard.press("Enter"))
    assert opened.keyframes()[0]["point"] == pytest.approx([0.7, 0.44])
    page.keyboard.press("]")
    assert page.evaluate("window.studio.store.frame") == FRAMES - 1
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    opened.change(lambda: page.keyboard.press("Delete"))
    assert opened.keyframes() == []
    assert page.locator(".st-hint").inner_text() == "Click the subject that should be in focus"


@pytest.mark.slow
def test_keyframes_are_dragged_and_edited(opened: Studio):
    opened.open()
    page = opened.page
    area, key = page.locator(".st-timeline").bounding_box(), page.locator(".st-key:not(.is-blur)").bounding_box()
    y = key["y"] + key["height"] / 2
    page.mouse.move(key["x"] + key["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 10 / (FRAMES - 1), y, steps=4)
    opened.change(page.mouse.up)
    assert [k["frame"] for k in opened.keyframes()] == [10]
    assert page.evaluate("window.studio.store.frame") == 10
    row = page.locator(".st-rows li")
    for name, value in (
        ("Frame of the keyframe", "4"),
        ("Transition, seconds", "0.25"),
        ("Blur strength K, pixels", "33"),
    ):
        field = row.get_by_label(name)
        field.fill(value)
        opened.change(lambda field=field: field.press("Enter"))
    opened.change(lambda: row.get_by_label("Easing").select_option("linear"))
    opened.change(lambda: row.get_by_role("button", name="Lock", exact=True).click())
    opened.change(lambda: row.get_by_role("button", name="Follow").click())
    [now] = opened.keyframes()
    assert (now["frame"], now["transition_s"], now["blur_strength"]) == (4, 0.25, 33)
    assert (now["easing"], now["locked"], now["track"]) == ("linear", True, False)


_FAULTS_OF_ACCESS = """() => {
  const faults = [], tell = (what, e) => faults.push(`${what}: ${e.outerHTML.slice(0, 120)}`);
  const all = (selector) => [...document.querySelectorAll(selector)].filter((e) => !e.closest('[aria-hidden=true]'));
  const controls = 'button, input, select, textarea, a[href], video, summary, [role=radio], [role=tab], [tabindex="0"]';
  for (const e of all(controls)) {
    const labels = [...(e.labels || [])].some((l) => l.textContent.trim());
    const by = (e.getAttribute('aria-labelledby') || '').split(' ')
      .some((id) => document.getElementById(id)?.textContent);
    if (!(e.getAttribute('aria-label') || e.textContent.trim() || labels || by)) tell('no name', e);
    if (e.parentElement.closest('button, a[href], select, summary')) tell('within another control', e);
  }
  for (const e of all('img')) if (!e.hasAttribute('alt')) tell('no alternative text', e);
  const ids = all('[id]').map((e) => e.id);
  for (const e of all('[id]')) if (ids.filter((id) => id === e.id).length > 1) tell('id twice', e);
  for (const e of all('[for], [aria-controls], [aria-describedby], [aria-labelledby]')) {
    for (const name of ['for', 'aria-controls', 'aria-describedby', 'aria-labelledby']) {
      for (const id of (e.getAttribute(name) || '').split(' ').filter(Boolean)) {
        if (!document.getElementById(id)) tell(`${name} of nothing`, e);
      }
    }
  }
  for (const e of all('[role=tablist]')) if (!e.querySelector('[role=tab][aria-selected=true]')) tell('no tab', e);
  for (const e of all('[role=radiogroup]')) if (!e.querySelector('[aria-checked=true]')) tell('no choice', e);
  if (!document.documentElement.lang || !document.title) faults.push('no language or title');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one main heading');
  return faults;
}"""


@pytest.mark.slow
def test_controls_have_names_and_stand_alone(opened: Studio):
    opened.arrive()
    assert opened.page.evaluate(_FAULTS_OF_ACCESS) == []
    opened.open()
    opened.go(10)
    opened.click(FAR_POINT)
    for tab in ("Focus", "Lens", "Render"):
        opened.tab(tab)
        assert opened.page.evaluate(_FAULTS_OF_ACCESS) == []


def test_keys_work_after_a_slider_was_used(opened: Studio):
    opened.open()
    page = opened.page
    slider = page.get_by_role("slider", name="Blur strength K (px)")
    opened.change(lambda: slider.fill("50"))
    slider.focus()
    page.keyboard.press("4")
    opened.settle()
    assert page.evaluate("window.studio.store.view") == "depth"
    page.keyboard.press("1")
    opened.change(lambda: page.keyboard.press("Control+z"))
    assert opened.keyframes()[0]["blur_strength"] == 26
    assert slider.input_value() == "26"
    opened.change(lambda: page.keyboard.press("Control+y"))
    assert opened.keyframes()[0]["blur_strength"] == 50
    opened.change(lambda: slider.press("ArrowRight"))  # the arrows are the slider's own
    assert opened.keyframes()[0]["blur_strength"] == 50.5
    assert page.evaluate("window.studio.store.frame") == 0


def test_a_browser_without_webgpu_is_asked_for_nothing_of_it(opened: Studio):
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(request.url))
    opened.open()
    opened.page.locator("#panel-focus").hover()
    opened.change(lambda: opened.page.get_by_role("slider", name="Blur strength K (px)").fill("50"))
    assert opened.keyframes()[0]["blur_strength"] == 50
    assert opened.page.locator("#live").is_hidden()
    assert [each for each in asked if "live" in each] == []


# A picture comes once the pointer has moved on four times, however fast the machine is.
_SLOW_PICTURES = """() => {
  const asked = window.asked = {frames: [], now: 0, most: 0}, {fetch} = window;
  let moves = 0;
  addEventListener('pointermove', () => { moves += 1; }, true);
  addEventListener('pointerup', () => { moves = Infinity; }, true);
  window.fetch = async (path, ...more) => {
    if (!String(path).includes('/picture?')) return fetch(path, ...more);
    asked.frames.push(Number(/frame=([0-9]+)/.exec(path)[1]));
    asked.most = Math.max(asked.most, ++asked.now);
    for (const until = moves + 4; moves < until;) await new Promise((done) => setTimeout(done, 5));
    try { return await fetch(path, ...more); } finally { asked.now -= 1; }
  };
}"""


def test_frames_that_were_passed_over_are_not_asked_for(opened: Studio):
    opened.open()
    page = opened.page
    page.evaluate(_SLOW_PICTURES)
    line = page.locator("#timeline").bounding_box()
    page.mouse.move(line["x"] + 2, line["y"] + 20)
    page.mouse.down()
    page.mouse.move(line["x"] + line["width"] - 2, line["y"] + 20, steps=40)
    page.mouse.up()
    opened.settle()
    asked = page.evaluate("window.asked")
    assert asked["most"] == 1  # one at a time, and the newest wish next
    assert asked["frames"][-1] == FRAMES - 1
    assert len(asked["frames"]) < FRAMES / 2


def test_lamps_are_chosen_with_the_keyboard_and_undone(opened: Studio):
    opened.open()
    page = opened.page
    opened.tab("Lens")
    page.get_by_text("Aberrations and highlights").click()
    lamps = page.get_by_role("group", name="Lamps")
    recorded, automatic, by_hand = (
        lamps.get_by_role("radio", name=name) for name in ("As recorded", "Automatic", "By hand")
    )
    slider = page.get_by_role("slider", name="Highlight gain")
    box = page.get_by_role("spinbutton", name="Highlight gain")

    def is_at(chosen: Any, look: float | str, slid: str, typed: str) -> None:
        assert page.evaluate(f"{_CLIP}.lens.look.highlights") == look
        assert [each.is_checked() for each in (recorded, automatic, by_hand)] == [
            each is chosen for each in (recorded, automatic, by_hand)
        ]
        assert (slider.input_value(), box.input_value()) == (slid, typed)

    is_at(recorded, 0, "0", "0")
    recorded.focus()
    opened.change(lambda: page.keyboard.press("ArrowDown"))
    is_at(automatic, "auto", "0", "")
    assert (slider.get_attribute("aria-valuetext"), box.get_attribute("placeholder")) == ("auto", "auto")
    assert "--highlights auto" in page.locator("#command code").text_content()
    opened.change(lambda: page.keyboard.press("ArrowDown"))
    is_at(by_hand, 8, "8", "8")
    assert slider.get_attribute("aria-valuetext") is None
    opened.change(lambda: slider.fill("3.5"))
    opened.change(automatic.check)
    opened.change(by_hand.check)
    is_at(by_hand, 3.5, "3.5", "3.5")  # the number that was there comes back
    opened.change(lambda: page.keyboard.press("Control+z"))
    is_at(automatic, "auto", "0", "")
    opened.change(lambda: slider.press("ArrowRight"))  # to move the slider is to choose by hand
    is_at(by_hand, 0.5, "0.5", "0.5")
    opened.change(lambda: slider.press("ArrowLeft"))
    is_at(recorded, 0, "0", "0")
    assert page.evaluate("window.studio.store.frame") == 0  # arrows are the controls' own
    assert page.evaluate(_FAULTS_OF_ACCESS) == []


def test_refused_values_and_old_messages_go(opened: Studio):
    opened.open()
    page = opened.page
    field = page.get_by_label("Transition, seconds")
    before, height = field.input_value(), page.locator(".st-stage").bounding_box()
    field.fill("-3")
    field.press("Enter")
    assert "length of the move" in opened.message()
    assert page.get_by_label("Transition, seconds").input_value() == before
    assert page.locator(".st-stage").bounding_box() == height  # the message lies over the page
    opened.change(lambda: page.get_by_role("button", name="Lock", exact=True).click())
    assert page.locator(".st-message").is_hidden()
    opened.faults = [fault for fault in opened.faults if "status of 400" not in fault]


def test_a_reload_keeps_the_work(opened: Studio):
    opened.open()
    opened.click(FAR_POINT)
    before = opened.keyframes()
    opened.page.reload()
    opened.page.wait_for_function(_ARRIVED)
    opened.settle()
    assert opened.keyframes() == before
    assert opened.page.evaluate(f"{_CLIP}.can_undo")


def test_a_close_look_is_sharp_moves_and_takes_clicks(opened: Studio):
    page = opened.page
    page.set_viewport_size({"width": 390, "height": 844})  # the clip at 400% is wider than that
    opened.open()
    sharp, stage = page.locator(".st-sharp"), page.locator(".st-stage").bounding_box()
    page.get_by_role("radio", name="400%").click()
    sharp.wait_for(state="visible")
    shown = page.locator(".st-pic").bounding_box()
    assert shown["width"] == pytest.approx(4 * WIDTH)
    # The middle of the picture is in view, and its pixels lie where the draft's do.
    part = sharp.bounding_box()
    assert part["width"] == pytest.approx(stage["width"], abs=8)
    assert sharp.evaluate("(e) => e.naturalWidth") == pytest.approx(part["width"] / 4, abs=0.05)
    assert (part["x"] - shown["x"] + 2) % 4 == pytest.approx(2, abs=0.05)

    page.mouse.move(200, stage["y"] + 60)
    page.mouse.down()
    page.mouse.move(100, stage["y"] + 60, steps=5)
    page.mouse.up()
    assert page.locator(".st-pic").bounding_box()["x"] == pytest.approx(shown["x"] - 100, abs=0.5)
    assert opened.revision() == 0  # to drag is not to click
    page.wait_for_function(
        """(before) => { const box = document.querySelector('.st-sharp').getBoundingClientRect();
          return Math.abs(box.left) < 8 && document.querySelector('.st-sharp').dataset.of !== before; }""",
        arg="",
    )
    shown = page.locator(".st-pic").bounding_box()
    at = (195 - shown["x"]) / shown["width"], (stage["y"] + 90 - shown["y"]) / shown["height"]
    opened.change(lambda: page.mouse.click(195, stage["y"] + 90))
    assert opened.keyframes()[0]["point"] == pytest.approx(at, abs=0.005)
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert page.locator(".st-pic").bounding_box()["width"] == pytest.approx(stage["width"])
    assert sharp.is_hidden()


def test_work_is_not_replaced_without_a_question(opened: Studio):
    opened.open()
    page, demo = opened.page, opened.page.get_by_role("button", name="Demo", exact=True)
    opened.change(lambda: page.get_by_role("slider", name="Blur strength K (px)").fill("50"))
    demo.click()
    page.keyboard.press("Delete")  # keys do nothing behind the question
    page.get_by_role("button", name="Keep working").click()
    assert opened.keyframes()[0]["blur_strength"] == 50
    demo.click()
    page.keyboard.press("Escape")
    assert opened.keyframes()[0]["blur_strength"] == 50
    demo.click()
    page.get_by_role("button", name="Open the other clip").click()
    page.wait_for_function(f"() => !{_CLIP}.can_undo")
    opened.settle()
    assert opened.keyframes()[0]["blur_strength"] == 26


def test_markup_in_a_name_is_text(opened: Studio, demo_clip: Path):
    opened.arrive()
    name = "a<img src=x onerror=document.title='owned'>.mp4"
    file = {"name": name, "mimeType": "video/mp4", "buffer": (demo_clip / "clip.mp4").read_bytes()}
    opened.page.locator("#file-video").set_input_files(file)
    opened.page.wait_for_function(f"() => {_CLIP}")
    assert opened.page.locator(".st-clip img, .st-upload img").count() == 0
    assert opened.page.title() == "any2bokeh studio"
    # What script there might be would not run: the policy knows the studio's own files alone.
    ran = opened.page.evaluate(
        """() => { try { document.body.innerHTML = '<b>'; return 'markup'; } catch (error) { return error.name; } }"""
    )
    assert ran == "TypeError"
    opened.faults = [fault for fault in opened.faults if "TrustedHTML" not in fault]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_page_fits_its_window(site: Site, browser: Any, width: int, height: int):
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 500)
    try:
        opened = Studio(context.new_page(), site)
        opened.arrive()
        for is_open in (False, True):
            if is_open:
                opened.open()
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
            outside = opened.page.evaluate(
                """() => [...document.querySelectorAll('.st-stage, .st-time, .st-tools button, .st-toggle, .st-right')]
                  .filter(e => e.offsetParent).map(e => e.getBoundingClientRect())
                  .filter(r => r.left < -0.5 || r.right > innerWidth + 0.5).length"""
            )
            assert outside == 0
        if width > 900:  # all that is needed to work is in view at once
            assert opened.page.locator(".st-scrub").bounding_box()["y"] + 20 <= height
        assert opened.faults == []
    finally:
        context.close()


@pytest.mark.slow
def test_render_is_what_the_command_line_makes(opened: Studio, demo_clip: Path, tmp_path: Path):
    opened.open()
    page = opened.page
    opened.click(FAR_POINT)
    opened.go(14)
    opened.click(NEAR_POINT)
    opened.tab("Lens")
    opened.change(lambda: page.get_by_role("slider", name="Iris blades").fill("5"))

    with page.expect_download() as download:
        page.get_by_role("link", name="Save script").click()
    saved = tmp_path / "focus.json"
    download.value.save_as(saved)
    assert [k.frame for k in FocusScript.load(saved).keyframes] == [0, 14]

    opened.tab("Render")
    page.get_by_role("button", name="Render the clip").click()
    page.locator("[data-state='render done']").wait_for()
    # It plays in the page.
    page.get_by_role("button", name="Watch the result").click()
    page.wait_for_function("() => document.querySelector('.st-rendered video').readyState >= 2")
    assert page.evaluate("document.querySelector('.st-rendered video').videoWidth") == 192
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    mine = tmp_path / "mine.mp4"
    download.value.save_as(mine)
    assert download.value.suggested_filename == "demo-bokeh.mp4"

    theirs = tmp_path / "theirs.mp4"
    words = shlex.split(page.locator("#command code").text_content())
    assert "--blades" in words
    put = {"demo.mp4": demo_clip / "clip.mp4", "disparity.mkv": demo_clip / "disparity.mkv"}
    put |= {"focus.json": saved, "out.mp4": theirs}
    assert run([*(str(put.get(word, word)) for word in words[1:]), "--tracker", "classical", "--quiet"]) == 0
    one, other = clips.decoded(mine), clips.decoded(theirs)
    assert len(one) == len(other) == FRAMES
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)

    # The script loads again, and says the same.
    opened.tab("Focus")
    opened.change(lambda: page.get_by_role("button", name="Clear all").click())
    opened.change(lambda: page.locator("#file-script").set_input_files(saved))
    assert [k["frame"] for k in opened.keyframes()] == [0, 14]


@pytest.mark.slow
def test_cancel_and_start_another(opened: Studio):
    opened.open()
    page = opened.page
    opened.tab("Render")
    page.get_by_role("button", name="Render the clip").click()
    page.get_by_role("button", name="Cancel").click()
    page.locator("[data-state='render cancelled']").wait_for()
    assert page.locator(".st-result").is_hidden()
    page.get_by_role("button", name="Render the clip").click()
    page.locator("[data-state='render done']").wait_for()
    assert page.get_by_role("button", name="Watch the result").is_visible()


@pytest.mark.slow
def test_two_visitors_and_a_page_that_closes(site: Site, browser: Any, tmp_path: Path):
    contexts = [browser.new_context() for _ in range(2)]
    one, two = (Studio(context.new_page(), site) for context in contexts)
    try:
        one.open()
        two.arrive()
        token = "window.studio.store.token"
        tokens = one.page.evaluate(token), two.page.evaluate(token)
        assert tokens[0] != tokens[1]
        assert two.page.evaluate("window.studio.store.snapshot.clip") is None
        # A video of one's own, without disparity: it is estimated when something is clicked.
        clip = write_video(tmp_path / "mine.mp4", frames=8)
        two.page.locator("#file-video").set_input_files(clip)
        two.page.wait_for_function("() => window.studio.store.snapshot.clip?.name === 'mine.mp4'")
        two.click(NEAR_POINT)
        assert "rough estimate" in two.page.locator(".st-status").inner_text()
        assert len(list(site.studio.session(tokens[1]).folder.glob("upload-*"))) == 1
        folder = site.studio.session(tokens[1]).folder
        contexts[1].close()
        wait_for(lambda: not folder.exists(), lambda: list(folder.iterdir()))
        assert site.snapshot(site.studio.session(tokens[0]))["clip"]["is_demo"]
    finally:
        for context in contexts:
            context.close()
    assert one.faults == two.faults == []
