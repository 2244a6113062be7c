"""`parkbox deliveries` as a technician uses it, beside a running agent and without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli import main
from edge.ports import Delivery
from edge.store.deliveries import Deliveries
from hal_sim.ledger_view import delivery_counts
from tests.delivery_records import T0_MS, record
from tests.program_books import at_city
from tests.program_rig import Box, box_in, platform_on, until

READ = "b" * 32


def put(box: Box, *rows: Delivery) -> Deliveries:
    box.data.mkdir(parents=True, exist_ok=True)
    store = Deliveries(box.data / "deliveries.db")
    store.open()
    store.add(0, rows)
    return store


def row(number: int, plate: str, made_ms: int = T0_MS) -> Delivery:
    return Delivery(0, "qingdao", "carIn", f"{number:032x}", f"{number:032x}", b'{"ys_money":5.00}', plate, made_ms,
                    read_id=READ)  # fmt: skip


def ask(box: Box, *arguments: str) -> int:
    return main(["deliveries", str(box.config), *arguments])


def test_it_says_whether_when_and_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with box_in(tmp_path) as box:
        rows = [row(1, "鲁B11111"), row(2, "鲁B22222"), row(3, "鲁B33333"), row(4, "鲁B44444")]
        store = put(box, *rows)
        store.accepted([1], "已接收 / accepted", T0_MS + 5000)
        store.set_aside([2], "车牌格式错误 / bad plate", T0_MS + 6000)
        store.failed([3], 1 << 42, "超时 20 s / no answer within 20 s", T0_MS + 7000)
        store.close()
        assert ask(box) == 0
        text = capsys.readouterr().out
        assert "已上报, 平台 2026-11-22 12:00:05 接收 | reported, accepted 2026-11-22 12:00:05" in text
        assert "12:00:06 起搁置: 车牌格式错误" in text
        assert "试过 1 次: 超时 20 s; 2109-05-15 " in text
        assert "等待上传" in text
        assert "待上传 waiting 2" in text


@pytest.mark.parametrize(
    ("arguments", "plates"),
    [
        (("--plate", " 鲁b·1"), ["鲁B10002", "鲁B10001"]),
        (("--from", "2026-11-22 12:00:01"), ["鲁B20003", "鲁B10002"]),
        (("--to", "2026-11-22 12:00:01"), ["鲁B10001"]),
        (("--from", "2026-11-23", "--to", "2026-11-23"), ["鲁B20003"]),
        (("--state", "set_aside"), ["鲁B10002"]),
        (("--limit", "1"), ["鲁B20003"]),
    ],
)
def test_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], plates: list[str]
) -> None:
    with box_in(tmp_path) as box:
        rows = [row(1, "鲁B10001"), row(2, "鲁B10002", T0_MS + 1000), row(3, "鲁B20003", T0_MS + 86_400_000)]
        store = put(box, *rows)
        store.set_aside([2], "x")
        store.close()
        assert ask(box, *arguments) == 0
        heads = [line for line in capsys.readouterr().out.splitlines()[1:] if not line.startswith(" " * 8)]
        assert [head.split()[3] for head in heads] == plates


def test_what_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with box_in(tmp_path) as box:
        assert ask(box) == 1
        assert "the agent has never run" in capsys.readouterr().err
        put(box).close()
        assert ask(box, "--plate", "鲁B99999") == 1
        assert "none found" in capsys.readouterr().out
        assert ask(box, "--show", "7") == 1
        assert "no delivery 7" in capsys.readouterr().err


def test_an_end_before_its_beginning_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with box_in(tmp_path) as box:
        put(box).close()
        assert ask(box, "--from", "2026-11-22", "--to", "2026-11-20") == 2
    assert "--to must be after --from" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--from", "yesterday"), ("--limit", "0"), ("--state", "lost"), ("--show", "x")])
def test_a_wrong_question_is_refused(
    tmp_path: Path, wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with box_in(tmp_path) as box, pytest.raises(SystemExit) as ended:
        ask(box, *wrong)
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_show_tells_the_last_answer_the_record_and_what_must_go_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with box_in(tmp_path) as box:
        leaving = Delivery(0, "qingdao", "carOut", "e" * 32, f"{1:032x}", b'{"ys_money":5.00}', "鲁B11111", T0_MS)
        store = put(box, row(1, "鲁B11111"), leaving)
        store.failed([1], 1 << 42, "处理失败 (1) / processing failed (1)", T0_MS)
        store.close()
        assert ask(box, "--show", "2") == 0
        text = capsys.readouterr().out
        assert "先须接收 waits for: 1 入场 entry: 处理失败 (1)" in text
        assert '"ys_money": "5.00"' in text
        assert ask(box, "--show", "1") == 0
        assert "无图片或尚未生成 | no picture, or not made yet" in capsys.readouterr().out


def test_repeat_needs_the_agent_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with box_in(tmp_path) as box:
        store = put(box, row(1, "鲁B11111"))
        store.set_aside([1], "x")
        store.close()
        assert ask(box, "--repeat", "1") == 1
        assert "须先启动" in capsys.readouterr().err
        assert delivery_counts(box.data / "deliveries.db") == {"set_aside": 1}


def test_what_was_set_aside_reaches_the_city_when_a_person_repeats_it(tmp_path: Path) -> None:
    with platform_on() as (platform, url), box_in(tmp_path, city_url=url) as box:
        record(box.data / "ledger.db", range(2))
        platform.weather.set("refuse_item", path="/thirdAPI/carIn")
        with box.agent() as agent:
            agent.await_ready()
            until(lambda: delivery_counts(box.data / "deliveries.db").get("waiting", 0) > 0, "rows made")
            assert agent.stop() == 0
        store = Deliveries(box.data / "deliveries.db")
        store.open()
        waiting = [one.id for one in store.recent(20)]
        store.set_aside(waiting, "试了五十次 / fifty tries")
        store.close()
        platform.weather.clear()
        with box.agent() as agent:
            agent.await_ready()
            assert at_city(platform).total() == 0
            command = [sys.executable, "-m", "edge.cli", "deliveries", str(box.config)]
            done = subprocess.run([*command, "--repeat", "999", *map(str, waiting[:1])], capture_output=True, text=True,
                                  env=dict(os.environ), check=False)  # fmt: skip
            assert "1 条将重新上传 will be sent again; 1 条未搁置" in done.stdout
            done = subprocess.run([*command, "--repeat-all"], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            wanted = {"accepted": len(waiting)}
            until(lambda: delivery_counts(box.data / "deliveries.db") == wanted, "all accepted")
            assert agent.stop() == 0
        assert at_city(platform).total() == len(waiting)
        assert not Path(f"{box.socket}.agent").exists()
