"""Projects and the brush in a real browser: painted, loaded again, the studio killed and started anew."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.app.settings import Limits, Settings
from any2bokeh.focus import TrackerChoice
from any2bokeh.project_file import loads
from tests.app import test_page
from tests.app.conftest import FAR_POINT, NEAR_POINT, served, wait_for
from tests.app.test_page import Studio, compile_the_renderer

pytestmark = test_page.pytestmark
browser = test_page.browser

_ARRIVED = "() => window.studio && window.studio.store.snapshot"
_PAINTED = "() => window.studio.store.snapshot.clip.strokes"
_KEPT = "() => window.studio.store.snapshot.project.saved"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    compile_the_renderer()
    limits = Limits(upload_bytes=2 << 20, sessions=8, grace_s=0)
    return Settings(
        limits=limits, depth_model="rough", tracker=TrackerChoice("classical"), keeps=True, state=tmp_path / "state"
    )


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    yield made
    made.close()


def paint(opened: Studio, points: list[tuple[float, float]]) -> None:
    """Draw over the picture with the mouse."""
    box = opened.page.locator(".st-pic").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]

    def draw() -> None:
        opened.page.mouse.move(*places[0])
        opened.page.mouse.down()
        for place in places[1:]:
            opened.page.mouse.move(*place, steps=4)
        opened.page.mouse.up()

    opened.change(draw)


def depth_at(opened: Studio, point: tuple[float, float]) -> float:
    """Brightness of the disparity view at a point."""
    return opened.page.evaluate(
        """([x, y]) => {
          const picture = document.querySelector('.st-pic');
          const canvas = Object.assign(document.createElement('canvas'), {width: picture.naturalWidth,
            height: picture.naturalHeight});
          const context = canvas.getContext('2d');
          context.drawImage(picture, 0, 0);
          return context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data[2];
        }""",
        list(point),
    )


@pytest.mark.slow
def test_what_was_painted_is_there_after_a_reload_and_in_the_next_studio(
    settings: Settings, context: Any, tmp_path: Path
):
    with served(settings) as site:
        opened = Studio(context.new_page(), site)
        page = opened.page
        opened.open()
        page.keyboard.press("4")
        opened.settle()
        before = depth_at(opened, (0.85, 0.8))
        page.keyboard.press("b")
        assert page.locator("#brush").get_attribute("aria-pressed") == "true"
        larger = page.locator("#brush-size").input_value()
        page.keyboard.press("]")
        assert float(page.locator("#brush-size").input_value()) > float(larger)
        paint(opened, [(0.8, 0.8), (0.9, 0.8)])
        assert page.evaluate(_PAINTED) == [[0, "nearer"]]
        assert depth_at(opened, (0.85, 0.8)) > before + 15
        page.get_by_role("radio", name="Edge: front").check()
        paint(opened, [FAR_POINT])
        assert page.evaluate(_PAINTED) == [[0, "nearer"], [0, "front"]]
        opened.change(lambda: page.keyboard.press("Control+z"))
        assert page.evaluate(_PAINTED) == [[0, "nearer"]]
        page.keyboard.press("b")
        opened.click(NEAR_POINT)  # a click focuses again
        assert len(page.evaluate(_PAINTED)) == 1
        page.wait_for_function(_KEPT)

        page.get_by_role("button", name="Projects", exact=True).click()
        page.get_by_label("Name", exact=True).fill("Two squares")
        page.get_by_label("Name", exact=True).press("Enter")
        page.wait_for_function("() => window.studio.store.snapshot.project.title === 'Two squares'")
        with page.expect_download() as told:
            page.get_by_role("link", name="Save project").click()
        assert told.value.suggested_filename == "Two squares.a2b.json"
        told.value.save_as(tmp_path / "saved.a2b.json")
        saved = loads((tmp_path / "saved.a2b.json").read_text())
        assert [stroke.tool for stroke in saved.recipe.strokes] == ["nearer"]

        page.reload()
        page.wait_for_function(_ARRIVED)
        opened.settle()
        assert page.evaluate(_PAINTED) == [[0, "nearer"]]
        page.keyboard.press("4")
        opened.settle()
        assert depth_at(opened, (0.85, 0.8)) > before + 15
        token = page.evaluate("window.studio.store.token")
        wait_for(
            lambda: "Two squares" in "".join(each.read_text() for each in settings.state.rglob("project.json")),  # type: ignore[union-attr]
            lambda: "the name is not kept",
        )
        opened.faults.clear()
        site.studio.session(token).close()
        port = site.port

    with served(replace(settings), port=port) as site:
        opened = Studio(page, site)
        opened.arrive()
        page.get_by_text("Go on with Two squares?").wait_for()
        page.get_by_role("button", name="Go on", exact=True).click()
        page.wait_for_function("() => window.studio.store.snapshot.clip")
        opened.settle()
        assert page.evaluate(_PAINTED) == [[0, "nearer"]]
        assert page.evaluate("window.studio.store.snapshot.project.title") == "Two squares"
        assert page.evaluate(test_page._FAULTS_OF_ACCESS) == []  # pyright: ignore[reportPrivateUsage]
        page.keyboard.press("b")
        assert page.evaluate(test_page._FAULTS_OF_ACCESS) == []  # pyright: ignore[reportPrivateUsage]
        page.screenshot(path=str(tmp_path / "brush.png"))
        page.keyboard.press("b")
        page.get_by_role("button", name="Projects", exact=True).click()
        page.screenshot(path=str(tmp_path / "projects.png"))
        # The session of the first studio is asked for, once.
        assert [fault for fault in opened.faults if "404" not in fault] == []
