"""The city link tried step by step where it fails: each step names what was seen and what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge.agent import link_steps
from edge.agent.cities import account_of
from edge.agent.link_check import LinkCheck, Running
from edge.config.load import load
from edge.config.model import Config
from edge.ports import BoxView
from edge.web.api import ActionResult
from hal_sim.site.pins import PinBank
from tests.link_check_tools import own_certificate_at
from tests.program_rig import platform_on
from tests.program_site import write_config
from tests.web_fakes import box

Check = Callable[..., ActionResult]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def run(url: str, view: BoxView | None = None, **account: str) -> ActionResult:
        path, _, _ = write_config(tmp_path, PinBank(), city_url=url)
        config: Config = load(path)
        known = msgspec.structs.replace(account_of(config), **account)
        return LinkCheck(config, Running(lambda: known, lambda: view)).run("qingdao")

    return run


def states(result: ActionResult) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in result.steps]


def test_no_platform_is_said(tmp_path: Path) -> None:
    config = load(write_config(tmp_path, PinBank())[0])
    result = LinkCheck(config, Running(lambda: account_of(config), lambda: None)).run("qingdao")
    assert (result.ok, result.steps) == (False, ())


def test_a_name_that_does_not_exist(check: Check) -> None:
    result = check("http://no-such-host.invalid:9/")
    assert states(result)[:3] == [("address", "ok"), ("name", "failed"), ("tcp", "skipped")]
    assert "no-such-host.invalid" in result.en
    assert "DNS" in result.steps[1].todo_en


def test_a_resolver_that_hangs_is_not_waited_for(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(20)
        return []

    monkeypatch.setattr(link_steps, "STEP_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    result = check("http://slow.example/")
    release.set()
    assert states(result)[1] == ("name", "failed")
    assert "within" in result.en


def test_a_port_that_nobody_listens_on(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = check(f"http://127.0.0.1:{port}/")
    assert states(result)[2:] == [("tcp", "failed"), ("login", "skipped"), ("call", "skipped")]
    assert result.steps[2].todo_zh


def test_a_certificate_that_nobody_vouches_for(check: Check, tmp_path: Path) -> None:
    with own_certificate_at(tmp_path) as port:
        result = check(f"https://127.0.0.1:{port}/")
    assert states(result)[2:] == [("tcp", "ok"), ("tls", "failed"), ("login", "skipped"), ("call", "skipped")]
    assert "certificate" in result.en.lower()


def test_a_wrong_password_is_the_citys_word(check: Check) -> None:
    with platform_on() as (_, url):
        result = check(url, box(), password="wrong-password")
    assert states(result)[3:] == [("login", "failed"), ("call", "skipped")]
    assert "password" in result.steps[3].todo_en or "secret" in result.steps[3].todo_en


def test_without_the_lane_there_are_no_counts_to_send(check: Check) -> None:
    with platform_on() as (_, url):
        assert states(check(url, None))[4] == ("call", "failed")


def test_a_lot_that_the_city_does_not_know_is_its_own_word(check: Check) -> None:
    """With the lot told before, all is well: see the running box."""
    with platform_on() as (_, url):
        result = check(url, box())
    assert states(result)[3:] == [("login", "ok"), ("call", "failed")]
    assert "park_id" in result.zh
