"""The same event through Node-RED: http-in -> function -> reply, no storage; and how long Node-RED takes to start.

Only when it is there: PARKBOX_NODE_RED names the folder of an installation, or `node-red` is on PATH. To get one:

    mkdir /tmp/nr && cd /tmp/nr && npm install node-red && PARKBOX_NODE_RED=/tmp/nr make bench ARGS=node-red

Its figure is from the sender's first byte to the reply, since nothing hangs on its function: the box's own figure, to
the relay with the decision durable, does more and is compared with it as it is. The bare threaded server of the other
rows stands beside them: what a program that waits for the body and commits one row costs on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from bench.figures import Row, median, percentile, spread
from bench.latency import FLOOR_PIN, bare_server
from bench.process import Process
from bench.rig import QUIET_S, Bay, Rig, running
from bench.site import free_ports
from bench.wire import send

HOW = "not installed: npm install node-red in a folder, PARKBOX_NODE_RED=folder"
STARTED = "Started flows"
PUBLISHED_START_S = 1.8
"""Measured 1.7 to 1.9 s with Node 20 on a 2 GHz Xeon; used where Node-RED is not installed."""


def command() -> list[str] | None:
    folder = os.environ.get("PARKBOX_NODE_RED")
    if folder:
        script = Path(folder) / "node_modules" / "node-red" / "red.js"
        if not script.is_file():
            raise SystemExit(f"PARKBOX_NODE_RED={folder}: there is no node_modules/node-red/red.js in it")
        return ["node", str(script)]
    found = shutil.which("node-red")
    return None if found is None else [found]


def start(folder: Path, port: int) -> Process:
    """A new user folder with one flow. Ready when the flow is."""
    launch = command()
    if launch is None:
        raise RuntimeError(HOW)
    user = folder / f"node-red-{port}"
    user.mkdir()
    flows = [
        {"id": "t", "type": "tab", "label": "bench"},
        {"id": "i", "type": "http in", "z": "t", "url": "/push", "method": "post", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "outputs": 1, "wires": [["o"]], "func":
            "msg.plate = msg.payload.AlarmInfoPlate.result.PlateResult.license; msg.payload = {}; return msg;"},
        {"id": "o", "type": "http response", "z": "t", "wires": []},
    ]
    (user / "flows.json").write_text(json.dumps(flows), encoding="utf-8")
    (user / "settings.js").write_text(
        'module.exports = {uiHost: "127.0.0.1", flowFile: "flows.json", apiMaxLength: "5mb", '
        'telemetry: {enabled: false, updateNotification: false}};\n', encoding="utf-8",
    )
    arguments = ["-u", str(user), "-s", str(user / "settings.js"), "-p", str(port)]
    return Process([*launch, *arguments], folder / "node-red.log", word=STARTED)


def free_port() -> int:
    return free_ports(1)[0]


class Sent(NamedTuple):
    """One way of sending the event."""

    words: str
    plate_first: bool
    paced: bool
    goal: bool


WAYS = (
    Sent("at a camera's 100 Mbit/s, plate before picture", True, True, True),
    Sent("at full speed, plate before picture", True, False, True),
    Sent("at full speed, picture before plate", False, False, True),
    # Whoever needs the plate waits for the link: 34 ms for 400 KB.
    Sent("at a camera's 100 Mbit/s, picture before plate", False, True, False),
)
WARM_ROUNDS = 3
GOAL = 0.3


class Three:
    """The box, Node-RED and the bare server side by side, turn by turn, each with the same bytes."""

    def __init__(self, rig: Rig, red_port: int, floor_port: int) -> None:
        self._rig, self._red_port, self._floor_port = rig, red_port, floor_port

    def rounds(self, events: int, way: Sent) -> tuple[list[float], list[float], list[float]]:
        taken: list[tuple[float, float, float]] = []
        for number in range(WARM_ROUNDS + -(-events // len(self._rig.bays))):
            self._rig.arrive()
            for bay in self._rig.bays:
                one = self._one(bay, way)
                if number >= WARM_ROUNDS:
                    taken.append(one)
            self._rig.drive_through()
        ours_ms, red_ms, floor_ms = zip(*taken, strict=True)
        return list(ours_ms), list(red_ms), list(floor_ms)

    def _one(self, bay: Bay, way: Sent) -> tuple[float, float, float]:
        request = bay.request(self._rig.plate(), plate_first=way.plate_first)
        other = request.replace(b"/devicemanagement/php/plateresult.php", b"/push", 1)
        time.sleep(QUIET_S)
        ours_ms = bay.push_and_raise(request, paced=way.paced)
        time.sleep(QUIET_S)
        began_ns = send(self._red_port, other, paced=way.paced)
        red_ms = (time.monotonic_ns() - began_ns) / 1e6
        time.sleep(QUIET_S)
        began_ns = send(self._floor_port, request, paced=way.paced)
        return ours_ms, red_ms, (self._rig.wires.edge_ns(FLOOR_PIN) - began_ns) / 1e6


def run(folder: Path, *, events: int) -> list[Row]:
    what = "the same event through Node-RED (http-in, function, reply; no storage)"
    if command() is None:
        return [Row(what, HOW, f"<= {GOAL}x of its p50")]
    port = free_port()
    with running(folder / "beside-node-red", ["in"] * 4) as rig, start(folder, port):
        rig.wires.listen(FLOOR_PIN)
        with bare_server(folder, rig) as floor_port:
            three = Three(rig, port, floor_port)
            return [_row(f"{what}, {way.words}, p50", way, *three.rounds(events, way)) for way in WAYS]


def _row(what: str, way: Sent, ours_ms: list[float], red_ms: list[float], floor_ms: list[float]) -> Row:
    ratio, tail = median(ours_ms) / median(red_ms), percentile(ours_ms, 0.99) / percentile(red_ms, 0.99)
    text = (
        f"{ratio:.2f}x ({spread(ours_ms)} ms against {spread(red_ms)} ms, {len(ours_ms)} events; p99 {tail:.2f}x; "
        f"the bare server with one commit {median(floor_ms) / median(red_ms):.2f}x)"
    )
    return Row(what, text, f"<= {GOAL}x of its p50", ratio <= GOAL) if way.goal else Row(what, text)
