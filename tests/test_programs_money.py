"""A driver's phone through the two real programs: paid online and told so; an agent killed between deed and reply, a
lane program between quote and payment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hal_sim.city_http import Answer
from hal_sim.qingdao import QingdaoPlatform
from hal_sim.qingdao.downlink import SERVER_SEND, Sent
from hal_sim.qingdao.purse import BEIJING
from tests.delivery_records import record
from tests.program_rig import PULSE_S, Box, Child, Driver, box_in, passages, platform_on, until
from tests.program_site import PARK_ID

SOON_S = 20.0
PLATE = "鲁B77777"
MQTT = '[city.qingdao.mqtt]\nhost = "127.0.0.1"\nport = {port}\nkeepalive_s = 5\nreconnect_max_s = 0.2\n'


class Between:
    """Stands between agent and lane program. With `deadly` set, the answer to a payment is not passed on: the agent is
    killed at that moment, so that the deed is done and nothing of it is told."""

    def __init__(self, path: Path, lane: Path) -> None:
        self._lane = lane
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.deadly: Callable[[], None] | None = None
        self.killed = threading.Event()
        self._begin(self._accept)

    def _begin(self, work: Callable[..., None], *given: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=given))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._open += [near, far]
                with suppress(OSError):
                    far.connect(str(self._lane))
                asked = threading.Event()
                self._begin(self._pump, near, far, asked, True)
                self._begin(self._pump, far, near, asked, False)

    def _pump(self, source: socket.socket, sink: socket.socket, asked: threading.Event, to_lane: bool) -> None:
        with suppress(OSError):
            while got := source.recv(65536):
                if to_lane and b'"op":"payment"' in got:
                    asked.set()
                if not to_lane and asked.is_set() and self.deadly is not None:
                    self.deadly()
                    self.deadly = None
                    self.killed.set()
                    break
                sink.sendall(got)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self._listener, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()


class Till:
    """One box that charges from the first minute, its city with a broker, one car at the exit's arm."""

    def __init__(self, box: Box, platform: QingdaoPlatform, between: Between) -> None:
        self.box, self.platform, self.between = box, platform, between
        self._config = box.config
        self.agent_config = box.folder / "agent.toml"
        text = box.config.read_text("utf-8").replace(str(box.socket), str(box.folder / "mid.sock"))
        self.agent_config.write_text(text, encoding="utf-8")

    def agent(self) -> Child:
        self.box.config = self.agent_config
        try:
            return self.box.agent()
        finally:
            self.box.config = self._config

    def online(self) -> None:
        assert self.platform.downlink.broker.wait_subscribed(SERVER_SEND, SOON_S)

    def waiting_to_pay(self, lane: Child) -> None:
        Driver(self.box, self.box.bays["in1"], PLATE).drive(lane)
        until(lambda: any(fact.kind == "Passed" for fact in self.box.facts()), "entry on record")
        bay = self.box.bays["out2"]
        bay.loop("arrival", on=True)
        assert self.box.push(bay.camera.read(PLATE))[0] == 200
        until(lambda: self.box.lane_view("out2")["state"] == "wait_payment", "it waits to pay")

    def scan(self) -> dict[str, object]:
        """The order of the car at the arm, as the driver's phone shows it."""
        down = self.platform.downlink
        code: dict[str, object] = {"park_code": "TEST", "equip_code": "out2", "credential_no": ""}
        return dict(down.wait(down.order(22, code), SOON_S).entries[0])

    def drives_out(self) -> None:
        """The car at the exit's arm, once that is up."""
        bay = self.box.bays["out2"]
        until(lambda: bay.arm_up, "the arm is up")
        for loop, on in (("safety", True), ("arrival", False)):
            bay.loop(loop, on=on)
            until(lambda loop=loop, on=on: self.box.lane_view("out2")[loop] is on, f"{loop} seen {on}")  # type: ignore[misc]
        threading.Event().wait(PULSE_S)  # the car's length
        bay.loop("safety", on=False)
        until(lambda: ("out2", PLATE) in passages(self.box.facts()), "out on record")

    def notice(self, told: dict[str, object]) -> Sent:
        """19: the driver has paid."""
        when = datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        notice: dict[str, object] = {
            "trad_state": 0, "pay_type": "WX", "pay_from": "微信", "total_fee": int(str(told["total_fee"])),
            "fee_type": 1, "out_trade_no": told["out_no"], "time_end": when,
        }  # fmt: skip
        return self.platform.downlink.order(19, notice)

    def count(self, kind: str) -> int:
        return sum(fact.kind == kind for fact in self.box.facts())


