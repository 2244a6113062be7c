"""The delivery engine against a strict platform in memory, in all weathers, in virtual time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edge.cities.city import Counts
from edge.core.facts import BoxStarted, ClockSet, Passed
from tests.city_fakes import PARK_ID, Rig, a_visit, entered, fact, guid, stamp


def test_a_visit_reaches_the_city_in_order_after_lot_and_counts() -> None:
    rig = Rig(a_visit(1))
    rig.counts = Counts(100, 37, 2)
    rig.run_until(rig.settled)
    assert rig.kinds() == ["parkininfo", "parkspace", "carIn", "carcharge", "carOut"]
    lot, counts, *_ = [record for _, record in rig.city.requests]
    assert (lot["item_id"], lot["park_name"], lot["total_count"]) == (PARK_ID, "前海停车场", 100)
    spaces = [counts[name] for name in ("in_space_count", "book_space_count", "remain_space_count")]
    assert spaces == [37, 2, 61]
    assert list(rig.city.accepted) == [guid(1), guid(2), guid(3)]
    assert rig.city.wrong == []
    assert rig.engine.link().online


def test_counts_go_every_minute_and_are_never_repeated() -> None:
    rig = Rig(weather=["fine", "hang", "1", "fine"])
    rig.counts = Counts(100, 1, 0)
    rig.run_for(210)
    assert rig.kinds().count("parkspace") == 4  # at 0, 60, 120 and 180 s, whatever became of them
    stamps = [record["timestamp"] for kind, record in rig.city.requests if kind == "parkspace"]
    assert len(set(stamps)) == 4


def test_unknown_counts_are_not_sent_until_somebody_knows_them() -> None:
    rig = Rig([entered(1)])
    rig.run_for(120)
    assert rig.kinds() == ["parkininfo", "carIn"]
    rig.counts = Counts(10, 20, 0)  # more cars than stalls: none is free, not minus ten
    rig.run_for(3)
    assert rig.city.requests[-1][1]["remain_space_count"] == 0


def test_the_lot_is_told_every_24_hours() -> None:
    rig = Rig()
    rig.run_until(lambda: rig.kinds().count("parkininfo") == 2, at_most_s=86_500, step_s=5)
    first, second = (record["timestamp"] for _, record in rig.city.requests)
    assert 86_400_000 <= second - first < 86_410_000


def test_records_wait_for_a_lot_that_the_city_refuses_and_has_never_known() -> None:
    rig = Rig([entered(1)], weather=["1", "fine"])
    rig.run_for(299)
    assert rig.kinds() == ["parkininfo"]
    assert [(each.code, each.device) for each in rig.engine.faults()] == [("delivery_set_aside", "parkininfo")]
    rig.run_until(rig.settled)
    assert rig.kinds() == ["parkininfo", "parkininfo", "carIn"]
    assert rig.city.requests[0] == rig.city.requests[1]  # QC16: a repetition keeps its timestamp
    assert rig.engine.faults() == []


def test_records_do_not_wait_for_a_lot_that_the_city_has_taken_before() -> None:
    rig = Rig([entered(1)])
    rig.run_until(rig.settled)
    rig.ledger.facts.append(entered(2))
    rig.city.weather = ["1", "fine"]
    rig.engine = rig.new_engine()
    rig.run_until(rig.settled)
    assert rig.kinds()[-2:] == ["parkininfo", "carIn"]


@pytest.mark.parametrize("word", ["fine", "double_encoded", "strings"])
def test_every_reading_of_an_accepted_answer_ends_the_delivery(word: str) -> None:
    rig = Rig([entered(1)], weather=["fine", word])
    rig.run_until(rig.settled, at_most_s=5)
    assert rig.store.counts() == {"waiting": 0, "accepted": 1, "set_aside": 0}
    assert rig.city.times == {guid(1): 1}


def test_a_timeout_is_repeated_once_at_once_then_after_five_minutes() -> None:
    rig = Rig([entered(1)], weather=["fine", "hang", "hang"])
    rig.run_until(lambda: rig.store.rows != [] and rig.store.rows[0].attempts == 1)
    assert rig.kinds() == ["parkininfo", "carIn", "carIn"]
    failed_at_s = rig.clock.now_s
    rig.run_until(rig.settled)
    assert 295 < rig.clock.now_s - failed_at_s < 305
    assert rig.city.requests[1] == rig.city.requests[2] == rig.city.requests[3]
    assert rig.city.wrong == []


def test_an_answer_lost_after_processing_leaves_one_record_at_the_city() -> None:
    rig = Rig([entered(1)], weather=["fine", "lost"])
    rig.run_until(rig.settled, at_most_s=5)
    assert rig.city.times == {guid(1): 2}  # sent twice, known once
    assert list(rig.city.accepted) == [guid(1)]
    assert rig.store.counts()["accepted"] == 1


def test_a_crash_before_the_acceptance_was_noted_repeats_the_same_id() -> None:
    rig = Rig([entered(1)])
    rig.run_until(lambda: rig.city.accepted != {})
    rig.store.rows = [
        row.__class__(0, row.city, row.kind, row.item_id, row.visit_id, row.body, row.plate, row.made_ms)
        for row in rig.store.rows
    ]  # the queue as it was before
    rig.engine = rig.new_engine()
    rig.run_until(rig.settled)
    assert rig.city.times == {guid(1): 2}
    assert rig.city.wrong == []


@pytest.mark.parametrize("code", ["105", "113", "118"])
def test_a_refused_token_means_one_login_and_the_record_again(code: str) -> None:
    rig = Rig([entered(1), entered(2, "鲁B22222")], weather=["fine", code])
    rig.run_until(rig.settled, at_most_s=5)
    assert rig.city.logins == 2
    assert [record["item_id"] for _, record in rig.city.requests[1:]] == [guid(1), guid(1), guid(2)]
    assert rig.city.wrong == []  # the repetition had the same seq_id for the same record


def test_a_token_that_ends_midway_is_renewed_before_ninety_percent_of_its_life() -> None:
    rig = Rig(life_s=600)
    rig.counts = Counts(1, 0, 0)
    rig.run_for(3600)
    assert rig.city.logins == 1 + 3600 // 600  # at 0 and at the first report after every 540 s: each 600 s
    assert rig.city.wrong == []


def test_a_fresh_token_that_is_refused_too_is_the_links_trouble_and_not_the_records() -> None:
    rig = Rig([entered(1)], weather=["fine", "113", "113"])
    rig.run_until(lambda: rig.engine.faults() != [], at_most_s=5)
    assert [each.code for each in rig.engine.faults()] == ["city_refused_login"]
    assert rig.store.rows[0].attempts == 0
    rig.run_until(rig.settled)
    assert rig.engine.faults() == []


@pytest.mark.parametrize("code", ["106", "107", "114", "119"])
def test_a_record_that_the_city_calls_malformed_is_set_aside_and_blocks_nothing(code: str) -> None:
    rig = Rig([entered(1), entered(2, "鲁B22222")], weather=["fine", code])
    rig.run_until(rig.settled, at_most_s=10)
    assert [row.state for row in rig.store.rows] == ["set_aside", "accepted"]
    assert code in rig.store.rows[0].last_answer
    assert rig.kinds().count("carIn") == 2  # not repeated
    assert [(each.code, each.device) for each in rig.engine.faults()] == [("delivery_set_aside", "qingdao")]


@pytest.mark.parametrize("code", ["100", "101", "102", "103", "104", "110", "111", "112", "115", "116", "117"])
def test_trouble_with_our_account_blames_no_record_and_is_a_fault(code: str) -> None:
    rig = Rig([entered(1)], weather=["fine", *[code] * 60])
    rig.run_until(lambda: rig.engine.faults() != [])
    (found,) = rig.engine.faults()
    assert found.code == "city_refused_login"
    assert code in found.detail
    rig.run_until(rig.settled, step_s=5)  # 60 refusals, and the record is neither counted nor set aside
    assert rig.store.rows[0].state == "accepted"
    assert rig.engine.faults() == []


def test_the_rule_of_fifty_repetitions_ends_in_the_set_aside_rows() -> None:
    rig = Rig([entered(1)], weather=["fine", *["1"] * 51])
    start_s = rig.clock.now_s
    rig.run_until(rig.settled, step_s=1)
    assert rig.kinds().count("carIn") == 51
    assert 50 * 300 <= rig.clock.now_s - start_s < 50 * 300 + 120
    (row,) = rig.store.rows
    assert row.state == "set_aside"
    assert "处理失败 (1)" in row.last_answer


def test_a_refused_entry_holds_its_own_visit_and_no_other() -> None:
    rig = Rig([*a_visit(1), entered(4, "鲁B44444")], weather=["fine", "refuse_item"])
    rig.run_until(lambda: rig.city.accepted != {}, at_most_s=10)
    rig.run_for(60)
    assert list(rig.city.accepted) == [guid(4)]
    rig.run_until(rig.settled)
    assert list(rig.city.accepted) == [guid(4), guid(1), guid(2), guid(3)]


def test_days_without_a_network_set_nothing_aside() -> None:
    rig = Rig(a_visit(1), weather=["fine"])
    rig.run_until(lambda: rig.city.requests != [])
    rig.city.weather = ["no_route"] * 600
    rig.run_for(2 * 86_400, step_s=5)
    assert len(rig.city.weather) < 200  # it was tried all the time, at rests of at most 5 minutes
    assert {row.attempts for row in rig.store.rows} == {0}
    assert [each.code for each in rig.engine.faults()] == ["city_offline"]
    assert not rig.engine.link().online
    rig.city.weather = []
    rig.run_until(rig.settled, at_most_s=301)
    assert rig.store.counts()["accepted"] == 3
    assert rig.engine.faults() == []


def test_rests_double_up_to_the_limit_and_end_with_the_trouble() -> None:
    rig = Rig(weather=["no_route"] * 12)
    times_s: list[float] = []
    for _ in range(13):
        left = len(rig.city.requests) + 1
        while len(rig.city.requests) < left:
            rig.clock.now_s += max(0.001, rig.engine.run_once())
        times_s.append(rig.clock.now_s)
    rests = [round(b - a) for a, b in pairwise(times_s)]
    assert rests == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert rig.engine.link().online


def test_a_refused_login_is_a_fault_and_is_not_hammered() -> None:
    rig = Rig([entered(1)])
    rig.city.login_weather = ["111", "111"]
    rig.run_for(30)
    assert len(rig.city.login_weather) == 1
    assert [each.code for each in rig.engine.faults()] == ["city_refused_login"]
    assert "密码错误" in rig.engine.link().zh
    rig.run_until(rig.settled, at_most_s=200)
    assert rig.engine.faults() == []


@pytest.mark.parametrize("word", ["http_500", "garbage", "cut_off", "hang"])
def test_every_unreadable_answer_counts_and_is_repeated(word: str) -> None:
    rig = Rig([entered(1)], weather=["fine", word, word])
    rig.run_until(rig.settled, at_most_s=700)
    (row,) = rig.store.rows
    assert row.state == "accepted"
    assert row.attempts >= 1


def test_a_path_that_does_not_exist_is_the_links_trouble() -> None:
    rig = Rig([entered(1)], weather=["fine", "not_found"])
    rig.run_until(lambda: rig.engine.faults() != [], at_most_s=5)
    assert "404" in rig.engine.faults()[0].detail
    rig.run_until(rig.settled)
    assert rig.store.rows[0].attempts == 0


def test_new_facts_go_out_while_a_failed_one_waits() -> None:
    rig = Rig([entered(1)], weather=["fine", "1"])
    rig.run_for(10)
    rig.ledger.facts.append(entered(2, "鲁B22222"))
    rig.run_for(2)
    assert list(rig.city.accepted) == [guid(2)]


def test_facts_of_a_boot_without_clock_are_held_then_sent_with_their_true_time() -> None:
    early = stamp(100, synced=False)
    rig = Rig([fact(1, Passed("a", "in", "鲁B12345"), early)])
    rig.run_for(60)
    assert (rig.engine.held, rig.store.rows, rig.store.at) == (1, [], 0)
    assert [each.code for each in rig.engine.faults()] == ["clock_unset"]
    # The clock was an hour slow: mono 100 s was T0 + 3700 s.
    rig.ledger.facts.append(fact(2, ClockSet(early.wall_ms - early.mono_ms + 3_600_000), stamp(200)))
    rig.run_until(rig.settled)
    assert rig.city.accepted[guid(1)]["in_time"] == "2026-11-22 13:01:40"
    assert (rig.engine.held, rig.engine.faults()) == (0, [])


def test_an_ended_boot_that_never_had_a_clock_keeps_its_recorded_times() -> None:
    rig = Rig([fact(1, Passed("a", "in", "鲁B12345"), stamp(100, synced=False))])
    rig.run_for(10)
    assert rig.city.accepted == {}
    rig.ledger.facts.append(fact(2, BoxStarted("1", "box"), stamp(0, boot="boot-2", synced=False)))
    rig.run_until(rig.settled)
    assert rig.city.accepted[guid(1)]["in_time"] == "2026-11-22 12:01:40"


def test_nothing_is_stamped_with_an_untrue_clock() -> None:
    rig = Rig([entered(1)])
    rig.counts = Counts(1, 0, 0)
    rig.clock.true = False
    rig.run_for(120)
    assert rig.city.requests == []
    rig.clock.true = True
    rig.run_until(rig.settled)
    assert rig.kinds()[:2] == ["parkininfo", "parkspace"]


def test_a_fact_that_makes_no_lawful_message_is_set_aside_with_the_reason() -> None:
    rig = Rig([fact(1, Passed("a", "in", "鲁" * 30)), entered(2)])
    rig.run_until(rig.settled)
    bad, good = rig.store.rows
    assert (bad.state, good.state) == ("set_aside", "accepted")
    assert "carIn.car_no" in bad.last_answer
    assert "1 to 20 characters" in bad.last_answer
    assert rig.kinds() == ["parkininfo", "carIn"]  # it was never sent


def test_a_full_disk_is_a_fault_and_nothing_is_lost_or_double() -> None:
    rig = Rig(a_visit(1))
    rig.store.broken = OSError(28, "No space left on device")
    rig.run_for(60)
    assert [(each.code, each.device) for each in rig.engine.faults()] == [("storage_failing", "deliveries.db")]
    rig.store.broken = None
    rig.run_until(rig.settled)
    assert list(rig.city.accepted) == [guid(1), guid(2), guid(3)]
    assert rig.engine.faults() == []
    assert rig.city.wrong == []


def test_a_queue_that_was_damaged_and_began_anew_is_filled_again_and_the_city_knows_the_ids() -> None:
    rig = Rig(a_visit(1))
    rig.run_until(rig.settled)
    rig.store.broken = OSError(5, "database disk image is malformed")
    rig.run_for(1)
    rig.store.broken, rig.store.rows, rig.store.at = None, [], 0  # the damaged file was moved aside
    rig.run_until(rig.settled)
    assert rig.city.times == {guid(1): 2, guid(2): 2, guid(3): 2}
    assert rig.city.wrong == []  # the same records, byte for byte


def test_every_change_that_a_page_shows_is_told() -> None:
    rig = Rig([entered(1)])
    rig.run_until(rig.settled)
    rig.run_for(5)
    told = rig.changes
    rig.run_for(5)
    assert rig.changes == told  # nothing happened, nothing told
    rig.ledger.facts.append(entered(2))
    rig.run_for(5)
    assert rig.changes > told


def test_accepted_records_go_after_half_a_year_and_set_aside_ones_stay() -> None:
    rig = Rig([entered(1), entered(2, "鲁B22222")], weather=["fine", "106"])
    rig.run_until(rig.settled)
    kept = [row.item_id for row in rig.store.rows if row.state == "set_aside"]
    assert len(kept) == 1
    rig.clock.now_s += 183 * 86_400
    rig.run_for(3700)
    assert rig.store.counts()["accepted"] > 0
    rig.clock.now_s += 2 * 86_400
    rig.clock.true = False  # a clock that is not true makes nothing old
    rig.run_for(3700)
    assert rig.store.counts()["accepted"] > 0
    rig.clock.true = True
    rig.run_for(3700)
    assert rig.store.counts()["accepted"] == 0
    assert [row.item_id for row in rig.store.rows] == kept
    assert rig.city.wrong == []
