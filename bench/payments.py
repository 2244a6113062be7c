"""From a payment notice leaving the broker to the OPEN relay, all of it durable, against `bench.payment_floor`.

Cars stand at four exits and owe; each is asked for by its static code (22), then paid for (19). The broker is in this
process, so that the instant is that of its own write: mosquitto's share is in neither figure. Both programs of the box
are as they are, the agent reports every car and follows the ledger meanwhile. The bare socket takes the same bytes in
turn. Beside it stands how long each order took to its reply, which the city wants within 3 s.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figures import Row, percentile
from bench.load import ACCOUNT, accepted_count
from bench.process import Process, cli, sim_gpio_environment
from bench.rig import QUIET_S, Bay, Rig, running
from bench.site import City
from edge.core.facts import Fact, Passed, Stamp
from edge.store.ledger import Ledger, StoreResult
from hal_sim.qingdao import Account, QingdaoPlatform
from hal_sim.qingdao.downlink import CMD_TYPES, SERVER_SEND
from hal_sim.qingdao.purse import BEIJING

EXITS = 4
FLOOR_PIN = 27
WARM_ROUNDS = 3
PARKED_MS = 3 * 3_600_000
WITHIN_S = 60.0
SETTLE_S = 0.15
"""After a payment the agent tells the city; the next notice is measured after that, as the next car is."""
ASK_EVERY_S = 0.05
MQTT = '\n[city.qingdao.mqtt]\nhost = "127.0.0.1"\nport = {port}\nreconnect_max_s = 0.2\n'


class Till:
    """The city's mouth, and what it waited."""

    def __init__(self, rig: Rig, platform: QingdaoPlatform, floor: socket.socket) -> None:
        self._rig, self._down, self._floor = rig, platform.downlink, floor
        self.arm_ms: list[float] = []
        self.floor_ms: list[float] = []
        self.reply_ms: list[float] = []

    def round(self, plates: list[str]) -> None:
        """A car at each exit, paid for, gone."""
        self._rig.arrive()
        for bay, plate in zip(self._rig.bays, plates, strict=True):
            bay.push(bay.request(plate, picture=False))
        for bay in self._rig.bays:
            told = self._asked_for(bay)
            time.sleep(SETTLE_S)
            self._paid(bay, told)
            time.sleep(SETTLE_S)
        self._rig.drive_through()

    def forget(self) -> None:
        for each in (self.arm_ms, self.floor_ms, self.reply_ms):
            each.clear()

    def _asked_for(self, bay: Bay) -> dict[str, Any]:
        """The order of the car at this exit, as soon as it is there."""
        until_s = time.monotonic() + WITHIN_S
        while time.monotonic() < until_s:
            entry = self._order(22, {"park_code": "BENCH", "equip_code": bay.site.id, "credential_no": ""})[0]
            if entry["error_code"] == 0:
                return entry
            time.sleep(ASK_EVERY_S)
        raise RuntimeError(f"exit {bay.site.id}: no order to pay within {WITHIN_S:.0f} s")

    def _paid(self, bay: Bay, told: dict[str, Any]) -> None:
        notice = {
            "trad_state": 0, "pay_type": "WX", "pay_from": "微信", "total_fee": int(told["total_fee"]), "fee_type": 1,
            "out_trade_no": told["out_no"], "time_end": datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        }  # fmt: skip
        _, payload = _message(19, notice)
        began_ns = time.monotonic_ns()
        self._floor.sendall(payload)
        self.floor_ms.append((self._rig.wires.edge_ns(FLOOR_PIN) - began_ns) / 1e6)
        self._floor.recv(16)
        time.sleep(QUIET_S)
        if not self._rig.wires.silent(bay.site.pins.open):
            raise RuntimeError(f"exit {bay.site.id}: the arm went up before its car was paid for")
        began_ns = self._order_ns(19, notice)
        self.arm_ms.append((self._rig.wires.edge_ns(bay.site.pins.open) - began_ns) / 1e6)

    def _order(self, number: int, item: dict[str, Any]) -> list[dict[str, Any]]:
        seq_id, payload = _message(number, item)
        return self._answered(seq_id, payload)[1]

    def _order_ns(self, number: int, item: dict[str, Any]) -> int:
        seq_id, payload = _message(number, item)
        return self._answered(seq_id, payload)[0]

    def _answered(self, seq_id: str, payload: bytes) -> tuple[int, list[dict[str, Any]]]:
        """When it left, and the entries of its reply."""
        began_ns = time.monotonic_ns()
        self._down.raw(payload)
        try:
            reply = self._down.wait_unknown(WITHIN_S, seq_id)
        except TimeoutError as late:
            raise RuntimeError(str(late)) from None
        self.reply_ms.append((time.monotonic_ns() - began_ns) / 1e6)
        if reply.result_code != 0:
            raise RuntimeError(f"order {payload!r} was answered {reply}")
        return began_ns, [dict(each) for each in reply.entries]


