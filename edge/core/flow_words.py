"""Flow-control judgements in words: what the sign, the page and the city record show, Chinese first."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.facts_flow import Vehicle
from edge.core.flow import Flow, Judgement
from edge.core.flow_policy import DAY_MS, SHANGHAI_MS

STATES = {"free": ("非饱和", "not saturated"), "saturated": ("饱和", "saturated"), "full": ("满位", "full")}
"""T/SZPIA 6.7."""

VEHICLES: dict[Vehicle, tuple[str, str]] = {
    "": ("", ""), "large": ("大型车", "large vehicles"), "medium": ("中型车", "medium vehicles"),
    "small": ("小型车", "small vehicles"),
}  # fmt: skip

Words = tuple[str, str]
Clock = Callable[[int], str]
"""Wall ms -> the local time as people read it."""


def clock_text(wall_ms: int) -> str:
    """Local time of day, seconds only where there are some."""
    hours, rest = divmod((wall_ms + SHANGHAI_MS) % DAY_MS // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def words(flow: Flow, judgement: Judgement, clock: Clock, vehicle: Vehicle = "") -> Words:
    """The rule that made this decision, with its numbers."""
    zh, en = _WORDS[judgement.rule](flow, judgement)
    if judgement.rule == "vehicle":
        name_zh, name_en = VEHICLES[vehicle]
        zh, en = f"限制{name_zh}入场", f"{name_en} are not admitted"
    if judgement.begins_ms is not None:
        begins = clock(judgement.begins_ms)
        zh, en = f"{zh}; 预约 {begins} 起可入场", f"{en}; the booking begins at {begins}"
    return zh, en


def _room(judgement: Judgement) -> int:
    """T - P - H, called 可进 as on the page. 余位 is T - P: 剩余车位数 of the standards, what signs and cities get."""
    reasons = judgement.reasons
    return reasons.total - reasons.parked - reasons.held


def _reserved(flow: Flow, judgement: Judgement) -> Words:
    return f"预约车 {judgement.plate}, 入场", f"reserved car {judgement.plate}, please enter"


def _reserved_no_stall(flow: Flow, judgement: Judgement) -> Words:
    return "预约车, 车位已满, 有空位即优先入场", "reserved car: no stall, the next one that comes free is yours"


def _lane_reserved(flow: Flow, judgement: Judgement) -> Words:
    entrances = flow.policy.entrances
    others = [entrances[lane].name or lane for lane in entrances if flow.role(lane) != "reserved"]
    if not others:
        return "本入口仅限预约车", "this entrance is for reserved cars only"
    return f"本入口仅限预约车, 请走 {' '.join(others)}", f"reserved cars only here, please use {' or '.join(others)}"


def _lane_waits(flow: Flow, judgement: Judgement) -> Words:
    zh, en = STATES[judgement.state]
    return f"{zh}: 预约车入场, 非预约车请等待", f"{en}: reserved cars enter, others wait"


def _lane_asks(flow: Flow, judgement: Judgement) -> Words:
    zh, en = STATES[judgement.state]
    return f"{zh}: 非预约车请等待人工确认", f"{en}: please wait for the attendant"


def _full(flow: Flow, judgement: Judgement) -> Words:
    return "车位已满, 请等待", "lot full, please wait for a stall"


def _all_held(flow: Flow, judgement: Judgement) -> Words:
    held = judgement.reasons.held
    return f"余位均已预约 ({held}), 请等待", f"all free stalls are booked ({held}), please wait"


def _count(flow: Flow, judgement: Judgement) -> Words:
    room = _room(judgement)
    return f"可进 {room}, 入场", f"room for {room}, please enter"


def _free(flow: Flow, judgement: Judgement) -> Words:
    room = _room(judgement)
    return f"非饱和: 可进 {room}, 入场", f"not saturated: room for {room}, please enter"


def _after_reserved(flow: Flow, judgement: Judgement) -> Words:
    count = judgement.reasons.reserved
    return f"饱和: 已放行预约车{count}辆, 入场", f"saturated: {count} reserved admitted, please enter"


def _idle(flow: Flow, judgement: Judgement) -> Words:
    wait_s = _seconds(flow.policy.idle_ms or 0)
    return f"饱和: {wait_s}秒内无预约车, 入场", f"saturated: no reserved car for {wait_s} s, please enter"


def _reserved_first(flow: Flow, judgement: Judgement) -> Words:
    policy = flow.policy
    more = max(1, policy.reserved - judgement.reasons.reserved)
    zh = f"饱和: 每{policy.reserved}辆预约车放行{policy.ordinary}辆, 还需{more}辆预约车"
    en = f"saturated: {policy.ordinary} after every {policy.reserved} reserved, {more} more reserved to come"
    if policy.idle_ms is not None:
        wait_s = _seconds(policy.idle_ms)
        zh, en = f"{zh}或{wait_s}秒无预约车", f"{en}, or none for {wait_s} s"
    return zh, en


def _credit(flow: Flow, judgement: Judgement) -> Words:
    out = flow.policy.out
    return f"满位: 出{out}进1, 入场", f"full: {out} out, one in, please enter"


def _no_credit(flow: Flow, judgement: Judgement) -> Words:
    out = flow.policy.out
    more = out - judgement.reasons.exits
    return f"满位: 出{out}进1, 还需驶出{more}辆", f"full: {out} out, one in, {more} more to leave"


def _vehicle(flow: Flow, judgement: Judgement) -> Words:
    return "限制车型", "vehicle type not admitted"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g}"


_WORDS: dict[str, Callable[[Flow, Judgement], Words]] = {
    "reserved": _reserved,
    "reserved_no_stall": _reserved_no_stall,
    "lane_reserved": _lane_reserved,
    "lane_waits": _lane_waits,
    "lane_asks": _lane_asks,
    "full": _full,
    "all_held": _all_held,
    "count": _count,
    "free": _free,
    "after_reserved": _after_reserved,
    "idle": _idle,
    "reserved_first": _reserved_first,
    "credit": _credit,
    "no_credit": _no_credit,
    "vehicle": _vehicle,
}
"""Every rule of `Flow`, in the order in which they are asked about a car within its kind."""
