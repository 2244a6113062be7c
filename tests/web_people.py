"""A page with one person of each role logged in; a test file asks for it with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web_fakes import READ_ID, TINY_JPEG, FakeSource, box
from tests.web_house import USERS, Client, Clock, House


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
