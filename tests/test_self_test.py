"""自检: a car through a box in memory. It comes through every shipped configuration, and what is broken is said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.config.load import load
from edge.config.model import Config
from edge.core.box import Box
from edge.core.commands import AnyCommand, LowerArm, RaiseArm, Record
from edge.core.facts import Decided, Passed, ReadTaken, Stamp
from edge.lane import self_test
from edge.lane.self_test import PLATE, SelfTest, rehearse
from edge.store.rows import to_row

ROOT = Path(__file__).resolve().parent.parent
NOON_MS = 1_795_320_000_000
SHIPPED = ["entry.toml", "entry-exit.toml", "two-entrances.toml", "four-lanes.toml"]


def shipped(name: str = "entry-exit.toml") -> Config:
    return load(ROOT / "configs" / name)


def lot(config: Config, **changes: Any) -> Config:
    return msgspec.structs.replace(config, lot=msgspec.structs.replace(config.lot, **changes))


def outcome(config: Config) -> tuple[bool, str, str]:
    return asyncio.run(SelfTest(config, lambda: Stamp("real", 5, NOON_MS, synced=False)).run())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_car_comes_through_every_lane_of_a_shipped_configuration(name: str) -> None:
    config = shipped(name)
    ok, zh, en = outcome(config)
    assert ok, (zh, en)
    assert str(len(config.lane)) in en


@pytest.mark.parametrize(
    "changes",
    [
        {"total_stalls": 0},
        {"admit": "list"},
        {"deny_plates": [PLATE]},
        {"admit": "list", "deny_plates": [PLATE]},
        {"allow_plates": [PLATE]},
    ],
)
def test_rules_that_keep_the_car_out_are_no_trouble_of_the_program(changes: dict[str, Any]) -> None:
    assert outcome(lot(shipped(), **changes))[0]


def test_lanes_with_switches_two_cameras_and_without_arrival_loop() -> None:
    config = shipped()
    lanes = []
    for lane in config.lane:
        barrier = msgspec.structs.replace(lane.barrier, limit_up_pin=20, limit_down_pin=21)
        second = msgspec.structs.replace(lane.camera[0], id="second")
        lanes.append(msgspec.structs.replace(lane, barrier=barrier, camera=[*lane.camera, second]))
        lanes.append(msgspec.structs.replace(lane, id=f"{lane.id}c", arrival="camera"))
    assert outcome(msgspec.structs.replace(config, lane=lanes))[0]


# --- controls: what is broken is named ---------------------------------------------------------------------------


def without(monkeypatch: pytest.MonkeyPatch, *lost: type) -> None:
    """A core that never asks for these, as after a mistake in it; facts by their body."""
    step = Box.step

    def broken(self: Box, event: Any, now: Stamp) -> Sequence[AnyCommand]:
        done = step(self, event, now)
        done[:] = [one for one in done if type(one.body if isinstance(one, Record) else one) not in lost]
        return done

    monkeypatch.setattr(Box, "step", broken)


@pytest.mark.parametrize(
    ("lost", "zh", "en"),
    [
        (ReadTaken, "未记录车牌识别", ""),
        (Decided, "未要求抬杆", "the arm was not asked up"),
        (RaiseArm, "未要求抬杆", "the arm was not asked up"),
        (LowerArm, "未要求落杆", "not asked down"),
        (Passed, "未记录该车通行", "its passage was not recorded"),
    ],
)
def test_what_does_not_come_is_named_with_its_lane(
    monkeypatch: pytest.MonkeyPatch, lost: type, zh: str, en: str
) -> None:
    without(monkeypatch, lost)
    ok, said_zh, said_en = outcome(shipped("two-entrances.toml"))
    assert not ok
    assert zh in said_zh
    assert en in said_en
    assert said_zh.startswith("in1: ")


def test_an_exit_that_does_not_know_who_came_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test._Stage, "came_in_before", lambda _stage: None)
    ok, zh, en = outcome(shipped())
    assert not ok
    assert zh == "out1: 出口未找到其入场记录"
    assert "entry was not found" in en


def test_a_fact_that_cannot_be_read_again_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = to_row

    def spoiled(fact: Any, seq: int) -> Any:
        row = real(fact, seq)
        return (*row[:-1], row[-1].replace("Passed", "Pased")) if isinstance(fact.body, Passed) else row

    monkeypatch.setattr(self_test, "to_row", spoiled)
    ok, zh, en = outcome(shipped("entry.toml"))
    assert not ok
    assert "Passed 不能存取" in zh
    assert "Passed cannot be stored" in en


def test_a_fact_that_comes_back_as_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = to_row

    def spoiled(fact: Any, seq: int) -> Any:
        row = real(fact, seq)
        return (*row[:-1], row[-1].replace(PLATE, "粤B11111"))

    monkeypatch.setattr(self_test, "to_row", spoiled)
    assert "Passed is another one" in outcome(shipped("entry.toml"))[2]


def test_a_core_that_breaks_is_told_and_does_not_end_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Box, _event: Any, _now: Stamp) -> Sequence[AnyCommand]:
        raise KeyError("lane_memory")

    monkeypatch.setattr(Box, "step", broken)
    ok, zh, en = outcome(shipped())
    assert not ok
    assert "in1: 程序出错" in zh
    assert "out1: a mistake in the program: KeyError('lane_memory')" in en


def test_the_loop_is_given_back_between_steps() -> None:
    """Another task goes on while one lane is played: the safety reaction never waits for a whole lane."""
    turns = []

    async def beside() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both() -> list[tuple[str, str]]:
        config = shipped("entry.toml")
        other = asyncio.create_task(beside())
        missing = await rehearse(config, config.lane[0], NOON_MS)
        other.cancel()
        return missing

    assert asyncio.run(both()) == []
    assert len(turns) >= 5
