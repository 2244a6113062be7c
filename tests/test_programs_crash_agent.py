"""kill -9 of the real agent, at random moments and at every statement that writes: each passage at the city once.

The lane program does not run here: facts come from a ledger that the test wrote, as they came while the agent was away.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from edge.store.deliveries import Deliveries
from hal_sim.ledger_view import delivery_counts
from hal_sim.qingdao import Kind, QingdaoPlatform
from tests.delivery_records import record
from tests.program_books import at_city, city_problems, due_at_city
from tests.program_rig import READY_S, Box, Child, Died, box_in, grows, killed_later, platform_on, until

ROUNDS = 30
SOAK_ROUNDS = int(os.environ.get("PARKBOX_ROUNDS", "3000"))
VISITS_A_ROUND = 6
KILL_FROM_S, KILL_TO_S = 0.3, 1.1
"""The first half second is the interpreter's; nothing of ours is written before 0.3 s."""
WORKING_TO_S = 0.5

WEATHER: tuple[Kind, ...] = ("drop_answer", "cut_off", "http_500")
"""The city has it and the box does not know; the answer breaks off; the city has it not."""


def finish(box: Box, platform: QingdaoPlatform) -> None:
    """With a sound agent and fair weather everything arrives, once and unchanged."""
    platform.weather.clear()
    due = due_at_city(box.data / "ledger.db")
    with box.agent() as agent:
        agent.await_ready()
        until(lambda: at_city(platform).total() >= due.total(), "everything at the city", 30 + due.total() / 20)
        assert agent.stop() == 0
    assert city_problems(due, at_city(platform)) == []
    summary = platform.summary()
    assert (summary.changed, summary.internal_errors) == ((), ())


def random_kills(folder: Path, count: int, seed: int) -> None:
    """Every second round dies at some moment of the start, the others after the city got something in it."""
    dice = random.Random(seed)
    with platform_on() as (platform, url), box_in(folder, city_url=url) as box:
        for number in range(count):
            record(box.data / "ledger.db", range(number * VISITS_A_ROUND, (number + 1) * VISITS_A_ROUND))
            platform.weather.clear()
            platform.weather.set(dice.choice(WEATHER), probability=0.2)
            with box.agent() as agent:
                if number % 2:
                    killing = killed_later(agent, dice.uniform(0, 0.3), grows(lambda: at_city(platform).total()))
                else:
                    killing = killed_later(agent, dice.uniform(KILL_FROM_S, KILL_TO_S))
                with killing:
                    until(lambda: not agent.alive, "killed", READY_S)
                assert agent.end() == -9
        assert at_city(platform).total() >= count // 2
        finish(box, platform)


def test_agent_killed_at_random_moments(tmp_path: Path) -> None:
    random_kills(tmp_path, ROUNDS, seed=1)


@pytest.mark.soak
def test_agent_killed_at_random_moments_for_long(tmp_path: Path) -> None:
    random_kills(tmp_path, SOAK_ROUNDS, seed=2)


def deliver(box: Box, platform: QingdaoPlatform, sick: dict[str, object], wanted: int) -> int:
    """Run until the city has all and the queue knows it, or until the program dies. Its exit code."""
    with box.agent(sick) as agent:
        try:
            agent.await_ready()
            until(lambda: _done(box, platform, agent, wanted), "everything accepted")
            return agent.stop()
        except Died:
            return agent.end()


def _done(box: Box, platform: QingdaoPlatform, agent: Child, wanted: int) -> bool:
    if not agent.alive:
        raise Died("the agent")
    return at_city(platform).total() >= wanted and _accepted(box) >= wanted


def _accepted(box: Box) -> int:
    return delivery_counts(box.data / "deliveries.db").get("accepted", 0)


def test_agent_killed_at_every_statement_that_writes(tmp_path: Path) -> None:
    ledger = tmp_path / "made" / "ledger.db"
    record(ledger, range(1, 3))  # in, paid, out; in, out
    queue = Deliveries(ledger.parent / "deliveries.db")  # begun: the tables are another test's (test_deliveries_store)
    queue.open()
    queue.close()
    wanted = due_at_city(ledger).total()
    with platform_on() as (platform, url), box_in(tmp_path / "counted", city_url=url) as box:
        shutil.copytree(ledger.parent, box.data)
        sick: dict[str, object] = {"count": str(tmp_path / "count"), "file": "deliveries.db"}
        assert deliver(box, platform, sick, wanted) == 0
    statements = (tmp_path / "count").read_text("utf-8").splitlines()
    assert sum(text.startswith("INSERT INTO ended") for text in statements) >= 1
    # Between a statement and the next of its transaction nothing happens; after a COMMIT the network follows.
    moments = [(number, "before") for number in range(1, len(statements) + 1)]
    moments += [(number, "after") for number, text in enumerate(statements, start=1) if text.startswith("COMMIT")]
    died = 0
    for number, when in sorted(moments):
        with platform_on() as (platform, url), box_in(tmp_path / f"{number}-{when}", city_url=url) as box:
            shutil.copytree(ledger.parent, box.data)
            code = deliver(box, platform, {"die_at": number, "when": when, "file": "deliveries.db"}, wanted)
            assert code in (0, -9), (number, when, statements[number - 1])
            died += code == -9
            finish(box, platform)
    assert died >= len(moments) * 3 // 4  # a round may group its rows otherwise than the counted one
