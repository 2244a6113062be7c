"""The page of a running box as a person with a login reads it; logs in again after the agent was started anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.web_house import PASSWORD, Client

_clients: dict[tuple[int, Path], Client] = {}


def person(port: int, data: Path) -> Client:
    """A client that is logged in as admin; at a new box the label's first password is changed. `OSError` when the
    page does not answer."""
    client = _clients.setdefault((port, data), Client(port))
    if client.ask("GET", "/api/session")[0] == 401:
        if (data / "first-password").exists():
            client.log_in_first_time(data)
        else:
            assert client.log_in("admin", PASSWORD) == 200
    return client


def state_of(port: int, data: Path) -> dict[str, Any]:
    """What /api/state tells."""
    status, _, body = person(port, data).ask("GET", "/api/state")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found
