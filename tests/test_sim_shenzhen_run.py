"""The Shenzhen city's books against the ledger: what is missing, invented or unfelt is found and fails the run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.ledger_view import FactRow
from hal_sim.shenzhen import stories
from hal_sim.shenzhen.driver import Driver
from hal_sim.shenzhen_run import ACCOUNT, HURRIED, ShenzhenRun
from hal_sim.site_config import HEADLESS
from hal_sim.summary import CityFigures, Report, lines
from tests import shenzhen_wire
from tests.shenzhen_wire import Sender, des, envelope, example, sorted_text

ENTRY, EXIT, PAID = "c" * 32, "d" * 32, "e" * 32
LOT = ACCOUNT.park_codes[0]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[ShenzhenRun]:
    running = ShenzhenRun(tmp_path, 1, hurried=True)
    running.start(())
    yield running
    running.stop()


@pytest.fixture
def sender(run: ShenzhenRun, monkeypatch: pytest.MonkeyPatch) -> Sender:
    assert run.platform.addresses is not None
    sender = Sender(run.platform.addresses)
    sealed = des(ACCOUNT.password, ACCOUNT.des_key, ACCOUNT.des_key)
    monkeypatch.setattr(shenzhen_wire, "SEALED", sealed)
    monkeypatch.setattr(shenzhen_wire, "USER", ACCOUNT.user_id)
    sender.login()
    return sender


def fact(fact_id: str, kind: str, **body: Any) -> FactRow:
    return FactRow(1, fact_id, "in1", kind, 0, {"plate": "粤B88888"} | body)


FACTS = [
    fact(ENTRY, "Passed", direction="in"),
    fact(PAID, "Paid", paid_fen=1700, visit_id=ENTRY),
    fact("f" * 32, "Paid", paid_fen=0),
    fact(EXIT, "Passed", direction="out", visit_id=ENTRY),
]


def report(sender: Sender, *codes: int, **members: Any) -> None:
    """Annex B's records under the ledger's ids, the money of 5005 that of 5008."""
    ids: dict[int, dict[str, Any]] = {
        5004: {"id": ENTRY, "parkCode": LOT},
        5005: {"id": ENTRY, "parkCode": LOT, "chargeIdList": [PAID], "discount": "#3.00#", "received": "#17.00#"},
        5008: {"id": PAID, "recordId": ENTRY},
        7001: {"parkCode": LOT},
    }
    for code in codes:
        element = example(code)["data"][0] | ids.get(code, {}) | members
        answer = sender.send(code, sorted_text([element]))
        assert answer["data"][0]["code"] == 0, answer


MASTER = (3001, 3002, 3005, 5003, 7001)


def judged(run: ShenzhenRun, facts: list[FactRow] = FACTS, *, whole: bool = True) -> CityFigures:
    return run.figures(facts, {"accepted": 9}, calm=True, whole=whole)


def test_books_that_agree_are_clean(run: ShenzhenRun, sender: Sender) -> None:
    report(sender, *MASTER, 5004, 5008, 5005)
    figures = judged(run)
    assert figures.problems == []
    assert figures.ok
    assert run.settled(FACTS)
    assert (figures.accepted, figures.records) == (9, 8)


@pytest.mark.parametrize("missing", [5004, 5005, 5008])
def test_what_the_city_has_not_is_lost(run: ShenzhenRun, sender: Sender, missing: int) -> None:
    report(sender, *MASTER, *(code for code in (5004, 5008, 5005) if code != missing))
    figures = judged(run)
    assert (figures.undelivered, figures.ok, run.settled(FACTS)) == (1, False, False)
    assert str(missing) in figures.problems[0]
    assert judged(run, whole=False).undelivered == 0


@pytest.mark.parametrize("code", [5004, 5008])
def test_what_the_ledger_has_not_is_double(run: ShenzhenRun, sender: Sender, code: int) -> None:
    report(sender, *MASTER, 5004, 5008, 5005)
    report(sender, code, id="a" * 32)
    figures = judged(run)
    assert figures.invented == 1
    assert "a" * 32 in figures.problems[0]


@pytest.mark.parametrize("code", MASTER)
def test_what_was_never_reported_is_told(run: ShenzhenRun, sender: Sender, code: int) -> None:
    report(sender, *(one for one in MASTER if one != code), 5004, 5008, 5005)
    assert judged(run).problems == [f"missing: {code} was never reported"]


def test_differing_money_and_violations_fail(run: ShenzhenRun, sender: Sender) -> None:
    report(sender, *MASTER, 5004, 5008)
    report(sender, 5005, chargeIdList=[])
    sender.raw(5003, envelope("[]"))
    figures = judged(run)
    assert figures.violated == 1
    assert [text.partition(":")[0] for text in figures.problems] == ["violated", "money"]


@pytest.mark.parametrize(
    ("plate", "seconds", "fits"), [("粤B88888", 0, True), ("粤B88889", 0, False), ("粤B88888", 9, False)]
)
def test_an_exit_without_entry_has_an_id_of_its_own_and_may_bring_an_entry(
    run: ShenzhenRun, sender: Sender, plate: str, seconds: int, fits: bool
) -> None:
    left_s = 1514826061 - seconds  # 2018-01-02 01:01:01 in Beijing
    facts = [FactRow(1, EXIT, "out1", "Passed", left_s * 1000 + 400, {"direction": "out", "plate": plate})]
    report(sender, *MASTER)
    report(sender, 5004, id="a" * 32)
    report(sender, 5005, id="a" * 32, chargeIdList=[], receivables="#0.00#", discount="#0.00#", received="#0.00#")
    figures = judged(run, facts)
    assert (figures.undelivered, figures.invented) == ((0, 0) if fits else (1, 2))
    assert figures.ok is fits


def test_the_section_is_toml_and_its_files_are_there(run: ShenzhenRun) -> None:
    section = tomllib.loads(run.section(HEADLESS))["city"]["shenzhen"]
    assert section["park_code"] == LOT
    for holder, name in (
        (section, "ca_file"),
        (section, "password_file"),
        (section, "key_file"),
        (section["callback"], "cert_file"),
        (section["callback"], "key_file"),
    ):
        assert Path(holder[name]).is_file()
    for secret in (section["password_file"], section["key_file"], section["callback"]["key_file"]):
        assert Path(secret).stat().st_mode & 0o777 == 0o600


def test_the_summary_has_a_line_for_each_city_and_fails_with_it() -> None:
    clean = Report(cities=[CityFigures("深圳", "shenzhen", accepted=3)])
    assert clean.ok
    assert any(line.startswith("深圳 shenzhen: 接受 accepted 3") for line in lines(clean, 1.0))
    failed = Report(cities=[CityFigures("深圳", "shenzhen", problems=["violated: x"])])
    assert not failed.ok
    assert "  ! 深圳 violated: x" in lines(failed, 1.0)
    for name in ("refused", "undelivered", "invented", "violated"):
        figures = CityFigures("深圳", "shenzhen")
        setattr(figures, name, 1)
        assert not Report(cities=[figures]).ok


@pytest.mark.parametrize(
    ("reserved", "booking", "fits"), [(True, "YD1", True), (True, "", False), (False, "", True), (False, "YD1", False)]
)
def test_a_booked_car_must_be_judged_as_one_and_nobody_else(
    run: ShenzhenRun, sender: Sender, reserved: bool, booking: str, fits: bool
) -> None:
    report(sender, *MASTER)
    run.driver = Driver(run.platform, lambda plate, colour: None, stories.tell, HURRIED, seed=1)
    run.driver.come("粤B12345", "blue", "YD1", reserved=reserved)
    decided = fact("9" * 32, "Decided", decision="admit", booking=booking, rule="r", zh="z")
    decided.body["plate"] = "粤B12345"
    found = judged(run, [decided]).problems
    assert [text.split()[1] for text in found] == ([] if fits else ["YD1"])
