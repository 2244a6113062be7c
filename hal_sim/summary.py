"""The end of a run: world truth against ledger against city, by id, and the verdict.

Three books of the same cars must agree. The world knows each vehicle through each arm; the ledger has a
`Passed` fact for each; the city has one record under each fact's id. What stands in one and not in the
other is lost, double or invented, and a run with any of it, or with a violated invariant, has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Protocol

from hal_sim.ledger_view import FactRow
from hal_sim.site.lane import Passage, Violations

ANONYMOUS = frozenset({"tailgate", "operator", "city", "uncommanded", "emergency", "restart"})
"""Ways through the arm on which nobody has to know the plate."""

PROBLEMS_SHOWN = 20


TOKEN_ENDED = "113"
"""A token ends every two hours and at every new login: the one refusal of everyday life."""


class CityRefusal(Protocol):
    """One request or record that the simulated platform refused; not what its weather did."""

    @property
    def kind(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def counted_as(self) -> str: ...


class CityRecord(Protocol):
    """One record as the simulated platform keeps it."""

    @property
    def kind(self) -> str: ...

    @property
    def item_id(self) -> str: ...

    @property
    def item(self) -> Mapping[str, object]: ...


@dataclass
class CityFigures:
    """One city's books against the ledger: its part of the verdict."""

    zh: str
    city: str
    accepted: int = 0
    waiting: int = 0
    refused: int = 0
    records: int = 0
    repeats: int = 0
    undelivered: int = 0
    invented: int = 0
    violated: int = 0
    problems: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and self.refused + self.undelivered + self.invented + self.violated == 0

    def line(self) -> str:
        """The city in one line."""
        return (
            f"{self.zh} {self.city}: 接受 accepted {self.accepted}, 等待 waiting {self.waiting}, "
            f"搁置 set aside {self.refused}; 平台 at the city {self.records} records, {self.repeats} repeats; "
            f"丢失 lost {self.undelivered}, 多报 double {self.invented}, 违规 violated {self.violated}"
        )


@dataclass
class Report:
    """All figures of a run. `problems` says in words what `ok` denies."""

    passages: int = 0
    recorded: int = 0
    entered: int = 0
    left: int = 0
    backed_out: int = 0
    still_parked: int = 0
    by_how: dict[str, int] = field(default_factory=dict)
    pictures: int = 0
    reads: int = 0
    paid_fen: int = 0
    accepted: int = 0
    waiting: int = 0
    refused: int = 0
    """Set aside by the box."""
    city_refused: int = 0
    """Requests and records that the city refused, whether or not the box keeps such in its queue."""
    city_records: int = 0
    city_repeats: int = 0
    city_changed: int = 0
    uploaded: int = 0
    picture_repeats: int = 0
    pictures_waiting: int = 0
    pictures_refused: int = 0
    pictures_missing: int = 0
    lost: int = 0
    double: int = 0
    invented: int = 0
    undelivered: int = 0
    unseen: int = 0
    assumed: int = 0
    misnamed: int = 0
    kills: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    read_to_relay_ms: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cities: list[CityFigures] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        counted = (
            self.lost + self.double + self.invented + self.undelivered + self.refused + self.city_refused
            + self.city_changed + self.pictures_refused + self.pictures_missing
        )
        clean = counted == 0 and not any(self.violations.values()) and not self.problems
        return clean and all(city.ok for city in self.cities)

    def problem(self, text: str) -> None:
        self.problems.append(text)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("percentile of no values")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]


