"""Settings of cameras: the client's rules, each with path and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.load import ConfigError, load
from edge.config.model import Config

ROOT = Path(__file__).resolve().parent.parent
GOOD = (ROOT / "configs" / "entry-exit.toml").read_text(encoding="utf-8").replace("/var/lib/", "./")
GOOD = GOOD.replace("/run/", "./")
END = "heartbeat_s = 5\n"


def loaded(folder: Path, more: str, old: str = "", new: str = "") -> Config:
    """The shipped config with `more` in the first camera."""
    text = GOOD.replace(END, END + more + "\n", 1).replace(old, new, 1)
    path = folder / "box.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("vendor", ["huaxia", "rk_v5", "qianyi", "gat1400"])
def test_every_dialect_is_a_vendor(tmp_path: Path, vendor: str) -> None:
    config = loaded(tmp_path, "", 'vendor = "vz"', f'vendor = "{vendor}"')
    assert config.lane[0].camera[0].vendor == vendor


def test_a_client_and_its_defaults(tmp_path: Path) -> None:
    client = loaded(tmp_path, "client = {reads = true}").lane[0].camera[0].client
    assert client is not None
    assert (client.port, client.reads, client.opens) == (0, True, False)


@pytest.mark.parametrize(
    ("more", "vendor", "path", "says"),
    [
        ("client = {opens = true}", "vz", "client.opens", "relay_is_barrier"),
        ("relay_is_barrier = true\nclient = {reads = true}", "vz", "client.reads", "opens = true"),
        ("client = {reads = true, password_file = 'secret'}", "dahua", "client.reads", "vz only"),
        ("client = {password_file = 'missing'}", "hikvision", "client.password_file", "cannot be read"),
        ("client = {}", "huaxia", "client", "vz"),
        ("client = {port = 70000}", "vz", "client.port", "0..65535"),
        ("client = {prot = 1}", "vz", "client.prot", "port"),
    ],
)
def test_rules_of_a_client(tmp_path: Path, more: str, vendor: str, path: str, says: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, more, 'vendor = "vz"', f'vendor = "{vendor}"')
    issues = {issue.path: str(issue) for issue in caught.value.issues}
    assert set(issues) == {f"lane[0].camera[0].{path}"}
    assert says in issues[f"lane[0].camera[0].{path}"]
