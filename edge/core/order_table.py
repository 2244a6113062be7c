"""The life of an order to pay as one table: (state, signal) -> next state, and what money that comes in this state is.

A visit has one unpaid order at a time; it is made out anew, under its id, until it is paid. What comes due after the
minutes to leave is another order of the same visit. Rows that change nothing are written out: absence is no decision.

    QUOTED    made out for a phone                    GRACE     paid away from the arm, minutes to leave run
    WAITING   its car stands at the exit's arm        OVERTIME  those are over; the visit has a further order
    PAID      paid while its car stood there          CLOSED    paid, and its car is out
    OWED      its car went out and nothing was paid   REFUNDED  the money was given back
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal, NamedTuple


class Order(Enum):
    QUOTED = "quoted"
    WAITING = "waiting"
    PAID = "paid"
    GRACE = "grace"
    OVERTIME = "overtime"
    OWED = "owed"
    CLOSED = "closed"
    REFUNDED = "refunded"


class Turn(Enum):
    QUOTE = "made out for a phone"
    ARRIVE = "its car stands at the arm"
    BACK = "its car left the arm again"
    PAY = "money came"
    LAPSE = "the minutes to leave are over"
    PASS = "its car went out"
    REFUND = "money was given back"


Money = Literal["", "settled", "late", "again"]


class Step(NamedTuple):
    """`money`: what a payment in this state is (`PaymentNoticed.outcome`), "" for other signals."""

    next: Order
    money: Money = ""


_O, _T = Order, Turn

TABLE: Mapping[Order, Mapping[Turn, Step]] = {
    _O.QUOTED: {
        _T.QUOTE: Step(_O.QUOTED),
        _T.ARRIVE: Step(_O.WAITING),
        _T.BACK: Step(_O.QUOTED),
        _T.PAY: Step(_O.GRACE, "settled"),
        _T.LAPSE: Step(_O.QUOTED),
        _T.PASS: Step(_O.OWED),
        _T.REFUND: Step(_O.QUOTED),  # of money that was taken without a debt
    },
    _O.WAITING: {
        _T.QUOTE: Step(_O.WAITING),
        _T.ARRIVE: Step(_O.WAITING),
        _T.BACK: Step(_O.QUOTED),
        _T.PAY: Step(_O.PAID, "settled"),
        _T.LAPSE: Step(_O.WAITING),
        _T.PASS: Step(_O.OWED),
        _T.REFUND: Step(_O.WAITING),
    },
    _O.PAID: {
        _T.QUOTE: Step(_O.PAID),
        _T.ARRIVE: Step(_O.PAID),
        _T.BACK: Step(_O.GRACE),
        _T.PAY: Step(_O.PAID, "again"),
        _T.LAPSE: Step(_O.OVERTIME),
        _T.PASS: Step(_O.CLOSED),
        _T.REFUND: Step(_O.REFUNDED),
    },
    _O.GRACE: {
        _T.QUOTE: Step(_O.GRACE),
        _T.ARRIVE: Step(_O.GRACE),
        _T.BACK: Step(_O.GRACE),
        _T.PAY: Step(_O.GRACE, "again"),
        _T.LAPSE: Step(_O.OVERTIME),
        _T.PASS: Step(_O.CLOSED),
        _T.REFUND: Step(_O.REFUNDED),
    },
    _O.OVERTIME: {
        _T.QUOTE: Step(_O.OVERTIME),
        _T.ARRIVE: Step(_O.OVERTIME),
        _T.BACK: Step(_O.OVERTIME),
        _T.PAY: Step(_O.OVERTIME, "again"),
        _T.LAPSE: Step(_O.OVERTIME),
        _T.PASS: Step(_O.CLOSED),
        _T.REFUND: Step(_O.REFUNDED),
    },
    _O.OWED: {
        _T.QUOTE: Step(_O.OWED),
        _T.ARRIVE: Step(_O.OWED),
        _T.BACK: Step(_O.OWED),
        _T.PAY: Step(_O.CLOSED, "late"),
        _T.LAPSE: Step(_O.OWED),
        _T.PASS: Step(_O.OWED),
        _T.REFUND: Step(_O.OWED),
    },
    _O.CLOSED: {
        _T.QUOTE: Step(_O.CLOSED),
        _T.ARRIVE: Step(_O.CLOSED),
        _T.BACK: Step(_O.CLOSED),
        _T.PAY: Step(_O.CLOSED, "again"),
        _T.LAPSE: Step(_O.CLOSED),
        _T.PASS: Step(_O.CLOSED),
        _T.REFUND: Step(_O.REFUNDED),
    },
    _O.REFUNDED: {
        _T.QUOTE: Step(_O.REFUNDED),
        _T.ARRIVE: Step(_O.REFUNDED),
        _T.BACK: Step(_O.REFUNDED),
        _T.PAY: Step(_O.REFUNDED, "again"),
        _T.LAPSE: Step(_O.REFUNDED),
        _T.PASS: Step(_O.REFUNDED),
        _T.REFUND: Step(_O.REFUNDED),
    },
}
