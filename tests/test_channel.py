import threading

import pytest

from any2bokeh.channel import Cancelled, Channel


def test_items_arrive_in_order_and_end():
    channel: Channel[int] = Channel(2)

    def give_all() -> None:
        for number in range(100):
            channel.put(number)
        channel.complete()

    giver = threading.Thread(target=give_all)
    giver.start()
    assert list(channel) == list(range(100))
    giver.join(5)
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
    giver.join(0.2)
    assert given == [0, 1]  # the third waits
    assert list(channel) == [0, 1, 2, 3, 4]
    giver.join(5)


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
    giver.join(5)
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
    taker.join(5)
    assert raised.is_set()


def test_cancelled_handover_drops_what_waits():
    channel: Channel[int] = Channel(4)
    channel.put(0)
    channel.cancel()
    with pytest.raises(Cancelled):
        list(channel)
