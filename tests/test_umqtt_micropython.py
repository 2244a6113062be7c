"""The package lifted out of the project: alone in a folder under another name, on CPython and on MicroPython.

MicroPython is `micropython` on PATH, or what the judges' `get_judges.sh` has fetched; else the test says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mqtt_broker import CONNACK_KEPT, Peer, broker, puback, publish, suback
from tests.umqtt_scripts import ROOT, fetched, scripts

PROGRAM = """
import sys
from lifted import robust, simple
got = []
def client(kind):
    made = kind.MQTTClient(b"box", "127.0.0.1", int(sys.argv[1]), keepalive=2)
    made.set_callback(lambda topic, message: got.append((topic, message)))
    return made
box = client(simple)
box.set_last_will("遗嘱", "离线", qos=1)
assert box.connect() is False
box.subscribe("cmd/#", 1)
assert box.check_msg() is None or got
while len(got) < 2:
    box.wait_msg()
assert got == [(b"cmd/open", b"x" * 100), ("cmd/开".encode(), b"2")], got
box.publish("t", "m", qos=1)
try:
    box.publish("t", "lost", qos=1)
except OSError as error:
    print("OSError", error.args[0])
try:
    client(simple).connect()
except simple.MQTTException as refusal:
    print("refused", refusal.args[0])
bad = client(simple)
bad.connect()
try:
    bad.wait_msg()
except simple.MQTTException as error:
    print("malformed")
box = client(robust)
box.DELAY = 0
box.connect(False)
box.publish("t", "again", qos=1)
box.stop()
try:
    box.wait_msg()
except OSError as error:
    print("stopped")
print([name for name in sys.modules if name.split(".")[0] == "edge"])
"""

SAID = ["OSError 110", "refused 5", "malformed", "stopped", "[]"]


def first(peer: Peer) -> None:
    hello = peer.accept()
    assert hello[9:12] == b"\x0e\x00\x02"  # clean, will of QoS 1, keepalive
    peer.packet()
    peer.send(suback(1, 1), b"\xd0\x00", publish(b"cmd/open", b"x" * 100, qos=1, pid=7))
    peer.send(publish("cmd/开".encode(), b"2"))
    peer.expect(puback(7), publish(b"t", b"m", qos=1, pid=2))
    peer.send(puback(2))
    peer.expect(publish(b"t", b"lost", qos=1, pid=3), publish(b"t", b"lost", qos=1, pid=3, dup=True), b"")


def refuses(peer: Peer) -> None:
    peer.accept(b"\x20\x02\x00\x05")
    peer.closed()


def malformed(peer: Peer) -> None:
    peer.accept()
    peer.send(b"\x30\x04\x00\x09abc")
    peer.closed()


def cuts(peer: Peer) -> None:
    peer.accept()
    peer.expect(publish(b"t", b"again", qos=1, pid=1))


def keeps(peer: Peer) -> None:
    peer.accept(CONNACK_KEPT)
    peer.expect(publish(b"t", b"again", qos=1, pid=1, dup=True))
    peer.send(puback(1))
    peer.closed()


@pytest.mark.parametrize("on", ["CPython", "MicroPython"])
def test_it_runs_alone(tmp_path: Path, on: str) -> None:
    shutil.copytree(ROOT / "edge" / "umqtt", tmp_path / "lifted", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    command, more = [sys.executable], {"PYTHONPATH": str(tmp_path)}
    if on == "MicroPython":
        found = shutil.which("micropython")
        command, more = [found or "sh"], {"MICROPYPATH": f".frozen:{tmp_path}"}
        if found is None:
            more["MPY_ROOT"] = str(fetched("mpy", "root"))
            command.append(str(scripts().parent / "mpy.sh"))
    with broker(first, refuses, malformed, cuts, keeps) as served:
        ended = subprocess.run(
            [*command, str(tmp_path / "program.py"), str(served.port)],
            cwd=tmp_path, env={**os.environ, **more}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.stdout.splitlines() == SAID, ended.stdout + ended.stderr
