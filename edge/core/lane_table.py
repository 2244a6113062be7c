"""The lane as one table: (state, signal) -> what is done and where it may lead. Rule 1: every change of a lane's state
is a row here. Rule 2: no clock, no IO, no device: signals come in, the actions' names stand in the rows.

A lane is two regions that run side by side. The **desk** judges the car on the arrival side: read it, decide, wait
for money, a stall or a person. The **gate** moves the arm and watches the safety loop. They meet in one signal each
way: the desk tells the gate ADMITTED, traffic under the arm tells the desk PASSED. So the next car is read, decided
and stored while the one before it is still under the arm, and is either admitted by then or recorded as a tailgater.

The nine invariants of DESIGN 5, and where they hold:

1. The arm is asked down in one action only (`lower`, and `lower_ordered` for a person), both through
   `lane_gate.Gate.interlock`: safety loop known clear, for hold_ms since it cleared, longer if it was never seen
   occupied in this opening. `reraise` is its counterpart: LOWERING + COVERED or UNSURE gives RaiseArm first of all.
   LOWERING lasts the whole travel time, whatever a limit switch says, so that a switch that lies takes nothing away.
2. The arm is asked up in `lift` (ADMITTED: decided and durable; OPEN: a person's order, durable), `hold` and
   `emergency`, and `reraise`. No other action emits RaiseArm.
3. One admission, one vehicle: `lane_traffic` pairs the pulses; a second vehicle without a durable admission of its
   own is recorded as a tailgater.
4. One step never asks up and down: `Lane.step` checks it before it returns. Pulse lengths are the driver's.
5. Orders act once by id and never when aged: `Box`. One for a car names it: `lane_people.must_be_meant`.
6. Backing out: GONE ends the admission, count unchanged.
7. Asked and seen are different words: UP_SEEN and DOWN_SEEN come from limit switches only.
8. STORING stands between every decision and the arm. Only EMERGENCY, the safety reaction and a dead disk go past it.
9. Every missing or stuck device is a fault of the catalogue, raised in `lane_faults` and obeyed in `interlock` (the arm
   stays up) and `decide` (a person is asked).

Signals of the world are never illegal: the world does not ask. Orders and the ledger's answers are: `illegal` rows
say so, and the lane raises `IllegalSignal` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class _Word(Enum):
    """Members are singletons: identity hashes them, where `Enum` would hash the name at every look-up."""

    __hash__ = object.__hash__


class Desk(_Word):
    """What is with the car on the arrival side."""

    VACANT = "vacant"
    WAIT_READ = "wait_read"
    STORING = "storing"
    WAIT_PAYMENT = "wait_payment"
    WAIT_STALL = "wait_stall"
    WAIT_CONFIRM = "wait_confirm"
    REFUSED = "refused"
    ADMITTED = "admitted"
    LOCKED = "locked"


class Gate(_Word):
    """What was asked of the arm, and what the safety loop saw in this opening."""

    STARTING = "starting"
    DOWN = "down"
    RAISING = "raising"
    OPEN = "open"
    PASSING = "passing"
    CLEARING = "clearing"
    LOWERING = "lowering"
    HELD_OPEN = "held_open"


class Signal(_Word):
    # desk: the world
    ARRIVED = "a car came"
    GONE = "the car left again"
    PASSED = "the car is through"
    READ = "plate read"
    # desk: ledger, lot, time
    STORED = "decision durable"
    FREED = "a stall came free"
    DESK_TIMER = "desk deadline"
    # desk: people
    LET_IN = "order: open for this car"
    PAY = "order: paid"
    CORRECT = "order: correct plate"
    LOCK = "order: lock"
    UNLOCK = "order: unlock"
    CLOSED = "the arm was closed by an order"
    # gate: the world
    COVERED = "safety loop occupied"
    CLEARED = "safety loop clear"
    UNSURE = "safety loop unknown"
    UP_SEEN = "upper limit"
    DOWN_SEEN = "lower limit"
    DOWN_LEFT = "lower limit left"
    # gate: desk and time
    ADMITTED = "car admitted"
    ENDED = "a car is through or gone"
    GATE_TIMER = "gate deadline"
    # gate: people and the fire alarm
    OPEN = "order: open"
    CLOSE = "order: close"
    HOLD = "order: hold open"
    RELEASE = "order: release"
    EMERGENCY = "emergency on"
    CALM = "emergency off"


S, D, G = Signal, Desk, Gate

DESK_SIGNALS = (
    S.ARRIVED, S.GONE, S.PASSED, S.READ, S.STORED, S.FREED, S.DESK_TIMER,
    S.LET_IN, S.PAY, S.CORRECT, S.LOCK, S.UNLOCK, S.CLOSED,
)  # fmt: skip
GATE_SIGNALS = tuple(signal for signal in Signal if signal not in DESK_SIGNALS)
WORLD = frozenset({
    S.ARRIVED, S.GONE, S.PASSED, S.READ, S.COVERED, S.CLEARED, S.UNSURE, S.UP_SEEN, S.DOWN_SEEN, S.DOWN_LEFT,
    S.EMERGENCY, S.CALM,
})  # fmt: skip

State = Desk | Gate


class IllegalSignal(Exception):
    """This signal has no meaning in this state. Nothing was changed."""

    def __init__(self, state: State, signal: Signal) -> None:
        super().__init__(f"{state.name}: {signal.value} is not possible")
        self.state = state
        self.signal = signal


class Row(NamedTuple):
    """`action` is a method of the lane; it leaves the region in one of `next` (the first is the usual one)."""

    action: str
    next: tuple[State, ...]


ILLEGAL = Row("illegal", ())


def row(action: str, *after: State) -> Row:
    return Row(action, after)


# Where a decision may lead: `decide` and everything that ends in it.
DECIDED = (D.STORING, D.WAIT_PAYMENT, D.WAIT_STALL, D.WAIT_CONFIRM, D.REFUSED, D.LOCKED)
# A new car's first state: a read that came before it is used at once.
BEGUN = (D.WAIT_READ, *DECIDED)

# Where asking up may lead: a car may stand on the safety loop already.
LIFTED = (G.RAISING, G.PASSING)

_VACANT = {S.GONE: row("leave", D.VACANT), S.PASSED: row("leave", D.VACANT)}
_WAITS = {
    **_VACANT,
    S.ARRIVED: row("begin", *BEGUN),
    S.LET_IN: row("let_in", D.STORING),
    S.LOCK: row("shut_desk", D.LOCKED),
    S.CORRECT: row("correct", *DECIDED),
    S.STORED: ILLEGAL,
    S.UNLOCK: ILLEGAL,
    S.CLOSED: ILLEGAL,
}

TABLE: Mapping[State, Mapping[Signal, Row]] = {
    D.VACANT: {
        S.ARRIVED: row("begin", *BEGUN),
        S.GONE: row("note", D.VACANT),
        S.PASSED: row("note", D.VACANT),
        S.READ: row("keep_read", D.VACANT),
        S.FREED: row("note", D.VACANT),
        S.LOCK: row("note", D.VACANT),
        S.UNLOCK: row("note", D.VACANT),
        **dict.fromkeys((S.STORED, S.DESK_TIMER, S.LET_IN, S.PAY, S.CORRECT, S.CLOSED), ILLEGAL),
    },
    D.WAIT_READ: {
        **_WAITS,
        S.READ: row("take_read", *DECIDED, D.WAIT_READ),
        S.DESK_TIMER: row("no_read", D.WAIT_READ, *DECIDED),
        S.FREED: row("note", D.WAIT_READ),
        S.PAY: ILLEGAL,
    },
    D.STORING: {
        **_VACANT,
        S.ARRIVED: row("begin", *BEGUN),
        S.READ: row("own_read", D.STORING),
        S.STORED: row("admit", D.ADMITTED),
        S.DESK_TIMER: row("admit_unstored", D.ADMITTED),
        S.FREED: row("note", D.STORING),
        S.LOCK: row("note", D.STORING),  # decided is decided: the lock is for the next car
        S.UNLOCK: row("note", D.STORING),
        S.LET_IN: row("note", D.STORING),
        S.CLOSED: row("take_back", D.WAIT_CONFIRM),
        S.PAY: ILLEGAL, S.CORRECT: ILLEGAL,
    },
    D.WAIT_PAYMENT: {
        **_WAITS,
        S.READ: row("read_while_waiting", D.WAIT_PAYMENT, *DECIDED),
        S.DESK_TIMER: row("give_up", D.REFUSED),
        S.FREED: row("try_again", *DECIDED),
        S.PAY: row("take_payment", D.STORING),
    },
    D.WAIT_STALL: {
        **_WAITS,
        S.READ: row("read_while_waiting", D.WAIT_STALL, *DECIDED),
        S.DESK_TIMER: row("give_up", D.REFUSED),
        S.FREED: row("try_again", D.WAIT_STALL, *DECIDED),
        S.PAY: ILLEGAL,
    },
    D.WAIT_CONFIRM: {
        **_WAITS,
        S.READ: row("better_read", D.WAIT_CONFIRM, *DECIDED),
        S.DESK_TIMER: row("give_up", D.REFUSED),
        S.FREED: row("try_again", D.WAIT_CONFIRM, *DECIDED),
        S.PAY: row("take_payment", D.STORING),
    },
    D.REFUSED: {
        **_WAITS,
        S.READ: row("better_read", D.REFUSED, *DECIDED),
        S.FREED: row("try_again", D.REFUSED, *DECIDED),  # its payment came after its wait was over
        S.PAY: row("take_payment", D.STORING),
        S.DESK_TIMER: ILLEGAL,
    },
    D.ADMITTED: {
        **_VACANT,
        S.ARRIVED: row("begin", *BEGUN),
        S.READ: row("read_while_admitted", D.ADMITTED, *BEGUN),
        S.FREED: row("note", D.ADMITTED),
        S.LOCK: row("note", D.ADMITTED),
        S.UNLOCK: row("note", D.ADMITTED),
        S.LET_IN: row("admit_again", D.ADMITTED),
        S.CLOSED: row("take_back", D.WAIT_CONFIRM),
        S.DESK_TIMER: row("assume_same", D.ADMITTED, *BEGUN),  # only after a restart: is it the car that was admitted?
        S.STORED: ILLEGAL, S.PAY: ILLEGAL, S.CORRECT: ILLEGAL,
    },
    D.LOCKED: {
        **_VACANT,
        S.ARRIVED: row("begin", *BEGUN),
        S.READ: row("read_while_locked", D.LOCKED),
        S.FREED: row("note", D.LOCKED),
        S.LOCK: row("note", D.LOCKED),
        S.UNLOCK: row("open_desk", D.WAIT_READ, *DECIDED),
        **dict.fromkeys((S.STORED, S.DESK_TIMER, S.LET_IN, S.PAY, S.CORRECT, S.CLOSED), ILLEGAL),
    },
    # --- gate ------------------------------------------------------------------------------------------------
    G.STARTING: {
        S.COVERED: row("note", G.STARTING),
        S.CLEARED: row("note", G.STARTING),
        S.UNSURE: row("note", G.STARTING),
        S.UP_SEEN: row("note", G.STARTING),
        S.DOWN_SEEN: row("note", G.STARTING),
        S.DOWN_LEFT: row("note", G.STARTING),
        S.ENDED: row("note", G.STARTING),
        S.GATE_TIMER: row("wake", G.DOWN, G.OPEN, G.PASSING, G.CLEARING, G.HELD_OPEN),
        S.CALM: row("note", G.STARTING),
        S.ADMITTED: ILLEGAL, S.OPEN: ILLEGAL, S.CLOSE: ILLEGAL, S.HOLD: ILLEGAL, S.RELEASE: ILLEGAL,
    },
    G.DOWN: {
        S.COVERED: row("note", G.DOWN),
        S.CLEARED: row("note", G.DOWN),
        S.UNSURE: row("note", G.DOWN),
        S.UP_SEEN: row("uncommanded", G.HELD_OPEN, G.OPEN, G.CLEARING),
        S.DOWN_SEEN: row("note", G.DOWN),
        S.DOWN_LEFT: row("uncommanded", G.HELD_OPEN, G.OPEN, G.CLEARING),
        S.ADMITTED: row("lift", *LIFTED),
        S.ENDED: row("note", G.DOWN),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: row("lower_ordered", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.DOWN),
        S.GATE_TIMER: ILLEGAL, S.RELEASE: ILLEGAL,
    },
    G.RAISING: {
        S.COVERED: row("note", G.PASSING),
        S.CLEARED: row("note", G.RAISING),
        S.UNSURE: row("note", G.RAISING),
        S.UP_SEEN: row("up", G.OPEN, G.CLEARING),
        S.DOWN_SEEN: row("note", G.RAISING),
        S.DOWN_LEFT: row("note", G.RAISING),
        S.ADMITTED: row("note", G.RAISING),
        S.ENDED: row("note", G.RAISING),
        S.GATE_TIMER: row("up", G.OPEN, G.CLEARING),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: row("lower_ordered", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.RAISING),
        S.RELEASE: ILLEGAL,
    },
    G.OPEN: {
        S.COVERED: row("note", G.PASSING),
        S.CLEARED: row("note", G.OPEN),
        S.UNSURE: row("note", G.OPEN),
        S.UP_SEEN: row("note", G.OPEN),
        S.DOWN_SEEN: row("came_down", G.DOWN, *LIFTED),
        S.DOWN_LEFT: row("note", G.OPEN),
        S.ADMITTED: row("note", G.OPEN),
        S.ENDED: row("expect", G.OPEN, G.CLEARING),
        S.GATE_TIMER: row("nobody_drove", G.OPEN, G.CLEARING),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: row("lower_ordered", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.OPEN),
        S.RELEASE: ILLEGAL,
    },
    G.PASSING: {
        S.COVERED: row("note", G.PASSING),
        S.CLEARED: row("expect", G.OPEN, G.CLEARING),
        S.UNSURE: row("note", G.PASSING),
        S.UP_SEEN: row("note", G.PASSING),
        S.DOWN_SEEN: row("came_down_on", G.PASSING),
        S.DOWN_LEFT: row("note", G.PASSING),
        S.ADMITTED: row("raise_unseen", G.PASSING),
        S.ENDED: row("note", G.PASSING),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: ILLEGAL,
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.PASSING),
        S.GATE_TIMER: ILLEGAL, S.RELEASE: ILLEGAL,
    },
    G.CLEARING: {
        S.COVERED: row("note", G.PASSING),
        S.CLEARED: row("note", G.CLEARING),
        S.UNSURE: row("note", G.CLEARING),
        S.UP_SEEN: row("note", G.CLEARING),
        S.DOWN_SEEN: row("came_down", G.DOWN, *LIFTED),
        S.DOWN_LEFT: row("note", G.CLEARING),
        S.ADMITTED: row("expect_again", G.OPEN, *LIFTED),
        S.ENDED: row("note", G.CLEARING),
        S.GATE_TIMER: row("lower", G.LOWERING),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: row("lower_ordered", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.CLEARING),
        S.RELEASE: ILLEGAL,
    },
    G.LOWERING: {
        S.COVERED: row("reraise", G.PASSING),
        S.CLEARED: row("note", G.LOWERING),
        S.UNSURE: row("reraise", G.CLEARING),
        S.UP_SEEN: row("note", G.LOWERING),
        S.DOWN_SEEN: row("note", G.LOWERING),
        S.DOWN_LEFT: row("note", G.LOWERING),
        S.ADMITTED: row("lift", *LIFTED),
        S.ENDED: row("note", G.LOWERING),
        S.GATE_TIMER: row("note", G.DOWN),
        S.OPEN: row("lift", *LIFTED),
        S.CLOSE: row("note", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.CALM: row("note", G.LOWERING),
        S.RELEASE: ILLEGAL,
    },
    G.HELD_OPEN: {
        S.COVERED: row("note", G.HELD_OPEN),
        S.CLEARED: row("note", G.HELD_OPEN),
        S.UNSURE: row("note", G.HELD_OPEN),
        S.UP_SEEN: row("note", G.HELD_OPEN),
        S.DOWN_SEEN: row("came_down_held", G.HELD_OPEN, G.DOWN, G.RAISING),
        S.DOWN_LEFT: row("note", G.HELD_OPEN),
        S.ADMITTED: row("lift_held", G.HELD_OPEN, G.RAISING, G.PASSING),
        S.ENDED: row("note", G.HELD_OPEN),
        S.OPEN: row("lift_held", G.HELD_OPEN, G.RAISING, G.PASSING),
        S.CLOSE: row("close_held", G.LOWERING),
        S.HOLD: row("hold", G.HELD_OPEN),
        S.RELEASE: row("let_go", G.CLEARING, G.OPEN, G.PASSING, G.HELD_OPEN),
        S.CALM: row("let_go", G.CLEARING, G.OPEN, G.PASSING, G.HELD_OPEN),
        S.GATE_TIMER: ILLEGAL,
    },
}  # fmt: skip

# Beats every state of the gate, STARTING too (DESIGN 5, invariant 2).
ALWAYS: Mapping[Signal, Row] = {S.EMERGENCY: row("emergency", G.HELD_OPEN, G.STARTING)}


def look_up(state: State, signal: Signal) -> Row:
    """The row of this pair. `IllegalSignal` if it has none: before anything was changed."""
    found = (ALWAYS if signal in ALWAYS else TABLE[state])[signal]
    if found is ILLEGAL:
        raise IllegalSignal(state, signal)
    return found


def mermaid() -> str:
    """The two regions as a state diagram (mermaid), generated so that it cannot differ from the table."""
    lines = ["stateDiagram-v2"]
    for region, states in (("Desk", Desk), ("Gate", Gate)):
        lines.append(f"    state {region} {{")
        edges: dict[tuple[str, str], list[str]] = {}
        for state in states:
            for signal, (_, after) in [*TABLE[state].items(), *(ALWAYS.items() if states is Gate else ())]:
                for target in after:
                    if target is not state:
                        edges.setdefault((state.name, target.name), []).append(signal.value.replace(":", ""))
        lines += [f"        {a} --> {b}: {' / '.join(names)}" for (a, b), names in edges.items()]
        lines.append("    }")
    return "\n".join(lines)


if __name__ == "__main__":
    print(mermaid())
