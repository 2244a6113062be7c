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
