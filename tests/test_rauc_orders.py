"""Who may order RAUC: the image's D-Bus rule on a real bus before RAUC's real service, asked by root and by nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_machine import until

TOOLS = ("dbus-daemon", "busctl", "rauc", "setpriv", "openssl")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None] + ([] if os.geteuid() == 0 else ["root's rights"])
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")
RULE = Path(__file__).resolve().parent.parent / "image/files/etc/dbus-1/system.d/parkbox-rauc.conf"
# As the system's bus begins, and what RAUC's package adds: everybody may give it orders.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><auth>EXTERNAL</auth><listen>unix:path={folder}/bus</listen>
  <policy context="default">
    <allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/><allow send_destination="de.pengutronix.rauc"/>
  </policy>
  <policy user="root"><allow own="de.pengutronix.rauc"/></policy>
  {rule}
</busconfig>
"""
SYSTEM = """[system]
compatible=parkbox-arm64
bootloader=custom
statusfile={folder}/status
[keyring]
path={folder}/keyring.pem
[handlers]
bootloader-custom-backend={folder}/backend
[slot.system.0]
device={folder}/a
type=raw
bootname=A
[slot.system.1]
device={folder}/b
type=raw
bootname=B
"""
BACKEND = "#!/bin/sh\ncase $1 in get-primary | get-current) echo A ;; get-state) echo good ;; esac\n"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ORDERS = (("Mark", "ss", "bad", "other"), ("Mark", "ss", "active", "other"), ("Install", "s", "/nowhere"))


class Bus:
    """In a folder that others may enter."""

    def __init__(self, folder: Path, rule: str) -> None:
        self.folder, self.address = folder, f"unix:path={folder}/bus"
        self._environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        (folder / "bus.conf").write_text(BUS.format(folder=folder, rule=rule))
        (folder / "system.conf").write_text(SYSTEM.format(folder=folder))
        (folder / "backend").write_text(BACKEND)
        (folder / "backend").chmod(0o755)
        for name in ("a", "b"):
            (folder / name).write_bytes(bytes(4096))
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null")
        made = ("openssl", "req", "-x509", *key, "-subj", "/CN=x", "-out", str(folder / "keyring.pem"))
        subprocess.run(made, check=True, capture_output=True)
        self._programs: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Bus:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        folder = self.folder
        self._programs.append(self._start("dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork"))
        until((folder / "bus").exists, "the bus", within_s=60)
        (folder / "bus").chmod(0o777)
        seen = ("busctl", f"--address={self.address}", "list")
        until(lambda: self.ask(*seen, by=()).returncode == 0, "the bus answers", within_s=60)
        self._programs.append(self._start("rauc", f"--conf={folder}/system.conf", "--override-boot-slot=A", "service"))
        until(lambda: self.order("GetPrimary").returncode == 0, "rauc's service", within_s=60)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{command[0]}.log").open("wb")
        with log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def order(self, *words: str, by: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        service = ("de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer")
        return self.ask("busctl", f"--address={self.address}", "call", *service, *words, by=by)

    def ask(self, *command: str, by: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        whole = [*by, *command]
        return subprocess.run(whole, env=self._environment, capture_output=True, text=True, timeout=60, check=False)

    def close(self) -> None:
        for program in reversed(self._programs):
            program.terminate()
            program.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rauc-orders-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    with Bus(folder, f"<include>{RULE}</include>") as made:
        yield made


def test_root_alone_may_order(bus: Bus) -> None:
    for order in ORDERS:
        refused = bus.order(*order, by=NOBODY)
        assert refused.returncode != 0 and "Access denied" in refused.stderr, (order, refused)
        assert bus.order(*order).returncode == 0, order


def test_everybody_may_look(bus: Bus) -> None:
    """With all that `rauc status` asks, which is what the page shows."""
    config = f"--conf={bus.folder}/system.conf"
    seen = bus.ask("rauc", config, "status", "--detailed", "--output-format=json", by=NOBODY)
    assert seen.returncode == 0, seen.stderr
    assert '"boot_primary":"system.0"' in seen.stdout.replace(" ", "")


def test_without_the_rule_everybody_may_order(folder: Path) -> None:
    """The control: else the test above would pass with any rule."""
    with Bus(folder, "") as bus:
        assert bus.order("Mark", "ss", "bad", "other", by=NOBODY).returncode == 0
