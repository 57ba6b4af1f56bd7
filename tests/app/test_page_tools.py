"""The timeline, the views and the outlines of the page, in a real browser; and axe's opinion of it."""

import gzip
import math
import re
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.optics.lens import Lens
from tests.app.conftest import FAR_POINT, FRAMES, NEAR_POINT
from tests.app.test_page import _CLIP, Studio, browser, opened, pytestmark, site  # noqa: F401 (fixtures)

_AXE = Path(__file__).with_name("axe") / "axe.min.js.gz"
_ALL_SEEN = f"""() => {{
  const {{thumbnails, ribbon}} = {_CLIP}.overview;
  return thumbnails[0] === thumbnails[1] && !ribbon.includes(null);
}}"""
# How much the thumbnails that are drawn differ from one colour.
_STRIP = """() => {
  const strip = document.getElementById('strip');
  if (!strip.width) return 0;
  const {data} = strip.getContext('2d').getImageData(0, 0, strip.width, strip.height);
  let sum = 0, squares = 0;
  for (let i = 0; i < data.length; i += 4) { sum += data[i]; squares += data[i] ** 2; }
  const count = data.length / 4;
  return Math.sqrt(squares / count - (sum / count) ** 2);
}"""


def until(page: Any, state: str) -> None:
    page.wait_for_function(f"() => {state}")


def drag(page: Any, what: Any, *, across: float = 0, down: float = 0) -> None:
    box = what.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=4)
    page.mouse.up()


def test_in_and_out_by_keys_and_handles(opened: Studio):  # noqa: F811
    opened.open()
    page = opened.page
    page.wait_for_function(_ALL_SEEN)
    until(page, f"({_STRIP})() > 20")
    assert page.locator(".st-ribbon").get_attribute("d").count("L") == 2 * FRAMES - 1
    opened.go(5)
    page.keyboard.press("i")
    until(page, f"{_CLIP}.in_frame === 5")
    opened.go(15)
    page.keyboard.press("o")
    until(page, f"{_CLIP}.out_frame === 15")
    opened.tab("Render")
    assert page.get_by_role("button", name="Render frames 5 to 15").is_visible()
    one = page.locator(".st-timeline").bounding_box()["width"] / (FRAMES - 1)
    drag(page, page.locator("#out-point"), across=3 * one)
    until(page, f"{_CLIP}.out_frame === 18")
    page.locator("#in-point").press("ArrowRight")
    until(page, f"{_CLIP}.in_frame === 6")
    drag(page, page.locator("#in-point"), across=20 * one)  # never past the other
    until(page, f"{_CLIP}.in_frame === 18")
    opened.go(3)
    page.keyboard.press("o")  # an in point after it goes
    until(page, f"{_CLIP}.out_frame === 3 && {_CLIP}.in_frame === null")
    page.get_by_role("button", name="Whole clip").click()
    until(page, f"{_CLIP}.out_frame === null")
    assert page.get_by_role("button", name="Render the clip").is_visible()
    assert page.get_by_role("button", name="Whole clip").is_hidden()


def test_the_blur_is_a_curve_in_k_and_in_f_numbers(opened: Studio):  # noqa: F811
    opened.open()
    page, key = opened.page, opened.page.locator(".st-key.is-blur")
    before = key.bounding_box()["y"]
    opened.change(lambda: key.press("ArrowUp"))
    assert opened.keyframes()[0]["blur_strength"] == 26.5
    assert page.evaluate("document.activeElement.dataset.of") == "blur-0"  # the keyboard stays where it was
    opened.change(lambda: drag(page, key, down=12))
    dragged = opened.keyframes()[0]["blur_strength"]
    assert 5 < dragged < 26
    assert key.bounding_box()["y"] >= before
    opened.change(lambda: page.keyboard.press("Control+z"))

    page.get_by_role("radio", name="f/").click()
    product = page.evaluate(f"{_CLIP}.f_number_times_blur")
    assert f"f/{product / 26.5:.2g}" in key.get_attribute("aria-label")
    opened.go(12)
    page.get_by_text("Lens data", exact=True).click()
    page.get_by_role("checkbox", name="Only from this frame on").check()
    page.get_by_role("spinbutton", name="Aperture (f-number)").fill("4")
    opened.change(lambda: page.get_by_role("spinbutton", name="Aperture (f-number)").press("Enter"))
    assert [frame for frame, _ in page.evaluate(f"{_CLIP}.strengths")] == [0, 12]
    assert page.evaluate(f"{_CLIP}.strengths")[1][1] == pytest.approx(product / 4, rel=1e-3)
    assert "f/4" in page.locator("#read").inner_text()
    curve = page.locator(".st-track.is-blur").get_attribute("d")
    page.get_by_role("radio", name="K", exact=True).click()
    assert page.locator(".st-track.is-blur").get_attribute("d") != curve

    # What was emptied shows again what holds, and so does what was refused.
    field = page.get_by_label("Frame of the keyframe").first
    field.fill("")
    field.press("Enter")
    assert field.input_value() == "0"
    box = page.get_by_role("spinbutton", name="Focal length (mm)")
    held = box.input_value()
    for typed in ("", "0.01"):
        box.fill(typed)
        box.press("Enter")
        until(
            page,
            f"[...document.querySelectorAll('[aria-label=\"Focal length (mm)\"]')].every(e => e.value === '{held}')",
        )
    opened.faults = [fault for fault in opened.faults if "status of 400" not in fault]


