"""Updates under the test's hand, for the page's tests."""

from __future__ import annotations

from pathlib import Path

from edge.web.api import ActionResult
from edge.web.api_update import SlotRow, UpdateView
from edge.web.desk import RefusedError


class FakeUpdate:
    """`edge.web.desk_update.UpdateDesk`: takes what comes."""

    def __init__(self) -> None:
        self.taken = b""
        self.installed: list[tuple[int, str]] = []
        self.backup: Path | None = Path(__file__)

    def view(self) -> UpdateView:
        slots = (SlotRow("A", "", True, True, True), SlotRow("B", "0.2.0", False, False, True))
        return UpdateView(True, "", "", "0.1.0", slots, taken_bytes=len(self.taken))

    def piece(self, at: int, data: bytes) -> ActionResult:
        self.taken = self.taken[:at] + data
        return ActionResult(True, "已收到", "here")

    def install(self, size: int, who: str) -> ActionResult:
        self.installed.append((size, who))
        return ActionResult(True, "正在写入", "it is written")

    def newest_backup(self) -> Path:
        if self.backup is None:
            raise RefusedError("not_found", "还没有备份", "no backup yet")
        return self.backup
