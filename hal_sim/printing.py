"""One line a passage, from the facts on the disk: what the box has recorded, not what the site knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from hal_sim.ledger_view import FactRow, LedgerView
from hal_sim.site_config import LaneSpec

CHINA = timezone(timedelta(hours=8))
LOOK_EVERY_S = 0.2

HOWS = {
    "admitted": ("", ""),
    "tailgate": (" 跟车", ", tailgated"),
    "operator": (" 人工放行", ", let through by hand"),
    "city": (" 平台放行", ", let through by the city"),
    "emergency": (" 应急放行", ", emergency"),
    "uncommanded": (" 未经放行", ", not let through by us"),
    "restart": (" 重启推定", ", assumed after a restart"),
}


DECISIONS = {"admit": ("放行", "admitted"), "wait": ("等待", "waits"), "refuse": ("未放行", "refused")}
SWITCHES = {"PrioritySwitched": ("预约车优先", "priority"), "RoleSwitched": ("入口角色", "role of the entrance")}


def _time(fact: FactRow) -> str:
    return datetime.fromtimestamp(fact.wall_ms / 1000, UTC).astimezone(CHINA).strftime("%H:%M:%S")


class PassagePrinter:
    """Follows the ledger and says every passage once, with the stalls that are free after it."""

    def __init__(
        self, ledger: LedgerView, lanes: Sequence[LaneSpec], stalls: int, say: Callable[[str], None]
    ) -> None:
        self._ledger, self._say, self._stalls = ledger, say, stalls
        self._names = {lane.id: lane.name for lane in lanes}
        self._parked = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self.look()
        self.look()

    def look(self) -> None:
        for fact in self._ledger.new_facts():
            if fact.kind == "CountCorrected":
                self._parked = int(fact.body["parked"])
            elif fact.kind == "Passed":
                self._say(self.line(fact))
            elif (fact.kind == "Decided" and fact.body.get("state")) or fact.kind in SWITCHES:
                self._say(self.flow_line(fact))

    def flow_line(self, fact: FactRow) -> str:
        """A decision of flow control with the rule that made it, or a switch."""
        body = fact.body
        if fact.kind in SWITCHES:
            zh, en = SWITCHES[fact.kind]
            value = body.get("role") or ("开 on" if body["on"] else "关 off")
            cause = body.get("cause", "operator")  # what has its default is not written
            return f"{_time(fact)} {self._names.get(fact.lane, '车场')} {zh} {value} ({cause})  | {en}"
        word_zh, word_en = DECISIONS[str(body["decision"])]
        return (
            f"{_time(fact)} {self._names.get(fact.lane, fact.lane)} {body['plate'] or '无牌车'} {word_zh}: {body['zh']}"
            f"  | {word_en}: {body['en']}"
        )

    def line(self, fact: FactRow) -> str:
        body = fact.body
        inwards = body["direction"] == "in"
        self._parked = max(0, self._parked + (1 if inwards else -1))
        free = self._stalls - self._parked
        time = _time(fact)
        zh, en = HOWS.get(str(body.get("how", "admitted")), (f" {body.get('how')}", f", {body.get('how')}"))
        paid_fen = int(body.get("paid_fen", 0))
        fee_zh, fee_en = (
            (f" 收费 {paid_fen / 100:.2f} 元", f", paid {paid_fen / 100:.2f} yuan") if paid_fen else ("", "")
        )
        old = str(body.get("plate_corrected_from", ""))
        fixed_zh, fixed_en = (f" (校正自 {old})", f", corrected from {old}") if old else ("", "")
        plate = str(body["plate"]) or "无牌车"
        words = "入场" if inwards else "出场"
        return (
            f"{time} {self._names.get(fact.lane, fact.lane)} {plate}{fixed_zh} {words}{zh}{fee_zh} 余位 {free}"
            f"  | {'in' if inwards else 'out'}{en}{fixed_en}{fee_en}, {free} free"
        )
