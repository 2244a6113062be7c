"""Reports: what the city is told beside the records, each class by its policy (`qingdao.classes`).

Nothing of this is kept on the disk: a state is worth nothing a minute later, and master data is told at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.cities.link import Clock, Link, Verdict
from edge.cities.qingdao.classes import PERIODIC, MessageClass, cadence_s
from edge.cities.qingdao.fields import Message
from edge.config.model import Qingdao

# What nobody knows, or whose time nobody knows, is asked for again.
UNKNOWN_S = 1.0

Things = Sequence[tuple[str, Message]]
Maker = Callable[[int], Things | None]
"""Told the wall ms: each thing's id and message. None: nobody knows now. Called on the engine's thread."""


class _Report:
    """One class of messages and where it stands."""

    def __init__(self, each: MessageClass, every_s: float, make: Maker, now_s: float) -> None:
        self.kind, self.policy, self.after = each.kind, each.policy, each.after
        self.every_s, self.make = every_s, make
        self.due_s = now_s
        self.records: list[tuple[str, bytes]] = []  # master data under way: a repetition keeps its timestamp (QC16)
        self.attempts = 0
        self.told: set[str] = set()
        self.settled = False  # accepted, or given up: what refers to it may go
        self.trouble: Verdict | None = None


class Reports:
    """For one thread. `makers`: by kind; a class without a maker is not sent."""

    def __init__(
        self,
        makers: Mapping[str, Maker],
        settings: Qingdao,
        uplink: Link,
        clock: Clock,
        known_before: Callable[[], bool],
    ) -> None:
        """`known_before`: the city accepted records of this box in another run, so it knows the lot."""
        self._settings, self._uplink, self._clock, self._known_before = settings, uplink, clock, known_before
        now_s = clock.mono_s()
        self._reports = {
            each.kind: _Report(each, cadence_s(each, settings), makers[each.kind], now_s)
            for each in PERIODIC
            if each.kind in makers
        }

    def due(self) -> bool:
        """Something is to be sent now: records that wait let it go first."""
        now_s = self._clock.mono_s()
        return any(report.due_s <= now_s and self._may_go(report) for report in self._reports.values())

    def settled(self, kind: str) -> bool:
        """The city knows what `kind` tells, or there is no more hope for it until its next turn."""
        return self._reports[kind].settled

    def troubles(self) -> list[tuple[str, str]]:
        """Kind and answer of master data that the city does not take."""
        return [(report.kind, report.trouble.answer) for report in self._reports.values() if report.trouble]

    def send_due(self) -> bool:
        """False: the link rests now."""
        for report in self._reports.values():
            if report.due_s > self._clock.mono_s() or not self._may_go(report):
                continue
            send = self._send_master if report.policy == "master" else self._send_state
            if not send(report):
                return False
        return True

    def _may_go(self, report: _Report) -> bool:
        return not report.after or self._reports[report.after].settled

    def _made(self, report: _Report) -> list[tuple[str, bytes]] | None:
        things = report.make(self._clock.wall_ms()) if self._clock.wall_is_true() else None
        if things is None:
            report.due_s = self._clock.mono_s() + UNKNOWN_S
            return None
        return [(thing_id, message.encode()) for thing_id, message in things]

    def _send_state(self, report: _Report) -> bool:
        records = self._made(report)
        if records is None:
            return True
        report.due_s = self._clock.mono_s() + report.every_s
        if report.after == "equipinfo":  # the state of a device that the city does not know is refused
            records = [record for record in records if record[0] in self._reports["equipinfo"].told]
        return self._send(report.kind, records, repeat=False) if records else True

    def _send(self, kind: str, records: Sequence[tuple[str, bytes]], *, repeat: bool) -> bool:
        return not self._uplink.send_batch(kind, records, repeat=repeat)[0].rests

    def _send_master(self, report: _Report) -> bool:
        if not report.records:
            made = self._made(report)
            if made is None:
                return True
            report.records = made
        verdicts = self._uplink.send_batch(report.kind, report.records, repeat=True) if report.records else []
        if any(verdict.meaning == "link" for verdict in verdicts):
            return False
        judged = list(zip(report.records, verdicts, strict=True))
        report.told |= {record[0] for record, verdict in judged if verdict.meaning == "accepted"}
        report.records = [record for record, verdict in judged if verdict.meaning != "accepted"]
        bad = [verdict for verdict in verdicts if verdict.meaning != "accepted"]
        if not bad:
            report.trouble = None
            report.settled = True
            self._done(report)
            return True
        report.trouble = bad[0]
        report.attempts += 1
        report.due_s = self._clock.mono_s() + self._settings.retry_s
        # Refused, what refers to it may go if the city knew it before, or when there is no more hope for it.
        report.settled = report.settled or bool(report.told) or self._known_before()
        if all(verdict.meaning == "refused" for verdict in bad) or report.attempts > self._settings.retries:
            report.settled = True
            self._done(report)
        return not bad[0].rests

    def _done(self, report: _Report) -> None:
        report.records, report.attempts = [], 0
        report.due_s = self._clock.mono_s() + report.every_s
