"""The lot as a fold over facts: hand-made stories, a snapshot at any point, and 10,000 cars inside."""

from __future__ import annotations

import timeit
import zlib
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.facts import (
    AnyBody,
    BackedOut,
    BoxStarted,
    ClockSet,
    ClockStepped,
    CountCorrected,
    Decided,
    Fact,
    Passed,
    PlateCorrected,
    ReadTaken,
    Stamp,
)
from edge.core.lot import LotState, SnapshotError, Visit
from edge.core.plates import confusable

TOTAL = 100


def fact(fact_id: str, body: AnyBody, at_ms: int = 0, boot: str = "boot", lane: str = "e1") -> Fact:
    return Fact(fact_id, lane, Stamp(boot, at_ms, 1_795_000_000_000 + at_ms, synced=True), body)


def came_in(visit_id: str, plate: str, at_ms: int = 0) -> Fact:
    return fact(visit_id, Passed(f"arrival-{visit_id}", "in", plate, "blue"), at_ms)


def went_out(fact_id: str, plate: str, visit_id: str = "", at_ms: int = 0) -> Fact:
    return fact(fact_id, Passed(f"arrival-{fact_id}", "out", plate, visit_id=visit_id), at_ms, lane="x1")


def lot_after(*facts: Fact) -> LotState:
    lot = LotState(TOTAL)
    for each in facts:
        lot.apply(each)
    return lot


def found_ids(lot: LotState, plate: str) -> list[str]:
    return [visit.visit_id for visit in lot.find(plate)]


def test_an_entry_opens_a_visit_and_its_exit_ends_it() -> None:
    entry = came_in("v1", "鲁B12345", at_ms=7)
    lot = lot_after(entry)
    assert lot.inside == {"v1": Visit("v1", "鲁B12345", "blue", entry.stamp, "e1")}
    assert (lot.parked, lot.free) == (1, 99)
    lot.apply(went_out("f2", "鲁B12345", "v1"))
    assert lot == LotState(TOTAL)
    assert lot.find("鲁B12345") == []


def test_an_exit_that_nobody_knows_lowers_the_count_and_leaves_the_visits() -> None:
    lot = lot_after(came_in("v1", "鲁B12345"), came_in("v2", "京A11111"), went_out("f3", ""))
    assert lot.parked == 1
    assert set(lot.inside) == {"v1", "v2"}


def test_the_count_never_falls_below_zero() -> None:
    lot = lot_after(went_out("f1", "鲁B12345"), went_out("f2", ""))
    assert lot.parked == 0
    lot.apply(came_in("v3", "鲁B12345"))
    assert lot.parked == 1


def test_a_plate_read_on_its_way_out_is_not_inside_although_nobody_matched_it() -> None:
    tailgater = fact("f2", Passed("a", "out", "鲁B12345", admitted=False, how="tailgate"))
    lot = lot_after(came_in("v1", "鲁B12345"), came_in("v2", "鲁B12346"), tailgater)
    assert set(lot.inside) == {"v2"}
    assert lot.parked == 1


def test_a_misread_plate_on_its_way_out_ends_no_visit_by_itself() -> None:
    lot = lot_after(came_in("v1", "鲁B12345"), went_out("f2", "鲁B1234S"))
    assert set(lot.inside) == {"v1"}


def test_a_plate_that_enters_again_replaces_its_open_visit_and_counts() -> None:
    lot = lot_after(came_in("v1", "鲁B12345"), came_in("v2", "京A11111"), came_in("v3", "鲁B12345"))
    assert set(lot.inside) == {"v2", "v3"}
    assert found_ids(lot, "鲁B12345") == ["v3"]
    assert lot.parked == 3


def test_cars_without_plate_are_visits_of_their_own_and_cannot_be_found() -> None:
    lot = lot_after(came_in("v1", ""), came_in("v2", ""))
    assert set(lot.inside) == {"v1", "v2"}
    assert lot.find("") == []
    lot.apply(went_out("f3", "", "v1"))
    assert set(lot.inside) == {"v2"}
    assert lot.parked == 1


