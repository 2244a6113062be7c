"""The picture storage tried step by step against the simulated one: nothing is written, whatever comes of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edge.agent.link_check import LinkCheck, Running
from edge.agent.link_oss import host_of
from edge.config.load import load
from edge.config.model import Config, Oss, Qingdao
from edge.web.api import ActionResult
from hal_sim.oss import Keys, OssServer, Rules
from hal_sim.site.pins import PinBank
from tests.link_check_tools import own_certificate_at
from tests.oss_tools import KEYS, PROJECT, storage
from tests.program_site import write_config

Check = Callable[..., ActionResult]


@pytest.fixture
def oss() -> Iterator[tuple[OssServer, str]]:
    with storage() as running:
        yield running


@pytest.fixture
def check(tmp_path: Path) -> Check:
    plain: Config = load(write_config(tmp_path, PinBank())[0])
    (tmp_path / "id").write_text(KEYS.key_id)
    (tmp_path / "secret").write_text(KEYS.secret)
    own = Oss(
        endpoint="http://127.0.0.1:1", bucket=Rules(PROJECT).bucket, key_id_file=str(tmp_path / "id"),
        key_secret_file=str(tmp_path / "secret"),
    )  # fmt: skip

    def run(endpoint: str, **changes: object) -> ActionResult:
        oss = msgspec.structs.replace(own, endpoint=endpoint, **changes)
        city = Qingdao(
            url="http://127.0.0.1:1/", cno="1", sub_code=PROJECT, user="u", password_file="", passkey_file="", oss=oss
        )
        config = msgspec.structs.replace(plain, city=msgspec.structs.replace(plain.city, qingdao=city))
        return LinkCheck(config, Running(no_account, lambda: None)).run("oss")  # type: ignore[arg-type]

    return run


def no_account() -> None:
    raise AssertionError("the city's account is none of the storage's business")


def failed_at(result: ActionResult) -> str:
    step = next(step for step in result.steps if step.state == "failed")
    assert step.todo_zh
    assert step.todo_en
    return step.name


def test_every_step_is_well_and_nothing_is_written(oss: tuple[OssServer, str], check: Check) -> None:
    result = check(oss[1])
    assert [(step.name, step.state) for step in result.steps] == [
        ("address", "ok"), ("name", "ok"), ("tcp", "ok"), ("call", "ok"),
    ]  # fmt: skip
    assert result.ok
    assert "http" in result.zh  # without encryption: that is said
    summary = oss[0].summary()
    assert (summary.pictures, summary.refused, summary.requests) == (0, (), 1)


@pytest.mark.parametrize(
    ("keys", "code"), [(Keys(KEYS.key_id, "another"), "SignatureDoesNotMatch"), (Keys("X", "y"), "InvalidAccessKeyId")]
)
def test_wrong_keys(check: Check, keys: Keys, code: str) -> None:
    with storage(keys=keys) as (_, endpoint):
        result = check(endpoint)
    assert failed_at(result) == "call"
    assert code in result.zh
    assert code in result.en


def test_a_bucket_that_does_not_exist(oss: tuple[OssServer, str], check: Check) -> None:
    result = check(oss[1], bucket="another-one")
    assert failed_at(result) == "call"
    assert "NoSuchBucket" in result.zh


def test_a_clock_that_is_off(check: Check) -> None:
    with storage(shift_s=3600) as (_, endpoint):
        result = check(endpoint)
    assert failed_at(result) == "call"
    assert "RequestTimeTooSkewed" in result.en
    assert "时钟" in result.steps[-1].todo_zh


def test_a_login_page_of_the_network_is_not_taken_for_the_storage(oss: tuple[OssServer, str], check: Check) -> None:
    oss[0].weather.set("garbage")
    assert failed_at(check(oss[1])) == "call"


def test_key_files_that_are_gone_are_named(oss: tuple[OssServer, str], check: Check, tmp_path: Path) -> None:
    result = check(oss[1], key_id_file=str(tmp_path / "gone"))
    assert failed_at(result) == "call"
    assert str(tmp_path / "gone") in result.zh


def test_nothing_that_listens(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = check(f"http://127.0.0.1:{port}")
    assert failed_at(result) == "tcp"
    assert "拒绝" in result.zh


def test_a_certificate_that_nobody_vouches_for(check: Check, tmp_path: Path) -> None:
    with own_certificate_at(tmp_path) as port:
        result = check(f"https://127.0.0.1:{port}")
    assert failed_at(result) == "tls"
    assert "证书" in result.zh


@pytest.mark.parametrize(
    ("endpoint", "address", "host"),
    [
        ("https://oss-cn-qingdao.aliyuncs.com", "virtual", "pics.oss-cn-qingdao.aliyuncs.com"),
        ("https://oss-cn-qingdao.aliyuncs.com", "path", "oss-cn-qingdao.aliyuncs.com"),
        ("https://pics.example.com", "cname", "pics.example.com"),
        ("http://10.0.0.7:9000", "virtual", "10.0.0.7"),
    ],
)
def test_the_name_that_is_looked_up_is_the_one_that_uploads_go_to(endpoint: str, address: str, host: str) -> None:
    """As `config` says of `address`; Alibaba's own client builds the same addresses."""
    keys = {"key_id_file": "", "key_secret_file": ""}
    assert host_of(Oss(endpoint=endpoint, bucket="pics", address=address, **keys)) == host  # type: ignore[arg-type]