def test_edges_are_chosen_and_the_choice_is_undone(opened: Studio):  # noqa: F811
    opened.open()
    opened.tab("Lens")
    chosen = opened.page.get_by_role("combobox", name="Disparity edges")
    assert chosen.input_value() == "auto"
    opened.change(lambda: chosen.select_option("off"))
    assert opened.page.evaluate(f"{_CLIP}.edges") == "off"
    opened.change(lambda: opened.page.get_by_role("button", name="Undo").click())
    until(opened.page, "document.getElementById('edges').value === 'auto'")


def test_views_the_loupe_and_the_last_setting(opened: Studio):  # noqa: F811
    opened.open()
    page = opened.page
    for key, view in (("5", "matte"), ("6", "edges"), ("1", "result")):
        page.keyboard.press(key)
        opened.settle()
        assert page.locator(f"[data-view={view}]").get_attribute("aria-checked") == "true"
    assert page.get_by_role("button", name="Last", exact=True).is_disabled()  # there is none yet
    opened.click(FAR_POINT)
    page.keyboard.press("Shift+C")
    until(page, "(document.querySelector('.st-stage').dataset.before || '').includes('/last/')")
    assert page.locator("#split-name").inner_text() == "Last setting"
    page.keyboard.press("c")
    until(page, "(document.querySelector('.st-stage').dataset.before || '').includes('/source/')")
    page.keyboard.press("c")
    assert page.locator(".st-before").is_hidden()

    glass = page.locator("#glass")
    page.keyboard.press("m")
    stage = page.locator(".st-stage").bounding_box()
    with page.expect_response(lambda answer: "/final?" in answer.url) as answer:
        page.mouse.move(stage["x"] + 0.7 * stage["width"], stage["y"] + 0.45 * stage["height"])
    assert answer.value.status == 200
    assert glass.is_visible()
    middle = glass.evaluate("(e) => [...e.getContext('2d').getImageData(e.width / 2, e.height / 2, 1, 1).data]")
    assert middle[2] > middle[0] + 20  # the far square is blue
    page.keyboard.press("m")
    assert glass.is_hidden()


def test_outlines_follow_and_are_taken(opened: Studio):  # noqa: F811
    opened.open()
    page, stage = opened.page, opened.page.locator(".st-stage").bounding_box()
    page.locator(".st-outlines .is-followed-box").wait_for(state="attached")

    def move(point: tuple[float, float]) -> None:
        page.mouse.move(stage["x"] + point[0] * stage["width"], stage["y"] + point[1] * stage["height"])

    def left_of(what: str) -> float:
        return page.locator(f".st-outlines {what}").evaluate("(e) => e.getBBox().x")

    move(FAR_POINT)
    page.locator(".st-outlines .is-under").wait_for(state="attached")
    assert left_of(".is-under") == pytest.approx(116 / 192, abs=0.02)
    before = left_of(".is-followed")
    opened.go(20)
    until(page, f"Math.abs(document.querySelector('.st-outlines .is-followed')?.getBBox().x - {before}) > 0.01")
    assert page.locator(".st-outlines .is-under").count() == 0  # it was of another frame

    page.keyboard.press("s")
    tag = page.get_by_role("button", name="Focus on subject 1")
    tag.wait_for()
    opened.change(lambda: tag.press("Enter"))
    [_, taken] = opened.keyframes()
    assert taken["frame"] == 20
    nearest = min(abs(taken["point"][0] - x) for x in (NEAR_POINT[0], FAR_POINT[0]))
    assert nearest < 0.15
    page.keyboard.press("s")
    tag.wait_for(state="detached")


