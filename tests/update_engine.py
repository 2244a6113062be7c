"""An update engine under the hand of a test."""

from __future__ import annotations

import json
from pathlib import Path

STATUS = {
    "compatible": "parkbox-arm64", "variant": "", "booted": "A", "boot_primary": "rootfs.1",
    "slots": [
        {"rootfs.1": {"class": "rootfs", "device": "/dev/mmcblk0p6", "type": "raw", "bootname": "B",
                      "state": "inactive", "parent": None, "mountpoint": None, "boot_status": "bad",
                      "slot_status": {"bundle": {"compatible": "parkbox-arm64", "version": "0.2.0"},
                                      "status": "ok"}}},
        {"boot.0": {"class": "boot", "device": "/dev/mmcblk0p2", "type": "vfat", "bootname": None,
                    "state": "active", "parent": "rootfs.0", "mountpoint": None, "boot_status": None}},
        {"rootfs.0": {"class": "rootfs", "device": "/dev/mmcblk0p5", "type": "raw", "bootname": "A",
                      "state": "booted", "parent": None, "mountpoint": "/", "boot_status": "good",
                      "slot_status": {}}},
    ],
}  # fmt: skip
STAND_IN = """#!/bin/sh
# As rauc 1.8 prints it (its program's own format texts: "%3i%% %s", "LastError: %s", "Installing `%s` succeeded").
echo "$@" >> {log}
case "$1" in
install)
    echo installing
    printf '%3i%% %s\\n' 0 Installing 20 'Checking bundle done.' 40 'Copying image to rootfs.1'
    why=$(sed -n 's/^evil: //p' "$2")
    if grep -q evil "$2"; then
        printf '%3i%% %s\\n' 100 'Installing failed.'
        echo "LastError: ${{why:-signature verification failed: Verify error: self-signed certificate}}"
        echo idle
        echo "Installing \\`$2\\` failed"
        exit 1
    fi
    printf '%3i%% %s\\n' 80 'Copying image to rootfs.1 done.' 100 'Installing done.'
    echo idle
    echo "Installing \\`$2\\` succeeded" ;;
status)
    case "$2" in
    mark-good) [ -e {broken} ] && {{ echo 'no bootloader' >&2; exit 1; }}
        echo "rauc status: marked slot rootfs.0 as good" ;;
    *) cat {status} ;;
    esac ;;
esac
"""


class Engine:
    def __init__(self, folder: Path) -> None:
        self.log, self.broken, self.status = folder / "log", folder / "broken", folder / "status.json"
        self.status.write_text(json.dumps(STATUS))
        program = folder / "bin" / "rauc"
        program.parent.mkdir()
        program.write_text(STAND_IN.format(log=self.log, broken=self.broken, status=self.status))
        program.chmod(0o755)
        self.path = str(program.parent)

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []
