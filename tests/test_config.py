"""Configuration: every error at once, each with path, value and what is allowed; nothing is started."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edge.commands.check import run
from edge.config import secrets
from edge.config.check import summary
from edge.config.load import ConfigError, load
from tests.config_text import GOOD, ROOT, issues_of
from tests.shipped_files import furnish, toml

SHIPPED = sorted((ROOT / "configs").glob("*.toml"))


PARAM = '{"form": "parkbox-1", "rates": [{"unit_min": 60, "unit_fen": 100}]}'


def secret(path: Path, mode: int = 0o600) -> Path:
    path.write_text("x", encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_config_is_fit_to_run(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    furnish(raw, tmp_path)
    raw["box"] |= {"data_dir": "./parkbox"}
    copy.write_text("\n".join(toml(raw)), encoding="utf-8")
    config = load(copy)
    assert config.lane
    assert config.box.data_dir.startswith(str(tmp_path))
    assert summary(config)


@pytest.mark.parametrize(
    ("line", "path", "allowed"),
    [
        ("first_fen = 5.0", "tariff.first_fen", "须为整数 0..10000000 (分) / must be a whole number 0..10000000 (fen)"),
        ("unit_min = 0", "tariff.unit_min", "(分钟)"),
    ],
)
def test_a_range_is_written_out_and_says_its_unit(tmp_path: Path, line: str, path: str, allowed: str) -> None:
    text = re.sub(rf"^{line.partition(' ')[0]} = .*$", "", GOOD, flags=re.MULTILINE)
    assert allowed in issues_of(tmp_path, text.replace("free_min = 15", f"free_min = 15\n{line}"))[path]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lot]\nname : 3", "第 2 行第 6 列: 键之后须为 ="),
        ("[lot]\nname = \"a", "在文件末尾: 文字未结束, 缺少引号"),
        ("[lot]\nname = east gate", "第 2 行第 8 列: 等号之后须为值"),
        ("[lot]\ntotal_stalls = 12 stalls", "第 2 行第 19 列: 一个值之后须换行"),
        ("[lot\nx = 1", "第 1 行第 5 列: 表名之后须为 ]"),
        ("[[lane]\nx = 1", "表名之后须为 ]]"),
        ("[lot]\na = 1\na = 2", "同一个键写了两次"),
        ("[lot]\n[lot]", "写了两次, 只允许一次"),
        ("a = [1, 2", "列表未结束, 缺少 ]"),
        ("a = {x = 1", "缺少 }"),
        ("a = \"C:\\d\"", "文字中的 \\ 须写成 \\\\"),
        ("a = 2026-13-41", "第 1 行"),
        ("= 3", "第 1 行第 1 列: 此行须为"),
        ("a = " + "9" * 5000, "TOML 语法错误"),
    ],
)
def test_a_toml_error_is_said_in_chinese_with_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    (line,) = issues_of(tmp_path, text).values()
    assert said in line.partition(" / ")[0]
    assert "TOML syntax: " in line.partition(" / ")[2]


def test_all_errors_come_at_once_each_with_its_path(tmp_path: Path) -> None:
    text = (
        GOOD.replace("total_stalls = 120", "total_stalls = 0")
        .replace("pulse_ms = 500", "pulse_ms = 99999")
        .replace('direction = "out"', 'direction = "up"')
        .replace("heartbeat_s = 5", 'heartbeat_s = "often"')
        .replace('clock = "kernel"', 'clok = "kernel"')
        .replace("free_min = 15", "free_min = 1.5")
    )
    found = issues_of(tmp_path, text)
    assert set(found) == {
        "lot.total_stalls", "lane[0].barrier.pulse_ms", "lane[1].direction", "lane[0].camera[0].heartbeat_s",
        "lane[1].camera[0].heartbeat_s", "box.clok", "tariff.free_min",
    }  # fmt: skip
    assert "1..100000" in found["lot.total_stalls"]
    assert "99999" in found["lane[0].barrier.pulse_ms"]
    assert "100..3000" in found["lane[0].barrier.pulse_ms"]
    assert "in, out" in found["lane[1].direction"]
    assert "clock" in found["box.clok"]


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("close_pin = 27", "close_pin = 17", "lane[0].barrier.close_pin", "lane[0].barrier.open_pin"),
        ("safety_pin = 8", "safety_pin = 26", "lane[1].loops.safety_pin", "gpio.emergency_pin"),
        ('id = "out1"', 'id = "in1"', "lane[1].id", "lane[0].id"),
        ("number = 2", "number = 1", "lane[1].number", "lane[0].number"),
        ("192.168.55.132", "192.168.55.300", "lane[1].camera[0].addresses", "IP"),
        ("port = 8080", "port = 8081", "web.port", "listener.port"),
        ('deny_plates = []', 'deny_plates = ["鲁B·00001"]', "lot.deny_plates[0]", "allow_plates"),
        ('allow_plates = ["鲁B00001"]', 'allow_plates = ["无牌车"]', "lot.allow_plates[0]", "no plate"),
        ("port = 8080", 'port = 8080\nhost = "0.0.0.0"', "web.tls", "plain_reason"),
        ("port = 8080", 'port = 8080\nhost = "parkbox"', "web.host", "IP address"),
        ("port = 8080", 'port = 8080\nplain_reason = "VPN"', "web.plain_reason", "loopback"),
        ("port = 8080", 'port = 8080\ntls = "own"\nkey_file = "a"', "web.tls", "given"),
        ("port = 8080", "port = 8080\naudit_days = 100", "web.audit_days", "184..3650"),
        ("port = 8080", 'port = 8080\nnames = ["http://x"]', "web.names[0]", "host name"),
        ('host = "127.0.0.1"', 'host = "\\u0000bad"', "listener.host", "control characters"),
        ("daily_cap_fen = 3000", "daily_cap_fen = 100", "tariff.daily_cap_fen", "first_fen"),
        ("daily_cap_fen = 3000", "param = '{\"fee\": 3}'", "tariff.param", "not a form this box knows"),
        ("daily_cap_fen = 3000", f"daily_cap_fen = 900\nparam = '{PARAM}'", "tariff.daily_cap_fen", "not beside"),
        ("daily_cap_fen = 3000", 'away = "pay"', "tariff.away", "owe"),
    ],
)
def test_settings_that_are_wrong_together(tmp_path: Path, old: str, new: str, path: str, says: str) -> None:
    assert old in GOOD
    found = issues_of(tmp_path, GOOD.replace(old, new, 1))
    assert set(found) == {path}
    assert says in found[path]


def test_the_page_in_a_network_has_tls_or_a_reason(tmp_path: Path) -> None:
    for allowed in ('tls = "own"', 'plain_reason = "VPN ends on the box"'):
        (tmp_path / "box.toml").write_text(GOOD.replace("port = 8080", f'port = 8080\nhost = "0.0.0.0"\n{allowed}', 1))
        assert load(tmp_path / "box.toml").web.host == "0.0.0.0"
    key = tmp_path / "page.key"
    key.write_text("key")
    key.chmod(0o644)
    given = 'port = 8080\ntls = "given"\ncertificate_file = "page.crt"\nkey_file = "page.key"'
    found = issues_of(tmp_path, GOOD.replace("port = 8080", given, 1))
    assert set(found) == {"web.certificate_file", "web.key_file"}
    assert "0600" in found["web.key_file"]


def test_two_cameras_that_cannot_be_told_apart(tmp_path: Path) -> None:
    text = GOOD.replace("192.168.55.132", "192.168.55.131").replace('serial = "fe71e106-57263273"', 'serial = ""')
    text = text.replace('serial = "fe71e106-57263272"', 'serial = ""')
    assert set(issues_of(tmp_path, text)) == {"lane[1].camera[0].serial"}


def test_a_missing_section_and_a_wrong_shape(tmp_path: Path) -> None:
    found = issues_of(tmp_path, 'lot = 3\nlane = []\n[box]\nid = "b"\n')
    assert set(found) == {"box.data_dir", "box.socket", "lot", "lane"}


@pytest.mark.parametrize("content", [
    b"[box\n", b"\xff\xfe\x00", b"", b"a = " + b"1" * 2_000_000, b"a = " + b"9" * 5_000, b"a = " + b"[" * 5_000,
])  # fmt: skip
def test_a_file_that_is_no_config(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


QINGDAO = """
[city.qingdao]
url = "http://127.0.0.1:1/"
cno = "1"
sub_code = "2"
user = "3"
password_file = "password"
passkey_file = "passkey"
"""


def test_secrets_must_be_private_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("very-secret-word", encoding="utf-8")
    (tmp_path / "password").chmod(0o644)
    found = issues_of(tmp_path, GOOD + QINGDAO)
    assert set(found) == {"city.qingdao.password_file", "city.qingdao.passkey_file"}
    assert "0600" in found["city.qingdao.password_file"]
    assert "very-secret-word" not in "".join(found.values())
    for name in ("password", "passkey"):
        (tmp_path / name).write_text("very-secret-word", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    assert load(tmp_path / "box.toml").city.qingdao is not None


def test_a_secret_may_be_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    named = QINGDAO.replace('"password"', '"credential:secrets_word"').replace('"passkey"', '"credential:secrets_key"')
    assert "credentials/secrets_word" in issues_of(tmp_path, GOOD + named)["city.qingdao.password_file"]
    for name in ("secrets_word", "secrets_key"):
        secret(folder / name)
    qingdao = load(tmp_path / "box.toml").city.qingdao
    assert qingdao is not None
    assert qingdao.password_file == str(folder / "secrets_word")


def test_a_credential_may_carry_the_mask_of_its_acl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.config.secrets.CREDENTIALS", tmp_path)
    assert list(secrets.secret("x", str(secret(tmp_path / "fit", 0o440)))) == []
    assert "0600" in str(next(iter(secrets.secret("x", str(secret(tmp_path / "open", 0o444))))))


def test_the_command_prints_everything_and_exits_2(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    text = GOOD.replace("pulse_ms = 500", "pulse_ms = 1").replace("number = 2", "number = 0")
    path.write_text(text, encoding="utf-8")
    done = {}
    for command in ("check", "lane", "agent"):
        run = subprocess.run(
            [sys.executable, "-m", "edge.cli", command, str(path)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )
        done[command] = run.returncode
        assert "lane[0].barrier.pulse_ms = 1" in run.stderr
        assert "lane[1].number = 0" in run.stderr
    assert done == {"check": 2, "lane": 2, "agent": 2}
    assert [p.name for p in tmp_path.iterdir()] == ["box.toml"]


OSS = (ROOT / "configs" / "qingdao.toml").read_text(encoding="utf-8").replace("/etc/parkbox/", "./")
OSS = OSS.replace("/var/lib/", "./").replace("/run/", "./")
SECRETS = ("qingdao-password", "qingdao-passkey", "oss-key-id", "oss-key-secret")


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ('endpoint = "https://oss-cn-qingdao.aliyuncs.com"', 'endpoint = "oss-cn-qingdao.aliyuncs.com"',
         "city.qingdao.oss.endpoint", "http(s)://"),
        ('endpoint = "https://oss-cn-qingdao.aliyuncs.com"', 'endpoint = "https://host/bucket"',
         "city.qingdao.oss.endpoint", "http(s)://"),
        ('bucket = "park-pictures"', 'bucket = "Park_Pictures"', "city.qingdao.oss.bucket", "3 to 63"),
        ('bucket = "park-pictures"\n', "", "city.qingdao.oss.bucket", "missing"),
        ('acl = "public-read-write"', 'acl = "public"', "city.qingdao.oss.acl", "public-read, public-read-write"),
        ('acl = "public-read-write"', "timeout_s = 0", "city.qingdao.oss.timeout_s", "0.01..600"),
        ('acl = "public-read-write"', 'token_file = "./none"', "city.qingdao.oss.token_file", "no such file"),
        ('acl = "public-read-write"', 'token_file = "./oss-key-id"\nsignature = "v1"', "city.qingdao.oss.token_file",
         "v4"),
        ('acl = "public-read-write"', 'secret = "abc"', "city.qingdao.oss.secret", "unknown key"),
        ('key_secret_file = "./oss-key-secret"', 'key_secret_file = "./open"', "city.qingdao.oss.key_secret_file",
         "0600"),
    ],
)  # fmt: skip
def test_picture_storage_is_judged(tmp_path: Path, old: str, new: str, path: str, says: str) -> None:
    for name in SECRETS:
        secret(tmp_path / name)
    secret(tmp_path / "open", 0o644)
    found = issues_of(tmp_path, OSS.replace(old, new))
    assert list(found) == [path]
    assert says in found[path]


def test_check_says_where_pictures_go_and_what_public_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in SECRETS:
        secret(tmp_path / name)
    path = tmp_path / "box.toml"
    path.write_text(OSS, encoding="utf-8")
    assert run(path) == 0
    assert "anybody can read, replace, delete" in capsys.readouterr().out
    path.write_text(OSS.replace("public-read-write", "private"), encoding="utf-8")
    assert run(path) == 0
    said = capsys.readouterr().out
    assert "https://oss-cn-qingdao.aliyuncs.com park-pictures, private" in said
    assert "anybody" not in said


@pytest.mark.parametrize("plate", ["hello world", "1", "鲁B", "AAAAAAAAAAAAAAAAAAAA"])
def test_what_nobody_can_mean_as_a_plate_is_refused(tmp_path: Path, plate: str) -> None:
    text = GOOD.replace('allow_plates = ["鲁B00001"]', f'allow_plates = ["{plate}"]')
    assert "is no plate" in issues_of(tmp_path, text)["lot.allow_plates[0]"]


def test_a_device_without_end_is_not_read_to_it() -> None:
    with pytest.raises(ConfigError, match="at most 1000000 bytes"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("total_stalls = ", "total_stalls = true # ", "= true: "),
        ("total_stalls = ", "total_stalls = 2026-11-22 # ", "= 2026-11-22: "),
    ],
)
def test_a_value_is_shown_as_the_file_has_it(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert says in issues_of(tmp_path, GOOD.replace(old, new))["lot.total_stalls"]


def test_a_bound_that_is_not_allowed_itself_is_said(tmp_path: Path) -> None:
    assert "0..1, above 0" in issues_of(tmp_path, GOOD + "\n[flow]\nbands = [0.0, 0.9]\n")["flow.bands[0]"]


def test_only_a_lane_with_an_arrival_loop_needs_its_pin(tmp_path: Path) -> None:
    without = GOOD.replace("arrival_pin = 23\n", "", 1)
    assert "needs it" in issues_of(tmp_path, without)["lane[0].loops.arrival_pin"]
    by_camera = without.replace("[[lane]]\n", '[[lane]]\narrival = "camera"\n', 1)
    path = tmp_path / "box.toml"
    path.write_text(by_camera, encoding="utf-8")
    assert load(path).lane[0].loops.arrival_pin is None
    missing = by_camera.replace("safety_pin = 24\n", "", 1)
    assert missing != by_camera
    assert "needs it" in issues_of(tmp_path, missing)["lane[0].loops.safety_pin"]
