"""Settings of cameras: the client's rules, each with path and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.barriers import barrier_camera, closes
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
        ("client = {closes = true}", "vz", "client.closes", "hikvision, dahua only"),
        ("client = {reads = true, password_file = 'secret'}", "dahua", "client.reads", "vz and hikvision only"),
        ("client = {password_file = 'missing'}", "hikvision", "client.password_file", "there is no such file"),
        ("client = {}", "hikvision", "client.password_file", "missing; names a file of mode 0600"),
        ("client = {password_file = '.'}", "dahua", "client.password_file", "is a folder"),
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


PINS = GOOD[GOOD.index("open_pin") : GOOD.index("pulse_ms = 500")]
BY_CAMERA = 'driver = "camera"\n'


@pytest.mark.parametrize(
    ("more", "barrier", "vendor", "path", "says"),
    [
        ("relay_is_barrier = true", PINS, "vz", "camera[0].relay_is_barrier", "a lane has one barrier"),
        ("", BY_CAMERA, "vz", "barrier.driver", "there are 0"),
        ("relay_is_barrier = true", BY_CAMERA + "open_pin = 17\n", "vz", "barrier.open_pin", 'driver = "gpio" only'),
        ("relay_is_barrier = true", BY_CAMERA + "open_relay = 1\n", "vz", "barrier.open_relay", '"board" only'),
        ("relay_is_barrier = true", BY_CAMERA, "hikvision", "camera[0].relay_is_barrier", "no reply opens"),
        ("relay_is_barrier = true", BY_CAMERA, "gat1400", "camera[0].relay_is_barrier", "no reply opens at gat1400"),
        ("relay_is_barrier = true\nclient = {reads = true}", BY_CAMERA, "vz", "camera[0].client.reads", "opens = true"),
    ],
)
def test_a_lane_has_one_barrier(  # noqa: PLR0917 - one case's own members
    tmp_path: Path, more: str, barrier: str, vendor: str, path: str, says: str
) -> None:
    text = GOOD.replace(PINS, barrier, 1).replace(END, END + more + "\n", 1)
    file = tmp_path / "box.toml"
    file.write_text(text.replace('vendor = "vz"', f'vendor = "{vendor}"', 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    issues = {issue.path: str(issue) for issue in caught.value.issues}
    assert says in issues[f"lane[0].{path}"]


def test_a_barrier_by_camera_needs_no_pin_and_keeps_its_limit_switches(tmp_path: Path) -> None:
    text = GOOD.replace(PINS, BY_CAMERA + "limit_up_pin = 5\n", 1)
    (tmp_path / "box.toml").write_text(text.replace(END, END + "relay_is_barrier = true\n", 1), encoding="utf-8")
    lane = load(tmp_path / "box.toml").lane[0]
    camera = barrier_camera(lane)
    assert camera is not None
    assert (camera.id, closes(lane), lane.barrier.open_pin) == ("cam-in1", False, None)
