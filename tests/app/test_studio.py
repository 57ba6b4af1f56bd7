import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from any2bokeh.app.refusal import Busy, Gone
from any2bokeh.app.settings import Settings
from any2bokeh.app.studio import Studio
from any2bokeh.errors import InputError
from tests.app.conftest import HANGS_AFTER_S


def test_sessions_are_apart(studio: Studio):
    one, two = studio.arrive(), studio.arrive()
    assert studio.session(one.token) is one
    assert one.token != two.token
    assert one.folder != two.folder
    assert len(one.token) >= 32
    one.open_demo()
    assert two.snapshot()["clip"] is None


@pytest.mark.parametrize("token", ["", "one", "../one", "None"])
def test_only_tokens_open(studio: Studio, token: str):
    studio.arrive()
    with pytest.raises(Gone, match="reload"):
        studio.session(token)


def test_page_that_leaves_takes_its_files_along(studio: Studio):
    session = studio.arrive()
    session.open_demo()
    session.join()
    session.seen_s -= 10_000
    studio.sweep()
    assert session.folder.exists()  # a page shows it
    session.leave()
    session.seen_s -= 10_000
    studio.sweep()
    assert not session.folder.exists()
    with pytest.raises(Gone, match="reload"):
        studio.session(session.token)


def test_page_that_comes_back_within_the_grace_keeps_its_work(settings: Settings):
    studio = Studio(replace(settings, limits=replace(settings.limits, grace_s=60)))
    try:
        session = studio.arrive()
        session.join()
        session.leave()
        studio.sweep()
        assert studio.session(session.token) is session
        session.seen_s -= 61
        studio.sweep()
        assert not session.folder.exists()
    finally:
        studio.close()


def test_a_session_is_watched_by_a_bounded_number_of_pages(studio: Studio):
    session = studio.arrive()
    for _ in range(8):
        session.join()
    with pytest.raises(Busy, match="8 pages"):
        session.join()
    session.leave()
    session.join()


def test_crowd_is_told_to_wait(studio: Studio):
    sessions = [studio.arrive() for _ in "abcd"]
    for session in sessions:
        session.join()
    with pytest.raises(Busy, match="4 pages are already open"):
        studio.arrive()
    sessions[0].leave()
    studio.arrive()
    assert not sessions[0].folder.exists()


def test_sessions_that_nobody_uses_give_way_before_those_with_work(studio: Studio):
    worker = studio.arrive()
    worker.open_demo()  # a page that is being loaded again: nobody watches for a moment
    watched = studio.arrive()
    watched.join()
    flood = [studio.arrive() for _ in range(20)]
    assert worker.folder.exists()
    assert watched.folder.exists()
    assert [each.folder.exists() for each in flood] == [False] * 18 + [True] * 2
    worker.seen_s -= 20
    studio.arrive()
    assert not worker.folder.exists()


def test_pages_that_do_nothing_for_long_give_way_where_all_places_are_taken(settings: Settings):
    studio = Studio(replace(settings, limits=replace(settings.limits, sessions=2, idle_s=100)))
    try:
        idle, busy = studio.arrive(), studio.arrive()
        for session in (idle, busy):
            session.join()
        idle.seen_s -= 101
        studio.sweep()
        assert idle.folder.exists()
        studio.arrive()
        assert not idle.folder.exists()
        assert busy.folder.exists()
    finally:
        studio.close()


def test_what_a_killed_studio_left_goes_when_the_next_one_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kill = "from any2bokeh.app.studio import Studio; import os; Studio().arrive(); os._exit(9)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", kill], env=environment, check=False).returncode == 9
    [left] = tmp_path.glob("any2bokeh-studio-*")
    alive = Studio()
    try:
        assert not left.exists()
        another = Studio()
        assert alive.folder.exists()  # its process lives
        another.close()
    finally:
        alive.close()
    assert list(tmp_path.iterdir()) == []


def test_clip_of_the_command_line_is_open_in_every_page(settings: Settings, demo_clip: Path):
    clip, disparity = demo_clip / "clip.mp4", demo_clip / "disparity.mkv"
    studio = Studio(replace(settings, clip=clip, disparity=disparity))
    try:
        session = studio.arrive()
        told = session.snapshot()
        assert told["clip"] is not None
        assert (told["clip"]["name"], told["clip"]["depth"]) == ("clip.mp4", "from a file")
        assert "--disparity disparity.mkv" in told["command"]
        session.open_demo()
    finally:
        studio.close()
    assert clip.exists()
    assert disparity.exists()


def test_renders_of_a_crowd_wait_and_a_flood_is_refused(studio: Studio):
    import threading

    from any2bokeh.app.render_job import RenderJob

    go = threading.Event()

    def work(report):
        go.wait(HANGS_AFTER_S)
        return studio.folder

    running = RenderJob("render", work, name="x")
    studio.queue.add(running)
    sessions = [studio.arrive() for _ in "abc"]
    for session in sessions[:2]:
        session.open_demo()
        session.render()
    jobs = [session.snapshot()["job"] for session in sessions[:2]]
    assert [job and job["ahead"] for job in jobs] == [1, 2]
    sessions[2].open_demo()
    with pytest.raises(InputError, match="2 renders are already waiting"):
        sessions[2].render()
    sessions[0].cancel()
    sessions[2].render()
    for session in sessions:
        session.cancel()
    go.set()
    assert running.wait(HANGS_AFTER_S)
