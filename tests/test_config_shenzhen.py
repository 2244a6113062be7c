"""[city.shenzhen]: files, certificates, ways of orders; every error with path, value and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config.check import summary
from edge.config.load import ConfigError, load
from edge.config.rules_shenzhen import des_key
from tests.shipped_files import furnish, toml
from tests.tls_certs import Authority

ROOT = Path(__file__).resolve().parent.parent
Change = Callable[[dict[str, Any], Path], None]


def loaded(folder: Path, change: Change, name: str = "shenzhen") -> Any:
    raw = tomllib.loads((ROOT / "configs" / f"{name}.toml").read_text("utf-8"))
    furnish(raw, folder)
    raw["box"]["data_dir"] = "./data"
    change(raw, folder)
    path = folder / "box.toml"
    path.write_text("\n".join(toml(raw)), encoding="utf-8")
    return load(path)


def section(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["city"]["shenzhen"]
    return found


def put(where: str, value: Any) -> Change:
    """Set `a.b` below [city.shenzhen]; None takes it out."""

    def change(raw: dict[str, Any], folder: Path) -> None:
        table = section(raw)
        *path, last = where.split(".")
        for name in path:
            table = table.setdefault(name, {})
        if value is None:
            del table[last]
        else:
            table[last] = value

    return change


def file_with(where: str, content: str, mode: int = 0o600) -> Change:
    def change(raw: dict[str, Any], folder: Path) -> None:
        path = folder / "given"
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
        put(where, str(path))(raw, folder)

    return change


def other_key(raw: dict[str, Any], folder: Path) -> None:
    (folder / "other").mkdir()
    section(raw)["callback"]["key_file"] = str(Authority(folder / "other").issue("x")[1])


def both_gone(raw: dict[str, Any], folder: Path) -> None:
    del section(raw)["callback"]


WRONG: list[tuple[Change, str, str]] = [
    (put("url", "http://platform.example/api"), "city.shenzhen.url", "https://"),
    (put("callback.url", "http://box.example/api"), "city.shenzhen.callback.url", "https://"),
    (put("sign", "sha256"), "city.shenzhen.sign", "md5"),
    (put("iv_hex", "12"), "city.shenzhen.iv_hex", "16 hex"),
    (put("typo", 1), "city.shenzhen.typo", "unknown key"),
    (put("site.service_type", 9), "city.shenzhen.site.service_type", "1..8"),
    (put("site.operator_id", None), "city.shenzhen.site.operator_id", "missing"),
    (put("password_file", "nowhere"), "city.shenzhen.password_file", "no such file"),
    (file_with("password_file", "secret", 0o644), "city.shenzhen.password_file", "0600"),
    (file_with("key_file", "short"), "city.shenzhen.key_file", "5 bytes"),
    (file_with("ca_file", "no PEM"), "city.shenzhen.ca_file", "PEM"),
    (file_with("callback.cert_file", "no PEM"), "city.shenzhen.callback.cert_file", "cannot be used together"),
    (other_key, "city.shenzhen.callback.cert_file", "cannot be used together"),
    (put("callback.addresses", ["platform.example"]), "city.shenzhen.callback.addresses[0]", "network"),
    (put("callback.port", 8080), "city.shenzhen.callback.port", "web.port"),
    (put("callback.accept_login_token", False), "city.shenzhen.callback.accept_login_token", "nothing proves"),
    (put("downlink", "tcp"), "city.shenzhen.downlink", "[city.shenzhen.tcp]"),
    (both_gone, "city.shenzhen", "orders must reach the box"),
    (put("entrance_ids", ["0" * 32]), "city.shenzhen.entrance_ids", "as many as lanes"),
    (put("site.map_file", "nowhere.png"), "city.shenzhen.site.map_file", "cannot be read"),
    (put("tcp", {"host": "platform.example", "port": 1, "tls": False}), "city.shenzhen.tcp.tls", "127.0.0.1"),
]


@pytest.mark.parametrize(("change", "path", "says"), WRONG)
def test_every_mistake_is_named(change: Change, path: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, change)
    (issue,) = caught.value.issues
    assert issue.path == path
    assert says in str(issue)
    assert "secret-8" not in str(issue)


def test_what_is_fit_to_run_is_told_with_what_is_too_long(tmp_path: Path) -> None:
    lines = "\n".join(summary(loaded(tmp_path, put("site.permit_no", "6634344557"))))
    assert "深圳平台 Shenzhen: https://platform.example/api" in lines
    assert "https://box.example:8443/api -> 0.0.0.0:8443" in lines
    assert "site.permit_no" in lines
    (tmp_path / "both").mkdir()
    both = "\n".join(summary(loaded(tmp_path / "both", lambda raw, folder: None, "both-cities")))
    assert "青岛平台 Qingdao" in both
    assert "TCP platform.example:9443, TLS" in both


def test_the_forms_of_the_des_key() -> None:
    """SC12."""
    assert des_key("12345678rest", "text") == b"12345678"
    assert des_key("3132333435363738", "hex") == b"12345678"
    assert des_key("MTIzNDU2Nzg=", "base64") == b"12345678"
    for text, form in (("short", "text"), ("zz", "hex"), ("!!", "base64"), ("MTIz", "base64")):
        with pytest.raises(ValueError) as caught:
            des_key(text, form)
        assert text not in str(caught.value)
