"""One visit from its first read to the city's last answer, out of ledger, queue and pictures: windows of facts.

A visit's facts stand close to its two passages. Which belong to it is told by the ids that they carry, not by time;
orders carry none and belong to it when they came at its lane between the car's first fact and its passage.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.agent.delivery_words import kind_words, outcome
from edge.agent.past import Clockwork
from edge.core.facts import (
    ArmOrdered,
    Decided,
    Fact,
    Ordered,
    Paid,
    Passed,
    PictureKept,
    PlateCorrected,
    ReadTaken,
)
from edge.core.tariff import yuan
from edge.ports import Delivery
from edge.store.history import LedgerHistory
from edge.web.api_views import TimelineRow, Visit
from edge.web.desk import RefusedError

BEFORE, AFTER = 600, 200
"""Facts before and after a passage among which its own are looked for; a car that waits ten minutes for money at a busy
box has some 300 of others between its read and its passage."""
ENTRY_AROUND = 300

HOW_WORDS = {
    "admitted": ("放行", "admitted"),
    "tailgate": ("跟车", "tailgated"),
    "operator": ("人工放行", "by an operator"),
    "city": ("平台放行", "by the city"),
    "emergency": ("消防联动", "emergency"),
    "uncommanded": ("未经命令抬杆", "the arm was up without an order"),
    "restart": ("重启期间", "during a restart"),
}

PAID_ZH = {"cash": "现金", "free": "免费", "coupon": "优惠减免", "online": "线上支付", "seamless": "无感支付"}


class VisitReader:
    """Raises the store's errors, and `RefusedError` not_found."""

    def __init__(
        self,
        ledger: LedgerHistory,
        deliveries: Callable[[str], list[Delivery]],
        has_picture: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._ledger, self._deliveries, self._has_picture, self._now_ms = ledger, deliveries, has_picture, now_ms

    def read(self, seq: int) -> Visit:
        found = self._ledger.between(seq, seq)
        if not found or not isinstance(found[0].body, Passed):
            raise RefusedError("not_found", f"没有编号为 {seq} 的通行", f"there is no passage with the number {seq}")
        entry, exit_ = self._both(found[0], found[0].body)
        clockwork = Clockwork(self._ledger)
        rows: dict[str, TimelineRow] = {}
        for passage in (entry, exit_):
            if passage is not None:
                for fact in self._around(passage, entry.id if entry is not None else ""):
                    rows[fact.id] = self._row(fact, clockwork)
        visit_id = entry.id if entry is not None else found[0].body.visit_id
        told = self._deliveries(visit_id) if visit_id else []
        told += [] if exit_ is None or any(one.item_id == exit_.id for one in told) else self._deliveries(exit_.id)
        timeline = [*rows.values(), *map(self._delivery_row, told)]
        timeline.sort(key=lambda row: row.at_ms)
        return self._visit(visit_id, entry, exit_, clockwork, timeline)

    def _both(self, fact: Fact, body: Passed) -> tuple[Fact | None, Fact | None]:
        """Entry and exit; None: not known, or not yet."""
        if body.direction == "in":
            leaves = self._ledger.find(fact.seq + 1, "Passed", text=fact.id)
            return fact, leaves
        if not body.visit_id:
            return None, fact
        low = self._ledger.seq_at(body.entered.wall_ms) - ENTRY_AROUND if body.entered is not None else 0
        return self._ledger.find(low, "Passed", fact_id=body.visit_id), fact

    def _around(self, passage: Fact, visit_id: str) -> list[Fact]:
        body = passage.body
        assert isinstance(body, Passed)
        window = self._ledger.between(max(0, passage.seq - BEFORE), passage.seq + AFTER)
        ids = {body.arrival_id, body.read_id, visit_id} - {""}
        ids |= {fact.body.read_id for fact in window if isinstance(fact.body, Decided)
                and fact.body.arrival_id == body.arrival_id} - {""}  # fmt: skip
        mine = [fact for fact in window if fact.seq == passage.seq or _ids(fact) & ids]
        mine = [fact for fact in mine if not isinstance(fact.body, Passed) or fact.seq == passage.seq]
        first = min((fact.seq for fact in mine), default=passage.seq)
        orders = [
            fact for fact in window
            if isinstance(fact.body, Ordered | ArmOrdered) and fact.lane == passage.lane
            and first <= fact.seq <= passage.seq
        ]  # fmt: skip
        return mine + orders

    def _row(self, fact: Fact, clockwork: Clockwork) -> TimelineRow:
        at_ms, true = clockwork.at(fact.stamp)

        def row(kind: str, zh: str, en: str, **more: object) -> TimelineRow:
            return TimelineRow(at_ms, true, kind, fact.lane, zh, en, **more)  # type: ignore[arg-type]

        match fact.body:
            case ReadTaken() as read:
                plate = read.plate or "无牌"
                width = f", 车牌宽 {read.plate_width_px} px" if read.plate_width_px >= 0 else ""
                return row("read", f"识别 {plate} ({read.camera}{width})", f"read {read.plate or 'no plate'}",
                           read_id=fact.id, picture=self._has_picture(fact.id))  # fmt: skip
            case Decided() as decided:
                return row("decision", decided.zh, decided.en, rule=decided.rule, ok=decided.decision != "refuse",
                           who=decided.who, why=decided.why, read_id=decided.read_id)  # fmt: skip
            case PictureKept() as picture:
                return row("picture", "图片已保存", "picture kept", read_id=picture.read_id,
                           picture=self._has_picture(picture.read_id))  # fmt: skip
            case Ordered() as order:
                return row("order", order.answer_zh, f"{order.action}: {order.answer_en}", ok=order.ok, who=order.who,
                           why=order.why)  # fmt: skip
            case ArmOrdered() as arm:
                return row("arm", f"命令闸杆 {arm.direction}", f"arm ordered {arm.direction}", who=arm.who, why=arm.why)
            case Passed() as passed:
                zh, en = HOW_WORDS[passed.how]
                way_zh, way_en = ("入场", "in") if passed.direction == "in" else ("出场", "out")
                return row("passage", f"{way_zh} ({zh})", f"{way_en} ({en})", rule=passed.rule, ok=passed.admitted,
                           read_id=passed.read_id)  # fmt: skip
            case Paid() as paid:
                zh = PAID_ZH[paid.method]
                return row("payment", f"{zh} {yuan(paid.paid_fen)} 元", f"{paid.method} {yuan(paid.paid_fen)} yuan",
                           who=paid.who, why=paid.why)  # fmt: skip
            case PlateCorrected() as correction:
                return row("correction", f"车牌校正 {correction.old} → {correction.new}",
                           f"plate corrected {correction.old} → {correction.new}", who=correction.who)  # fmt: skip
            case _:
                return row("backed_out", "倒车离开", "backed out")

    def _delivery_row(self, delivery: Delivery) -> TimelineRow:
        zh, en = outcome(delivery, self._now_ms())
        return TimelineRow(
            at_ms=delivery.answered_ms or delivery.made_ms,
            clock_true=True,
            kind="delivery",
            lane="",
            zh=f"{kind_words(delivery.kind)}: {zh}",
            en=f"{delivery.kind}: {en}",
            ok=delivery.state != "set_aside",
            answer=delivery.last_answer[:300],
            delivery_id=delivery.id,
        )

    @staticmethod
    def _visit(
        visit_id: str, entry: Fact | None, exit_: Fact | None, clockwork: Clockwork, rows: list[TimelineRow]
    ) -> Visit:
        out = exit_.body if exit_ is not None and isinstance(exit_.body, Passed) else None
        came = entry.body if entry is not None and isinstance(entry.body, Passed) else None
        plate = came.plate if came is not None else out.plate if out is not None else ""
        return Visit(
            visit_id=visit_id,
            plate=plate,
            inside=exit_ is None,
            entered_ms=clockwork.at(entry.stamp)[0] if entry is not None else 0,
            left_ms=clockwork.at(exit_.stamp)[0] if exit_ is not None else 0,
            due_fen=out.due_fen if out is not None else 0,
            paid_fen=out.paid_fen if out is not None else 0,
            discount_fen=out.discount_fen if out is not None else 0,
            rows=tuple(rows),
        )


def _ids(fact: Fact) -> set[str]:
    """What ties a fact to a car: its own id for reads, and the ids that its body names."""
    body = fact.body
    names = ("arrival_id", "read_id", "visit_id")
    found = {str(getattr(body, name)) for name in names if hasattr(body, name)}
    if isinstance(body, ReadTaken):
        found.add(fact.id)
    return found - {""}
