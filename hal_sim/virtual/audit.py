"""One lane's auditor: every raise has its cause, every admitted passage its admission, every passage its fact."""

from __future__ import annotations

from collections import Counter

from edge.core.box import Box
from edge.core.commands import Record
from edge.core.facts import ArmOrdered, BackedOut, Decided, Fact, Ordered, Passed
from hal_sim.virtual.tally import Tally


class Audit:
    def __init__(self, tally: Tally, lane: str, store_ms: int, known_as: dict[str, str]) -> None:
        """`known_as`: what a camera read -> whose plate that is."""
        self.tally, self.lane, self._store_ms, self._known_as = tally, lane, store_ms, known_as
        self._through: Counter[str] = Counter()  # plates, in truth
        self._reported: Counter[str] = Counter()  # ... and in what was recorded
        self.true_passages = 0
        self.base = 0  # true minus recorded passages that a crash made unknowable
        self.rebase = False
        self._admitted: dict[str, tuple[float, bool]] = {}  # arrival -> decided at, durable
        self._ended: dict[str, tuple[float, bool]] = {}
        self._tokens: dict[int, str] = {}
        self._openings = 0  # orders to open without a car that nobody has used
        self._held = False
        self._held_before: dict[str, bool] = {}  # by the order that changed it
        self._asked_down = False

    def recorded(self, record: Record, now_ms: float) -> None:
        body = record.body
        if isinstance(body, Decided) and body.decision == "admit":
            # Decided again, with a better plate or because it is under the arm: admitted since the first time.
            self._admitted[body.arrival_id] = self._admitted.get(body.arrival_id, (now_ms, False))
            self._tokens[record.token] = body.arrival_id
        elif isinstance(body, Passed):
            self._passed(body)
        elif isinstance(body, BackedOut):
            self._admitted.pop(body.arrival_id, None)
        elif isinstance(body, ArmOrdered) and body.cause in {"operator", "city"}:
            self._openings += 1
        elif isinstance(body, Ordered) and body.ok and body.action in {"hold_open", "release", "close"}:
            self._held_before[body.command_id] = self._held
            self._held = body.action == "hold_open"

    def passed(self, plate: str) -> None:
        """A car went through, in truth."""
        self.true_passages += 1
        self._through[plate] += 1

    def _whose(self, body: Passed) -> str:
        return self._known_as.get(body.plate, body.plate)

    def _named(self, body: Passed) -> None:
        name = self._whose(body)
        if self._reported[name] < self._through[name]:
            self._reported[name] += 1
            self.tally.named += 1
        elif self._through[name]:
            self.tally.wrong("twice", f"{self.lane} {body}")
        else:
            self.tally.misnamed += 1

    def _passed(self, body: Passed) -> None:
        if body.plate and not self.rebase:  # else nobody can know whom it was about
            self._named(body)
        known = self._admitted.pop(body.arrival_id, None)
        if known is not None:
            self._ended[body.arrival_id] = known
            while len(self._ended) > 50:  # more than can be under way to the disk
                del self._ended[next(iter(self._ended))]
        if body.how == "tailgate":
            self.tally.tailgates += 1
        if not body.admitted:
            self.tally.unadmitted += 1
        elif known is None:
            if self._openings > 0 and body.how in {"operator", "city"}:
                self._openings -= 1
            else:
                self.tally.wrong("unfounded_admissions", f"{self.lane} {body}")

    def stored(self, token: int) -> None:
        arrival = self._tokens.pop(token, "")
        if arrival in self._admitted:
            self._admitted[arrival] = (self._admitted[arrival][0], True)

    def raised(self, now_ms: float, emergency: bool, safety: bool | None, box: Box) -> None:
        """Invariants 2 and 8: somebody durable to raise for, or an order, an emergency, the safety reaction."""
        self.tally.raises += 1
        admitted = any(durable or now_ms - at_ms >= self._store_ms - 1 for at_ms, durable in self._admitted.values())
        reaction = self._asked_down and safety is not False
        if reaction:
            self.tally.reraises += 1
        if not (admitted or emergency or self._held or self._openings or reaction):
            self.tally.wrong("unfounded_raises", f"{self.lane} at {now_ms / 1000:.3f} s")
        self._asked_down = False

    def lowered(self) -> None:
        self.tally.lowers += 1
        self._asked_down = True

    def crashed(self, lost: list[Fact]) -> None:
        """What was lost never happened, for the program. Some of it nobody can know again."""
        orders = [fact.body.command_id for fact in lost if isinstance(fact.body, Ordered)]
        self._held = next((self._held_before[one] for one in orders if one in self._held_before), self._held)
        decided = {fact.body.arrival_id for fact in lost if isinstance(fact.body, Decided)}
        for fact in lost:
            body = fact.body
            if isinstance(body, Passed) and body.plate:
                self._reported[self._whose(body)] -= self._reported[self._whose(body)] > 0
            if isinstance(body, BackedOut) or (
                isinstance(body, Passed) and (not body.admitted or body.arrival_id in decided)
            ):
                self.rebase = True
        for fact in lost:
            body = fact.body
            if isinstance(body, Decided) and body.decision == "admit":
                if not self._admitted.get(body.arrival_id, (0.0, False))[1]:
                    self._admitted.pop(body.arrival_id, None)
            elif isinstance(body, BackedOut) or (isinstance(body, Passed) and body.arrival_id in self._ended):
                self._admitted[body.arrival_id] = (-1e9, True)
        self._tokens.clear()
        self._asked_down = False

    def compare(self, recorded: int, now_ms: float) -> None:
        off = self.true_passages - recorded
        if self.rebase:
            self.tally.lost_in_crash += abs(off - self.base)
            self.base, self.rebase = off, False
        elif off != self.base:
            what = "unrecorded" if off > self.base else "drift"
            self.tally.wrong(what, f"{self.lane} at {now_ms / 1000:.3f} s: true {self.true_passages}, "
                                   f"recorded {recorded}, before {self.base}", abs(off - self.base))
            self.base = off
