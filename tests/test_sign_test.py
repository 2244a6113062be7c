"""试显示屏: what is said of a lane that is not there, and of one without a sign."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge.config.load import load
from edge.lane.devices import LaneDevices
from edge.lane.sign_test import sign_tester
from edge.lane.signs import LaneSigns
from tests.config_rs485_text import LINES, SIGN
from tests.config_text import GOOD


async def once(ask: Callable[[str], Awaitable[tuple[bool, str, str]]], lane: str) -> tuple[bool, str, str]:
    return await ask(lane)


def test_an_unknown_lane_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(GOOD + SIGN + LINES, encoding="utf-8")
    config = load(path)
    ask = sign_tester(LaneSigns(config, LaneDevices(config).lines))
    told = [asyncio.run(once(ask, lane)) for lane in ("in9", "in1")]
    assert told[0] == (False, "没有车道 in9; 有 in1, out1", "there is no lane in9; there are in1, out1")
    done, zh, en = told[1]
    assert (done, "没有配置显示屏" in zh, "has no sign" in en) == (False, True, True)
