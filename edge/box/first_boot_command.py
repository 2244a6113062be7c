"""`parkbox first-boot`: the folders of a real box, or those that are named; what it does is `edge.box.first_boot`."""

from __future__ import annotations

import argparse
import grp
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.box.first_boot_quiet import forget, key_of, remember, told_again
from edge.box.serial import WORDS, read_serial, right_serial
from edge.config.arguments import Arguments


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
        "parkbox first-boot",
        description="开机准备 before everything else at each boot: configuration and network from the boot partition, "
        "keys, first password, label; a restore. By the unit parkbox-first-boot.service",
    )
    parser.add_argument("--boot", type=Path, default=Path("/boot"), help="启动分区 boot partition (%(default)s)")
    parser.add_argument("--config", type=Path, default=Path("/etc/parkbox/box.toml"), help="(%(default)s)")
    parser.add_argument("--secrets", type=Path, default=Path("/etc/parkbox/secrets"), help="(%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("/var/lib/parkbox"), help="(%(default)s)")
    parser.add_argument("--run", type=Path, default=Path("/run/parkbox-first-boot"), help="(%(default)s)")
    parser.add_argument("--networkd", type=Path, default=Path("/run/systemd/network/10-parkbox.network"),
                        help="(%(default)s)")  # fmt: skip
    parser.add_argument("--chrony", type=Path, default=Path("/run/chrony.d/parkbox.sources"), help="(%(default)s)")
    parser.add_argument("--user", default="parkbox", help="所有者 owner of data; '' = 不更改 unchanged (%(default)s)")
    parser.add_argument("--serial", default="", help="序列号, 代替主板所报 in place of the board's own")
    parser.add_argument("--boot-files", action="store_true", help="只写启动分区 only what is to be written there")
    chosen = parser.parse_args(argv)
    if chosen.serial and not right_serial(chosen.serial):
        parser.error(f"--serial {chosen.serial!r}: 须为 must be {WORDS}")
    if chosen.boot_files:
        from edge.box.boot_files import carry_out, remount  # noqa: PLC0415

        try:
            return carry_out(chosen.run, chosen.boot, remount)
        except (OSError, ValueError) as error:
            print(f"启动分区未写 the boot partition was not written: {error}", file=sys.stderr)
            return 1
    owner = None
    if chosen.user:
        try:
            owner = (pwd.getpwnam(chosen.user).pw_uid, grp.getgrnam(chosen.user).gr_gid)
        except KeyError:
            parser.error(f"--user {chosen.user!r}: 没有此用户或组 there is no such user or group")
    serial = chosen.serial.lower() or read_serial()
    place = (chosen.boot, chosen.config, chosen.secrets, chosen.data, serial)
    written = (chosen.networkd, chosen.chrony)
    try:
        said = told_again(chosen.data, key_of(*place), written)
    except OSError as error:
        print(f"启动分区或数据不可读 cannot be read: {error}", file=sys.stderr)
        said = None  # whoever looks at everything says what of it is broken
    if said is not None:
        print("\n".join(said), flush=True)
        return 0
    return _whole(chosen, owner, serial)


def _whole(chosen: argparse.Namespace, owner: tuple[int, int] | None, serial: str) -> int:
    from edge.box.first_boot import FirstBoot, Ground  # noqa: PLC0415 - half a second on a Pi, of which most boots need none
    from edge.box.restore_place import Places  # noqa: PLC0415

    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        print(line, flush=True)

    places = Places(chosen.config, chosen.secrets, chosen.data, owner)
    chosen.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    ground = Ground(chosen.boot, places, chosen.networkd, chosen.chrony, chosen.run, serial)
    forget(chosen.data)
    boot = FirstBoot(ground, say)
    code = boot.run()
    if code == 0 and not boot.wishes_left:  # a wish that is not carried out yet will change what is looked at
        files = {str(path): path.read_text("utf-8") for path in (chosen.networkd, chosen.chrony) if path.exists()}
        key = key_of(chosen.boot, chosen.config, chosen.secrets, chosen.data, serial)
        remember(chosen.data, key, files, said)
    return code
