"""[city.qingdao.mqtt]: every error with path, value and what is allowed; what `parkbox check` says of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge.config.check import summary
from edge.config.load import ConfigError, load
from tests.shipped_files import furnish, toml

ROOT = Path(__file__).resolve().parent.parent


def loaded(folder: Path, **mqtt: Any) -> Any:
    raw = tomllib.loads((ROOT / "configs" / "qingdao.toml").read_text("utf-8"))
    furnish(raw, folder)
    raw["box"]["data_dir"] = "./data"
    raw["city"]["qingdao"]["mqtt"].update(mqtt)
    path = folder / "box.toml"
    path.write_text("\n".join(toml(raw)), encoding="utf-8")
    return load(path)


def test_the_shipped_file_is_right_and_check_says_where_orders_come_from(tmp_path: Path) -> None:
    said = "\n".join(summary(loaded(tmp_path)))
    assert "指令 orders: MQTT mqtt.platform.example:8883, TLS" in said
    assert "无 TLS without TLS" in "\n".join(summary(loaded(tmp_path, tls="off")))


@pytest.mark.parametrize(
    ("changed", "path", "says"),
    [
        ({"cmd_types": {"card": ["a"], "plan": ["b", "a"]}}, "cmd_types.plan", "already stands for card"),
        ({"cmd_types": {"cards": ["a"]}}, "cmd_types.cards", "unknown key"),
        ({"cmd_types": {"card": []}}, "cmd_types.card", "1"),
        ({"scan_codes": [{"reason": "no_cars", "code": 5}]}, "scan_codes[0].reason", "no such reason, of: not_inside"),
        ({"reply_items": "list"}, "reply_items", "string"),
        ({"projects": ["0000001"]}, "projects", "is sub_code"),
        ({"reply_topic": "thirdpark/server_send/{user}"}, "reply_topic", "same as receive_topic"),
        ({"receive_topic": "thirdpark/server_send/+"}, "receive_topic", "{user}"),
        ({"ca_file": "./none.pem"}, "ca_file", "no usable PEM"),
        ({"tls": "off", "ca_file": "./none.pem"}, "ca_file", 'is for tls = "on"'),
        ({"host": "tcp://mqtt"}, "host", "host name"),
        ({"port": 70_000}, "port", "65535"),
        ({"keepalive_s": 1}, "keepalive_s", "5..3600"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changed: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, **changed)
    (issue,) = caught.value.issues
    assert issue.path.startswith(f"city.qingdao.mqtt.{path}")
    assert says in str(issue)


@pytest.mark.parametrize(
    ("plans", "path", "says"),
    [
        ([{"code": 48, "name": "A"}], "plan[0].code", "not in B.6.1.31"),
        ([{"code": 50, "name": "A"}, {"code": 50, "name": "B"}], "plan[1].code", "used twice"),
        ([{"code": 50, "name": "A", "start": "07:00"}], "plan[0].end", "go together"),
        ([{"code": 50, "name": "A", "prices": [{"months": 1, "fen": 1}] * 2}], "plan[0].prices", "twice"),
    ],
)
def test_plans_are_judged(tmp_path: Path, plans: list[dict[str, Any]], path: str, says: str) -> None:
    raw = tomllib.loads((ROOT / "configs" / "qingdao.toml").read_text("utf-8"))
    furnish(raw, tmp_path)
    raw["box"]["data_dir"] = "./data"
    raw["city"]["qingdao"]["plan"] = plans
    (tmp_path / "box.toml").write_text("\n".join(toml(raw)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "box.toml")
    (issue,) = caught.value.issues
    assert issue.path == f"city.qingdao.{path}"
    assert says in str(issue)
