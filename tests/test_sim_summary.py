"""The summary finds what was planted: a lost car, a double, an invention, a violation, a city that differs."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hal_sim.ledger_view import FactRow, LedgerView, delivery_counts, facts_after
from hal_sim.qingdao.downlink import Sent
from hal_sim.qingdao.phones import Payment
from hal_sim.qingdao.records import Records
from hal_sim.qingdao.replies import Reply
from hal_sim.qingdao.settled import settled_wrong
from hal_sim.site.lane import Passage, Violations
from hal_sim.summary import Report, add_refusals, add_violations, compare_city, compare_ledger, lines, percentile


@dataclass
class Record:
    kind: str
    item_id: str
    item: dict[str, object]


def passage(car: int, plate: str, lane: str = "in1", **more: Any) -> Passage:
    fields: dict[str, Any] = {"read_plate": plate, "kind": "normal", "unseen": False} | more
    direction = "in" if lane.startswith("in") else "out"
    return Passage(
        lane, direction, car, plate, fields["read_plate"], float(car), fields["kind"], fields["unseen"]
    )


def passed(fact_id: str, plate: str, lane: str = "in1", **body: Any) -> FactRow:
    direction = "in" if lane.startswith("in") else "out"
    return FactRow(1, fact_id, lane, "Passed", 0, {"direction": direction, "plate": plate} | body)


def judged(truth: list[Passage], facts: list[FactRow], kills: int = 0) -> Report:
    report = Report(kills=kills)
    compare_ledger(report, truth, facts)
    return report


def test_books_that_agree_are_clean() -> None:
    truth = [passage(1, "鲁B1"), passage(2, "鲁B2"), passage(3, "鲁B1", "out1")]
    facts = [passed("a", "鲁B1"), passed("b", "鲁B2"), passed("c", "鲁B1", "out1", visit_id="a")]
    report = judged(truth, facts)
    compare_city(
        report,
        facts,
        [Record("carIn", "a", {}), Record("carIn", "b", {}), Record("carOut", "c", {"park_in_id": "a"})],
    )
    assert report.ok
    assert (report.passages, report.recorded, report.city_records) == (3, 3, 3)


def test_a_car_without_a_fact_is_lost() -> None:
    report = judged([passage(1, "鲁B1"), passage(2, "鲁B2")], [passed("a", "鲁B2")])
    assert (report.lost, report.double, report.invented, report.ok) == (1, 0, 0, False)
    assert "鲁B1" in report.problems[0]


def test_a_car_with_two_facts_is_double() -> None:
    report = judged([passage(1, "鲁B1")], [passed("a", "鲁B1"), passed("b", "鲁B1")])
    assert (report.lost, report.double, report.invented, report.ok) == (0, 1, 0, False)


def test_a_fact_without_a_car_is_invented() -> None:
    report = judged([], [passed("a", "鲁B1")])
    assert (report.double, report.invented, report.ok) == (0, 1, False)


def test_a_car_recorded_under_a_wrong_plate_is_lost_and_invented() -> None:
    report = judged([passage(1, "鲁B1")], [passed("a", "鲁B9")])
    assert (report.lost, report.invented) == (1, 1)


def test_a_car_recorded_at_the_wrong_lane_is_lost_and_invented() -> None:
    report = judged([passage(1, "鲁B1", "in1")], [passed("a", "鲁B1", "in2")])
    assert (report.lost, report.invented) == (1, 1)


@pytest.mark.parametrize(
    ("truth", "body", "plate"),
    [
        (passage(1, "鲁B10", read_plate="鲁B1D"), {}, "鲁B1D"),
        (passage(1, "鲁B10", read_plate="鲁B1D"), {"plate_corrected_from": "鲁B1D"}, "鲁B10"),
        (passage(1, "", read_plate=""), {}, ""),
        (passage(1, "鲁B10", read_plate="", kind="tailgater"), {"how": "tailgate"}, ""),
        (passage(1, "鲁B10"), {"how": "operator"}, ""),
    ],
)
def test_names_under_which_a_car_may_stand(truth: Passage, body: dict[str, Any], plate: str) -> None:
    assert judged([truth], [passed("a", plate, **body)]).ok


def test_an_admitted_car_may_not_lose_its_plate() -> None:
    report = judged([passage(1, "鲁B10")], [passed("a", "", how="admitted")])
    assert not report.ok


def test_a_correction_of_the_visit_counts() -> None:
    facts = [
        FactRow(1, "x", "out1", "PlateCorrected", 0, {"visit_id": "a", "old": "鲁B10", "new": "鲁B1D"}),
        passed("b", "鲁BXX", "out1", visit_id="a"),
    ]
    assert judged([passage(1, "鲁B10", "out1")], facts).ok


def test_what_a_dead_program_could_not_see_is_told_apart() -> None:
    truth = [passage(1, "鲁B1", unseen=True)]
    assert judged(truth, [], kills=1).unseen == 1
    assert judged(truth, [], kills=1).ok
    assert judged(truth, [], kills=0).lost == 1
    assumed = judged([], [passed("a", "鲁B1", how="restart")], kills=1)
    assert (assumed.assumed, assumed.ok) == (1, True)
    assert not judged([], [passed("a", "鲁B1", how="restart")]).ok


def test_a_tailgater_behind_an_unseen_car_may_be_taken_for_it_and_nobody_else() -> None:
    leader, behind = passage(1, "鲁B1", unseen=True), passage(2, "鲁B2", kind="tailgater", read_plate="")
    facts = [passed("a", "鲁B1")]
    report = judged([leader, behind], facts, kills=1)
    assert (report.unseen, report.ok) == (1, True)
    assert judged([leader, passage(2, "鲁B2")], facts, kills=1).lost == 1
    assert judged([passage(1, "鲁B1"), behind], facts, kills=1).lost == 1


def test_a_record_without_a_plate_is_of_the_car_that_passed_then() -> None:
    """Not of one that nobody could see: the car that was seen would be called lost, and it is on record."""
    truth = [passage(1, "鲁B1", unseen=True), passage(20, "鲁B2", read_plate="", kind="tailgater")]
    facts = [FactRow(1, "a", "in1", "Passed", 0, {"plate": "", "how": "restart"}, mono_ms=20_200)]
    report = judged(truth, facts, kills=1)
    assert (report.unseen, report.lost, report.ok) == (1, 0, True)


def test_a_record_that_a_kill_made_late_is_of_the_car_that_was_seen() -> None:
    truth = [passage(10, "鲁B2", read_plate="", kind="tailgater"), passage(14, "鲁B1", unseen=True)]
    facts = [FactRow(1, "a", "in1", "Passed", 0, {"plate": "", "how": "restart"}, mono_ms=16_000)]
    report = judged(truth, facts, kills=1)
    assert (report.unseen, report.lost, report.ok) == (1, 0, True)


def test_a_car_that_backed_out_unseen_may_be_taken_for_the_next_one_once() -> None:
    truth = [passage(1, "鲁B1", unseen=True)]
    report = Report(kills=1)
    compare_ledger(report, truth, [passed("a", "鲁B9")], {("in1", "鲁B9")})
    assert (report.assumed, report.unseen, report.ok) == (1, 1, True)
    for facts, kills in ([passed("a", "鲁B9"), passed("b", "鲁B9")], 1), ([passed("a", "鲁B9")], 0):
        report = Report(kills=kills)
        compare_ledger(report, truth, facts, {("in1", "鲁B9")})
        assert not report.ok


@pytest.mark.parametrize(
    ("mono_ms", "ahead_unseen", "kills", "misnamed"),
    [(8_200, True, 1, 1), (7_900, True, 1, 0), (8_200, False, 1, 0), (8_200, True, 0, 0)],
)
def test_a_car_on_record_under_the_name_of_the_unseen_one_ahead_is_told_apart(
    mono_ms: int, ahead_unseen: bool, kills: int, misnamed: int
) -> None:
    """Only when its record came after it passed, and only behind a car that nobody could see: else it is lost."""
    truth = [passage(5, "鲁B1", unseen=ahead_unseen), passage(8, "鲁B2")]
    facts = [FactRow(1, "a", "in1", "Passed", 0, {"plate": "鲁B1"}, mono_ms)]
    report = judged(truth, facts, kills)
    assert (report.misnamed, report.lost, report.ok) == (misnamed, 1 - misnamed, misnamed == 1)


def test_a_problem_names_the_lane() -> None:
    assert judged([passage(1, "鲁B1", "out2")], []).problems == ["lost: 鲁B1 (read 鲁B1, normal) at out2"]


def test_a_passage_that_the_city_has_not_is_undelivered() -> None:
    report = Report()
    compare_city(report, [passed("a", "鲁B1"), passed("b", "鲁B2")], [Record("carIn", "a", {})])
    assert (report.undelivered, report.ok) == (1, False)


def test_the_wrong_kind_of_record_does_not_count_as_delivered() -> None:
    report = Report()
    compare_city(report, [passed("a", "鲁B1")], [Record("carOut", "a", {})])
    assert (report.undelivered, report.invented) == (1, 1)


def test_money_must_be_at_the_city_and_only_once_invented() -> None:
    paid = FactRow(1, "p", "out1", "Paid", 0, {"paid_fen": 500, "plate": "鲁B1"})
    free = FactRow(2, "f", "out1", "Paid", 0, {"paid_fen": 0, "plate": "鲁B2"})
    report = Report()
    compare_city(report, [paid, free], [])
    assert report.undelivered == 1
    report = Report()
    compare_city(report, [paid, free], [Record("carcharge", "p", {}), Record("carcharge", "z", {})])
    assert (report.undelivered, report.invented) == (0, 1)


def test_an_entry_made_up_for_an_unknown_exit_is_no_invention() -> None:
    out = passed("a", "鲁B1", "out1", visit_id="")
    records = [Record("carIn", "made", {}), Record("carOut", "a", {"park_in_id": "made"})]
    report = Report()
    compare_city(report, [out], records)
    assert report.ok
    known = passed("a", "鲁B1", "out1", visit_id="v")
    report = Report()
    compare_city(report, [known], records)
    assert report.invented == 1


@pytest.mark.parametrize(
    "name", ["arm_strikes", "close_on_car", "open_and_close", "relay_too_long", "opened_without_cause"]
)
def test_every_violation_fails_the_run(name: str) -> None:
    report = Report()
    violations = Violations()
    setattr(violations, name, 1)
    add_violations(report, {"in1": Violations(), "out1": violations})
    assert report.violations[name] == 1
    assert not report.ok


def test_refused_changed_and_problems_fail_the_run() -> None:
    assert not Report(refused=1).ok
    assert not Report(city_changed=1).ok
    assert not Report(problems=["x"]).ok
    assert Report().ok


def test_whatever_the_city_refused_fails_the_run_also_what_stands_in_no_queue() -> None:
    records = Records()
    for reason in ("seq_id a 已用于另一请求 was used for another request", "seq_id b"):
        records.refuse("equipstatus", "", reason, "119")
    records.refuse("carIn", "a", "park_id: no such lot", "carIn park_id")
    summary = records.summary(9, 1, {}, ())
    report = Report()
    add_refusals(report, summary.refused, summary.refusals)
    assert (report.city_refused, report.ok) == (3, False)
    assert len(report.problems) == 2
    assert "119" in report.problems[0]
    assert "2 times" in report.problems[0]
    assert "equipstatus: seq_id a" in report.problems[0]
    assert any("拒绝 refused 3" in line for line in lines(report, 1.0))


def test_a_token_that_ended_is_everyday_life() -> None:
    records = Records()
    records.refuse("carIn", "", "tn 已过期 has expired", "113")
    report = Report()
    add_refusals(report, records.refused, records.refusals)
    assert (report.city_refused, report.problems, report.ok) == (0, [], True)


def test_percentiles_are_nearest_rank() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0]  # the textbook example: P30 = 20, P40 = 20, P50 = 35, P100 = 50
    assert [percentile(values, share) for share in (0.3, 0.4, 0.5, 1.0)] == [20.0, 20.0, 35.0, 50.0]
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_the_lines_say_the_verdict() -> None:
    clean = lines(Report(read_to_relay_ms=[1.0, 3.0]), 12.0)
    assert clean[-1] == "结果: 合格 clean"
    assert any("p50 1.00 ms, p99 3.00 ms" in line for line in clean)
    unrecorded = lines(Report(kills=14, passages=120, recorded=90, unseen=30), 12.0)
    assert unrecorded[-1].startswith("结果: 合格 clean; 120 次通行中 30 次 (25%) 无记录")
    assert "30 of 120 passages without a record" in unrecorded[-1]
    failed = lines(Report(lost=1, problems=[f"lost {n}" for n in range(30)]), 12.0)
    assert failed[-1].endswith("FAILED")
    assert any("10 more" in line for line in failed)


def test_databases_are_read_as_they_stand_on_the_disk(tmp_path: Path) -> None:
    assert facts_after(tmp_path / "ledger.db", 0) == []
    assert delivery_counts(tmp_path / "deliveries.db") == {}
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.execute("CREATE TABLE facts (seq, id, lane, kind, boot_id, mono_ms, wall_ms, synced, body)")
        ledger.execute(
            "INSERT INTO facts VALUES (3, 'a', 'in1', 'Passed', 'b', 1, 2, 1, '{\"plate\":\"鲁B1\"}')"
        )
    ledger.close()
    view = LedgerView(tmp_path / "ledger.db")
    assert view.new_facts() == [FactRow(3, "a", "in1", "Passed", 2, {"plate": "鲁B1"}, mono_ms=1)]
    assert view.new_facts() == []


def test_every_payment_by_phone_is_settled_once_to_the_fen() -> None:
    def fact(number: int, kind: str, **body: object) -> FactRow:
        return FactRow(number, f"{number}", "out1", kind, 0, dict(body))

    def pay(order_no: str, fen: int, *, answered: bool = True) -> Payment:
        sent = Sent(19, "s", [], b"")
        if answered:
            sent.replies.append(Reply("s", "payNotice", 0, "", ()))
        return Payment(order_no, fen, sent)

    online = fact(1, "Paid", order_id="a", method="online", paid_fen=500)
    again = fact(2, "RefundDue", order_id="a", amount_fen=500)
    cash = fact(3, "Paid", order_id="b", method="cash", paid_fen=700)
    late = fact(4, "RefundDue", order_id="b", amount_fen=700)
    seamless = fact(5, "Paid", order_id="c", method="seamless", paid_fen=300)
    facts = [online, again, cash, late, seamless]
    payments = [pay("a", 500), pay("a", 500), pay("b", 700), Payment("d", 900, None), pay("e", 900, answered=False)]
    assert settled_wrong(facts, payments, ["c"]) == []
    assert settled_wrong([*facts, online], payments, ["c"])[0] == "order a was paid 2 times"
    assert settled_wrong([online, cash, late, seamless], payments, ["c"]) == [
        "order a: drivers paid 1000 to 1000 fen, booked or to be given back 500"
    ]
    assert settled_wrong(facts, payments, []) == ["order c: 300 fen booked that nobody paid"]
    polled = [fact(6, "PaymentNoticed", order_id="e"), fact(7, "Paid", order_id="e", method="online", paid_fen=900)]
    assert settled_wrong([*facts, *polled], payments, ["c"]) == []  # no notice of it could be taken: the box asked
    assert settled_wrong([*facts, *polled, fact(8, "RefundDue", order_id="e", amount_fen=1)], payments, ["c"]) == [
        "order e: drivers paid 0 to 900 fen, booked or to be given back 901"
    ]
