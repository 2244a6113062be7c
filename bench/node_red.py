"""The same event through Node-RED: http-in -> function -> reply, no storage; and how long Node-RED takes to start.

Only when it is there: PARKBOX_NODE_RED names the folder of an installation, or `node-red` is on PATH. To get one:

    mkdir /tmp/nr && cd /tmp/nr && npm install node-red && PARKBOX_NODE_RED=/tmp/nr make bench ARGS=node-red

Its figure is from the sender's first byte to the reply, since nothing hangs on its function: the box's own figure, to
the relay with the decision durable, does more and is compared with it as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

from bench.figures import Row, median, percentile, spread
from bench.process import Process
from bench.rig import QUIET_S, running
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


def run(folder: Path, *, events: int) -> list[Row]:
    what = "the same event through Node-RED (http-in, function, reply; no storage), p50"
    if command() is None:
        return [Row(what, HOW, "<= 0.3x of its p50")]
    ours_ms: list[float] = []
    theirs_ms: list[float] = []
    port = free_port()
    with running(folder / "beside-node-red", ["in"] * 4) as rig, start(folder, port):
        for number in range(3 + -(-events // len(rig.bays))):
            if number == 3:
                ours_ms.clear()
                theirs_ms.clear()
            rig.arrive()
            for bay in rig.bays:
                request = bay.request(rig.plate())
                other = request.replace(b"/devicemanagement/php/plateresult.php", b"/push", 1)
                time.sleep(QUIET_S)
                ours_ms.append(bay.push_and_raise(request))
                time.sleep(QUIET_S)
                began_ns = send(port, other)
                theirs_ms.append((time.monotonic_ns() - began_ns) / 1e6)
            rig.drive_through()
    ratio = median(ours_ms) / median(theirs_ms)
    tail = percentile(ours_ms, 0.99) / percentile(theirs_ms, 0.99)
    return [
        Row(what, f"{ratio:.2f}x ({spread(ours_ms)} ms against {spread(theirs_ms)} ms, {len(ours_ms)} events)",
            "<= 0.3x of its p50", ratio <= 0.3),
        Row("the same, p99", f"{tail:.2f}x"),
    ]