def _message(number: int, item: dict[str, Any]) -> tuple[str, bytes]:
    seq_id = uuid.uuid4().hex
    top = {"seq_id": seq_id, "cmd_type": CMD_TYPES[number], "project_code": ACCOUNT["sub_code"], "data_items": [item]}
    return seq_id, json.dumps(top, ensure_ascii=False).encode()


def _parked(path: Path, plates: list[str]) -> None:
    """A ledger with these cars inside, for three hours each."""
    ledger = Ledger(path)
    ledger.open()
    stored = threading.Event()
    results: list[StoreResult] = []

    def done(result: StoreResult) -> None:
        results.append(result)
        stored.set()

    boot, began_ms = uuid.uuid4().hex, time.time_ns() // 1_000_000 - PARKED_MS - len(plates)
    facts = []
    for number, plate in enumerate(plates):
        stamp = Stamp(boot, number, began_ms + number, True)
        facts.append(Fact(uuid.uuid4().hex, "in", stamp, Passed(uuid.uuid4().hex, "in", plate, "blue", rule="count")))
    ledger.submit(facts, True, done)
    in_time = stored.wait(WITHIN_S)
    ledger.close()
    if not in_time or not results[0].ok:
        raise RuntimeError(f"the ledger could not be filled: {results}")


@contextmanager
def _bare(folder: Path, rig: Rig) -> Iterator[socket.socket]:
    command = [sys.executable, "-m", "bench.payment_floor", str(folder / "floor.db"), str(FLOOR_PIN)]
    with (
        Process(command, folder / "floor.log", sim_gpio_environment(rig.site.gpio_socket)) as floor,
        socket.create_connection(("127.0.0.1", int(floor.line.split()[1])), timeout=WITHIN_S) as line,
    ):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield line


def run(folder: Path, *, payments: int) -> list[Row]:
    box = folder / "payments"
    (box / "data").mkdir(parents=True)
    rounds = WARM_ROUNDS + -(-payments // EXITS)
    plates = [f"鲁A{number:05d}" for number in range(1, rounds * EXITS + 1)]
    _parked(box / "data" / "ledger.db", plates)
    platform = QingdaoPlatform(Account(**ACCOUNT))
    try:
        more = MQTT.format(port=platform.start_broker())
        city = City(platform.start(), **ACCOUNT)
        with running(box, ["out"] * EXITS, city=city, free_min=0, more=more) as rig:
            rig.wires.listen(FLOOR_PIN)
            with _bare(box, rig) as floor, Process(cli("agent", str(rig.site.config)), box / "agent.log"):
                if not platform.downlink.broker.wait_subscribed(SERVER_SEND, WITHIN_S):
                    raise RuntimeError(f"the agent takes no orders, see {box / 'agent.log'}")
                _told_of(box / "data", len(plates))
                till = Till(rig, platform, floor)
                for number in range(rounds):
                    if number == WARM_ROUNDS:
                        till.forget()
                    till.round(plates[number * EXITS : (number + 1) * EXITS])
    finally:
        platform.stop()
    return _rows(till)


def _told_of(data: Path, count: int) -> None:
    """The entries before are at the city: a backlog has a figure of its own."""
    until_s = time.monotonic() + WITHIN_S
    while accepted_count(data) < count:
        if time.monotonic() > until_s:
            raise RuntimeError(f"the city has {accepted_count(data)} of {count} entries after {WITHIN_S:.0f} s")
        time.sleep(ASK_EVERY_S)


def _rows(till: Till) -> list[Row]:
    found = []
    for share, name, goal in ((0.5, "p50", None), (0.99, "p99", 3.0)):
        ours, floor = percentile(till.arm_ms, share), percentile(till.floor_ms, share)
        words = f"{ours / floor:.2f}x ({ours:.2f} ms against {floor:.2f} ms, {len(till.arm_ms)} payments)"
        what = f"缴费通知到抬杆 payment notice from broker to arm command, durable, {name}"
        found.append(
            Row(what, words)
            if goal is None
            else Row(what, words, f"<= {goal:g}x of a bare socket and one WAL FULL commit", ours <= goal * floor)
        )
    p50, p99 = percentile(till.reply_ms, 0.5), percentile(till.reply_ms, 0.99)
    found.append(Row(
        "指令到应答 order (19, 22) to its reply, by MQTT, p99",
        f"{p99:.1f} ms (p50 {p50:.1f} ms, {len(till.reply_ms)} orders)", "<= 3 s", p99 <= 3000,
    ))
    return found
