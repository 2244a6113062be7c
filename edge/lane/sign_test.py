"""试显示屏: a test text on the signs of a lane, and in words what each of them and its line said to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from edge.core.sign_status import SignStatus
from edge.lane.signs import LaneSigns

if TYPE_CHECKING:
    from drivers.rs485.exchange import Outcome

WITHIN_S = 2.5
"""The lane's socket answers within 3 s; a sign gets its four rows and its voice in under one."""

WORDS: dict[Outcome, tuple[str, str]] = {
    "answered": ("有应答", "answered"),
    "silent": ("无应答", "silent"),
    "damaged": ("应答损坏", "damaged answer"),
    "gone": ("没有发出: 总线断开, 或已被新内容取代", "not sent: the line is down, or the lane had news"),
    "sent": ("已发送, 此屏不应答, 请看屏", "sent; this sign does not answer, look at it"),
}


def sign_tester(signs: LaneSigns) -> Callable[[str], Awaitable[tuple[bool, str, str]]]:
    """For the lane's socket: lane id -> went well, Chinese, English."""

    async def test(lane_id: str) -> tuple[bool, str, str]:
        loop = asyncio.get_running_loop()
        told: dict[str, Outcome] = {}
        all_told = asyncio.Event()
        asked: list[str] = []

        def note(name: str, outcome: Outcome) -> None:
            told[name] = outcome
            if len(told) == len(asked):
                all_told.set()

        def tell(name: str, outcome: Outcome) -> None:  # on the line's thread
            loop.call_soon_threadsafe(note, name, outcome)

        if not signs.knows(lane_id):
            there = ", ".join(signs.lanes)
            return False, f"没有车道 {lane_id}; 有 {there}", f"there is no lane {lane_id}; there are {there}"
        asked += signs.test(lane_id, tell)
        if not asked:
            return False, f"车道 {lane_id} 没有配置显示屏", f"lane {lane_id} has no sign in the configuration"
        try:
            await asyncio.wait_for(all_told.wait(), WITHIN_S)
        except TimeoutError:
            missing = ", ".join(name for name in asked if name not in told)
            return False, f"{missing}: 总线忙, 没有结果", f"{missing}: the line is busy, no result"
        from drivers.signs.sign import GOOD  # noqa: PLC0415 - see `edge.lane.signs`

        lines = [_words(status, told[status.id]) for status in signs.views() if status.id in told]
        return set(told.values()) <= GOOD, "; ".join(zh for zh, _ in lines), "; ".join(en for _, en in lines)

    return test


def _words(status: SignStatus, outcome: Outcome) -> tuple[str, str]:
    (zh, en), n = WORDS[outcome], status.counts
    zh_counts = f"询问 {n.asked}, 应答 {n.answered}, 无应答 {n.silent}, 损坏 {n.damaged}, 只发 {n.sent}"
    en_counts = f"asked {n.asked}, answered {n.answered}, silent {n.silent}, damaged {n.damaged}, sent only {n.sent}"
    return f"{status.id}: {zh} ({zh_counts})", f"{status.id}: {en} ({en_counts})"
