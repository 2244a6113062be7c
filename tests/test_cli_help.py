"""Every command of `parkbox` says how it is used when asked, and how it was misused when not."""

from __future__ import annotations

import pytest

from edge.cli import main

COMMANDS = ("lane", "agent", "check", "verify", "deliveries", "diagnose", "flow", "sim", "plan")


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as end:  # argparse ends the program itself
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_printed_and_no_error(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, command, option)
    assert (code, err) == (0, "")
    assert f"parkbox {command}" in out
    assert any("\u4e00" <= letter <= "\u9fff" for letter in out)  # Chinese first


def test_help_of_all_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, "--help")
    assert (code, err) == (0, "")
    assert [command for command in COMMANDS if f"parkbox {command}" not in out] == []


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ((), "缺少命令"),
        (("check",), "parkbox check: 缺少配置文件 CONFIG"),
        (("check", "--hlep"), "parkbox check --hlep: 没有这个选项"),
        (("lane",), "parkbox lane: 缺少配置文件 CONFIG"),
        (("agent", "a.toml", "b.toml"), "parkbox agent: 多余的参数 b.toml"),
        (("nonsense",), "nonsense: 没有这个命令, 只有 no such command, there are: lane, agent, check, verify"),
    ],
)
def test_a_misuse_is_an_error_that_says_what_is_wrong_below_the_usage(
    arguments: tuple[str, ...], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = asked(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "parkbox check CONFIG" in err
    assert err.splitlines()[-1].startswith(wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "parkbox verify: 缺少 FILE  the following arguments are required: FILE"),
        (("provision", "boxes.csv"), "parkbox provision: 缺少 TEMPLATE, OUT  "),
        (("verify", "a.jpg", "--kex"), "parkbox verify: 不认识的参数 --kex  "),
        (("verify", "a.jpg", "--key"), "parkbox verify: --key: 须给一个值  expected one argument"),
        (("deliveries", "c", "--state", "gone"), "parkbox deliveries: --state: 不能是 'gone', 只能是 "),
        (("deliveries", "c", "--show", "x"), "parkbox deliveries: --show: 'x' 须为整数  invalid int value: 'x'"),
        (("deliveries", "c", "--show", "1", "--repeat-all"), "parkbox deliveries: --repeat-all: 不能与 --show 同时"),
        (("deliveries", "c", "--limit", "0"), "parkbox deliveries: --limit: '0': 允许 1 到 100000"),
        (("deliveries", "c", "--repeat"), "parkbox deliveries: --repeat: 至少须给一个值  "),
        (("deliveries", "c", "--repeat-=1"), "parkbox deliveries: --repeat-=1 不明确, 可能是 --repeat-all, "),
        (("update", "--slots=1"), "parkbox update: --slots: 不带值, 却给了 '1'  "),
        (("health", "c", "--within", "soon"), "parkbox health: --within: 'soon' 须为数字  "),
        (("backup", "c"), "parkbox backup: 须给 FILE 或 --nightly"),
        (("plan",), "parkbox plan: 缺少 scenario  "),
        (("sim", "--cars", "x"), "parkbox sim: --cars: 'x': 须为不小于 1 的整数"),
        (("sim", "--cars", "0"), "parkbox sim: --cars: '0': 须为不小于 1 的整数"),
    ],
)
def test_wrong_arguments_are_said_in_chinese_first(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = asked(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: ") and err.splitlines()[-1].startswith(said), err
