"""QEMU's virt machine with a card: started from the image as it is flashed, by U-Boot, under emulation (no KVM).

A second serial line carries systemd's own debug shell, asked for by the kernel's command line (virt.txt on the boot
partition, which the image does not have); so nothing is put into the image to test it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.image_monitor import Monitor

BUILD = Path(os.environ.get("BUILD", Path(__file__).resolve().parent.parent / "build/image"))
"""Where `make image` has put `parkbox.img`, `u-boot.bin`, `parkbox.raucb` and `keys`."""

TOOLS = ("qemu-system-aarch64", "mcopy", "mkfs.vfat", "mksquashfs", "openssl", "rauc")
BOOT_OFFSET = 8192 * 512
WITHIN_S = 2400.0
"""Longest that anything here may take: a first start under emulation on a full computer takes five minutes on the virt
machine, and a raspi3b's (four processors, a slow card) was seen to take a quarter of an hour."""


def missing() -> list[str]:
    """What this machine lacks for these tests."""
    lacks = [tool for tool in TOOLS if shutil.which(tool) is None]
    return lacks + [str(BUILD / name) for name in ("parkbox.img", "u-boot.bin") if not (BUILD / name).exists()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Machine:
    """One box. `page` and `listener` are ports of this computer that lead to the guest's 8080 and 8081."""

    def __init__(self, folder: Path, *, size_gib: int = 4) -> None:
        self.folder, self.card = folder, folder / "card.img"
        self.page, self.listener = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._shell: socket.socket | None = None
        self._read = b""
        self.starts = 0
        self.extra: list[str] = []
        subprocess.run(["cp", "--sparse=always", BUILD / "parkbox.img", self.card], check=True)
        os.truncate(self.card, size_gib << 30)
        words = "systemd.debug-shell=1 systemd.default_debug_tty=hvc0 systemd.log_color=0"
        self.put("virt.txt", f"extra={words}\n")

    def put(self, name: str, text: str) -> None:
        """A file on the boot partition, as a technician puts it there."""
        self.put_bytes(name, text.encode())

    def put_bytes(self, name: str, data: bytes) -> None:
        source = self.folder / "put"
        source.write_bytes(data)
        for part in list(Path(name).parents)[-2::-1]:
            made = ["mmd", "-D", "s", "-i", f"{self.card}@@{BOOT_OFFSET}", f"::{part}"]
            subprocess.run(made, check=False, capture_output=True)
        subprocess.run(["mcopy", "-o", "-i", f"{self.card}@@{BOOT_OFFSET}", str(source), f"::{name}"], check=True)

    def get(self, name: str) -> bytes:
        """A file of the boot partition, while the machine is off."""
        command = ["mcopy", "-i", f"{self.card}@@{BOOT_OFFSET}", f"::{name}", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def hardware(self) -> list[str]:
        """The board, with the card in it, the network `net` and root's shell on the line `shell`."""
        return [
            "-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-bios", str(BUILD / "u-boot.bin"),
            "-serial", f"file:{self.folder}/console-{self.starts}.txt",
            "-drive", f"if=none,id=card,format=raw,file={self.card},cache=writeback",
            "-device", "virtio-blk-pci,drive=card", "-device", "virtio-rng-pci",
            "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "i6300esb", "-action", "watchdog=reset",
            "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell",
        ]  # fmt: skip

    def start(self) -> None:
        assert self._process is None
        self.starts += 1
        shell, qmp = self.folder / f"shell-{self.starts}", self.folder / f"qmp-{self.starts}"
        forward = f"hostfwd=tcp:127.0.0.1:{self.page}-:8080,hostfwd=tcp:127.0.0.1:{self.listener}-:8081"
        command = [
            "qemu-system-aarch64", "-accel", "tcg,thread=multi", "-display", "none", "-monitor", "none",
            "-netdev", f"user,id=net,{forward}", "-chardev", f"socket,id=shell,path={shell},server=on,wait=off",
            "-qmp", f"unix:{qmp},server=on,wait=off", *self.hardware(), *self.extra,
        ]  # fmt: skip
        with (self.folder / f"qemu-{self.starts}.txt").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.monitor = Monitor(joined(qmp))
        self._shell = joined(shell)
        self._read = b""

    def cut(self) -> None:
        """The power is gone: nothing is flushed, nobody is asked."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.monitor.close()
        if self._shell is not None:
            self._shell.close()
            self._shell = None

    def console(self) -> str:
        return (self.folder / f"console-{self.starts}.txt").read_text("utf-8", errors="replace")

    def run(self, command: str, *, within_s: float = WITHIN_S, check: bool = True) -> str:
        """Root's shell in the guest: what `command` printed. Typed again until it has ended, for the shell may still
        be coming up, or go down with the machine in the middle; a folder in the guest sees to it that it is done once
        a boot, and what the terminal echoes meanwhile is no answer."""
        assert self._shell is not None
        number = time.monotonic_ns()
        begin, end = f"<{number}", f"{number}>"
        done = f'( {command} ) < /dev/null 2>&1; echo $? {number}">"'
        line = f'\x15mkdir /run/t{number} 2>/dev/null && {{ echo "<"{number}; {done}; }}\n'
        deadline = time.monotonic() + within_s
        sent = 0.0
        while True:
            again_s = 60 if begin.encode() in self._read else 20
            if time.monotonic() - sent > again_s:
                self._shell.sendall(line.encode())
                sent = time.monotonic()
            self._shell.settimeout(2)
            with contextlib.suppress(TimeoutError):
                got = self._shell.recv(65536)
                assert got, f"the machine has ended:\n{self.console()[-2000:]}"
                self._read += got
            text = self._read.decode("utf-8", errors="replace").replace("\r", "")
            text = text[max(0, text.rfind(f"{begin}\n")) :]
            found = re.search(rf"{re.escape(begin)}\n(.*?)(\d+) {re.escape(end)}", text, re.DOTALL)
            if found is not None:
                self._read = b""
                lines = found[1].splitlines(keepends=True)
                said = "".join(part for part in lines if f"mkdir /run/t{number}" not in part)
                assert found[2] == "0" or not check, f"{command}: {found[2]}\n{said}"
                return said
            assert time.monotonic() < deadline, f"{command}: no answer\n{text[-1000:]}\n{self.console()[-2000:]}"


def joined(path: Path) -> socket.socket:
    """To a line that QEMU is about to offer."""
    line = socket.socket(socket.AF_UNIX)
    until(lambda: line.connect_ex(str(path)) == 0, f"QEMU starts: {path}")
    return line


def until(sign: object, what: str, *, within_s: float = WITHIN_S, every_s: float = 0.2) -> None:
    assert callable(sign)
    pause = threading.Event()  # of nobody: asking a machine costs it time
    deadline = time.monotonic() + within_s
    while not sign():
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s in vain: {what}"
        pause.wait(every_s)
