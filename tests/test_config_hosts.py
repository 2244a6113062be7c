"""Hosts, addresses and secrets that can be none: said by `parkbox check`, not found out by a day of tries."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge.config.load import ConfigError, load
from tests.shipped_files import furnish, toml

ROOT = Path(__file__).resolve().parent.parent


def raw_of(folder: Path, name: str) -> dict[str, Any]:
    raw = tomllib.loads((ROOT / "configs" / f"{name}.toml").read_text("utf-8"))
    furnish(raw, folder)
    raw["box"]["data_dir"] = "./data"
    return raw


def issues_of(folder: Path, raw: dict[str, Any]) -> list[str]:
    path = folder / "box.toml"
    path.write_text("\n".join(toml(raw)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    return list(map(str, caught.value.issues))


@pytest.mark.parametrize(
    ("city", "where", "value", "says"),
    [
        ("qingdao", "listener.host", "not an ip", "must be an IP address"),
        ("qingdao", "city.qingdao.url", "http://", "http(s)://host"),
        ("qingdao", "city.qingdao.url", "http://a b/", "http(s)://host"),
        ("qingdao", "city.qingdao.url", "http://city:99999/", "cannot be read: Port out of range"),
        ("qingdao", "city.qingdao.url", "http://city:0/", "the port must be 1..65535"),
        ("qingdao", "city.qingdao.url", "http://300.1.2.3/", "no host name or IP address: '300.1.2.3'"),
        ("qingdao", "city.qingdao.mqtt.host", "a..b", "neither a host name nor an IP address"),
        ("qingdao", "city.qingdao.mqtt.host", "256.0.0.1", "neither a host name nor an IP address"),
        ("qingdao", "city.qingdao.mqtt.port", 0, "1..65535"),
        ("qingdao", "city.qingdao.mqtt.reconnect_max_s", 1e-300, "0.1..3600"),
        ("shenzhen", "city.shenzhen.url", "https://-city/", "no host name or IP address: '-city'"),
        ("shenzhen", "city.shenzhen.callback.host", "here", "must be an IP address"),
        ("shenzhen", "city.shenzhen.retry_s", 1e-9, "0.01..86400"),
    ],
)
def test_what_can_be_no_address_is_named(tmp_path: Path, city: str, where: str, value: Any, says: str) -> None:
    raw = raw_of(tmp_path, city)
    *path, last = where.split(".")
    table = raw
    for name in path:
        table = table.setdefault(name, {})
    table[last] = value
    (issue,) = issues_of(tmp_path, raw)
    assert issue.startswith(where)
    assert says in issue


def test_an_account_in_an_address_is_refused_and_not_shown(tmp_path: Path) -> None:
    raw = raw_of(tmp_path, "qingdao")
    raw["city"]["qingdao"]["url"] = "https://parkbox:Secret-1@city.example/"
    (issue,) = issues_of(tmp_path, raw)
    assert "must not hold a name or password" in issue
    assert "Secret-1" not in issue


def test_a_secret_of_two_lines_is_refused_and_not_shown(tmp_path: Path) -> None:
    raw = raw_of(tmp_path, "qingdao")
    Path(raw["city"]["qingdao"]["password_file"]).write_text("Secret-1\nSecret-2\n")
    (issue,) = issues_of(tmp_path, raw)
    assert issue.startswith("city.qingdao.password_file")
    assert "has 2 lines, one is allowed" in issue
    assert "Secret" not in issue.partition(":")[2]
