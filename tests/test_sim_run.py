"""`parkbox sim` as a person runs it: both programs unchanged, a few cars, the summary and the exit code."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hal_sim.mosquitto import program
from tests.program_rig import until

BROKER = r"内置 built in$" if program() is None else r"mosquitto \d"
"""Which broker the simulated city has here; the runs with mosquitto are not made where it is not installed."""

ENDS_WITHIN_S = 150  # about 15 s alone; the machine may be crowded


def sim(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli", "sim", *arguments],
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )


def number(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    assert found is not None, text
    return int(found.group(1))


def test_twelve_cars_headless_end_clean() -> None:
    done = sim("--cars", "12", "--headless", "--seed", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "结果: 合格 clean" in done.stdout
    assert re.search(r"^网页 page: .*   MQTT: " + BROKER, done.stdout, re.MULTILINE)
    passages = number(done.stdout, r"通行 (\d+) passages")
    assert passages >= 12
    assert number(done.stdout, r"记录 (\d+) recorded") == passages
    for city in ("青岛 qingdao", "深圳 shenzhen"):
        assert number(done.stdout, rf"{city}: 接受 accepted (\d+)") >= passages
    assert number(done.stdout, r"手机支付 phones: 付款 paid (\d+)") >= 1
    assert re.search(r"深圳 shenzhen: .*丢失 lost 0, 多报 double 0, 违规 violated 0", done.stdout)
    passage = r"^\d\d:\d\d:\d\d [入出]口.* 余位 \d+  \| (?:in|out)\b"
    assert len(re.findall(passage, done.stdout, re.MULTILINE)) == passages


def test_with_programs_killed_at_random_the_books_still_agree() -> None:
    done = sim("--cars", "16", "--headless", "--kill-every", "3", "--seed", "6", "--broker", "builtin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "   MQTT: 内置 built in\n" in done.stdout
    assert number(done.stdout, r"强杀 (\d+) kills") >= 1
    assert "丢失 lost 0, 重复 double 0, 虚构 invented 0, 未送达 undelivered 0" in done.stdout


def test_ctrl_c_stops_everything(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "sim", "--data", str(tmp_path / "d"), "--speed", "4"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    watchdog = threading.Timer(ENDS_WITHIN_S, child.kill)
    watchdog.start()
    try:
        with child.stdout:
            lines = iter(child.stdout)
            first = next(lines)
            assert re.match(r"网页 page: http://127\.0\.0\.1:\d+/", first)
            os.killpg(child.pid, signal.SIGINT)  # as a terminal does: everybody in the group
            rest = "".join(lines)
        assert child.wait(ENDS_WITHIN_S) == 0, rest
    finally:
        watchdog.cancel()
        watchdog.join()
    assert "clean" in rest
    assert not (tmp_path / "d" / "lane.sock").exists()
    assert not (tmp_path / "d" / "gpio.sock").exists()
    port = number((tmp_path / "d" / "site.toml").read_text("utf-8"), r"\[city\.qingdao\.mqtt\][^\[]*?\nport = (\d+)")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED  # the broker has ended too


def of_folder(folder: Path) -> list[str]:
    """Command lines of the processes that were started for this data folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in words:
            found.append(words)
    return found


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is missing: nothing ties them")
def test_killed_with_9_it_leaves_no_program_behind(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    child = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "sim", "--data", str(folder), "--speed", "4"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        with child.stdout:
            next(child.stdout)  # both programs are up
            there = " ".join(of_folder(folder))
            assert "edge.cli lane" in there
            assert "edge.cli agent" in there
            child.kill()
            child.wait(ENDS_WITHIN_S)
        until(lambda: not of_folder(folder), "the programs are gone", ENDS_WITHIN_S)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("arguments", [["--headless"], ["--weather", "snow"], ["--weather", "zz:9"]])
def test_bad_arguments_start_nothing(arguments: list[str]) -> None:
    done = sim(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
    assert any("\u4e00" <= letter <= "\u9fff" for letter in done.stderr)  # in Chinese too


def test_a_folder_with_an_earlier_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"")
    done = sim("--data", str(tmp_path), "--cars", "1", "--headless")
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]


def test_a_rush_shows_the_rules_at_work_and_ends_clean() -> None:
    done = sim("--rush", "--cars", "24", "--headless", "--seed", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert number(done.stdout, r"入 in (\d+)") == 24
    assert len(re.findall(r"入口1 \S+ 放行: 预约车", done.stdout)) > 3
    assert len(re.findall(r"入口2 \S+ (?:等待: (?:饱和|满位|余位)|放行: (?:饱和|满位))", done.stdout)) > 0
    assert "车场 预约车优先 开 on (start)" in done.stdout


def test_a_lane_without_arrival_loop_ends_clean_too() -> None:
    """The first lane's camera tells of arrivals; cars that back out, tailgaters and trucks come as everywhere."""
    done = sim("--cars", "20", "--headless", "--lanes", "2", "--seed", "6", "--camera-arrival")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "结果: 合格 clean" in done.stdout
    passages = number(done.stdout, r"通行 (\d+) passages \(入 in (?:\d+)")
    assert passages > 30
    assert number(done.stdout, r"记录 (\d+) recorded") == passages
    assert re.search(r"违规 violations: arm_strikes 0, close_on_car 0, open_and_close 0, relay_too_long 0", done.stdout)


def test_a_lane_on_an_rs485_board_ends_clean_too() -> None:
    """Loops, limit switches and arm of the first lane, and its sign, on one line that takes a wire's time."""
    done = sim("--cars", "10", "--headless", "--lanes", "2", "--seed", "6", "--rs485")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "结果: 合格 clean" in done.stdout
    passages = number(done.stdout, r"通行 (\d+) passages \(入 in (?:\d+)")
    assert number(done.stdout, r"记录 (\d+) recorded") == passages
    assert re.search(r"违规 violations: arm_strikes 0, close_on_car 0, open_and_close 0, relay_too_long 0", done.stdout)
