import time

import pytest

from any2bokeh.app.history import History


def test_undo_and_redo_go_through_the_states():
    states = History(0)
    for state in (1, 2, 3):
        states.enter(state)
    states.undo()
    states.undo()
    assert (states.now, states.can_undo, states.can_redo) == (1, True, True)
    states.redo()
    assert states.now == 2


def test_new_state_forgets_what_was_undone():
    states = History(0)
    states.enter(1)
    states.undo()
    states.enter(2)
    assert not states.can_redo
    states.undo()
    assert states.now == 0


def test_ends_stay_where_they_are():
    states = History(0)
    states.undo()
    states.redo()
    states.enter(0)
    assert (states.now, states.can_undo, states.can_redo) == (0, False, False)


def test_one_drag_is_one_step(monkeypatch: pytest.MonkeyPatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    states = History(0)
    for value in range(1, 10):
        now += 0.1
        states.enter(value, gesture="blur")
    now += 60
    states.enter(20, gesture="blur")
    states.enter(21, gesture="another")
    seen = [states.now]
    while states.can_undo:
        states.undo()
        seen.append(states.now)
    assert seen == [21, 20, 9, 0]
