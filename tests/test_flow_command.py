"""`parkbox flow` as a person uses it: bad lines by number and reason, a policy file, deadlines between lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = '{"t":0,"ev":"config","total":100,"parked":95,"full":{"out":2},"lanes":{"in":{}}}'


def run(*lines: str, policy: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli", "flow", *(["--policy", str(policy)] if policy else [])]
    given = "\n".join(lines) + "\n"
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, timeout=60, encoding="utf-8"
    )


def test_one_line_a_decision() -> None:
    arrive = '{"t":1,"ev":"arrive","lane":"in","plate":"粤B12345"}'
    done = run(CONFIG, arrive, "", '{"t":2,"ev":"left"}', '{"t":3.25,"ev":"left"}')
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["t"], each["decision"], each["rule"]) for each in said] == [
        (1, "wait", "no_credit"), (3.25, "admit", "credit"),
    ]  # fmt: skip
    assert said[0] == {
        "t": 1, "lane": "in", "plate": "粤B12345", "decision": "wait", "state": "full", "rule": "no_credit",
        "zh": "满位: 出2进1, 还需驶出2辆", "en": "full: 2 out, one in, 2 more to leave",
    }  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def day(*events: str) -> tuple[str, ...]:
    """Each as "arrive A", one a second, in an empty lot."""
    lines = [CONFIG.replace('"parked":95', '"parked":0')]
    for t, (name, _, plate) in enumerate((event.partition(" ") for event in events), 1):
        where = {"lane": "in"} if name != "left" else {}
        lines.append(json.dumps({"t": t, "ev": name, **where, **({"plate": plate} if plate else {})}))
    return tuple(lines)


@pytest.mark.parametrize(
    ("events", "nobody", "twice"),
    [
        (("arrive A", "entered A", "left", "arrive A", "entered A", "left A", "arrive A"), 0, 0),
        (("left", "arrive A", "entered A", "left", "left"), 2, 0),
        (("arrive A", "arrive A"), 0, 1),
        (("arrive A", "gone A", "arrive A"), 0, 0),
        (("arrive A", "entered A", "arrive A", "entered A", "arrive A"), 0, 2),
        (("arrive A", "entered A", "arrive B", "entered B", "left B", "arrive A"), 0, 1),  # it was B that left
        (("arrive A", "entered A", "arrive B", "entered B", "left", "arrive A"), 0, 0),  # it may have been A
    ],
)
def test_what_no_day_brings_is_counted_at_the_end(events: tuple[str, ...], nobody: int, twice: int) -> None:
    done = run(*day(*events))
    assert done.returncode == 0
    said = [f"{nobody} 次驶出时场内无车"] * bool(nobody) + [f"{twice} 次到达的车牌未曾驶出"] * bool(twice)
    assert [words for words in said if words not in done.stderr] == []
    assert bool(done.stderr) is bool(said), done.stderr
    assert all(json.loads(line)["decision"] for line in done.stdout.splitlines())  # decisions alone, for programs


def test_a_car_that_was_refused_may_come_again_without_a_line_between() -> None:
    config = CONFIG.replace('"full"', '"refuse_vehicles":["large"],"full"')
    arrive = '{"t":%d,"ev":"arrive","lane":"in","plate":"A","vehicle":"large"}'
    done = run(config, arrive % 1, arrive % 2)
    assert [json.loads(line)["decision"] for line in done.stdout.splitlines()] == ["refuse", "refuse"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSON 不完整 the JSON is not whole"),
        ("[]", "须为对象, 不是列表 must be an object, not a list"),
        ('{"t":1}', "ev"),
        ('{"t":1,"ev":"fly"}', "fly"),
        ('{"ev":"tick"}', "缺少 t t is missing"),
        ('{"t":"1","ev":"tick"}', "t: 须为数字, 不是文字 must be a number, not text"),
        ('{"t":-1,"ev":"tick"}', "t: 须为数字, 且 >= 0"),
        ('{"t":NaN,"ev":"tick"}', "不是 JSON (第 5 字节) is no JSON (byte 5)"),
        ('{"t":0.5,"ev":"tick"}', "t: 0.5"),
        ('{"t":2,"ev":"arrive","lane":"in"}', "plate"),
        ('{"t":2,"ev":"arrive","lane":"in9","plate":"A"}', "in9"),
        ('{"t":2,"ev":"arrive","lane":"in","plate":""}', "plate"),
        ('{"t":2,"ev":"arrive","lane":"in","plate":"A","colour":"blue"}', "colour"),
        ('{"t":2,"ev":"gone","lane":"in","plate":"A"}', "plate: A"),
        ('{"t":2,"ev":"book","code":"b","plate":"A","from":9,"until":8,"keep_min":0}', "until: 8"),
        ('{"t":2,"ev":"book","code":"b","plate":"A","from":9,"until":18,"keep_min":-1}', "keep_min"),
        ('{"t":2,"ev":"confirm","code":"b"}', "code: 没有预约 'b'"),
        ('{"t":2,"ev":"cancel","code":"b"}', "code: 没有预约 'b'"),
        ('{"t":2,"ev":"priority","on":"yes"}', "on: 须为 true 或 false, 不是文字"),
        ('{"t":2,"ev":"role","lane":"in","role":"vip"}', "vip"),
        ('{"t":2,"ev":"count","parked":-3}', "parked: 须为整数, 且 >= 0 must be a whole number >= 0"),
        ('{"t":2,"ev":"config","total":5,"lanes":{"in":{}}}', "once"),
        ('{"t":2,"ev":"left","t":3}', "t: 出现了两次 is there twice"),
    ],
)
def test_a_bad_line_is_named_by_number_and_reason(line: str, reason: str) -> None:
    done = run(CONFIG, '{"t":1,"ev":"left"}', line, '{"t":9,"ev":"left"}')
    assert done.returncode == 2
    assert "line 3: " in done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"t":0,"ev":"tick"}', "第一行须为 config, the first line must be config"),
        ('{"t":0,"ev":"config","lanes":{"in":{}}}', "total"),
        ('{"t":0,"ev":"config","total":0,"lanes":{"in":{}}}', "total: 须为整数, 且 >= 1"),
        ('{"t":0,"ev":"config","total":5}', "lanes: 缺少"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{"role":"x"}}}', "lanes[...].role: 'x' 不在允许值之内"),
        ('{"t":0,"ev":"confg","total":5}', "ev: 'confg' 不在允许值之内, 须为 config, arrive"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{}},"priorty":true}', "priorty"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{}},"bands":[0.9,0.7]}', "bands"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{}},"full":{"out":0}}', "full.out: 须为整数, 且 >= 1"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{}},"schedule":["7:30","19:30"]}', "schedule: '7:30'"),
        ('{"t":0,"ev":"config","total":5,"lanes":{"in":{},"in":{"role":"reserved"}}}', "in: 出现了两次"),
        (
            '{"t":0,"ev":"config","total":5,"lanes":{"in":{}},"saturated":{"strict":true,"idle_s":15}}',
            "saturated: strict 与 idle_s 只可写一个",
        ),
    ],
)
def test_the_config_line_is_judged_too(line: str, reason: str) -> None:
    done = run(line)
    assert done.returncode == 2
    assert "line 1: " in done.stderr
    assert reason in done.stderr


def test_nothing_at_all_is_no_replay() -> None:
    assert run("").returncode == 2


def test_a_policy_file_takes_the_place_of_the_rules_that_it_names(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[full]\nout = 1\n[lanes.in]\nordinary = "rules"\n', encoding="utf-8")
    done = run(CONFIG, '{"t":1,"ev":"left"}', '{"t":2,"ev":"arrive","lane":"in","plate":"A"}', policy=policy)
    assert json.loads(done.stdout)["rule"] == "credit"
    policy.write_text("[lanes.in]\nordinary = 'ask'\n", encoding="utf-8")
    done = run(CONFIG, '{"t":2,"ev":"arrive","lane":"in","plate":"A"}', policy=policy)
    assert json.loads(done.stdout)["decision"] == "ask"


def test_strict_and_idle_s_overrule_each_other(tmp_path: Path) -> None:
    """They answer one question, so a policy file that names one takes the other's place."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[saturated]\nstrict = true\n", encoding="utf-8")
    lines = (
        '{"t":0,"ev":"config","total":100,"parked":80,"saturated":{"idle_s":5},"lanes":{"in":{}}}',
        '{"t":60,"ev":"arrive","lane":"in","plate":"A"}',
    )
    assert json.loads(run(*lines).stdout)["decision"] == "admit"  # no reserved car for longer than 5 s
    assert json.loads(run(*lines, policy=policy).stdout)["decision"] == "wait"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[full]\nuot = 1\n", "uot"),
        ("full =\n", "--policy"),
        ('schedule = ["25:00", "07:00"]\n', "schedule: '25:00'"),
        ("[lanes.in7]\nrole = 'mixed'\n", "in7"),
        ("[saturated]\nstrict = true\nidle_s = 3\n", "strict 与 idle_s"),
        ('[full]\nout = "2"\n', "full.out: 须为整数, 不是文字 must be a whole number, not text"),
    ],
)
def test_a_bad_policy_file_is_said(tmp_path: Path, text: str, reason: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(text, encoding="utf-8")
    done = run(CONFIG, policy=policy)
    assert done.returncode == 2
    assert reason in done.stderr
    assert run(CONFIG, policy=tmp_path / "none.toml").returncode == 2


def test_a_reader_that_has_gone_is_no_failure_of_ours() -> None:
    """As under `parkbox flow < day.jsonl | head -1`: the code of a closed pipe, and no trace on stderr."""
    command = [sys.executable, "-m", "edge.cli", "flow"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        program.stdin.write(b'{"t":0,"ev":"config","total":10,"parked":0,"lanes":{"a":{}}}\n')
        program.stdin.write('{"t":1,"ev":"arrive","lane":"a","plate":"粤B12345"}\n'.encode())
        program.stdin.close()
        assert program.stderr.read() == b""
        assert program.wait(30) == 141
