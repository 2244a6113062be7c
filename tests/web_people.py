"""A page with one person of each role logged in; a test file asks for it with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.web.routes import Route
from tests.web_fakes import READ_ID, TINY_JPEG, FakeSource, box
from tests.web_house import USERS, Client, House


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    source = FakeSource(box())
    source.pictures[READ_ID] = TINY_JPEG
    made = House(tmp_path, source, mono_s=clock)
    yield made
    made.server.stop()


@pytest.fixture
def port(house: House) -> int:
    return house.server.start()


@pytest.fixture
def people(port: int) -> dict[str, Client]:
    """One of each role, logged in."""
    found = {role: Client(port) for role in USERS}
    for role, client in found.items():
        assert client.log_in(USERS[role]) == 200
    return found


GOOD: dict[str, Any] = {"why": "测试", "lane": "in1", "amount_fen": 500, "plate": "鲁B12345", "count": 3,
                        "fault": "loop_stuck", "relay": "open", "ids": [1], "city": "qingdao", "program": "lane",
                        "name": "newbie", "role": "viewer", "item": "relays", "done": True}  # fmt: skip


def body_of(route: Route) -> dict[str, Any]:
    if route.body is None:
        return {}
    wanted = {name: value for name, value in GOOD.items() if name in route.body.__struct_fields__}
    return wanted | ({"text": "[box]"} if "text" in route.body.__struct_fields__ else {})


def path_of(route: Route) -> str:
    path = route.path.replace("{read_id}", READ_ID)
    needed = [f"{one.name}=1" for one in route.query if one.required]
    return f"{path}?{'&'.join(needed)}" if needed else path
