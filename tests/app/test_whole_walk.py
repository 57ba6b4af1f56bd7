"""The whole way of a user through the page, in a real browser: from the clip to the file, with WebGPU and without."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any2bokeh.app.settings import Limits, Settings
from any2bokeh.cli.main import run
from any2bokeh.focus import TrackerChoice
from tests import clips
from tests.app import test_page
from tests.app.conftest import FAR_POINT, FRAMES, NEAR_POINT, served, write_disparity_video, write_video
from tests.app.live.test_browser import _VULKAN, _WEBGPU  # pyright: ignore[reportPrivateUsage]
from tests.app.test_live_page import _DRAWN, LivePage, near_the_sliders  # pyright: ignore[reportPrivateUsage]
from tests.app.test_page import _CHROMIUM, compile_the_renderer  # pyright: ignore[reportPrivateUsage]
from tests.app.test_page_projects import paint

pytestmark = [*test_page.pytestmark, pytest.mark.slow]

_CLIP = "window.studio.store.snapshot.clip"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.mark.parametrize("has_webgpu", [False, True], ids=["without WebGPU", "with WebGPU"])
def test_from_the_clip_to_the_file(playwright: Any, tmp_path: Path, has_webgpu: bool):
    compile_the_renderer()
    more = [*_WEBGPU, *_VULKAN] if has_webgpu else ["--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", *more])
    limits = Limits(upload_bytes=2 << 20, sessions=8, grace_s=1000)
    settings = Settings(
        limits=limits, depth_model="rough", tracker=TrackerChoice("classical"), keeps=True, state=tmp_path / "state"
    )
    with served(settings) as site:
        context = browser.new_context(viewport={"width": 1100, "height": 760}, accept_downloads=True)
        opened = LivePage(context.new_page(), site, "/?webgpu=software" if has_webgpu else "/")
        walk(opened, tmp_path, has_webgpu=has_webgpu)
        context.close()
        assert opened.faults == []
    browser.close()


def walk(opened: LivePage, folder: Path, *, has_webgpu: bool) -> None:
    page = opened.page
    clip = write_video(folder / "clip.mp4", tone=True)
    disparity = write_disparity_video(folder / "disparity.mkv")

    # Open the clip, and its disparity; click, go on, click another subject.
    opened.arrive()
    page.locator("#file-video").set_input_files(clip)
    opened.until(f"() => {_CLIP}")
    # The copy of a clip goes when the clip is opened anew; Chromium notes it where it is being loaded at that moment.
    opened.until("() => document.querySelector('#proxy').readyState === 4")
    page.locator("#file-disparity").set_input_files(disparity)
    opened.until(f"() => {_CLIP}.depth === 'from a file'")
    opened.click(NEAR_POINT)
    opened.go(16)
    opened.click(FAR_POINT)
    assert [each["frame"] for each in opened.keyframes()] == [0, 16]

    # The blur of both, by the slider; drawn by the browser where it can.
    if has_webgpu:
        near_the_sliders(opened)
    with opened.commands_held() as held:
        opened.slide("Blur strength K (px)", 44)
        if has_webgpu:
            opened.until(_DRAWN, 0)
        else:
            page.wait_for_timeout(200)
            assert len(held) == 1
    opened.until(f"() => {_CLIP}.strengths[0][1] === 44")
    opened.settle()
    assert page.locator("#live").is_hidden()

    # Paint.
    page.keyboard.press("b")
    paint(opened, [(0.8, 0.8), (0.9, 0.8)])
    page.keyboard.press("b")

    # Play, with sound.
    opened.until(f"() => {_CLIP}.playback.proxy === 'ready'")
    page.locator("#stage").focus()
    page.keyboard.press(" ")
    opened.until("() => window.studio.store.rounds >= 1 && window.studio.store.played >= 3")
    decoded, heard = page.evaluate(
        """() => { const video = document.querySelector('#proxy');
          return [video.getVideoPlaybackQuality().totalVideoFrames, video.webkitAudioDecodedByteCount]; }"""
    )
    assert decoded >= 8
    assert heard > 1000

    # Loaded again while it plays: all of it is there.
    opened.until("() => window.studio.store.snapshot.project.saved")
    page.reload()
    opened.until(f"() => window.studio && window.studio.store.snapshot && {_CLIP}")
    opened.settle()
    assert [each["frame"] for each in opened.keyframes()] == [0, 16]
    assert page.evaluate(f"{_CLIP}.strokes") == [[16, "nearer"]]

    # Render, and load the page again meanwhile.
    page.get_by_role("button", name="Projects", exact=True).click()
    with page.expect_download() as told:
        page.get_by_role("link", name="Save project").click()
    told.value.save_as(folder / "saved.a2b.json")
    page.keyboard.press("Escape")
    opened.tab("Render")
    page.get_by_role("button", name="Render the clip").click()
    opened.until("() => window.studio.store.snapshot.job")
    page.reload()
    opened.until(f"() => window.studio && window.studio.store.snapshot && {_CLIP}")
    opened.tab("Render")
    page.locator("[data-state='render done']").wait_for()
    with page.expect_download() as told:
        page.locator("#download").click()
    mine, theirs = folder / "mine.mp4", folder / "theirs.mp4"
    told.value.save_as(mine)

    # The command line makes the same of the project.
    words = ["refocus", str(clip), "--project", str(folder / "saved.a2b.json"), "--disparity", str(disparity)]
    assert run([*words, "-o", str(theirs), "--quiet"]) == 0
    one, other = clips.decoded(mine), clips.decoded(theirs)
    assert len(one) == len(other) == FRAMES
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
