"""One contract over every family of signs, on a line of its own: what it shows, what silence means, how it returns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from drivers.signs import sign as signs_module
from drivers.signs.sign import Face
from edge.config.rs485 import Sign
from edge.core.events import DeviceDown, DeviceUp
from hal_sim.rs485.signs import Aa55Sign, OlmSign, OnbonSign, SimSign
from hal_sim.rs485.weather import FAULTS
from tests.rs485_bench import WITHIN_S
from tests.sign_bench import SignBench


class Family(NamedTuple):
    settings: Sign
    device: type[SimSign]
    good: str
    """What comes of a text that arrived."""


FAMILIES = {
    "olm": Family(Sign(id="s", line="bus", model="olm", voice=True, answers=True, answer_ms=1000), OlmSign, "answered"),
    "olm that is not asked": Family(Sign(id="s", line="bus", model="olm", voice=True), OlmSign, "sent"),
    "aa55": Family(Sign(id="s", line="bus", model="aa55", rows=1), Aa55Sign, "sent"),
    "onbon": Family(Sign(id="s", line="bus", model="onbon", width_px=128, answer_ms=1000), OnbonSign, "answered"),
}


class Bench(SignBench):
    def __init__(self, folder: Path, family: Family) -> None:
        super().__init__(folder, family.settings, family.device())
        self.good, self.rows = family.good, family.settings.rows

    def shows(self, *texts: str) -> None:
        """The sign has these rows, as far as it has rows; one that does not answer may need the text once more."""
        wanted, pause = [*texts, *[""] * self.rows][: self.rows], threading.Event()
        for turn in range(2_000):
            if self.device.rows == wanted:
                return
            pause.wait(0.005)
            if turn % 100 == 99 and self.good == "sent":
                self.clock.now_s += signs_module.REFRESH_S
                self.sign.tick()
        assert self.device.rows == wanted


@pytest.fixture(params=FAMILIES)
def sign(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, FAMILIES[request.param])
    yield bench
    bench.bus.weather = lambda reply: reply
    bench.close()


def test_a_text_is_shown_and_the_next_one_takes_its_place(sign: Bench) -> None:
    for texts in (("鲁B12345", "请缴费5元"), ("欢迎光临", "余位12"), ("一路顺风",)):
        assert sign.show(*texts) == sign.good
        sign.shows(*texts)
    assert sign.device.flash == 0


def test_no_text_at_all_clears_it(sign: Bench) -> None:
    sign.show("鲁B12345", "请缴费5元")
    assert sign.show() == sign.good
    sign.shows()


def test_of_many_texts_the_newest_is_shown_at_last_and_no_two_are_mixed(sign: Bench) -> None:
    for number in range(40):
        sign.sign.show(Face((f"text {number}", f"row {number}")))
    sign.shows("text 39", "row 39")


def test_a_character_that_gbk_has_not_and_a_text_too_long_are_shown_as_far_as_they_go(sign: Bench) -> None:
    assert sign.show("🚗鲁B12345") == sign.good
    sign.shows("?鲁B12345")
    assert sign.show("车" * 90) == sign.good
    sign.shows("车" * 50)


def test_a_line_that_goes_and_comes_brings_the_text_back(sign: Bench) -> None:
    assert sign.show("鲁B12345") == sign.good
    sign.bus.unplug()
    assert sign.show("欢迎光临") == "gone"
    sign.device.rows = [""] * len(sign.device.rows)  # its power was on the same switch
    sign.bus.plug()
    sign.until(lambda: sign.line.down == "")
    sign.clock.now_s += signs_module.RETRY_S
    sign.sign.tick()
    sign.shows("欢迎光临")
    told = {event.code for event in sign.events.queue if isinstance(event, DeviceDown)}
    assert told == {"line_down"}  # and not the sign's


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in {"late", "wrong slave"}])
def test_answers_that_are_none_are_a_fault_after_three_where_answers_are_awaited(sign: Bench, fault: str) -> None:
    """OLM's and Onbon's answers do not name their address in any published frame that we know: not asked for here."""
    sign.bus.weather = FAULTS[fault]()
    outcomes = [sign.show(f"text {turn}") for turn in range(signs_module.SILENT_TIMES)]
    if sign.good == "sent":
        assert set(outcomes) == {"sent"}
        assert sign.events.empty()
        return
    assert not set(outcomes) & {"answered", "sent"}
    down = sign.events.get(timeout=WITHIN_S)
    assert isinstance(down, DeviceDown)
    assert (down.lane, down.code, down.device) == ("in1", "sign_silent", "s")
    sign.bus.weather = lambda reply: reply
    assert sign.show("欢迎光临") == "answered"
    assert sign.events.get(timeout=WITHIN_S) == DeviceUp(lane="in1", code="sign_silent", device="s")
    with pytest.raises(queue.Empty):
        sign.events.get_nowait()
