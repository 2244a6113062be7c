"""What an administrator changes while a password is being checked holds for who comes in by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.web.accounts import Accounts, User
from tests.web_house import PASSWORD, Client, House

pytest_plugins = ("tests.web_people",)

Meanwhile = Callable[[Accounts], object]


def while_hashing(house: House, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right passwords take their time; an administrator is done with something before they are found right."""
    honest = house.accounts.check

    def slow(name: str, password: str) -> User | None:
        found = honest(name, password)
        meanwhile(house.accounts)
        return found

    monkeypatch.setattr(house.accounts, "check", slow)


@pytest.mark.parametrize("meanwhile", [Accounts.remove, Accounts.reset], ids=["remove", "reset"])
def test_who_is_removed_or_locked_out_during_his_login_does_not_get_in(
    staffed: House, staffed_port: int, meanwhile: Callable[[Accounts, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    while_hashing(staffed, lambda accounts: meanwhile(accounts, "tom"), monkeypatch)
    client = Client(staffed_port)
    assert client.log_in("tom") == 401
    assert client.ask("GET", "/api/state")[0] == 401


def test_who_loses_his_role_during_his_login_has_it_no_more(
    staffed: House, staffed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_hashing(staffed, lambda accounts: accounts.set_role("tom", "viewer"), monkeypatch)
    client = Client(staffed_port)
    assert client.log_in("tom") == 200
    assert client.get("/api/session")["role"] == "viewer"


def test_a_new_password_does_not_undo_a_reset_that_came_in_between(
    people: dict[str, Client], staffed: House, staffed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    while_hashing(staffed, lambda accounts: given.append(accounts.reset("tom")), monkeypatch)
    assert people["technician"].post("/api/password", {"old": PASSWORD, "new": "Thief-99999"})[0] == 401
    monkeypatch.undo()
    assert staffed.accounts.check("tom", given[0]) is not None
    assert staffed.accounts.check("tom", "Thief-99999") is None
