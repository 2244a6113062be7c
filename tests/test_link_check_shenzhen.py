"""Shenzhen's links tried step by step against the simulated platform: the uplink, and the TCP link of orders."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from edge.agent.link_check import LinkCheck, Running
from edge.cities.shenzhen.city import Secrets, talk_of
from edge.cities.shenzhen.conversation import Conversation
from edge.cities.verdict import Answer
from edge.config.load import load
from edge.config.model import Config
from edge.config.shenzhen import Shenzhen, ShenzhenTcp
from edge.ports import BoxView, LinkView
from edge.web.api import ActionResult, LinkName
from hal_sim.shenzhen import Addresses, ShenzhenPlatform
from hal_sim.site.pins import PinBank
from tests.program_site import write_config
from tests.shenzhen_tools import settings
from tests.shenzhen_wire import ACCOUNT, KEY, LOT, PASSWORD, USER, Sender
from tests.tls_certs import Authority
from tests.web_fakes import box


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    running = ShenzhenPlatform(ACCOUNT, tmp_path / "platform", seed=1)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


@pytest.fixture
def addresses(platform: ShenzhenPlatform) -> Addresses:
    return platform.start()


@pytest.fixture
def city(tmp_path: Path, addresses: Addresses) -> Shenzhen:
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "key").write_bytes(KEY)
    return settings(
        url=addresses.url, ca_file=str(addresses.ca_file), user=USER, password_file=str(tmp_path / "password"),
        key_file=str(tmp_path / "key"), tcp=ShenzhenTcp(host="127.0.0.1", port=addresses.tcp_port),
    )  # fmt: skip


Check = Callable[..., ActionResult]


@pytest.fixture
def check(tmp_path: Path, city: Shenzhen) -> Check:
    plain: Config = load(write_config(tmp_path, PinBank())[0])

    def run(link: LinkName, view: BoxView | None = None, /, **changes: object) -> ActionResult:
        running = {name: changes.pop(name) for name in ("links", "shenzhen") if name in changes}
        tcp = msgspec.structs.replace(city.tcp, **changes.pop("tcp", {}))  # type: ignore[type-var,arg-type]
        changed = msgspec.structs.replace(city, tcp=tcp, **changes)
        config = msgspec.structs.replace(plain, city=msgspec.structs.replace(plain.city, shenzhen=changed))
        return LinkCheck(config, Running(no_account, lambda: view, **running)).run(link)  # type: ignore[arg-type]

    return run


def no_account() -> None:
    raise AssertionError("Qingdao's account is none of this link's business")


def states(result: ActionResult) -> dict[str, str]:
    return {step.name: step.state for step in result.steps}


def broken(result: ActionResult, name: str) -> tuple[str, str, str, str]:
    """What was seen at the one step that failed, and what to do; those before it are well, those after untried."""
    names = [step.name for step in result.steps]
    at = names.index(name)  # type: ignore[arg-type]  # a name no step has fails here
    assert [step.state for step in result.steps] == ["ok"] * at + ["failed"] + ["skipped"] * (len(names) - at - 1)
    assert not result.ok
    step = result.steps[at]
    assert step.todo_zh
    assert step.todo_en
    return step.zh, step.en, step.todo_zh, step.todo_en


def test_every_step_of_the_uplink_is_well(check: Check, platform: ShenzhenPlatform) -> None:
    result = check("shenzhen", box(parked=7, total=100))
    assert states(result) == dict.fromkeys(("address", "name", "tcp", "tls", "login", "call"), "ok"), result
    assert result.ok
    told = platform.of(5003)[-1].item
    assert (told["usedStalls"], told["unusedStalls"]) == (7, 93)
    assert platform.summary().violations == ()


def test_a_lot_of_another_code_is_the_platforms_own_word(check: Check) -> None:
    zh, en, *_ = broken(check("shenzhen", box(), park_code="44030400100101999999"), "call")
    assert "1101" in zh
    assert "1101" in en


def test_a_wrong_password_is_the_platforms_own_word(check: Check, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("Parkbox-2")
    _, _, todo_zh, todo_en = broken(check("shenzhen", box(), password_file=str(tmp_path / "wrong")), "login")
    assert "密码" in todo_zh
    assert "password" in todo_en


def test_a_password_file_that_is_gone_is_named(check: Check, tmp_path: Path) -> None:
    zh, en, *_ = broken(check("shenzhen", box(), password_file=str(tmp_path / "gone")), "login")
    assert str(tmp_path / "gone") in zh
    assert str(tmp_path / "gone") in en


@pytest.mark.parametrize("link", ["shenzhen", "shenzhen-tcp"])
def test_a_certificate_of_another_authority(check: Check, tmp_path: Path, link: LinkName) -> None:
    foreign = Authority(tmp_path, "Somebody Else").file
    zh, en, todo_zh, _ = broken(check(link, box(), ca_file=str(foreign)), "tls")
    assert "签发者" in zh
    assert "who signed" in en
    assert "ca_file" in todo_zh


def test_a_certificate_for_another_name(check: Check) -> None:
    zh, en, *_ = broken(check("shenzhen-tcp", box(), tcp={"server_name": "platform.example"}), "tls")
    assert "域名" in zh
    assert "another name" in en


@pytest.mark.parametrize("link", ["shenzhen", "shenzhen-tcp"])
def test_nothing_that_listens(check: Check, platform: ShenzhenPlatform, link: LinkName) -> None:
    platform.stop()
    zh, en, todo_zh, _ = broken(check(link, box()), "tcp")
    assert "拒绝" in zh
    assert "refused" in en
    assert "防火墙" in todo_zh


def test_a_name_that_does_not_exist(check: Check) -> None:
    zh, *_ = broken(check("shenzhen", box(), url="https://no-such-host.invalid/api"), "name")
    assert "no-such-host.invalid" in zh


def test_the_running_links_token_is_used_and_not_given_back(
    check: Check, city: Shenzhen, platform: ShenzhenPlatform, addresses: Addresses
) -> None:
    """A second login could void the token that the platform shows at our callback server."""
    running = logged_in(city, addresses)
    result = check("shenzhen", box(), shenzhen=running.beside)
    assert result.ok, result
    assert "不重复登录" in next(step.zh for step in result.steps if step.name == "login")
    stalls = f'[{{"parkCode":"{LOT}","reservedStalls":0,"unusedStalls":1,"usedStalls":1}}]'
    assert Sender(addresses, running.access_token).send(5003, stalls)["data"][0]["code"] == 0  # it lives on


def logged_in(city: Shenzhen, addresses: Addresses) -> Conversation:
    talk = talk_of(city, Secrets(city))
    request = talk.login(time.time_ns() // 1_000_000)
    sender = Sender(addresses)
    status, _, body = sender.raw(urlsplit(addresses.url).path + request.path, request.body, dict(request.headers))
    assert talk.logged_in(request, Answer(status, body), 0.0).meaning == "accepted"
    return talk


def test_without_the_lane_there_are_no_stalls_to_send(check: Check) -> None:
    zh, *_ = broken(check("shenzhen", None), "call")
    assert "车道程序" in zh


def test_every_step_of_the_tcp_link_is_well_and_it_says_goodbye(check: Check, platform: ShenzhenPlatform) -> None:
    result = check("shenzhen-tcp", box())
    assert states(result) == dict.fromkeys(("address", "name", "tcp", "tls", "login", "call"), "ok"), result
    assert result.ok
    assert platform.links.newest is None  # it logged out
    assert platform.summary().violations == ()


def test_a_wrong_password_at_the_tcp_link(check: Check, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("Parkbox-2")
    zh, *_ = broken(check("shenzhen-tcp", box(), password_file=str(tmp_path / "wrong")), "login")
    assert "拒绝" in zh


def test_a_running_tcp_link_is_not_disturbed(check: Check, platform: ShenzhenPlatform) -> None:
    """A second login could take the orders away from it: its own heartbeat is awaited."""
    heard = LinkView("shenzhen-tcp", True, "TCP 在线", "TCP online", time.time_ns() // 1_000_000 + 60_000)
    before = platform.summary()
    result = check("shenzhen-tcp", box(), links=lambda: [heard])
    assert result.ok, result
    assert "不重复登录" in next(step.zh for step in result.steps if step.name == "login")
    assert platform.links.newest is None
    assert platform.summary().violations == before.violations


def test_a_running_tcp_link_that_falls_silent_is_said(check: Check) -> None:
    online = LinkView("shenzhen-tcp", True, "TCP 在线", "TCP online", 1)
    silent = check("shenzhen-tcp", box(), links=lambda: [online], tcp={"heartbeat_s": 0.1, "heartbeat_wait_s": 0.1})
    zh, en, *_ = broken(silent, "call")
    assert "0.2 秒" in zh
    assert "0.2 s" in en


def test_a_tcp_link_that_is_not_used_is_a_refusal_in_words(check: Check) -> None:
    result = check("shenzhen-tcp", box(), downlink="https")
    assert (result.ok, result.steps) == (False, ())
    assert "downlink" in result.zh


def test_a_city_that_is_not_configured_is_a_refusal_in_words(check: Check) -> None:
    result = check("qingdao", box())
    assert (result.ok, result.steps) == (False, ())
