from dataclasses import replace

import pytest

from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.errors import InputError
from tests.app.conftest import HANGS_AFTER_S


def test_a_page_keeps_its_visitor(studio: Studio):
    assert studio.arrive("one") is studio.arrive("one")
    assert studio.session(studio.arrive("one").token) is studio.arrive("one")


def test_visitors_are_apart(studio: Studio):
    one, two = studio.arrive("one"), studio.arrive("two")
    assert one.token != two.token
    assert one.folder != two.folder
    assert len(one.token) >= 32
    one.open_demo()
    assert two.snapshot()["clip"] is None


@pytest.mark.parametrize("token", ["", "one", "../one", "None"])
def test_only_tokens_open(studio: Studio, token: str):
    studio.arrive("one")
    with pytest.raises(InputError, match="reload"):
        studio.session(token)


def test_page_that_leaves_takes_its_files_along(studio: Studio):
    session = studio.arrive("one")
    session.open_demo()
    studio.leave("one")
    assert not session.folder.exists()
    with pytest.raises(InputError, match="reload"):
        studio.session(session.token)


def test_page_that_comes_back_within_the_grace_keeps_its_work(settings: Settings):
    studio = Studio(replace(settings, limits=replace(settings.limits, grace_s=60)))
    try:
        session = studio.arrive("one")
        studio.leave("one")
        studio.sweep()
        assert studio.arrive("one") is session
        studio.leave("one")
        studio._leaving["one"] -= 61
        session.seen_s -= 61
        studio.sweep()
        assert not session.folder.exists()
    finally:
        studio.close()


def test_idle_pages_are_forgotten(settings: Settings):
    studio = Studio(replace(settings, limits=replace(settings.limits, idle_s=100)))
    try:
        idle, busy = studio.arrive("idle"), studio.arrive("busy")
        for session in (idle, busy):
            session.seen_s -= 99
        studio.sweep()
        assert idle.folder.exists()
        idle.seen_s -= 2
        studio.sweep()
        assert not idle.folder.exists()
        assert busy.folder.exists()
    finally:
        studio.close()


def test_crowd_is_told_to_wait(studio: Studio):
    for page in "abcd":
        studio.arrive(page)
    with pytest.raises(InputError, match="4 pages are already open"):
        studio.arrive("e")
    studio.leave("a")
    studio.arrive("e")


def test_renders_of_a_crowd_wait_and_a_flood_is_refused(studio: Studio):
    import threading

    from any2bokeh.app.render_job import RenderJob

    go = threading.Event()

    def work(report):
        go.wait(HANGS_AFTER_S)
        return studio.folder

    running = RenderJob("render", work, name="x")
    studio.queue.add(running)
    sessions = [studio.arrive(page) for page in "abc"]
    for session in sessions[:2]:
        session.open_demo()
        session.render()
    assert [session.snapshot()["job"]["ahead"] for session in sessions[:2]] == [1, 2]
    sessions[2].open_demo()
    with pytest.raises(InputError, match="2 renders are already waiting"):
        sessions[2].render()
    sessions[0].cancel()
    sessions[2].render()
    for session in sessions:
        session.cancel()
    go.set()
    assert running.wait(HANGS_AFTER_S)
