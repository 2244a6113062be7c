"""Flow control for the page: state, queue with reasons, bookings, entrances and switches (`ports.FlowView`)."""

from __future__ import annotations

from edge.core.facts import Stamp
from edge.core.flow import Car, Flow
from edge.core.flow_words import STATES, clock_text, words
from edge.core.lot_flow import LotFlow
from edge.ports import BOOKINGS_SHOWN, BookingView, EntranceView, FlowView, QueueView


def flow_view(flows: LotFlow, configured: bool, now: Stamp) -> FlowView:
    flow, policy = flows.flow, flows.policy
    zh, en = STATES[flow.band]
    rule_zh, rule_en = _rule(flow)
    soonest = flow.bookings.soonest(BOOKINGS_SHOWN)
    schedule = policy.schedule_min
    return FlowView(
        configured=configured,
        state=flow.band,
        state_zh=zh,
        state_en=en,
        saturated_from=policy.bands[0],
        full_from=policy.bands[1],
        parked=flow.occupied,
        held=flow.bookings.held,
        room=flow.room,
        priority=flow.priority,
        scheduled=None if schedule is None else (_time_of_day(schedule[0]), _time_of_day(schedule[1])),
        rule_zh=rule_zh,
        rule_en=rule_en,
        reserved_since=flow.reserved_since,
        reserved_needed=policy.reserved,
        exits=flow.exits,
        out=policy.out,
        credits=flow.credits,
        queue=tuple(_queued(flow, car, now) for car in flow.queue()),
        bookings=tuple(
            BookingView(
                code=each.code, plate=each.terms.plate, from_ms=each.terms.from_ms, until_ms=each.terms.until_ms,
                ends_ms=each.ends_ms, confirmed=each.confirmed, arrived=each.state == "taken", city=each.city,
            )
            for each in soonest
        ),
        bookings_all=len(flow.bookings.by_code),
        entrances=tuple(_entrance(flow, lane) for lane in policy.entrances),
        controls=len(flows.controls.by_id),
    )  # fmt: skip


def _queued(flow: Flow, car: Car, now: Stamp) -> QueueView:
    judgement = flow.judge(car.lane, car.plate, car.vehicle)
    zh, en = words(flow, judgement, clock_text, car.vehicle)
    return QueueView(
        lane=car.lane, plate=car.plate, reserved=judgement.kind == "reserved",
        since_wall_ms=now.wall_ms - (now.mono_ms - car.since_ms),
        decision="ask" if car.decision == "ask" else "wait", rule=judgement.rule, zh=zh, en=en,
    )  # fmt: skip


def _entrance(flow: Flow, lane: str) -> EntranceView:
    configured = flow.entrance(lane)
    return EntranceView(
        lane=lane, role=flow.role(lane), configured=configured.role, until_ms=flow.roles.get(lane, ("", 0))[1],
        ordinary=configured.ordinary,
    )  # fmt: skip


def _rule(flow: Flow) -> tuple[str, str]:
    """The rule in force for ordinary cars, without a car."""
    policy = flow.policy
    if not flow.priority:
        return "预约优先已关闭: 先到先进", "priority is off: first come, first served"
    if flow.band == "free":
        return "非饱和: 不管控", "not saturated: no control"
    if flow.band == "full":
        return f"满位: 出{policy.out}进1", f"full: {policy.out} out, one in"
    zh = f"饱和: 每{policy.reserved}辆预约车放行{policy.ordinary}辆非预约车"
    return zh, f"saturated: {policy.ordinary} ordinary after every {policy.reserved} reserved"


def _time_of_day(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
