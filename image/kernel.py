"""Debian's kernel for the box: the modules that a Pi at a lane (or QEMU's virt machine) can use, an own initramfs.

python3 image/kernel.py TREE RELEASE BUSYBOX OUT: TREE holds the unpacked kernel packages; OUT gets `vmlinuz`, `dtb/`,
`modules/` (for /usr/lib/modules) and `initrd.img`.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

FOLDERS = [
    "fs/autofs", "drivers/block", "drivers/char/hw_random", "drivers/clk/bcm", "drivers/dma/bcm", "drivers/gpio",
    "drivers/mmc", "drivers/misc/rp1", "drivers/net/ethernet/broadcom/genet", "drivers/net/ethernet/cadence",
    "drivers/net/mdio", "drivers/net/phy", "drivers/net/usb", "drivers/pci/controller", "drivers/pinctrl",
    "drivers/power/reset", "drivers/ptp", "drivers/regulator", "drivers/reset", "drivers/rtc",
    "drivers/thermal/broadcom", "drivers/tty/serial", "drivers/usb/class", "drivers/usb/dwc2", "drivers/usb/dwc3",
    "drivers/usb/host", "drivers/usb/serial", "drivers/usb/storage", "drivers/virtio", "drivers/watchdog",
    "fs/configfs", "fs/exfat", "fs/ext4", "fs/fat", "fs/nls/nls_ascii", "fs/nls/nls_cp437", "fs/nls/nls_iso8859-1",
    "fs/nls/nls_utf8", "fs/overlayfs", "fs/squashfs",
]  # fmt: skip
"""By folder, so that whatever adapter a technician plugs in is known; no graphics, sound, radio, other file systems."""

MODULES = [
    "clk-rp1", "irq-bcm2712-mip", "virtio_net", "virtio_console", "virtio_rng", "dm-mod", "dm-verity", "sd_mod",
    "uas", "hid-generic", "usbhid", "bcm2835-rng", "bcm2835_thermal", "raspberrypi-hwmon", "raspberrypi-cpufreq",
    "cpufreq-dt", "i2c-bcm2835", "i2c-designware-platform", "spi-bcm2835", "pwm-bcm2835", "i6300esb", "nvmem-rmem",
    "af_packet", "ipv6", "crc32c", "libcrc32c", "sha256", "mailbox",
]  # fmt: skip
"""One by one, with what they need; a name that this kernel has built in or has not is passed over."""

START = [
    "crc16", "mbcache", "jbd2", "ext4", "fat", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859-1", "loop",
    "squashfs", "virtio_blk", "virtio_mmio", "fixed", "gpio-regulator", "gpio-brcmstb", "pinctrl-brcmstb-bcm2712",
    "bcm2835", "sdhci-iproc", "sdhci-brcmstb",
]  # fmt: skip
"""What the initramfs loads, in this order, each after what it needs: the card and the file systems on it."""


def name_of(path: str) -> str:
    return Path(path).name.removesuffix(".xz").removesuffix(".ko").replace("-", "_")


def dependencies(folder: Path) -> dict[str, list[str]]:
    """`modules.dep`: path of a module to the paths it needs, nearest first."""
    found = {}
    for line in (folder / "modules.dep").read_text("ascii").splitlines():
        path, _, needs = line.partition(":")
        found[path] = needs.split()
    return found


def depmod(base: Path, release: str) -> None:
    subprocess.run(["depmod", "-b", str(base), release], check=True)


def wanted(needs: dict[str, list[str]]) -> set[str]:
    names = {name.replace("-", "_") for name in MODULES + START}
    chosen = {p for p in needs if name_of(p) in names or any(p.startswith(f"kernel/{f}") for f in FOLDERS)}
    return chosen | {need for path in chosen for need in needs[path]}


def modules(tree: Path, release: str, out: Path) -> Path:
    """A copy of the wanted modules under `out/usr/lib/modules`; its folder."""
    folder = out / "usr/lib/modules" / release
    shutil.copytree(tree / "usr/lib/modules" / release, folder, ignore=shutil.ignore_patterns("dtb"))
    (out / "lib").symlink_to("usr/lib")
    depmod(out, release)
    keep = wanted(dependencies(folder))
    for file in list((folder / "kernel").rglob("*.ko*")):
        if str(file.relative_to(folder)) not in keep:
            file.unlink()
    for where, _, _ in os.walk(folder / "kernel", topdown=False):
        if not os.listdir(where):
            os.rmdir(where)
    depmod(out, release)
    for name in ("vmlinuz", "config"):
        (folder / name).unlink(missing_ok=True)
    return folder


def start_order(needs: dict[str, list[str]]) -> list[str]:
    by_name = {name_of(path): path for path in needs}
    order: list[str] = []
    for name in START:
        path = by_name.get(name.replace("-", "_"))
        if path is not None:
            order += [p for p in (*reversed(needs[path]), path) if p not in order]
    return order


def initramfs(folder: Path, busybox: Path, data_start: int, out: Path) -> None:
    """A cpio of busybox, `init`, the slot program and the modules of START, unpacked: so busybox can load them."""
    root = out / "initramfs"
    for name in ("bin", "modules"):
        (root / name).mkdir(parents=True)
    slot = HERE / "files/usr/lib/parkbox/slot"
    for source, name in ((busybox, "bin/busybox"), (HERE / "initramfs/init", "init"), (slot, "slot")):
        shutil.copy(source, root / name)
        (root / name).chmod(0o755)
    order = start_order(dependencies(folder))
    for path in order:
        raw = (folder / path).read_bytes()
        (root / "modules" / f"{name_of(path)}.ko").write_bytes(lzma.decompress(raw) if path.endswith(".xz") else raw)
    (root / "modules/order").write_text("".join(f"{name_of(p)}.ko\n" for p in order), "ascii")
    (root / "data-start").write_text(f"{data_start}\n", "ascii")
    pack(root, out / "initrd.img")


def pack(root: Path, target: Path) -> None:
    date = 0  # nobody looks at it, and one that is kept from an older commit must be as one that is made now
    names = sorted(str(p.relative_to(root)) for p in root.rglob("*"))
    for name in names:
        os.utime(root / name, (date, date))
    command = ["cpio", "--quiet", "--reproducible", "-o", "-H", "newc", "-R", "0:0"]
    cpio = subprocess.run(command, cwd=root, input="\n".join(names).encode(), check=True, capture_output=True).stdout
    packed = subprocess.run(["zstd", "-q", "-19", "-c"], input=cpio, check=True, capture_output=True).stdout
    target.write_bytes(packed)


def main(tree: Path, release: str, busybox: Path, data_start: int, out: Path) -> None:
    folder = modules(tree, release, out)
    source = tree / "usr/lib/modules" / release
    shutil.copy(source / "vmlinuz", out / "vmlinuz")
    (out / "dtb").mkdir()
    for blob in sorted((source / "dtb/broadcom").glob("bcm2*-rpi-*.dtb")):
        shutil.copy(blob, out / "dtb" / blob.name)
    initramfs(folder, busybox, data_start, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