def compare_ledger(
    report: Report,
    truth: Sequence[Passage],
    facts: Sequence[FactRow],
    backed_out_unseen: Set[tuple[str, str]] = frozenset(),
) -> None:
    """World against ledger, lane by lane in order of time.

    `backed_out_unseen`: lane and plate of cars that backed out while the program was dead. It finds their admission
    open, and another car where they stood: whether it is the same one no loop can tell.
    """
    report.passages = len(truth)
    report.reads = sum(fact.kind == "ReadTaken" for fact in facts)
    report.pictures = sum(fact.kind == "PictureKept" for fact in facts)
    report.paid_fen = sum(int(fact.body.get("paid_fen", 0)) for fact in facts if fact.kind == "Paid")
    corrected = {str(fact.body["visit_id"]): fact.body for fact in facts if fact.kind == "PlateCorrected"}
    open_truth: dict[str, list[Passage]] = {}
    behind_unseen: set[tuple[str, int]] = set()
    for passage in sorted(truth, key=lambda one: one.at_s):
        lane = open_truth.setdefault(passage.lane, [])
        # A program that comes back while somebody sits on the bumper of the car that it had let through cannot
        # tell the two apart: it sees one car and takes it for the one that it knows.
        if lane and lane[-1].unseen and passage.kind == "tailgater":
            behind_unseen.add((passage.lane, passage.car_id))
        lane.append(passage)
    before = {id(behind): ahead for one in open_truth.values() for ahead, behind in pairwise(one)}
    recorded_ms: dict[int, int] = {}  # of a passage, by its identity
    settled: set[tuple[str, str]] = set()
    nameless: list[tuple[FactRow, str]] = []
    for fact in facts:
        if fact.kind != "Passed":
            continue
        report.recorded += 1
        how = str(fact.body.get("how", "admitted"))
        report.by_how[how] = report.by_how.get(how, 0) + 1
        plate = str(fact.body["plate"])
        names = {plate, str(fact.body.get("plate_corrected_from", ""))}
        if (correction := corrected.get(str(fact.body.get("visit_id", "")))) is not None:
            names |= {str(correction["old"]), str(correction["new"])}
        if names == {""}:
            nameless.append((fact, how))
            continue
        waiting = open_truth.get(fact.lane, [])
        match = next((one for one in waiting if {one.plate, one.read_plate} & (names - {""})), None)
        if match is not None:
            waiting.remove(match)
            recorded_ms[id(match)] = fact.mono_ms
            settled.add((fact.lane, plate))
        elif report.kills and (how == "restart" or (fact.lane, plate) in backed_out_unseen - settled):
            report.assumed += 1
            settled.add((fact.lane, plate))
        elif plate and (fact.lane, plate) in settled:
            report.double += 1
            report.problem(f"double: {plate} passed {fact.lane} once, recorded again as {fact.id} ({how})")
        else:
            report.invented += 1
            report.problem(f"invented: {plate} at {fact.lane} in {fact.id} ({how}), nobody passed")
    _match_nameless(report, nameless, open_truth)
    for lane_id, rest in open_truth.items():
        for passage in rest:
            unseen = passage.unseen or (lane_id, passage.car_id) in behind_unseen
            if unseen and report.kills:
                report.unseen += 1  # it went through while the program was dead: nobody could see it
            elif report.kills and _under_the_name_before(passage, before, recorded_ms):
                report.misnamed += 1
                report.unseen += 1
            else:
                report.lost += 1
                name = passage.plate or "no plate"
                report.problem(
                    f"lost: {name} (read {passage.read_plate or 'none'}, {passage.kind}) at {lane_id}"
                )


def _under_the_name_before(
    passage: Passage, before: Mapping[int, Passage], recorded_ms: Mapping[int, int]
) -> bool:
    """Whether this passage is on record with the plate of a car ahead, which nobody could see go.

    The camera pushed that car's read again when the program was back, and this car stood there by then. The record came
    after this passage, so it is of this one; the car ahead is the one without a record.
    """
    ahead = before.get(id(passage))
    while ahead is not None and ahead.unseen:
        if recorded_ms.get(id(ahead), 0) >= passage.at_s * 1000:
            return True
        ahead = before.get(id(ahead))
    return False


def _match_nameless(
    report: Report, nameless: Sequence[tuple[FactRow, str]], open_truth: Mapping[str, list[Passage]]
) -> None:
    """Records without a plate, each for the passage nearest in time of those that no plate has claimed.

    A passage that could be seen comes before one that could not: of the two it is the one that must be on record.
    """
    for fact, how in nameless:
        waiting = open_truth.get(fact.lane, [])
        could = [one for one in waiting if _nameless(one, how)]
        if could:
            waiting.remove(min(could, key=partial(_far, told_ms=fact.mono_ms)))
        elif how == "restart" and report.kills:
            report.assumed += 1
        else:
            report.invented += 1
            report.problem(f"invented: no plate at {fact.lane} in {fact.id} ({how}), nobody passed")


def _far(passage: Passage, told_ms: int) -> tuple[bool, bool, float]:
    after_ms = told_ms - passage.at_s * 1000
    return passage.unseen, after_ms < 0, abs(after_ms)


def _nameless(passage: Passage, how: str) -> bool:
    """Whether a record without a plate can be this passage."""
    nobody_read = "" in {passage.plate, passage.read_plate}
    return nobody_read or how in ANONYMOUS or passage.unseen or passage.kind == "tailgater"


def compare_city(report: Report, facts: Sequence[FactRow], records: Sequence[CityRecord]) -> None:
    """Ledger against city, by id."""
    by_key = {(record.kind, record.item_id): record for record in records}
    report.city_records = len(by_key)
    passed = {fact.id: fact for fact in facts if fact.kind == "Passed"}
    paid = {fact.id: fact for fact in facts if fact.kind == "Paid"}
    for fact in passed.values():
        kind = "carIn" if fact.body["direction"] == "in" else "carOut"
        if (kind, fact.id) not in by_key:
            report.undelivered += 1
            report.problem(f"undelivered: {kind} {fact.id} {fact.body['plate']} is not at the city")
    for fact in paid.values():
        if int(fact.body["paid_fen"]) > 0 and ("carcharge", fact.id) not in by_key:
            report.undelivered += 1
            report.problem(f"undelivered: carcharge {fact.id} {fact.body['plate']} is not at the city")
    # An exit whose entry nobody knows needs an entry at the city; the box makes one up and names it (QC110).
    made_up = {
        str(record.item.get("park_in_id", ""))
        for (kind, item_id), record in by_key.items()
        if kind == "carOut" and item_id in passed and not passed[item_id].body.get("visit_id")
    }
    ways = {fact.id: fact.body["direction"] for fact in passed.values()}
    for kind, item_id in by_key:
        known = {
            "carIn": ways.get(item_id) == "in" or item_id in made_up,
            "carOut": ways.get(item_id) == "out",
            "carcharge": item_id in paid,
        }.get(kind, True)
        if not known:
            report.invented += 1
            report.problem(f"invented: the city has {kind} {item_id}, the ledger has not")


