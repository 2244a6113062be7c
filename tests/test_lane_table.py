"""The lane's table, walked exhaustively: every state, every signal, every reading of the four inputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.commands import AnyCommand, LowerArm, RaiseArm
from edge.core.events import Commanded, PlateRead
from edge.core.facts import Stamp
from edge.core.lane import Lane
from edge.core.lane_base import OrderRefused, PendingOrder, Preread
from edge.core.lane_table import (
    ALWAYS,
    DESK_SIGNALS,
    GATE_SIGNALS,
    ILLEGAL,
    TABLE,
    WORLD,
    Desk,
    Gate,
    IllegalSignal,
    Signal,
    mermaid,
)
from edge.core.lane_types import Arrival
from edge.core.lane_words import WORDS
from edge.core.lot import LotState
from edge.core.tariff import TariffRule

NOW_MS = 1_000_000
HOLD_MS = 1_500
LONG_MS = 10_000
READINGS = (False, True, None)
REGION: dict[Signal, type[Desk] | type[Gate]] = {
    **dict.fromkeys(DESK_SIGNALS, Desk),
    **dict.fromkeys(GATE_SIGNALS, Gate),
}
PAIRS: list[tuple[Desk | Gate, Signal]] = [(state, signal) for signal in Signal for state in REGION[signal]]


def stamp(mono_ms: int) -> Stamp:
    return Stamp("boot", mono_ms, 1_700_000_000_000 + mono_ms, synced=True)


def lane_in(desk: Desk, gate: Gate) -> tuple[Box, Lane]:
    """A lane put into one pair of states, with the car and the order that belong to them."""
    ids = (f"{number:032x}" for number in itertools.count(1))
    box = Box(
        [LaneSettings(id="a", direction="out", hold_ms=HOLD_MS, unproven_hold_ms=LONG_MS)],
        LotRules(), TariffRule(0, 60, 500, 30, 200, 0), LotState(10), lambda: next(ids), "test", "box",
    )  # fmt: skip
    box.start(stamp(NOW_MS - 100_000))
    lane = box._lanes["a"]
    box.now = stamp(NOW_MS)
    box.out = []
    lane.now_ms = NOW_MS
    lane.desk, lane.gate = desk, gate
    lane.desk_since_ms = lane.gate_since_ms = NOW_MS - 40_000
    if desk is not Desk.VACANT:
        car = Arrival("f" * 32)
        car.plate, car.due_fen, car.order_id, car.token = "鲁B12345", 500, "e" * 32, 7
        car.deciding = desk in {Desk.STORING, Desk.ADMITTED}
        car.admitted = desk is Desk.ADMITTED
        lane.traffic.standing = car
    lane.preread = Preread(PlateRead(lane="a", read_id="d" * 32), "鲁B54321", NOW_MS - 100)
    lane.commanded = Commanded(lane="a", command_id="1", action="pay_cash", who="w", why="y", plate="鲁B11111")
    return box, lane


def readings(of_gate: bool) -> Iterator[tuple[bool | None, bool | None, int]]:
    """Arrival loop, safety loop, and for how long they have said so."""
    for arrival, safety in itertools.product(READINGS, READINGS):
        for since_ms in (0, HOLD_MS - 1, HOLD_MS, LONG_MS) if of_gate else (0, LONG_MS):
            yield arrival, safety, since_ms


def test_every_pair_stands_in_the_table() -> None:
    for state in (*Desk, *Gate):
        wanted = {signal for signal in Signal if isinstance(state, REGION[signal])} - set(ALWAYS)
        assert set(TABLE[state]) == wanted, state
        assert state in WORDS


def test_what_the_world_does_is_never_illegal() -> None:
    for state in (*Desk, *Gate):
        for signal, row in TABLE[state].items():
            assert not (signal in WORLD and row is ILLEGAL), (state, signal)


@pytest.mark.parametrize(("state", "signal"), PAIRS, ids=lambda item: item.name)
def test_illegal_raises_and_changes_nothing(state: Desk | Gate, signal: Signal) -> None:
    if signal in ALWAYS or TABLE[state][signal] is not ILLEGAL:
        return  # the legal pairs are walked below
    for other in Gate if isinstance(state, Desk) else Desk:
        desk, gate = (state, other) if isinstance(state, Desk) else (other, state)
        assert isinstance(desk, Desk)
        assert isinstance(gate, Gate)
        box, lane = lane_in(desk, gate)
        car_before = None if lane.traffic.standing is None else {
            name: getattr(lane.traffic.standing, name) for name in Arrival.__slots__
        }
        before = {name: value for name, value in vars(lane).items() if name != "memory"}
        memory = box.encode()
        with pytest.raises(IllegalSignal):
            lane.fire(signal)
        assert {name: value for name, value in vars(lane).items() if name != "memory"} == before
        if lane.traffic.standing is not None:
            assert {name: getattr(lane.traffic.standing, name) for name in Arrival.__slots__} == car_before
        assert box.encode() == memory
        assert box.out == []


def walk(state: Desk | Gate, signal: Signal) -> Iterator[tuple[Lane, Gate, Desk, list[AnyCommand]]]:
    """Every legal way into this pair: the other region's state, the readings, holds; and what the step put out."""
    for other in Gate if isinstance(state, Desk) else Desk:
        desk, gate = (state, other) if isinstance(state, Desk) else (other, state)
        assert isinstance(desk, Desk)
        assert isinstance(gate, Gate)
        for (arrival, safety, since_ms), proven, limit_down in itertools.product(
            readings(signal in GATE_SIGNALS), (True, False), (True, False) if signal in GATE_SIGNALS else (False,)
        ):
            if (signal is Signal.COVERED and safety is not True) or (signal is Signal.CLEARED and safety is not False):
                continue
            if signal is Signal.UNSURE and safety is not None:
                continue
            box, lane = lane_in(desk, gate)
            lane.arrival, lane.safety, lane.proven = arrival, safety, proven
            lane.limit_down = limit_down
            lane.arrival_since_ms = lane.safety_since_ms = lane.raised_ms = NOW_MS - since_ms
            if signal is Signal.ARRIVED:
                lane.traffic.came()
            if gate is Gate.HELD_OPEN:
                lane.holds.add("order")
            if signal is Signal.RELEASE:
                lane.holds.clear()
            due = lane.gate_due_ms()
            if signal is Signal.GATE_TIMER and (due is None or due > NOW_MS):
                continue  # the timer rings at its time only
            if signal is Signal.STORED and desk is not Desk.STORING:
                continue
            try:
                lane.fire(signal)
            except OrderRefused:
                assert box.out == []
                continue
            yield lane, gate, desk, box.out


