import threading

import pytest

from any2bokeh.handover import CalledOff, Handover


def test_items_arrive_in_order_and_end():
    handover: Handover[int] = Handover(2)

    def give_all() -> None:
        for number in range(100):
            handover.give(number)
        handover.complete()

    giver = threading.Thread(target=give_all)
    giver.start()
    assert list(handover) == list(range(100))
    giver.join(5)
    assert not giver.is_alive()


def test_giver_waits_when_full():
    handover: Handover[int] = Handover(2)
    given = []

    def give_all() -> None:
        for number in range(5):
            handover.give(number)
            given.append(number)
        handover.complete()

    giver = threading.Thread(target=give_all)
    giver.start()
    giver.join(0.2)
    assert given == [0, 1]  # the third waits
    assert list(handover) == [0, 1, 2, 3, 4]
    giver.join(5)


def test_calling_off_wakes_a_waiting_giver():
    handover: Handover[int] = Handover(1)
    handover.give(0)
    raised = threading.Event()

    def give_more() -> None:
        try:
            handover.give(1)
        except CalledOff:
            raised.set()

    giver = threading.Thread(target=give_more)
    giver.start()
    handover.call_off()
    giver.join(5)
    assert raised.is_set()


def test_calling_off_wakes_a_waiting_taker():
    handover: Handover[int] = Handover(1)
    raised = threading.Event()

    def take() -> None:
        try:
            list(handover)
        except CalledOff:
            raised.set()

    taker = threading.Thread(target=take)
    taker.start()
    handover.call_off()
    taker.join(5)
    assert raised.is_set()


def test_called_off_handover_drops_what_waits():
    handover: Handover[int] = Handover(4)
    handover.give(0)
    handover.call_off()
    with pytest.raises(CalledOff):
        list(handover)