def test_a_corrected_plate_is_found_by_its_new_spelling_only() -> None:
    lot = lot_after(came_in("v1", "鲁B12345"), fact("f2", PlateCorrected("v1", "鲁B12345", "鲁C99999", "ann")))
    assert found_ids(lot, "鲁C99999") == ["v1"]
    assert lot.find("鲁B12345") == []
    assert lot.parked == 1


def test_a_correction_gives_a_car_without_plate_one() -> None:
    lot = lot_after(came_in("v1", ""), fact("f2", PlateCorrected("v1", "", "鲁C99999", "ann")))
    assert found_ids(lot, "鲁C99999") == ["v1"]


def test_a_corrected_visit_that_ended_is_gone_under_both_spellings() -> None:
    correction = fact("f2", PlateCorrected("v1", "鲁B12345", "鲁C99999"))
    lot = lot_after(came_in("v1", "鲁B12345"), correction, went_out("f3", "鲁C99999", "v1"))
    assert lot.find("鲁B12345") == []
    assert lot.find("鲁C99999") == []


def test_a_correction_of_an_ended_visit_opens_nothing() -> None:
    correction = fact("f3", PlateCorrected("v1", "鲁B12345", "鲁C99999"))
    lot = lot_after(came_in("v1", "鲁B12345"), went_out("f2", "鲁B12345", "v1"), correction)
    assert lot == LotState(TOTAL)


def test_a_counted_lot_has_that_many_and_goes_on_from_there() -> None:
    lot = lot_after(came_in("v1", "鲁B12345"), fact("f2", CountCorrected(40, "ann", "counted")))
    assert (lot.parked, lot.free) == (40, 60)
    lot.apply(went_out("f3", "鲁B12345", "v1"))
    assert lot.parked == 39


def test_an_overfull_lot_has_no_free_stall() -> None:
    assert lot_after(fact("f1", CountCorrected(TOTAL + 3, "ann", ""))).free == 0


def test_the_first_clock_set_of_a_boot_stands() -> None:
    lot = lot_after(
        fact("f1", ClockSet(1000), boot="a"),
        fact("f2", ClockStepped(500), boot="a"),
        fact("f3", ClockSet(1500), boot="a"),
        fact("f4", ClockSet(9000), boot="b"),
    )
    assert lot.offsets == {"a": 1000, "b": 9000}


@pytest.mark.parametrize(
    "body",
    [
        BoxStarted("0.1", "box"),
        ReadTaken("c1", "e1", "鲁B12345", "鲁B12345"),
        Decided("a1", "r1", "鲁B12345", "admit", "count", "余位 1", "1 stall free"),
        BackedOut("a1", "鲁B12345"),
    ],
)
def test_what_is_no_passage_changes_nothing(body: AnyBody) -> None:
    lot = lot_after(came_in("v1", "鲁B12345"))
    before = lot.encode()
    lot.apply(fact("f2", body))
    assert lot.encode() == before


def test_find_prefers_the_exact_plate() -> None:
    lot = lot_after(came_in("v1", "鲁B12340"), came_in("v2", "鲁B1234D"), came_in("v3", "鲁B1234Q"))
    assert found_ids(lot, "鲁B1234D") == ["v2"]
    assert found_ids(lot, "鲁B1234O") == ["v1", "v2", "v3"]
    assert found_ids(lot, "京B12340") == ["v1"]
    assert found_ids(lot, "京B1234D") == ["v2"]
    assert lot.find("鲁B12346") == []


# --- properties ----------------------------------------------------------------------------------------------

PLATES = ["", "鲁B12340", "鲁B1234D", "鲁B12345", "鲁B1234S", "京B12345", "粤A88888"]
plates = st.sampled_from(PLATES)
VISITS = ["", *(f"id{number}" for number in range(12))]
# Every body that the fold looks at. The repetitions weigh them: entries must not drown in exits.
BODIES: list[AnyBody] = [
    *(Passed("a", "in", plate) for plate in PLATES for _ in range(8)),
    *(Passed("a", "out", plate, visit_id=visit) for plate in PLATES for visit in VISITS),
    *(PlateCorrected(visit, "", plate) for plate in PLATES for visit in VISITS[1:8]),
    *(CountCorrected(parked, "ann", "") for parked in range(5)),
    *(ClockSet(offset_ms) for offset_ms in (0, 1000, 2000) for _ in range(8)),
]