def test_auto_proposes_keyframes(opened: Studio):  # noqa: F811
    opened.open()
    page = opened.page
    opened.change(lambda: page.get_by_role("button", name="Clear all").click())
    opened.change(lambda: page.get_by_role("button", name="Auto").click())
    assert page.locator(".st-rows li").count() >= 1
    assert not opened.keyframes()[0]["locked"]
    opened.change(lambda: page.keyboard.press("Control+z"))
    assert opened.keyframes() == []


def test_axe_finds_no_fault(opened: Studio):  # noqa: F811
    opened.arrive()
    page = opened.page
    code = gzip.decompress(_AXE.read_bytes()).decode()

    def faults() -> list[str]:
        page.evaluate("(code) => { window.axe || (0, eval)(code); }", code)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        return [f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:120]}" for each in found]

    assert faults() == []
    opened.open()
    opened.go(10)
    opened.click(FAR_POINT)
    page.keyboard.press("s")
    page.keyboard.press("c")
    for tab in ("Focus", "Lens", "Render"):
        opened.tab(tab)
        assert faults() == []
    page.emulate_media(color_scheme="dark")
    assert faults() == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults() == []
    page.keyboard.press("?")
    assert faults() == []


@pytest.mark.slow
def test_a_result_is_watched_on_the_stage(opened: Studio):  # noqa: F811
    opened.open()
    page = opened.page
    opened.tab("Render")
    page.get_by_role("button", name="Render the clip").click()
    page.locator("[data-state='render done']").wait_for()
    page.get_by_role("button", name="Watch the result").click()
    video = page.locator(".st-rendered video")
    until(page, "document.querySelector('.st-rendered video').readyState >= 2")
    assert video.bounding_box()["width"] == pytest.approx(page.locator(".st-stage").bounding_box()["width"], abs=2)
    revision = opened.revision()
    video.click()
    assert opened.revision() == revision  # which is no click on the picture
    page.keyboard.press("Escape")
    assert video.is_hidden()
    opened.click(FAR_POINT)
    assert page.locator("#stale").is_visible()
    assert page.get_by_role("link", name="Download the older MP4").is_visible()


def test_depth_of_field_in_metres_is_that_of_the_lens(opened: Studio):  # noqa: F811
    """The textbook's limits of sharpness, from the hyperfocal distance, against what the page says."""
    opened.open()
    inverse_metres = 0.8  # disparity 1 stands for 1.25 m
    for f_number, focal_length_mm, distance_m in ((1.8, 50, 2.5), (4, 35, 3), (2, 85, 10), (8, 24, 2), (2.8, 200, 40)):
        lens = Lens(f_number=f_number, focal_length_mm=focal_length_mm, focus_distance_m=distance_m)
        focus = 1 / distance_m / inverse_metres
        said = opened.page.evaluate(
            """([focus, blur, metres]) => import("/static/focus_words.js")
                .then((words) => words.depthOfField(focus, blur, metres))""",
            [focus, lens.blur_strength(focus), inverse_metres],
        )
        confusion_m = lens.sensor_width_mm / 1000 / 1500
        near, far = limits_m(f_number, focal_length_mm / 1000, distance_m, confusion_m=confusion_m)
        from_m, to_m = re.fullmatch(r"([\d.]+) m to (infinity|[\d.]+ m)", said).groups()  # type: ignore[union-attr]
        assert float(from_m) == pytest.approx(near, rel=0.02)
        if math.isinf(far):
            assert to_m == "infinity"
        else:
            assert float(to_m.removesuffix(" m")) == pytest.approx(far, rel=0.02)


def limits_m(f_number: float, focal_length_m: float, distance_m: float, *, confusion_m: float) -> tuple[float, float]:
    """Nearest and farthest sharp distance of a thin lens."""
    hyperfocal = focal_length_m**2 / (f_number * confusion_m) + focal_length_m
    reach = hyperfocal - focal_length_m
    near = distance_m * reach / (reach + distance_m - focal_length_m)
    beyond = reach - (distance_m - focal_length_m)
    return near, math.inf if beyond <= 0 else distance_m * reach / beyond
