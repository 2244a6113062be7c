"""A page with one person of each role logged in; a test file asks for it with `pytest_plugins`.

Fixtures of such a file reach every test of the run, so their names are unlike those of `web_browser`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web_fakes import READ_ID, TINY_JPEG, FakeSource, box
from tests.web_house import USERS, Client, Clock, House


@pytest.fixture
def house_clock() -> Clock:
    return Clock()


@pytest.fixture
def staffed(tmp_path: Path, house_clock: Clock) -> Iterator[House]:
    source = FakeSource(box())
    source.pictures[READ_ID] = TINY_JPEG
    made = House(tmp_path, source, mono_s=house_clock)
    yield made
    made.server.stop()


@pytest.fixture
def staffed_port(staffed: House) -> int:
    return staffed.server.start()


@pytest.fixture
def people(staffed_port: int) -> dict[str, Client]:
    """One of each role, logged in."""
    found = {role: Client(staffed_port) for role in USERS}
    for role, client in found.items():
        assert client.log_in(USERS[role]) == 200
    return found
