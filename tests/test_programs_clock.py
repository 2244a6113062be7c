"""A box without RTC: boot on a wrong clock, its first set, and a later step that changes no fee (DESIGN 4)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hal_sim.qingdao import QingdaoPlatform
from tests.page_reader import state_of
from tests.program_books import at_city, city_problems, due_at_city, ledger_problems
from tests.program_rig import Box, Driver, box_in, passages, platform_on, until

CHINA = timezone(timedelta(hours=8))
DAY_MS = 86_400_000
CAR_1, CAR_2 = "鲁A00001", "鲁A00002"
FIRST_FEN = 500  # config default: the first hour


def agent_on_page(box: Box) -> dict[str, Any]:
    return dict(state_of(box.web_port, box.data)["agent"])


def told_time_s(platform: QingdaoPlatform, plate: str) -> float:
    """The entry time of a car as the city was told it."""
    (record,) = [one for one in platform.of_kind("carIn") if one.plate.replace("-", "") == plate]
    text = str(record.item["in_time"])
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()


def test_passages_wait_for_the_clock_and_leave_with_true_times(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text(f"false {-DAY_MS}", encoding="ascii")
    sick: dict[str, object] = {"clock": str(clock)}
    with (
        platform_on() as (platform, url),
        box_in(tmp_path / "box", city_url=url, clock="kernel", free_min=0) as box,
        box.lane(sick) as lane,
        box.agent(sick) as agent,
    ):
        lane.await_ready()
        agent.await_ready()
        from_s = time.time()
        Driver(box, box.bays["in1"], CAR_1).drive(lane)
        until(lambda: ("in1", CAR_1) in passages(box.facts()), "passage on record")
        to_s = time.time()
        held = until(lambda: (a := agent_on_page(box))["counts"]["held_for_clock"] == 1 and a, "passage held")
        assert "clock_unset" in {fault["code"] for fault in held["faults"]}
        assert (box.view()["clock_synced"], at_city(platform).total()) == (False, 0)
        stamped_ms = next(fact.wall_ms for fact in box.facts() if fact.kind == "Passed")
        assert abs(stamped_ms - (from_s * 1000 - DAY_MS)) < 60_000  # the wrong clock, as it was

        clock.write_text("true 0", encoding="ascii")
        until(lambda: at_city(platform).total() == 1, "passage at the city")
        assert from_s - 1 <= told_time_s(platform, CAR_1) <= to_s
        assert until(lambda: box.view()["clock_synced"], "clock true in the view")
        until(lambda: agent_on_page(box)["counts"]["held_for_clock"] == 0, "nothing held")

        clock.write_text(f"true {2 * 3_600_000}", encoding="ascii")  # NTP was wrong: two hours on
        until(lambda: any(fact.kind == "ClockStepped" for fact in box.facts()), "step on record")
        leaving = Driver(box, box.bays["out2"], CAR_1, entered="in1")
        leaving.drive(lane)
        assert leaving.due_fen == [FIRST_FEN]  # seconds in the lot; by the stepped clock it were two hours, 900 fen
        until(lambda: at_city(platform).total() == 3, "charge and exit at the city")
        assert agent.stop() == 0
        assert lane.stop() == 0
        assert [fact.kind for fact in box.facts()].count("ClockSet") == 1
        assert ledger_problems(box.data / "ledger.db", [("in1", CAR_1), ("out2", CAR_1)]) == []
        assert city_problems(due_at_city(box.data / "ledger.db"), at_city(platform)) == []
        seen = {record.kind: record.times_seen for kind in ("carIn", "carOut") for record in platform.of_kind(kind)}
        assert seen == {"carIn": 1, "carOut": 1}


def test_a_restart_before_the_first_set_keeps_the_passage_held(tmp_path: Path) -> None:
    """The boot is the same, so its first set serves the facts of the program before, too."""
    clock = tmp_path / "clock"
    clock.write_text(f"false {-DAY_MS}", encoding="ascii")
    sick: dict[str, object] = {"clock": str(clock)}
    with platform_on() as (platform, url), box_in(tmp_path / "box", city_url=url, clock="kernel") as box:
        with box.lane(sick) as lane:
            lane.await_ready()
            from_s = time.time()
            Driver(box, box.bays["in1"], CAR_2).drive(lane)
            until(lambda: ("in1", CAR_2) in passages(box.facts()), "passage on record")
            to_s = time.time()
            lane.kill()
            assert lane.end() == -9
        with box.lane(sick) as lane, box.agent(sick) as agent:
            lane.await_ready()
            agent.await_ready()
            until(lambda: agent_on_page(box)["counts"]["held_for_clock"] == 1, "passage held")
            assert at_city(platform).total() == 0
            clock.write_text("true 0", encoding="ascii")
            until(lambda: at_city(platform).total() == 1, "passage at the city")
            assert from_s - 1 <= told_time_s(platform, CAR_2) <= to_s
            assert agent.stop() == 0
            assert lane.stop() == 0