def told(made: list[tuple[AnyBody, str]]) -> list[Fact]:
    return [fact(f"id{at}", body, at, boot) for at, (body, boot) in enumerate(made)]


def stories() -> st.SearchStrategy[list[Fact]]:
    step = st.tuples(st.sampled_from(BODIES), st.sampled_from("ab"))
    return st.lists(step, max_size=12).map(told)


@given(stories(), st.integers(0, 12))
def test_a_snapshot_at_any_point_and_the_rest_give_the_same_lot(story: Sequence[Fact], cut: int) -> None:
    whole = lot_after(*story)
    resumed = LotState.decode(lot_after(*story[:cut]).encode(), TOTAL)
    for each in story[cut:]:
        resumed.apply(each)
    assert resumed == whole
    assert [resumed.find(plate) for plate in PLATES] == [whole.find(plate) for plate in PLATES]


@given(stories(), plates)
def test_find_sees_what_a_look_at_every_visit_sees(story: Sequence[Fact], plate: str) -> None:
    lot = lot_after(*story)
    exact = {key for key, visit in lot.inside.items() if plate and visit.plate == plate}
    alike = {key for key, visit in lot.inside.items() if confusable(visit.plate, plate)}
    assert set(found_ids(lot, plate)) == (exact or alike)


@given(stories())
def test_the_count_is_that_of_the_passages_since_the_last_count(story: Sequence[Fact]) -> None:
    parked = 0
    for each in story:
        match each.body:
            case Passed(direction="in"):
                parked += 1
            case Passed(direction="out") if parked:
                parked -= 1
            case CountCorrected(parked=counted):
                parked = counted
    assert lot_after(*story).parked == parked


# --- snapshots -----------------------------------------------------------------------------------------------


@given(stories(), st.data())
def test_a_damaged_snapshot_is_refused(story: Sequence[Fact], data: st.DataObject) -> None:
    good = lot_after(*story).encode()
    at = data.draw(st.integers(0, len(good) - 1))
    flipped = bytearray(good)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(flipped), good[:at], good + b"\x00"):
        with pytest.raises(SnapshotError):
            LotState.decode(damaged, TOTAL)


@given(st.binary(max_size=40))
def test_other_bytes_with_a_right_checksum_are_refused_too(body: bytes) -> None:
    with pytest.raises(SnapshotError):
        LotState.decode(zlib.crc32(body).to_bytes(4, "big") + body, TOTAL)


def test_a_snapshot_of_another_version_is_refused_by_its_number() -> None:
    body = msgspec.msgpack.encode([2, {"a layout": "of its own"}])
    with pytest.raises(SnapshotError, match="version 2 is not allowed, 1 is"):
        LotState.decode(zlib.crc32(body).to_bytes(4, "big") + body, TOTAL)


def test_a_snapshot_keeps_visits_count_and_clocks() -> None:
    lot = lot_after(
        came_in("v1", "鲁B12345"), came_in("v2", ""), fact("f3", ClockSet(77), boot="a"), went_out("f4", "")
    )
    back = LotState.decode(lot.encode(), TOTAL)
    assert (back.inside, back.parked, back.offsets) == (lot.inside, 1, {"a": 77})


def test_total_is_the_settings_and_not_the_snapshots() -> None:
    lot = LotState.decode(lot_after(came_in("v1", "鲁B12345")).encode(), 7)
    assert (lot.total, lot.parked, lot.free) == (7, 1, 6)


def test_a_lot_with_negative_stalls_is_refused() -> None:
    with pytest.raises(ValueError, match="total: -1 stalls"):
        LotState(-1)


def test_finding_one_of_10_000_is_no_search() -> None:
    """Measured against itself with ten cars inside, interleaved: a search would be a thousand times slower."""
    full = lot_after(*(came_in(f"v{number}", f"鲁B{number:05}") for number in range(10_000)))
    small = lot_after(*(came_in(f"v{number}", f"鲁B{number:05}") for number in range(10)))
    assert found_ids(full, "鲁B0000S") == ["v5"]
    many_s = min(timeit.repeat(lambda: full.find("鲁B0000S"), number=50, repeat=20))
    few_s = min(timeit.repeat(lambda: small.find("鲁B0000S"), number=50, repeat=20))
    assert many_s < few_s * 50