LEGAL = [(s, signal) for s, signal in PAIRS if signal in ALWAYS or TABLE[s][signal] is not ILLEGAL]


@pytest.mark.parametrize(("state", "signal"), LEGAL, ids=lambda item: item.name)
def test_invariants_hold_on_every_step(state: Desk | Gate, signal: Signal) -> None:
    steps = 0
    for lane, gate, desk, out in walk(state, signal):
        steps += 1
        kinds = [type(command) for command in out]
        # 1: never down on an occupied or unknown loop, nor before the hold that belongs to what was seen
        if LowerArm in kinds:
            assert lane.safety is False
            hold_ms = HOLD_MS if lane.proven else LONG_MS
            assert NOW_MS - lane.safety_since_ms >= hold_ms
            assert lane.proven or lane.arrival is False
            assert lane.traffic.front is None
            assert signal in {Signal.GATE_TIMER, Signal.CLOSE}
            assert signal is Signal.CLOSE or desk not in {Desk.STORING, Desk.ADMITTED}
        # 1: the counterpart, and nothing before it
        if gate is Gate.LOWERING and signal in {Signal.COVERED, Signal.UNSURE}:
            assert kinds[0] is RaiseArm
        # 2: up for a reason only
        if RaiseArm in kinds:
            assert signal in {
                Signal.ADMITTED, Signal.OPEN, Signal.HOLD, Signal.EMERGENCY, Signal.STORED, Signal.LET_IN,
                Signal.COVERED, Signal.UNSURE, Signal.DOWN_SEEN, Signal.DESK_TIMER, Signal.READ,
            }, (gate, desk)  # fmt: skip
            if signal in {Signal.COVERED, Signal.UNSURE}:
                assert gate is Gate.LOWERING
            if signal in {Signal.DESK_TIMER, Signal.READ, Signal.STORED}:
                assert lane.traffic.standing is not None
                assert lane.traffic.standing.admitted
        # 2: the emergency always wins
        if signal is Signal.EMERGENCY:
            assert kinds[0] is RaiseArm
            assert lane.gate in {Gate.HELD_OPEN, Gate.STARTING}
        # 4: never both
        assert not (RaiseArm in kinds and LowerArm in kinds)
    assert steps, "no way into this pair was walked"


def test_no_admitted_car_stands_before_an_arm_that_nobody_raises() -> None:
    """After a close order the admission is taken back; every other way down waits for the admitted car."""
    box, lane = lane_in(Desk.ADMITTED, Gate.OPEN)
    lane.arrival, lane.safety, lane.proven = True, False, True
    lane.safety_since_ms = NOW_MS - LONG_MS
    out = box.step(Commanded(lane="a", command_id="c1", action="close", who="w", why="y"), stamp(NOW_MS))
    assert [type(command) for command in out if isinstance(command, LowerArm)] == [LowerArm]
    assert lane.desk is Desk.WAIT_CONFIRM
    assert not lane.memory.admissions


def test_pending_order_waits_for_the_disk() -> None:
    box, lane = lane_in(Desk.VACANT, Gate.DOWN)
    lane.arrival = lane.safety = False
    out = box.step(Commanded(lane="a", command_id="c1", action="open", who="w", why="y"), stamp(NOW_MS))
    assert not [command for command in out if isinstance(command, RaiseArm)]
    assert isinstance(lane.order, PendingOrder)


def test_diagram_names_every_state() -> None:
    diagram = mermaid()
    for state in (*Desk, *Gate):
        assert state.name in diagram
