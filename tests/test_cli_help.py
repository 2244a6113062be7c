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


@pytest.mark.parametrize("arguments", [(), ("check",), ("check", "--hlep"), ("lane",), ("nonsense",)])
def test_a_misuse_is_an_error_with_the_same_words(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = asked(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "parkbox check CONFIG" in err
