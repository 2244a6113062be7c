"""Judges that are not ours: mosquitto's and paho's own tests of clients, and real umqtt on MicroPython, byte for byte.

The scripts lie beside the project (`../shared/judges/mqtt`, see its README), what they drive is fetched by its
`get_judges.sh` into the folder that PARKBOX_JUDGES names (else `judges` in the temporary folder). Where one of them is
missing the test says so and is skipped. The whole suites are `soak`; what runs every time is a part of them.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hal_sim.free_ports import free_ports
from hal_sim.mosquitto import Mosquitto, program
from tests.umqtt_scripts import ROOT, fetched, scripts

DEVIATION = "v3.1.1 PUBLISH 30 [MQTT-3.1.0-1]"
"""The broker speaks before the CONNECT has come: a client that must speak first (MQTT-3.1.0-1) has spoken by then. It
closes as soon as it looks. DECISIONS says more."""


def environment(more: dict[str, str]) -> dict[str, str]:
    """Our client on this Python. GATHER=0: one packet must be one write. A strange warning setting must not count."""
    ours = {"UMQTT_SIMPLE": "edge.umqtt.simple", "UMQTT_ROBUST": "edge.umqtt.robust", "CLIENT_CMD": sys.executable}
    path = os.pathsep.join((str(scripts()), str(ROOT)))
    return {**os.environ, "PYTHONPATH": path, "GATHER": "0", **ours, **more}


def judged(
    *command: str | Path, cwd: Path = ROOT, within_s: float = 300, more: dict[str, str] | None = None
) -> str:
    """What the judge printed, with `more` in its environment; ended with all that it started when it takes too long."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=cwd, env=environment(more or {}), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as child:  # fmt: skip
        try:
            return child.communicate(timeout=within_s)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            said = child.communicate()[0]
            raise AssertionError(f"the judge took more than {within_s:.0f} s: {said[-2000:]}") from None


def hostile(*arguments: str, more: dict[str, str] | None = None) -> tuple[int, set[str], str]:
    """(passed, names of what did not, all that was printed) of mosquitto's hostile packets."""
    text = judged(scripts() / "run_mosq_seq.py", fetched("mosquitto-seq"), "-v", *arguments, more=more)
    passed = re.search(r"TOTAL .*'pass': (\d+)", text)
    failed = re.findall(r"^(.+) \| wanted", text, re.MULTILINE)
    return int(passed[1]) if passed else 0, set(failed), text


def test_some_hostile_packets_of_mosquitto() -> None:
    passed, failed, text = hostile("-k", "v3.1.1 PINGRESP ")
    assert failed == set(), text
    assert passed == 8, text
    assert "unhandled exception: {}" in text


@pytest.mark.soak
def test_all_hostile_packets_of_mosquitto() -> None:
    """Its 311 of MQTT 3.1.1; paho-mqtt passes 244 of them, MicroPython's umqtt 107."""
    passed, failed, text = hostile()
    assert failed <= {DEVIATION}, text
    assert passed + len(failed) == 311, text
    assert "unhandled exception: {}" in text


@pytest.mark.soak
def test_the_judge_of_hostile_packets_finds_a_lax_client() -> None:
    """The control: paho-mqtt behind the same interface."""
    paho = {"UMQTT_SIMPLE": "paho_as_umqtt", "UMQTT_ROBUST": "paho_as_umqtt", "PAHO_NO_RECONNECT": "1"}
    _, failed, _ = hostile("-k", "v3.1.1 PUBREC", more=paho)
    assert failed


def exact_bytes(*arguments: str) -> tuple[int, int, str]:
    script = scripts() / "run_mosq_lib.py"
    text = judged(script, fetched("mosquitto-lib"), *arguments, more={"BASE_PORT": str(free_ports(1)[0])})
    counts = re.search(r"passed (\d+), failed (\d+)", text)
    assert counts is not None, text
    return int(counts[1]), int(counts[2]), text


def test_exact_bytes_of_mosquittos_client_tests() -> None:
    """One write a packet, compared byte by byte. `qos0`: subscribe, publish with and without payload, retain."""
    passed, failed, text = exact_bytes("-k", "qos0")
    assert (passed, failed) == (4, 0), text


@pytest.mark.soak
def test_all_exact_bytes_of_mosquittos_client_tests() -> None:
    passed, failed, text = exact_bytes()
    assert (passed, failed) == (20, 0), text


@pytest.mark.soak
def test_pahos_own_tests_of_a_client() -> None:
    """What is about the wire: 22, of which paho passes 22. Errors after a test are the judge's own: it sends a signal
    before the client's Python has come up."""
    folder = fetched("paho_mqtt-2.1.0")
    text = judged("-m", "pytest", "-q", "-p", "paho_shim", "-p", "no:cacheprovider", "tests/lib", cwd=folder)
    counts = re.search(r"(\d+) passed, (\d+) skipped", text)
    assert counts is not None, text
    assert (int(counts[1]), int(counts[2])) == (22, 12), text
    assert " failed" not in text, text


MPY = "umqtt.simple", "umqtt.robust"


@pytest.mark.skipif(program() is None, reason="mosquitto is not installed: apt-get install mosquitto")
@pytest.mark.parametrize("ours", ["CPython", "MicroPython"])
def test_the_bytes_are_those_of_real_umqtt(tmp_path: Path, ours: str) -> None:
    """The same script (connect, will, kept session, 7 payloads at QoS 0 and 1, ping) through a recording proxy. Without
    `unsubscribe`, which the released umqtt does not have."""
    real = fetched("umqtt_pypi")
    root = fetched("mpy", "root")
    micropython = ["sh", str(scripts().parent / "mpy.sh")]
    lines = (scripts() / "session.py").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "unsubscribe" not in line]
    script, last = "".join(kept), "c.connect(True); c.disconnect()"
    assert len(lines) - len(kept) == 2
    assert last in script
    # Its last packet must be one that is answered, or the script's end would race with the proxy's recording.
    script = script.replace(last, 'c.connect(True); c.publish(b"end", b"", False, 1)')
    (tmp_path / "session.py").write_text(script, "utf-8")
    (tmp_path / "lifted").mkdir()
    (tmp_path / "lifted" / "umqtt").symlink_to(ROOT / "edge" / "umqtt")
    names = f"UMQTT_SIMPLE={MPY[0]} UMQTT_ROBUST={MPY[1]}"
    theirs = f"MICROPYPATH=.frozen:{real} {names}"
    lifted = f"MICROPYPATH=.frozen:{tmp_path / 'lifted'} {names}"
    with Mosquitto(tmp_path) as broker:
        text = judged(
            scripts() / "wire_diff.py", str(broker.port), tmp_path / "session.py",
            "--", *micropython, "--", *([sys.executable] if ours == "CPython" else micropython),
            within_s=60, more={"MPY_ROOT": str(root), "ENV_A": theirs, "ENV_B": "" if ours == "CPython" else lifted},
        )  # fmt: skip
    assert "SAME on the wire" in text, text
    assert re.search(r"A: rc=0 24 packets +B: rc=0 24 packets", text), text


@pytest.mark.soak
def test_brokers_with_a_bad_certificate_get_no_connect() -> None:
    text = judged("-W", "ignore", scripts() / "bad_tls.py")
    assert text.count("refused") == 7, text
    assert text.count("CONNECT received") == 1, text
    assert "WRONG" not in text, text


@pytest.mark.soak
def test_the_judge_of_tls_finds_a_client_that_does_not_verify() -> None:
    assert "WRONG" in judged("-W", "ignore", scripts() / "bad_tls.py", more={"PLANT_INSECURE": "1"})
