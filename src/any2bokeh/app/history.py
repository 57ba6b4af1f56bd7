"""Undo and redo."""

import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

State = TypeVar("State")

_DEPTH = 200
_GESTURE_S = 1.5


class History(Generic[State]):
    """The states that something has been in. States are immutable.

    Args:
        first: the state that it begins in.
    """

    def __init__(self, first: State) -> None:
        self._past: deque[State] = deque(maxlen=_DEPTH)
        self._future: list[State] = []
        self.now = first
        self._gesture: tuple[str, float] | None = None

    def enter(self, state: State, *, gesture: str | None = None) -> None:
        """Go on to a state.

        Args:
            state: the new one; nothing happens where it equals the present one.
            gesture: names one movement of the hand, such as the drag of a slider: states that follow one another
                quickly under one name are one step of undo.
        """
        if state == self.now:
            return
        at = time.monotonic()
        goes_on = gesture is not None and self._gesture is not None and self._gesture[0] == gesture
        if not (goes_on and self._gesture is not None and at - self._gesture[1] < _GESTURE_S):
            self._past.append(self.now)
        self._gesture = None if gesture is None else (gesture, at)
        self._future.clear()
        self.now = state

    def amend(self, state: State) -> None:
        """Complete the present state: undo and redo pass over the incomplete one."""
        self.now = state

    def latest(self, is_wanted: Callable[[State], bool]) -> State | None:
        """The latest of the states before that is wanted; None where none is."""
        return next((state for state in reversed(self._past) if is_wanted(state)), None)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def undo(self) -> None:
        """Back to the state before, if there is one."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()
            self._gesture = None

    def redo(self) -> None:
        """Forward to what was undone, if anything was."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()
            self._gesture = None
