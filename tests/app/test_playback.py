"""What is made for a page that plays, and what of it stays."""

import threading

import pytest

from any2bokeh.app.commands import Play, Stop
from any2bokeh.app.playback import Head, Playback
from any2bokeh.app.session import Session
from any2bokeh.errors import InputError
from tests.app.conftest import FAR_POINT, FRAMES, HANGS_AFTER_S, NEAR_POINT, ready, wait_for


def test_the_head_goes_round():
    head = Head(10, 100.0)
    assert [head.at(100 + s, range(8, 14), 2.0) for s in (0, 0.9, 1.5, 2, 3.1)] == [10, 11, 13, 8, 10]
    assert Head(3, 0).at(5, range(8, 14), 2.0) == 8  # in and out points have been moved


class Numbers:
    """Drafts that are made at once, and on demand."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.unknown: set[int] = set()
        self.may_make = threading.Semaphore(0)

    def has(self, frame: int) -> bool | None:
        return None if frame in self.unknown else frame in self.made

    def make(self, frame: int) -> None:
        assert self.may_make.acquire(timeout=HANGS_AFTER_S)
        self.made.append(frame)

    def frames(self) -> list[int]:
        return sorted(self.made)


def test_what_is_ahead_is_made_first_then_all_of_it():
    numbers = Numbers()
    playback = Playback(numbers, fps=1e-6, span=lambda: range(4, 12))  # time stands still
    numbers.unknown = {9}
    playback.play(8)
    numbers.may_make.release(7)
    wait_for(lambda: len(numbers.made) == 7, lambda: numbers.made)
    assert numbers.made == [8, 10, 11, 4, 5, 6, 7]
    assert playback.ready() == [(4, 9), (10, 12)]
    numbers.unknown.clear()  # its focus has been found meanwhile
    numbers.may_make.release()
    wait_for(lambda: 9 in numbers.made, lambda: numbers.made)
    playback.close()
    assert not playback.is_playing


def test_nothing_is_made_while_nothing_plays():
    numbers = Numbers()
    numbers.may_make.release(100)
    playback = Playback(numbers, fps=1e-6, span=lambda: range(4))
    assert playback.ready() == []
    playback.play(0)
    wait_for(lambda: len(numbers.made) == 4, lambda: numbers.made)
    playback.stop()
    numbers.made.clear()
    playback.close()
    assert numbers.made == []


@pytest.fixture
def played(session: Session) -> Session:
    """The demo with a move to another blur in its second half, all of it made for playing."""
    session.open_demo()
    project = session.opened()
    project.clear()
    project.focus(0, *NEAR_POINT, is_locked=True)
    project.blur(30, frame=FRAMES - 1, begins=True)
    ready(session)
    play_all(session)
    return session


def play_all(session: Session) -> None:
    Play(0).run(session)
    wait_for(lambda: runs(session) == [(0, FRAMES)], lambda: session.snapshot())
    Stop().run(session)


def runs(session: Session) -> list[tuple[int, int]]:
    clip = session.snapshot()["clip"]
    assert clip is not None
    return clip["playback"]["ready"]


def test_what_was_played_stays_and_an_edit_concerns_its_frames_alone(played: Session):
    project = played.opened()
    before = [played.draft(frame) for frame in range(FRAMES)]
    assert None not in before
    project.change(FRAMES - 1, {"blur_strength": 40.0})
    ready(played)
    [(first, last)] = runs(played)
    assert first == 0
    assert 1 < last < FRAMES  # up to where the blur begins to change
    assert [played.draft(frame) for frame in range(last)] == before[:last]
    assert played.draft(FRAMES - 1) is None
    project.undo()
    ready(played)
    assert runs(played) == [(0, FRAMES)]
    assert [played.draft(frame) for frame in range(FRAMES)] == before


def test_another_subject_concerns_all_frames(played: Session):
    played.opened().focus(0, *FAR_POINT, is_locked=True)
    ready(played)
    assert runs(played) == []
    played.opened().change_look(blades=6)
    assert runs(played) == []


def test_in_and_out_points_bound_what_is_made(session: Session):
    session.open_demo()
    ready(session)
    project = session.opened()
    project.keep_part(5, 9)
    Play(0).run(session)
    wait_for(lambda: runs(session) == [(5, 10)], lambda: session.snapshot())
    clip = session.snapshot()["clip"]
    assert clip is not None
    assert (clip["playback"]["first"], clip["playback"]["last"]) == (5, 9)


def test_a_picture_that_has_been_made_is_not_made_again(played: Session):
    project = played.opened()
    project.change_look(blades=5)
    first = played.picture(3, "result")
    frames = project._pictures.frames
    frames.close()
    again = played.picture(3, "result")
    assert (again.jpeg, again.is_provisional, again.focus) == (first.jpeg, False, first.focus)
    assert played.quick(3).jpeg == first.jpeg
    assert len(frames._pictures) == 0  # nothing was decoded
    passed = played.quick(4)
    assert passed.is_provisional
    assert passed.jpeg == played.picture(4, "source").jpeg


def test_frames_outside_are_refused(session: Session):
    session.open_demo()
    for wrong in (-1, FRAMES):
        with pytest.raises(InputError, match="there is no frame"):
            Play(wrong).run(session)
        with pytest.raises(InputError, match="there is no frame"):
            session.draft(wrong)
        with pytest.raises(InputError, match="there is no frame"):
            session.quick(wrong)


def test_what_was_made_goes_with_the_clip(played: Session):
    folder = played.opened()._folder
    assert (folder / "drafts").is_dir()
    played.open_demo()
    wait_for(lambda: not folder.exists(), lambda: list(folder.iterdir()))
