"""QEMU's machine protocol (QMP) over its UNIX socket: devices plugged and pulled, registers read as no guest can."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

WITHIN_S = 120.0
"""QEMU itself answers at once, but not while its machine holds it on a full computer."""


class Monitor:
    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(WITHIN_S)
        self._rows = self._line.makefile("r", encoding="utf-8")
        assert "QMP" in self._row()
        self.ask("qmp_capabilities")

    def close(self) -> None:
        self._rows.close()
        self._line.close()

    def ask(self, command: str, **arguments: Any) -> Any:
        """What it answers; an error is the test's."""
        self._line.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        row = self._until(lambda row: "return" in row or "error" in row)
        assert "return" in row, (command, arguments, row)
        return row["return"]

    def plug(self, driver: str, name: str, **properties: Any) -> None:
        self.ask("device_add", driver=driver, id=name, **properties)

    def pull(self, name: str) -> None:
        """Until it is gone, so that its place and its line are free."""
        self.ask("device_del", id=name)
        self._until(lambda row: row.get("event") == "DEVICE_DELETED" and row["data"].get("device") == name)

    def word(self, address: int) -> int:
        """The 32 bits at a physical address, those of a device's register too."""
        told: str = self.ask("human-monitor-command", **{"command-line": f"xp /1wx {address:#x}"})
        return int(told.split(":", 1)[1], 16)

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(row := self._row()):
            pass
        return row

    def _row(self) -> dict[str, Any]:
        line = self._rows.readline()
        assert line, "QEMU has ended"
        found: dict[str, Any] = json.loads(line)
        return found
