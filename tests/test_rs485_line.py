"""One line on a pseudo terminal: real port, simulated devices, every kind of damage, and the adapter pulled out."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.rs485.agenda import Poll
from drivers.rs485.exchange import Counts, Exchange, Urgency
from drivers.rs485.line import SerialLine, char_s, gap_s
from drivers.signs import olm
from edge.config.rs485 import Line
from edge.core.events import DeviceDown, DeviceUp
from hal_sim.rs485.signs import OlmSign
from tests.rs485_bench import WITHIN_S, LineBench

HELLO = olm.speak(0, b"hello")
OTHER = olm.speak(7, b"other")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LineBench]:
    bench = LineBench(tmp_path, OlmSign(0), OlmSign(7))
    bench.open()
    yield bench
    bench.close()


def say(bench: LineBench, request: bytes = HELLO, wait_s: float = 1.0) -> Exchange:
    return bench.exchange("sign", request, olm.judge_of(request), wait_s=wait_s)


def test_two_devices_on_one_line_each_answer_for_themselves(bench: LineBench) -> None:
    bench.line.submit(say(bench), bench.exchange("other", OTHER, olm.judge_of(OTHER)))
    assert [bench.outcome()[:2] for _ in range(2)] == [("sign", "answered"), ("other", "answered")]
    assert bench.line.counts() == {"sign": Counts(1, 1), "other": Counts(1, 1)}


def test_silence_and_damage_are_told_apart_and_counted(bench: LineBench) -> None:
    for weather in (
        lambda reply: b"",
        lambda reply: reply[:-1] + bytes((reply[-1] ^ 1,)),  # one bit
        lambda reply: reply[:4],  # cut
        lambda reply: bytes(a ^ b for a, b in zip(reply, reply[::-1], strict=True)),  # two at once
        lambda reply: b"\xff\x00" + reply,  # noise before it
    ):
        bench.bus.weather = weather
        bench.line.submit(say(bench, wait_s=0.4))
        bench.outcome()
    assert bench.line.counts()["sign"] == Counts(asked=5, answered=1, silent=1, damaged=3)


def test_a_late_reply_is_not_taken_for_the_next_ones(bench: LineBench) -> None:
    """It stands in the port's buffer when the next question goes out: thrown away."""
    held: list[bytes] = []

    def late(reply: bytes) -> bytes:
        held.append(reply)
        return b""

    bench.bus.weather = late
    bench.line.submit(say(bench, wait_s=0.02))
    assert bench.outcome()[1] == "silent"
    other = olm.frame(7, olm.BRIGHTNESS, b"\x32")
    bench.bus.weather = lambda reply: held[0]  # the late one in place of the right one: another command
    bench.line.submit(bench.exchange("other", other, olm.judge_of(other), wait_s=0.05))
    assert bench.outcome()[1] == "damaged"


def test_a_relay_never_waits_behind_the_texts_that_wait(bench: LineBench) -> None:
    bench.bus.gate.clear()
    texts = [olm.speak(0, f"text {number}".encode()) for number in range(6)]
    bench.line.submit(*(bench.exchange("sign", text, olm.judge_of(text), Urgency.TEXT) for text in texts))
    assert bench.bus.arrived.acquire(timeout=WITHIN_S)  # the first one is on the wire
    bench.line.submit(bench.exchange("relay", OTHER, olm.judge_of(OTHER)))
    bench.bus.gate.set()
    told = [bench.outcome()[0] for _ in range(7)]
    assert told == ["sign", "relay", *["sign"] * 5]
    assert bench.bus.heard[1] == OTHER


def test_eight_devices_a_relay_waits_for_one_exchange_only(tmp_path: Path) -> None:
    bench = LineBench(tmp_path, *(OlmSign(address) for address in range(8)))
    bench.open()
    order: list[str] = []
    try:
        bench.bus.gate.clear()
        numbers = itertools.count()
        for address in range(7):
            text = olm.speak(address, b"x")
            exchange = bench.exchange(f"d{address}", text, olm.judge_of(text), Urgency.POLL)
            bench.line.add_poll(Poll(lambda exchange=exchange: exchange, 0.0))  # type: ignore[misc]
        assert bench.bus.arrived.acquire(timeout=WITHIN_S)
        relay = olm.speak(7, b"up")
        bench.line.submit(bench.exchange("relay", relay, olm.judge_of(relay), told=lambda *_: order.append("relay")))
        bench.bus.gate.set()
        while bench.outcome()[0] != "relay":
            next(numbers)
        assert next(numbers) == 1  # the one that was on the wire
    finally:
        bench.close()


def test_nobody_waits_for_a_device_that_does_not_answer(bench: LineBench) -> None:
    bench.line.submit(bench.exchange("sign", HELLO, None))
    assert bench.outcome() == ("sign", "sent", b"")
    assert bench.line.counts()["sign"] == Counts(asked=1, sent=1)


