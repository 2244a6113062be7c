"""The RS485 lines of the lane program for the page: what each device answered, and the worst case of each lane."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from edge.config.line_times import limit_ms, worst_ms
from edge.config.model import Config
from edge.core.line_status import LineDevice, LineStatus, Reaction
from edge.core.sign_status import DeviceCounts

if TYPE_CHECKING:
    from drivers.rs485.exchange import Counts

FRESH_S = 5.0
"""Polls count twenty times a second: the page hears of mere counting so often, of faults within a second."""


class Counted(Protocol):
    """What a view needs of a line."""

    @property
    def down(self) -> str: ...

    def counts(self) -> dict[str, Counts]: ...


class LaneLines:
    def __init__(
        self, config: Config, lines: Mapping[str, Counted], *, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._lines, self._mono_s = config.line, lines, mono_s
        self.reactions = tuple(
            Reaction(lane=lane.id, edge_ms=round(edge_ms), order_ms=round(order_ms), limit_ms=round(limit_ms(lane)))
            for lane in config.lane
            for edge_ms, order_ms in [worst_ms(config, lane)]
            if edge_ms or order_ms
        )
        self._told: tuple[object, ...] = ()
        self._told_s = float("-inf")

    def views(self) -> tuple[LineStatus, ...]:
        return tuple(
            LineStatus(
                id=line.id, port=line.device or f"{line.camera} {line.channel}", baud=line.baud,
                down=self._lines[line.id].down,
                devices=tuple(
                    LineDevice(name, DeviceCounts(made.asked, made.answered, made.silent, made.damaged, made.sent))
                    for name, made in sorted(self._lines[line.id].counts().items())
                ),
            )
            for line in self._settings
        )  # fmt: skip

    def tick(self) -> bool:
        """About once a second. True: the page has something new to show."""
        views = self.views()
        bad = tuple(
            (line.down, *((device.id, device.counts.silent, device.counts.damaged) for device in line.devices))
            for line in views
        )
        counting = bool(views) and self._mono_s() - self._told_s >= FRESH_S
        if bad == self._told and not counting:
            return False
        self._told, self._told_s = bad, self._mono_s()
        return bool(views)