@contextmanager
def till_in(folder: Path) -> Iterator[Till]:
    with ExitStack() as stack:
        platform, url = stack.enter_context(platform_on())
        extra = MQTT.format(port=platform.start_broker())
        box = stack.enter_context(box_in(folder, city_url=url, free_min=0, extra=extra))
        between = Between(folder / "mid.sock", box.socket)
        stack.callback(between.close)
        yield Till(box, platform, between)
        assert platform.downlink.violations == []
        assert platform.summary().internal_errors == ()


def test_an_agent_killed_between_the_deed_and_its_reply_does_it_once_and_answers(tmp_path: Path) -> None:
    with till_in(tmp_path) as till, till.box.lane() as lane:
        lane.await_ready()
        with till.agent() as agent:
            agent.await_ready()
            till.online()
            till.waiting_to_pay(lane)
            told = till.scan()
            till.between.deadly = agent.kill
            sent = till.notice(told)
            assert till.between.killed.wait(SOON_S)
            agent.end()
        assert sent.replies == []
        until(lambda: till.count("Paid") == 1, "the deed is done")
        with till.agent() as agent:
            agent.await_ready()
            reply = till.platform.downlink.wait(sent, SOON_S)  # the broker brings it again
            assert reply.result_code == 0
            till.platform.downlink.again(sent)
            assert till.platform.downlink.wait(sent, SOON_S, 2) == reply
            charges = until(lambda: till.platform.of_kind("carcharge"), "the charge is at the city")
            assert agent.stop() == 0
        assert (till.count("Paid"), till.count("PaymentNoticed"), till.count("RefundDue")) == (1, 1, 0)
        assert till.box.bays["out2"].raised == 1
        (charge,) = charges
        assert (charge.item["pay_type"], charge.item["pay_from"], charge.item["orderId"]) == (
            "WX", "微信", told["out_no"],
        )  # fmt: skip
        assert charge.item["park_id"] == PARK_ID


def test_a_lane_killed_between_quote_and_payment_lets_its_car_out_once(tmp_path: Path) -> None:
    """Its camera says nothing more: the car on the loop is the one that was asked to pay."""
    with till_in(tmp_path) as till, till.agent() as agent:
        with till.box.lane() as lane:
            lane.await_ready()
            agent.await_ready()
            till.online()
            till.waiting_to_pay(lane)
            told = till.scan()
            lane.kill()
            lane.end()
        with till.box.lane() as lane:
            lane.await_ready()
            reply = till.platform.downlink.wait(till.notice(told), SOON_S)
            assert reply.result_code == 0
            till.drives_out()
            until(lambda: till.platform.of_kind("carOut"), "the exit is at the city")
            until(lambda: till.platform.of_kind("carcharge"), "the charge is at the city")
            assert agent.stop() == 0
            assert lane.stop() == 0
        facts = till.box.facts()
        out = [fact for fact in facts if fact.lane == "out2"]
        assert [fact.body["plate"] for fact in out if fact.body.get("decision") == "admit"] == [PLATE]
        passed = [fact.body for fact in out if fact.kind == "Passed"]
        assert [(each["plate"], str(each["paid_fen"])) for each in passed] == [(PLATE, told["total_fee"])]
        assert (till.count("Paid"), till.count("RefundDue"), till.count("BackedOut")) == (1, 0, 0)
        assert till.box.bays["out2"].raised == 1
        assert [len(list(till.platform.of_kind(kind))) for kind in ("carOut", "carcharge")] == [1, 1]


def test_an_order_is_answered_while_a_backlog_drains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By order and not by the clock: the city takes no further record until the reply has come."""
    with till_in(tmp_path) as till:
        platform = till.platform
        record(till.box.data / "ledger.db", range(200))
        began, replied, after = threading.Event(), threading.Event(), threading.Event()
        handle = platform.handle

        def slow(path: str, *given: Any) -> Answer:
            if path.endswith(("/carIn", "/carOut", "/carcharge")):
                if replied.is_set():
                    after.set()
                began.set()
                replied.wait(SOON_S)
            return handle(path, *given)

        monkeypatch.setattr(platform, "handle", slow)
        with till.box.lane() as lane, till.agent() as agent:
            lane.await_ready()
            agent.await_ready()
            till.online()
            assert began.wait(SOON_S)
            try:
                reply = till.scan()
                assert reply["error_code"] != 0  # nobody stands at the exit
                assert list(platform.of_kind("carIn")) == []
            finally:
                replied.set()
            assert after.wait(SOON_S)
            assert agent.stop() == 0
