"""`parkbox plan` with the box's own rules: what the standard promises shows in the numbers of a day."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hal_sim.plan.command import main, play
from hal_sim.plan.scenario import Entrance, Lot, Place, RuleSet, Saturated, Scenario, load

HOSPITAL = Path(__file__).resolve().parent.parent / "configs" / "plan" / "hospital-day.toml"


@pytest.fixture(scope="module")
def morning() -> Scenario:
    """The hospital's first four hours: the rush."""
    day = load(HOSPITAL)
    return msgspec.structs.replace(day, close="11:30")


def test_a_gate_of_their_own_serves_reserved_cars_best(morning: Scenario) -> None:
    shared = RuleSet(name_zh="混合", name_en="mixed", early_min=30)
    own = RuleSet(name_zh="专用", name_en="own", early_min=30, place=(Place(entrance="east", role="reserved"),))
    mixed, apart = (one.log for one in play(msgspec.structs.replace(morning, rules=(shared, own))))
    assert apart.reserved.wait_s(0.95) < 0.7 * mixed.reserved.wait_s(0.95)


def test_strict_rules_turn_more_ordinary_cars_away_than_idle_time_does(morning: Scenario) -> None:
    usual = RuleSet(name_zh="a", name_en="a")
    strict = RuleSet(name_zh="b", name_en="b", saturated=Saturated(strict=True))
    eased, hard = (one.log for one in play(msgspec.structs.replace(morning, rules=(usual, strict))))
    assert hard.ordinary.turned_away > 1.2 * eased.ordinary.turned_away
    assert hard.ordinary.admitted < eased.ordinary.admitted


@pytest.mark.parametrize("out", [1, 2, 3])
def test_the_lot_is_never_overfull(morning: Scenario, out: int) -> None:
    rules = RuleSet(name_zh="a", name_en="a", full=msgspec.convert({"out": out}, type(morning.rules[0].full)))
    log = play(msgspec.structs.replace(morning, rules=(rules,)))[0].log
    assert log.saturation_max <= 1.0
    assert log.ordinary.admitted > 0


def test_the_attendant_lets_ordinary_cars_in_where_the_entrance_asks(morning: Scenario) -> None:
    place = (Place(entrance="east", role="reserved"), Place(entrance="west", ordinary="ask"))
    rules = RuleSet(name_zh="a", name_en="a", place=place, ask_s=40)
    log = play(msgspec.structs.replace(morning, rules=(rules,)))[0].log
    assert log.ordinary.admitted > 100
    assert log.saturation_max > 0.7


def test_the_command_writes_the_page_and_says_what_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "day.html"
    assert main([str(HOSPITAL), "--out", str(page)]) == 0
    said = capsys.readouterr().out
    for rules in load(HOSPITAL).rules:
        assert rules.name_zh in said
        assert rules.name_en in page.read_text(encoding="utf-8")


def test_a_scenario_that_cannot_be_read_is_exit_2_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
    assert main([str(HOSPITAL), "--out", str(tmp_path / "no" / "such" / "folder.html")]) == 2
    assert "folder.html" in capsys.readouterr().err


def test_every_rule_set_of_a_small_lot_ends(morning: Scenario) -> None:
    """A lot of one stall and one entrance: full from its first car on."""
    tiny = msgspec.structs.replace(
        morning, lot=Lot(total=1), entrance=(Entrance(id="east", name="东门"),),
        rules=tuple(msgspec.structs.replace(rules, place=()) for rules in morning.rules),
    )  # fmt: skip
    for outcome in play(tiny):
        assert outcome.log.saturation_max == 1.0
        assert outcome.log.ordinary.turned_away > 0
