"""The recipe's own programs, without building anything: module order, bill of materials, the shells' grammar."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image_programs import IMAGE, load

FIRST = (b"#!/bin/sh", b"#!/bin/busybox")
SHELLS = sorted(file for file in IMAGE.rglob("*") if file.is_file() and file.read_bytes()[:20].startswith(FIRST))
STATUS = """Package: bash
Status: install ok installed
Architecture: arm64
Version: 5.2.37-2+b5

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1

"""


def test_a_module_is_loaded_after_what_it_needs() -> None:
    kernel = load("kernel")
    needs = {  # as depmod writes it: nearest need first
        "kernel/fs/ext4/ext4.ko.xz": ["kernel/fs/jbd2/jbd2.ko.xz", "kernel/lib/crc16.ko.xz"],
        "kernel/fs/jbd2/jbd2.ko.xz": [],
        "kernel/lib/crc16.ko.xz": [],
        "kernel/mmc/sdhci-iproc.ko.xz": ["kernel/mmc/sdhci-pltfm.ko.xz", "kernel/mmc/sdhci.ko.xz"],
        "kernel/mmc/sdhci-pltfm.ko.xz": ["kernel/mmc/sdhci.ko.xz"],
        "kernel/mmc/sdhci.ko.xz": [],
        "kernel/sound/snd.ko.xz": [],
    }  # fmt: skip
    order = kernel.start_order(needs)
    assert len(order) == len(set(order))
    for path in order:
        assert all(order.index(need) < order.index(path) for need in needs[path])
    assert "kernel/sound/snd.ko.xz" not in order
    assert "kernel/sound/snd.ko.xz" not in kernel.wanted(needs)


def test_the_bill_names_installed_packages_wheels_and_unpacked_files(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS, "ascii")
    wheel = tmp_path / "opt/parkbox/lib/python3.13/site-packages/msgspec-0.22.0.dist-info"
    wheel.mkdir(parents=True)
    (wheel / "METADATA").write_text("Metadata-Version: 2.1\nName: msgspec\nVersion: 0.22.0\n", "ascii")
    unpacked = tmp_path / "usr/share/parkbox/unpacked"
    unpacked.mkdir(parents=True)
    (unpacked / "raspi-firmware").write_text("raspi-firmware 1.20240424+ds-6 all\n", "ascii")
    found = {part["purl"] for part in load("sbom").bill(tmp_path)["components"]}
    assert found == {
        "pkg:deb/debian/bash@5.2.37-2%2Bb5?arch=arm64&distro=trixie",
        "pkg:pypi/msgspec@0.22.0",
        "pkg:deb/debian/raspi-firmware@1.20240424%2Bds-6?arch=all&distro=trixie",
    }


@pytest.mark.parametrize("file", SHELLS, ids=lambda file: str(file.relative_to(IMAGE)))
def test_the_shell_can_read_it(file: Path) -> None:
    done = subprocess.run(["sh", "-n", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


RESOLVER = """[Unit]
DefaultDependencies=no
After=systemd-sysctl.service
Before=sysinit.target network.target shutdown.target
Conflicts=shutdown.target
[Service]
Type=notify
[Install]
WantedBy=sysinit.target
Alias=dbus-org.freedesktop.resolve1.service
"""


def resolver_in(root: Path, text: str) -> tuple[Path, Path]:
    """A unit as Debian ships and enables it: the unit, and the link that has it started early."""
    unit = root / "usr/lib/systemd/system/systemd-resolved.service"
    link = root / "etc/systemd/system/sysinit.target.wants/systemd-resolved.service"
    for file in (unit, link):
        file.parent.mkdir(parents=True)
    unit.write_text(text, "ascii")
    link.symlink_to(unit)
    return unit, link


def test_nobody_waits_for_the_name_resolver(tmp_path: Path) -> None:
    unit, link = resolver_in(tmp_path, RESOLVER)
    subprocess.run([IMAGE / "resolver", tmp_path], check=True)
    lines = unit.read_text("ascii").splitlines()
    assert "Before=network.target shutdown.target" in lines
    assert "WantedBy=multi-user.target" in lines
    changed = len(set(RESOLVER.splitlines()) - set(lines))
    assert (changed, len(lines)) == (2, len(RESOLVER.splitlines()))
    assert not link.is_symlink()


def test_a_resolver_that_starts_otherwise_is_looked_at(tmp_path: Path) -> None:
    unit, _ = resolver_in(tmp_path, RESOLVER.replace("sysinit.target network", "network"))
    before = unit.read_text("ascii")
    done = subprocess.run([IMAGE / "resolver", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "sysinit.target" in done.stderr
    assert unit.read_text("ascii") == before


def test_the_recipe_looks_after_the_resolver_before_it_enables_it() -> None:
    recipe = (IMAGE / "root").read_text("utf-8")
    assert 0 < recipe.index("image/resolver ") < recipe.index("systemd-resolved.service chrony")


def test_pins_are_held_from_power_on() -> None:
    """Every pin that a configuration may name, and none of the two that are the board's own."""
    assert "gpio=2-27=ip,pd" in (IMAGE / "boot/config.txt").read_text("utf-8").splitlines()


def test_what_python_reads_at_a_start_is_named_once_each_in_its_order() -> None:
    import json  # noqa: PLC0415 - a package of byte code files
    import json.decoder  # noqa: PLC0415
    import sys  # noqa: PLC0415 - within the interpreter: nothing is read

    first_read = load("first_read")
    found = list(first_read.files(iter([json.decoder, sys, json])))
    assert [Path(file).name.split(".")[0] for file in found] == ["decoder", "__init__"]
    assert all(file.endswith(".pyc") for file in found)


def test_the_programs_whose_start_is_laid_out_are_there() -> None:
    first_read = load("first_read")
    root = IMAGE.parent
    for program in first_read.PROGRAMS:
        if program != "RPi.GPIO":  # the image's own
            assert root.joinpath(*program.split(".")).with_suffix(".py").exists(), program


@pytest.mark.skipif(shutil.which("cpio") is None or shutil.which("zstd") is None, reason="not here: cpio or zstd")
def test_the_initramfs_is_the_same_wherever_and_whenever_it_is_made(tmp_path: Path) -> None:
    for number, place in enumerate(("one", "other")):
        folder = tmp_path / place
        for name in ("init", "bin/sh") if number else ("bin/sh", "init"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
            os.utime(folder / name, (10**9 * number, 10**9 * number))
        load("kernel").pack(folder, tmp_path / f"{place}.img")
    assert (tmp_path / "one.img").read_bytes() == (tmp_path / "other.img").read_bytes()
