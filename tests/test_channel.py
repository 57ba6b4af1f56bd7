import threading
import time
from collections.abc import Generator

import pytest

from any2bokeh.channel import Cancelled, Channel, made_ahead

HANGS_AFTER_S = 300.0


def test_items_arrive_in_order_and_end():
    channel: Channel[int] = Channel(2)

    def give_all() -> None:
        for number in range(100):
            channel.put(number)
        channel.complete()

    giver = threading.Thread(target=give_all)
    giver.start()
    assert list(channel) == list(range(100))
    giver.join(HANGS_AFTER_S)
    assert not giver.is_alive()


def test_giver_waits_when_full():
    channel: Channel[int] = Channel(2)
    given = []

    def give_all() -> None:
        for number in range(5):
            channel.put(number)
            given.append(number)
        channel.complete()

    giver = threading.Thread(target=give_all)
    giver.start()
    until = time.monotonic() + HANGS_AFTER_S
    while len(given) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    giver.join(0.2)
    assert given == [0, 1]  # the third waits
    assert list(channel) == [0, 1, 2, 3, 4]
    giver.join(HANGS_AFTER_S)


def test_calling_off_wakes_a_waiting_giver():
    channel: Channel[int] = Channel(1)
    channel.put(0)
    raised = threading.Event()

    def give_more() -> None:
        try:
            channel.put(1)
        except Cancelled:
            raised.set()

    giver = threading.Thread(target=give_more)
    giver.start()
    channel.cancel()
    giver.join(HANGS_AFTER_S)
    assert raised.is_set()


def test_calling_off_wakes_a_waiting_taker():
    channel: Channel[int] = Channel(1)
    raised = threading.Event()

    def take() -> None:
        try:
            list(channel)
        except Cancelled:
            raised.set()

    taker = threading.Thread(target=take)
    taker.start()
    channel.cancel()
    taker.join(HANGS_AFTER_S)
    assert raised.is_set()


def test_cancelled_handover_drops_what_waits():
    channel: Channel[int] = Channel(4)
    channel.put(0)
    channel.cancel()
    with pytest.raises(Cancelled):
        list(channel)


def test_what_is_made_ahead_arrives_in_order_and_before_what_is_raised():
    makers = set()

    def numbers() -> Generator[int, None, None]:
        for number in range(5):
            makers.add(threading.current_thread().name)
            yield number
        raise ValueError("no more")

    taken: list[int] = []
    with pytest.raises(ValueError, match="no more"):
        taken.extend(made_ahead(numbers(), name="maker"))
    assert taken == [0, 1, 2, 3, 4]
    assert makers == {"maker"}
    assert "maker" not in [thread.name for thread in threading.enumerate()]


def test_what_is_no_longer_taken_is_not_made_on():
    made, closed = [], threading.Event()

    def numbers() -> Generator[int, None, None]:
        try:
            for number in range(1000):
                made.append(number)
                yield number
        finally:
            closed.set()

    ahead = made_ahead(numbers(), name="maker")
    assert next(ahead) == 0
    ahead.close()
    assert closed.is_set()
    assert len(made) <= 2  # the one taken, and one that waits
    assert "maker" not in [thread.name for thread in threading.enumerate()]