def test_an_adapter_that_hears_itself_is_no_answer(tmp_path: Path) -> None:
    bench = LineBench(tmp_path, OlmSign(0), echo=True)
    bench.open()
    try:
        bench.bus.weather = lambda reply: HELLO + reply
        bench.line.submit(say(bench))
        assert bench.outcome()[1] == "answered"
        bench.bus.weather = lambda reply: HELLO  # its own bytes alone
        bench.line.submit(say(bench, wait_s=0.05))
        assert bench.outcome()[1] == "silent"
    finally:
        bench.close()


def test_the_adapter_is_pulled_out_and_comes_back(bench: LineBench) -> None:
    bench.line.submit(say(bench))
    assert bench.outcome()[1] == "answered"
    bench.bus.unplug()
    bench.line.submit(say(bench))
    assert bench.outcome()[1] == "gone"
    down = bench.events.get(timeout=WITHIN_S)
    assert isinstance(down, DeviceDown)
    assert (down.code, down.device) == ("line_down", "bus")
    bench.line.submit(say(bench))  # at once, and not when the adapter is back
    assert bench.outcome()[1] == "gone"
    bench.bus.plug()
    assert bench.events.get(timeout=WITHIN_S) == DeviceUp(code="line_down", device="bus")
    assert bench.line.down == ""
    bench.line.submit(say(bench))
    assert bench.outcome()[1] == "answered"
    assert bench.line.counts()["sign"] == Counts(asked=2, answered=2)


def test_a_port_that_is_not_there_is_a_fault_and_no_error(tmp_path: Path) -> None:
    bench = LineBench(tmp_path)
    bench.line.open(bench.events.put)
    down = bench.events.get(timeout=WITHIN_S)
    assert isinstance(down, DeviceDown)
    assert "tty" in down.detail
    bench.line.submit(say(bench))
    assert bench.outcome()[1] == "gone"
    bench.line.close()
    bench.line.submit(say(bench))
    assert bench.outcome()[1] == "gone"


@pytest.mark.parametrize(
    ("baud", "parity", "stop_bits", "gap_ms", "char_ms", "rest_ms"),
    [
        # Modbus over serial line 2.5.1.1: 3.5 characters of 11 bits at 9600 are 4.01 ms; 1.75 ms above 19200.
        (9600, "E", 1, 0, 1.1458, 4.0104),
        (9600, "N", 2, 0, 1.1458, 4.0104),
        (115200, "N", 1, 0, 0.0868, 1.75),
        (9600, "N", 1, 20, 1.0417, 20.0),
    ],
)
def test_the_gap_is_that_of_the_standard_or_longer(  # noqa: PLR0917 - one row of a table
    baud: int, parity: str, stop_bits: int, gap_ms: float, char_ms: float, rest_ms: float
) -> None:
    line = Line(id="x", device="/dev/x", baud=baud, parity=parity, stop_bits=stop_bits, gap_ms=gap_ms)  # type: ignore[arg-type]
    assert char_s(line) * 1000 == pytest.approx(char_ms, abs=0.001)
    assert gap_s(line) * 1000 == pytest.approx(rest_ms, abs=0.001)
    assert SerialLine(line).id == "x"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_of_ours_on_the_lines_thread_is_seen(bench: LineBench) -> None:
    """The lane program looks once a second and ends, to be started anew (DESIGN 2)."""

    def wrong(_outcome: object, _reply: bytes) -> None:
        raise ZeroDivisionError

    assert bench.line.alive
    bench.line.submit(bench.exchange("sign", HELLO, None, told=wrong))
    bench.outcome()
    bench.line._thread.join(WITHIN_S)
    assert not bench.line.alive


def test_an_order_that_comes_in_the_gap_goes_before_the_text_that_waited_for_it() -> None:
    """So what an order waits for is one foreign exchange, its gap with it, and never the next one."""
    line: SerialLine
    done = threading.Event()
    written: list[bytes] = []

    class GapPort:
        def write(self, data: bytes) -> None:
            written.append(data)
            if len(written) == 3:
                done.set()

        def read(self, within_s: float) -> bytes:
            if len(written) == 1 and not late:
                late.append(HELLO)
                line.submit(Exchange("relay", b"order", None, Urgency.NOW, 0, lambda outcome, reply: None))
            return b""

        def discard(self) -> bytes:
            return b""

        def close(self) -> None:
            """Nothing to give back."""

    late: list[bytes] = []
    settings = Line(id="bus", device="gap", gap_ms=200)
    line = SerialLine(settings, open_port=lambda settings: GapPort())
    for text in (b"first", b"second"):
        line.submit(Exchange("sign", text, None, Urgency.TEXT, 0, lambda outcome, reply: None))
    line.open(lambda event: None)
    assert done.wait(WITHIN_S)
    line.close()
    assert written == [b"first", b"order", b"second"]
