"""Reports: what the city is told beside the records, each class by its policy (`qingdao.classes`).

Nothing of this is kept on the disk: a state is worth nothing a minute later, and master data is told at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.cities.city import Maker
from edge.cities.classes import MessageClass, Sending
from edge.cities.clock import Clock
from edge.cities.link import Link
from edge.cities.verdict import Verdict

# What nobody knows, or whose time nobody knows, is asked for again.
UNKNOWN_S = 1.0

# A state that is told on change is looked at so often: 7.2.1 b) of Shenzhen allows 3 s.
LOOK_S = 0.5


class _Report:
    """One class of messages and where it stands."""

    def __init__(self, each: MessageClass, make: Maker, now_s: float) -> None:
        self.kind, self.policy, self.after = each.kind, each.policy, each.after
        self.every_s, self.of_told, self.on_change, self.make = each.every_s, each.of_told, each.on_change, make
        self.look_s = now_s
        self.said: list[tuple[str, bytes]] = []  # a state that is told on change: as it was told
        self.due_s = now_s
        self.records: list[tuple[str, bytes]] = []  # master data under way: a repetition keeps its timestamp (QC16)
        self.attempts = 0
        self.told: set[str] = set()
        self.settled = False  # accepted, or given up: what refers to it may go
        self.trouble: Verdict | None = None


class Reports:
    """For one thread. `makers`: by kind; a class without a maker is not sent."""

    def __init__(  # noqa: PLR0917 - the engine gives all of it at once
        self,
        classes: Sequence[MessageClass],
        makers: Mapping[str, Maker],
        settings: Sending,
        uplink: Link,
        clock: Clock,
        known_before: Callable[[], bool],
    ) -> None:
        """`known_before`: the city accepted records of this box in another run, so it knows the lot."""
        self._settings, self._uplink, self._clock, self._known_before = settings, uplink, clock, known_before
        now_s = clock.mono_s()
        self._reports = {
            each.kind: _Report(each, makers[each.kind], now_s)
            for each in classes
            if each.every_s and each.kind in makers
        }

    def due(self) -> bool:
        """Something is to be sent now: records that wait let it go first."""
        now_s = self._clock.mono_s()
        self._look()
        return any(report.due_s <= now_s and self._may_go(report) for report in self._reports.values())

    def _look(self) -> None:
        """States that are told on change, and have changed, are due."""
        now_s = self._clock.mono_s()
        for report in self._reports.values():
            if not report.on_change or report.look_s > now_s or report.due_s <= now_s:
                continue
            report.look_s = now_s + LOOK_S
            things = report.make(self._clock.wall_ms()) if self._clock.wall_is_true() else None
            if things is not None and [(thing_id, message.encode()) for thing_id, message in things] != report.said:
                report.due_s = now_s

    def settled(self, kind: str) -> bool:
        """The city knows what `kind` tells, or there is no more hope for it until its next turn."""
        return self._reports[kind].settled

    def troubles(self) -> list[tuple[str, str]]:
        """Kind and answer of master data that the city does not take."""
        return [(report.kind, report.trouble.answer) for report in self._reports.values() if report.trouble]

    def send_due(self) -> bool:
        """False: the link rests now."""
        self._look()
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
        if report.of_told:
            records = [record for record in records if record[0] in self._reports[report.after].told]
        if not records:
            return True
        rests = self._uplink.send_batch(report.kind, records, repeat=False)[0].rests
        if not rests:
            report.said = records
        return not rests

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
