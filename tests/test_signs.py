"""Signs on a line: the newest text wins, silence is a fault, voice is heard once; and what a lane's state shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from drivers.rs485.exchange import Outcome
from drivers.signs import sign as signs_module
from drivers.signs.sign import Face, frames, gbk
from edge.config.rs485 import SIGN_NAMES, Sign, SignRows
from edge.core.events import DeviceDown, DeviceUp
from edge.core.lane_status import LaneStatus
from edge.lane.signs import face_of, moment_of, yuan
from hal_sim.rs485.signs import Aa55Sign, OlmSign, OnbonSign, SimSign
from tests.rs485_bench import WITHIN_S
from tests.sign_bench import SignBench

OLM = Sign(id="s", line="bus", model="olm", voice=True, answers=True, answer_ms=1000)


Make = Callable[[Sign, SimSign], SignBench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[SignBench] = []

    def make(settings: Sign, device: SimSign) -> SignBench:
        made.append(SignBench(tmp_path, settings, device))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.mark.parametrize(
    ("settings", "device", "rows"),
    [
        (OLM, OlmSign(0), ["鲁B12345", "请缴费5元"]),
        (Sign(id="s", line="bus", model="olm", address=3, rows=4, answers=True, answer_ms=1000), OlmSign(3, rows=4),
         ["鲁B12345", "请缴费5元", "", ""]),
        (Sign(id="s", line="bus", model="onbon", width_px=128, answer_ms=1000), OnbonSign(2),
         ["鲁B12345", "请缴费5元"]),
    ],
    ids=["olm", "olm of four rows", "onbon"],
)  # fmt: skip
def test_every_family_shows_its_rows_and_answers(make: Make, settings: Sign, device: SimSign, rows: list[str]) -> None:
    bench = make(settings, device)
    assert bench.show("鲁B12345", "请缴费5元", say="请缴费") == "answered"
    assert device.rows == rows
    assert device.said == (["请缴费"] if settings.voice else [])
    assert device.flash == 0


def test_a_sign_that_does_not_answer_is_sent_to(make: Make) -> None:
    device = Aa55Sign()
    bench = make(Sign(id="s", line="bus", model="aa55", rows=1), device)
    assert bench.show("工位空闲") == "sent"
    bench.until(lambda: device.rows == ["工位空闲"])


def test_the_newest_text_wins_and_what_it_replaces_is_never_sent(make: Make) -> None:
    device = OlmSign(0)
    bench = make(OLM, device)
    seen: list[str] = []
    device.on_change = lambda sign: seen.append(sign.rows[0])
    bench.bus.gate.clear()
    bench.sign.show(Face(("first", "")))
    assert bench.bus.arrived.acquire(timeout=WITHIN_S)
    replaced: list[Outcome] = []
    for number in range(50):
        bench.sign.show(Face((f"text {number}", "")), replaced.append)
    bench.bus.gate.set()
    bench.until(lambda: device.rows[0] == "text 49")
    assert seen == ["first", "text 49"]
    assert replaced.count("gone") == 49


def test_silence_becomes_a_fault_and_the_text_comes_back_with_the_sign(make: Make) -> None:
    device = OlmSign(0)
    bench = make(OLM, device)
    bench.bus.weather = lambda reply: b""
    assert bench.show("a", "b") == "silent"
    assert bench.events.empty()
    for _ in range(2):
        asked = bench.sign.counts().asked
        bench.sign.tick()
        assert bench.sign.counts().asked == asked  # not before its time
        bench.clock.now_s += signs_module.RETRY_S
        bench.sign.tick()
        bench.until(lambda asked=asked: bench.sign.counts().asked == asked + 1)  # type: ignore[misc]
    down = bench.events.get(timeout=WITHIN_S)
    assert isinstance(down, DeviceDown)
    assert (down.lane, down.code, down.device) == ("in1", "sign_silent", "s")
    bench.bus.weather = lambda reply: reply
    bench.clock.now_s += signs_module.RETRY_S
    bench.until(lambda: bench.sign.outcome == "silent")
    bench.sign.tick()
    assert bench.events.get(timeout=WITHIN_S) == DeviceUp(lane="in1", code="sign_silent", device="s")
    assert device.rows == ["a", "b"]


def test_the_text_is_sent_again_from_time_to_time_and_the_voice_is_not(make: Make) -> None:
    device = OlmSign(0)
    bench = make(OLM, device)
    assert bench.show("a", "b", say="hello") == "answered"
    device.rows = ["", ""]  # somebody pulled its plug
    bench.clock.now_s += signs_module.REFRESH_S
    bench.until(lambda: bench.sign.outcome == "answered")
    bench.sign.tick()
    bench.until(lambda: device.rows == ["a", "b"])
    assert device.said == ["hello"]


def test_showing_never_waits_for_the_line(make: Make) -> None:
    """The other end is deaf: fifty texts are handed over, and one frame is on the wire."""
    bench = make(OLM, OlmSign(0))
    bench.bus.gate.clear()
    for number in range(50):
        bench.sign.show(Face((f"{number}", "")))
    assert bench.bus.arrived.acquire(timeout=WITHIN_S)
    assert len(bench.bus.heard) == 1
    assert bench.sign.rows == ("49", "")


def test_text_is_gbk_cut_between_characters() -> None:
    assert gbk("鲁B12345") == bytes.fromhex("C2 B3 42 31 32 33 34 35")
    assert len(gbk("车" * 80)) == 100
    assert len(gbk("a" + "车" * 80)) == 99
    assert gbk("🚗鲁") == b"?\xc2\xb3"


@pytest.mark.parametrize("model", ["olm", "aa55", "onbon"])
def test_no_frame_writes_flash_and_none_is_longer_than_the_line_may_be_held(model: str) -> None:
    settings = Sign(id="s", line="l", model=model, voice=True, rows=4)  # type: ignore[arg-type]
    made = frames(settings, Face(("车" * 60,) * 4, "车" * 60))
    for frame, _ in made:
        if model == "olm":
            assert frame[4] in {0x62, 0x30}
            assert len(frame) <= 133  # 139 ms at 9600 baud
    assert len(made) == (5 if model == "olm" else 1)


# --- what a lane's state shows -------------------------------------------------------------------------------------

LANE = LaneStatus(
    id="in1", direction="in", state="down", state_zh="闸杆落下", state_en="arm down", arm="down", arm_asked="",
    arrival=False, safety=False, plate="", last_read_id="", last_plate="", last_read_wall_ms=0, why_zh="", why_en="",
    due_fen=0, passed=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rows", "say"),
    [
        ({}, ("示范车场", "余位7"), ""),
        ({"state": "wait_payment", "plate": "鲁B12345", "due_fen": 1250}, ("鲁B12345", "请缴费12.50元"),
         "鲁B12345,请缴费12.50元"),
        ({"state": "wait_stall", "plate": "鲁B12345", "why_zh": "满位: 出2进1, 还需驶出1辆"},
         ("鲁B12345", "满位: 出2进1, 还需驶出1辆"), "满位: 出2进1, 还需驶出1辆"),
        ({"state": "refused", "plate": "鲁B12345", "why_zh": "黑名单"}, ("鲁B12345", "黑名单"), "黑名单"),
        ({"state": "admitted", "plate": "鲁B12345"}, ("鲁B12345", "欢迎光临"), "鲁B12345,欢迎光临"),
        ({"state": "passing", "plate": "鲁B12345", "direction": "out"}, ("鲁B12345", "一路平安"), "鲁B12345,一路平安"),
        ({"state": "held_open", "why_zh": "紧急放行"}, ("示范车场", "紧急放行"), ""),
        ({"state": "locked", "state_zh": "车道锁定"}, ("示范车场", "车道锁定"), ""),
        ({"state": "open", "plate": "", "why_zh": "请通行"}, ("示范车场", "请通行"), ""),
    ],
)  # fmt: skip
def test_a_lanes_state_in_words(change: dict[str, object], rows: tuple[str, ...], say: str) -> None:
    lane = msgspec.structs.replace(LANE, **change)
    names = {
        "plate": lane.plate, "fee": yuan(lane.due_fen), "free": "7", "reason": lane.why_zh or lane.state_zh,
        "lot": "示范车场", "lane": "入口1",
    }  # fmt: skip
    assert set(names) == set(SIGN_NAMES)
    assert face_of(OLM, moment_of(lane), names) == Face(rows, say)


@pytest.mark.parametrize("state", ["wait_read", "storing", "starting"])
def test_for_moments_the_sign_keeps_what_it_has(state: str) -> None:
    assert moment_of(msgspec.structs.replace(LANE, state=state)) == ""


def test_a_moment_without_rows_keeps_the_sign() -> None:
    quiet = msgspec.structs.replace(OLM, show=SignRows(idle=()))
    assert face_of(quiet, "idle", {}) is None


@pytest.mark.parametrize(("fen", "words"), [(0, "0"), (500, "5"), (1250, "12.50"), (5, "0.05"), (100_001, "1000.01")])
def test_money_in_words(fen: int, words: str) -> None:
    assert yuan(fen) == words


