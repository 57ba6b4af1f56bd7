"""The page plays a clip, and shows its first picture at once, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.app.project import Project
from any2bokeh.app.settings import Limits, Settings
from any2bokeh.focus import TrackerChoice
from tests.app import test_page
from tests.app.conftest import (
    FAR_POINT,
    FRAMES,
    NEAR_POINT,
    Site,
    served,
    wait_for,
    write_disparity_video,
    write_video,
)
from tests.app.test_page import Studio, compile_the_renderer

pytestmark = test_page.pytestmark
browser = test_page.browser


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with a tone."""
    return write_video(tmp_path_factory.mktemp("tone") / "tone.mp4", frames=2 * FRAMES, tone=True)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    compile_the_renderer()
    limits = Limits(upload_bytes=2 << 20, sessions=40, grace_s=1000)
    with served(Settings(limits=limits, depth_model="rough", tracker=TrackerChoice("classical"))) as running:
        yield running


@pytest.fixture
def opened(site: Site, browser: Any, clip: Path) -> Iterator[Studio]:
    """The page with the clip."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    seen = Studio(context.new_page(), site)
    seen.arrive()
    seen.page.locator("#file-video").set_input_files(clip)
    seen.page.wait_for_function("() => window.studio.store.snapshot.clip")
    yield seen
    context.close()
    assert seen.faults == []


@pytest.fixture
def focused(opened: Studio, tmp_path: Path) -> Studio:
    """With its disparity, focused, and its small copy made."""
    opened.page.locator("#file-disparity").set_input_files(
        write_disparity_video(tmp_path / "disparity.mkv", frames=2 * FRAMES)
    )
    opened.page.wait_for_function("() => window.studio.store.snapshot.clip.depth === 'from a file'")
    opened.click(NEAR_POINT)
    opened.page.wait_for_function("() => window.studio.store.snapshot.clip.playback.proxy === 'ready'")
    return opened


def project_of(opened: Studio) -> Project:
    return opened.site.studio.session(opened.page.evaluate("window.studio.store.token")).opened()


def test_first_picture_and_the_next_click_do_not_wait_for_the_clip(opened: Studio):
    page, project = opened.page, project_of(opened)
    shown = """([revision]) => { const {shown, provisional} = document.querySelector('.st-stage').dataset;
        return provisional === 'true' && shown && shown.split('/')[1] === String(revision); }"""
    box = page.locator(".st-pic").bounding_box()
    opened.page.wait_for_function("() => document.querySelector('.st-stage').dataset.shown")
    details = [opened.detail(point) for point in (NEAR_POINT, FAR_POINT)]
    with project.follower.paused():  # the estimate of the clip takes seconds, now that it stands back at every frame
        for revision, (x, y) in enumerate((NEAR_POINT, FAR_POINT), 1):
            page.locator(".st-stage").click(position={"x": x * box["width"], "y": y * box["height"]})
            page.wait_for_function(shown, arg=[revision])
            assert project.depth.ready(project.now.script) is None
            now = [
                opened.detail(point) / before for point, before in zip((NEAR_POINT, FAR_POINT), details, strict=True)
            ]
            assert now[revision - 1] > 0.85
            assert now[2 - revision] < 0.6
    opened.settle()  # what was provisional has been replaced
    assert opened.page.evaluate("document.querySelector('.st-stage').dataset.provisional") == "false"


def test_it_plays_with_sound_round_and_round(focused: Studio):
    page = focused.page
    page.keyboard.press(" ")
    page.wait_for_function("() => window.studio.store.rounds >= 1 && window.studio.store.played >= 5")
    told = page.evaluate(
        """() => { const video = document.querySelector('#proxy'), played = document.querySelector('#played');
        return {decoded: video.getVideoPlaybackQuality().totalVideoFrames, heard: video.webkitAudioDecodedByteCount,
          muted: video.muted, paused: video.paused, hidden: played.hidden, width: played.width}; }"""
    )
    # The refocused frames lie over the clip, and fill the stage.
    stage, played = page.locator("#stage").bounding_box(), page.locator("#played").bounding_box()
    assert played == pytest.approx(stage, abs=1)
    middle = [stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] * 0.9]
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).id", middle) == "played"
    assert told["decoded"] >= 10
    assert told["heard"] > 1000
    assert (told["muted"], told["paused"], told["hidden"], told["width"]) == (False, False, False, 192)
    frame = page.evaluate("window.studio.store.frame")
    page.wait_for_function("(frame) => window.studio.store.frame !== frame", arg=frame)  # the playhead moves
    page.keyboard.press(" ")
    assert page.locator("#proxy").is_hidden()
    assert page.locator("#played").is_hidden()
    focused.settle()
    wait_for(lambda: not project_of(focused).playback.snapshot()["is_playing"], lambda: "it plays on")


def test_it_plays_from_the_in_to_the_out_point(focused: Studio):
    project, page = project_of(focused), focused.page
    project.keep_part(20, 27)
    page.evaluate(
        """() => { const seen = window.seen = new Set(), {store} = window.studio;
        const look = () => { if (store.isPlaying) seen.add(store.frame); requestAnimationFrame(look); }; look(); }"""
    )
    focused.site.studio.session(page.evaluate("window.studio.store.token")).changes.tell()
    page.wait_for_function("() => window.studio.store.snapshot.clip.playback.first === 20")
    page.keyboard.press(" ")
    page.wait_for_function("() => window.studio.store.rounds >= 3 && window.studio.store.played >= 3")
    seen = set(page.evaluate("[...window.seen]"))
    assert seen <= set(range(20, 28))
    assert len(seen) >= 4
    page.wait_for_function(  # all of it is made while it goes round
        "() => window.studio.store.snapshot.clip.playback.ready.some(([from, to]) => from <= 20 && to >= 28)"
    )
    page.keyboard.press(" ")


def test_it_plays_where_the_browser_cannot_read_the_copy(focused: Studio):
    page = focused.page
    page.route("**/proxy?*", lambda route: route.fulfill(status=200, content_type="video/mp4", body=b"no video"))
    page.reload()
    page.wait_for_function("() => window.studio && window.studio.store.snapshot && window.studio.store.snapshot.clip")
    page.keyboard.press(" ")
    page.wait_for_function("() => window.studio.store.rounds >= 1 && window.studio.store.played >= 3")
    assert page.locator("#played").is_visible()
    page.keyboard.press(" ")


def test_passing_over_frames_shows_them_at_once(focused: Studio):
    page = focused.page
    for _ in range(11):
        page.keyboard.press("ArrowRight")
    focused.settle()  # and the one where it ends, refocused
    asked = page.evaluate(
        "performance.getEntriesByType('resource').map(each => each.name).filter(n => /picture/.test(n))"
    )
    assert any("quick=1" in name for name in asked)
    assert asked[-1].endswith("frame=11&view=result")
