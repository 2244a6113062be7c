"""Who may use a line next, without a line: order, fairness, and that a relay goes before everything that waits."""

from __future__ import annotations

import pytest

from drivers.rs485.agenda import Agenda, Poll
from drivers.rs485.exchange import Exchange, Urgency


def ask(device: str, urgency: Urgency, number: int = 0) -> Exchange:
    return Exchange(device, bytes((number,)), None, urgency, 0.1, lambda outcome, reply: None)


def poll(device: str, every_s: float) -> Poll:
    return Poll(lambda: ask(device, Urgency.POLL), every_s)


def taken(agenda: Agenda, now_s: float, count: int) -> list[str]:
    found = [agenda.take(now_s) for _ in range(count)]
    return [one.device for one in found if one is not None]


def test_a_relay_goes_before_every_text_and_poll() -> None:
    agenda = Agenda()
    agenda.add_poll(poll("inputs", 0.05))
    for number in range(5):
        agenda.put(ask("sign", Urgency.TEXT, number))
    agenda.put(ask("relay", Urgency.NOW))
    agenda.put(ask("relay2", Urgency.NOW))
    assert taken(agenda, 0.0, 3) == ["relay", "relay2", "inputs"]


def test_texts_of_devices_take_turns_and_each_keeps_its_order() -> None:
    agenda = Agenda()
    for number in range(3):
        agenda.put(ask("a", Urgency.TEXT, number))
    agenda.put(ask("b", Urgency.TEXT, 9))
    found = [agenda.take(0.0) for _ in range(4)]
    assert [(one.device, one.request[0]) for one in found if one] == [("a", 0), ("b", 9), ("a", 1), ("a", 2)]


def test_polls_that_fill_the_line_leave_room_for_a_text_after_each_round() -> None:
    agenda = Agenda()
    for name in ("p", "q"):
        agenda.add_poll(poll(name, 0.0))
    for number in range(2):
        agenda.put(ask("sign", Urgency.TEXT, number))
    assert taken(agenda, 1.0, 6) == ["p", "q", "sign", "p", "q", "sign"]


def test_a_late_line_does_not_catch_up_on_polls() -> None:
    agenda = Agenda()
    agenda.add_poll(poll("inputs", 0.05))
    assert taken(agenda, 0.0, 1) == ["inputs"]
    assert agenda.due_s() == pytest.approx(0.05)
    assert taken(agenda, 7.0, 2) == ["inputs"]
    assert agenda.due_s() == pytest.approx(7.05)


def test_dropping_gives_back_all_that_waits_and_keeps_the_polls() -> None:
    agenda = Agenda()
    agenda.add_poll(poll("inputs", 1.0))
    agenda.put(ask("sign", Urgency.TEXT))
    agenda.put(ask("relay", Urgency.NOW))
    assert [one.device for one in agenda.drop()] == ["relay", "sign"]
    assert taken(agenda, 0.0, 2) == ["inputs"]


def test_a_poll_cannot_be_put() -> None:
    with pytest.raises(ValueError, match="POLL is not allowed"):
        Agenda().put(ask("inputs", Urgency.POLL))
