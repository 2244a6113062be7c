"""`parkbox restore FILE`: a new card becomes the box that the backup was made of. Both programs must be stopped."""

from __future__ import annotations

import argparse
import grp
import pwd
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.box.backup_command import passphrase_of
from edge.box.backup_names import BackupError
from edge.box.backup_seal import read_head
from edge.box.restore_open import open_backup, runs
from edge.box.restore_place import Places, beijing, finish


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "parkbox restore",
        description="从备份恢复 a box from its backup; 两个程序须已停止 both programs must be stopped: "
        "systemctl stop parkbox.target",
    )
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--passphrase-file", type=Path, help="口令文件; 默认询问 (default: asked for)")
    parser.add_argument("--replace", action="store_true", help="盒子已在使用也恢复 also over a box in use; "
                        "旧数据移开不删除 its data is moved aside, not deleted")  # fmt: skip
    parser.add_argument("--show", action="store_true", help="只显示是哪个盒子、何时 only say whose it is and of when")
    parser.add_argument("--config", type=Path, default=Path("/etc/parkbox/box.toml"), help="(%(default)s)")
    parser.add_argument("--secrets", type=Path, default=Path("/etc/parkbox/secrets"), help="(%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("/var/lib/parkbox"), help="(%(default)s)")
    parser.add_argument("--socket", type=Path, default=Path("/run/parkbox/lane.sock"), help="(%(default)s)")
    parser.add_argument("--user", default="parkbox", help="所有者 owner of data; '' = 不更改 unchanged (%(default)s)")
    chosen = parser.parse_args(argv)
    try:
        with chosen.file.open("rb") as file:
            if chosen.show:
                head, _ = read_head(file)
                print(f"{head.box}  {_when(head.made_ms)}  (仅文件头, 未检验 its head only, not judged)")
                return 0
            owner = None
            if chosen.user:
                owner = _owner(chosen.user)
            if where := runs((chosen.socket, Path(f"{chosen.socket}.agent"))):
                raise BackupError(f"程序正在运行 ({where}): systemctl stop parkbox.target / a program of this box runs")
            places = Places(chosen.config, chosen.secrets, chosen.data, owner)
            if finish(places) is not None:
                print("上次中断的恢复已完成 the restore that was cut off is finished")
                return 0
            chosen.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = open_backup(file, passphrase_of(chosen.passphrase_file), places, replace=chosen.replace)
            finish(places)
    except (OSError, sqlite3.Error, BackupError, KeyError) as error:
        print(f"未恢复 not restored: {error}", file=sys.stderr)
        return 1
    print(f"已恢复 restored: {found.box}, {_when(found.made_ms)}, 记录至 facts up to {found.last_seq}")
    print("此后的通行不在备份中: 请核对场内车辆数, 旧盒子不可再上线")
    print("what happened later is not in it: correct the count of cars inside; the old box must not come back")
    return 0


def _owner(user: str) -> tuple[int, int]:
    """uid and gid. Raises `BackupError`."""
    try:
        return pwd.getpwnam(user).pw_uid, grp.getgrnam(user).gr_gid
    except KeyError:
        raise BackupError(
            f"--user: 此机没有用户 {user}; 可另选, 或 --user '' 不更改所有者"
            f" / this machine has no user {user}: name another, or --user '' to leave the owner"
        ) from None


def _when(made_ms: int) -> str:
    return f"{beijing(made_ms)} (北京时间 Beijing)"