def add_refusals(report: Report, refused: Mapping[str, int], refusals: Iterable[CityRefusal]) -> None:
    """What the city refused, counted in `refused`; `refusals` has the first of them in words.

    The box's queue does not know all of it: states and master data stand in no queue and in no ledger.
    """
    wrong = {name: count for name, count in refused.items() if name != TOKEN_ENDED}
    report.city_refused = sum(wrong.values())
    first: dict[str, CityRefusal] = {}
    for one in refusals:
        first.setdefault(one.counted_as, one)
    for name, count in wrong.items():
        told = f": {first[name].kind}: {first[name].reason}" if name in first else ""
        report.problem(f"refused by qingdao ({name}) {count} times, first{told}")


def add_violations(report: Report, lanes: Mapping[str, Violations]) -> None:
    names = ("arm_strikes", "close_on_car", "open_and_close", "relay_too_long", "opened_without_cause")
    for name in names:
        report.violations[name] = sum(getattr(one, name) for one in lanes.values())
    for one in lanes.values():
        report.problems.extend(f"violated: {note}" for note in one.notes)


def lines(report: Report, seconds: float) -> list[str]:
    """The summary as a person reads it, Chinese first."""
    hows = ", ".join(f"{how} {count}" for how, count in sorted(report.by_how.items()))
    counted = ", ".join(f"{name} {count}" for name, count in report.violations.items())
    out = [f"用时 {seconds:.1f} s  took"]
    out.append(
        f"通行 {report.passages} passages (入 in {report.entered}, 出 out {report.left}), "
        f"记录 {report.recorded} recorded ({hows})"
    )
    out.append(f"倒车 {report.backed_out} backed out, 场内 {report.still_parked} still parked")
    out.append(
        f"识别 {report.reads} reads, 图片 {report.pictures} pictures kept, 收费 {report.paid_fen / 100:.2f} yuan"
    )
    out.append(
        f"青岛 qingdao: 接受 accepted {report.accepted}, 等待 waiting {report.waiting}, "
        f"搁置 set aside {report.refused}; 平台 at the city {report.city_records} records, "
        f"{report.city_repeats} repeats, {report.city_changed} changed, 拒绝 refused {report.city_refused}"
    )
    for city in report.cities:
        out += [city.line(), *city.lines]
    out.append(
        f"图片上传 pictures: 已上传 uploaded {report.uploaded}, 等待 waiting {report.pictures_waiting}, "
        f"拒绝 refused {report.pictures_refused}, 缺少 missing {report.pictures_missing}, "
        f"重复 repeats {report.picture_repeats}"
    )
    out.append(f"违规 violations: {counted}")
    out.append(
        f"丢失 lost {report.lost}, 重复 double {report.double}, 虚构 invented {report.invented}, "
        f"未送达 undelivered {report.undelivered}"
    )
    if report.kills:
        out.append(
            f"强杀 {report.kills} kills (-9); 停机时通过 unseen {report.unseen}, 推定 assumed {report.assumed}, "
            f"记为前车 misnamed {report.misnamed}"
        )
    samples = report.read_to_relay_ms
    if samples:
        out.append(
            f"识别到继电器 read-to-relay: p50 {percentile(samples, 0.5):.2f} ms, "
            f"p99 {percentile(samples, 0.99):.2f} ms ({len(samples)} samples)"
        )
    else:
        out.append("识别到继电器 read-to-relay: 无样本 no samples")
    problems = report.problems + [f"{city.zh} {text}" for city in report.cities for text in city.problems]
    out.extend(f"  ! {text}" for text in problems[:PROBLEMS_SHOWN])
    if len(problems) > PROBLEMS_SHOWN:
        out.append(f"  ! ... {len(problems) - PROBLEMS_SHOWN} more")
    out.append(("结果: 合格 clean" if report.ok else "结果: 不合格 FAILED") + _without_record(report))
    return out


def _without_record(report: Report) -> str:
    """A clean run may have passages without a record: whoever reads the verdict alone must read how many."""
    if not report.unseen:
        return ""
    share = 100 * report.unseen / report.passages
    return (
        f"; {report.passages} 次通行中 {report.unseen} 次 ({share:.0f}%) 无记录, 因车道程序当时已被强杀  "
        f"{report.unseen} of {report.passages} passages without a record: the lane program was dead when they passed"
    )
