"""Requests and work in other threads that come between: each goes by one state, whole."""

import threading
from pathlib import Path
from typing import Any

import pytest

from any2bokeh.app import proposal
from any2bokeh.app.autosave import Autosave
from any2bokeh.app.depth import Maps
from any2bokeh.app.final_frame import FinalFrames
from any2bokeh.app.final_region import Region
from any2bokeh.app.kept_projects import KeptLimits, Shelf
from any2bokeh.app.session import Session
from tests.app.conftest import FAR_POINT, HANGS_AFTER_S, HEIGHT, NEAR_POINT, WIDTH, ready, wait_for


@pytest.fixture
def focused(session: Session) -> Session:
    session.open_demo()
    session.opened().focus(0, *NEAR_POINT, is_locked=False)
    ready(session)
    return session


def test_two_requests_may_be_the_first_that_is_kept(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    autosave = Autosave(Shelf("s" * 43, root=tmp_path, limits=KeptLimits()), session._settings, lambda _: False)
    thread_of, others = threading.Thread, []

    def made(*given: Any, **named: Any) -> threading.Thread:
        """Another request comes as the first thread is made, and has all the time that it needs."""
        thread = thread_of(*given, **named)
        if not others:
            others.append(thread_of(target=autosave.changed))
            others[0].start()
            others[0].join(0.5)
        return thread

    monkeypatch.setattr("threading.Thread", made)
    autosave.changed()
    others[0].join(HANGS_AFTER_S)
    assert [each.name for each in threading.enumerate()].count("any2bokeh autosave") == 1
    autosave.close()


def test_another_frame_may_be_looked_at_while_one_is_made(focused: Session, monkeypatch: pytest.MonkeyPatch):
    project = focused.opened()
    finals = FinalFrames(project.source, project.depth, project.follower)
    script, look, region = project.now.script, project.now.lens.look, Region(0.4, 0.4, 0.45, 0.45)
    first, _, _ = finals.first(3, region, script, look)
    finals.at(3, script, look)
    are_equal = Maps.__eq__

    def looked_elsewhere_meanwhile(one: Maps, other: object) -> bool:
        finals.forget(5)
        return are_equal(one, other)

    monkeypatch.setattr(Maps, "__eq__", looked_elsewhere_meanwhile)
    again, _, _ = finals.first(3, region, script, look.changed(blades=7))
    assert again.shape == first.shape
    assert finals.at(3, script, look.changed(blades=7)).shape == (3, HEIGHT, WIDTH)


class Lock:
    """A session's, that tells when somebody asks for it."""

    def __init__(self, session: Session) -> None:
        self._lock, self.is_asked_for = session.lock, threading.Event()

    def __enter__(self) -> None:
        self.is_asked_for.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_an_edit_that_comes_just_before_a_proposal_stands(focused: Session):
    project, lock = focused.opened(), Lock(focused)
    with focused.lock:
        project.propose(lock)
        assert lock.is_asked_for.wait(HANGS_AFTER_S)
        project.focus(5, *FAR_POINT, is_locked=False)
        edited = project.now.script
    wait_for(lambda: "any2bokeh proposal" not in [each.name for each in threading.enumerate()], threading.enumerate)
    assert project.now.script == edited


def test_a_search_that_is_cancelled_while_it_tells_how_far_it_is_does_not_go_on(
    focused: Session, monkeypatch: pytest.MonkeyPatch
):
    project = focused.opened()
    progress = proposal.ProposalProgress

    def told(state: str = "idle", done: int = 0, total: int = 0, message: str = "") -> proposal.ProposalProgress:
        if (state, done) == ("running", 3):
            project._proposer.cancel()
        return progress(state, done, total, message)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(proposal, "ProposalProgress", told)
    project.propose(focused.lock)
    wait_for(lambda: "any2bokeh proposal" not in [each.name for each in threading.enumerate()], threading.enumerate)
    assert project._proposer.progress.state == "idle"
