"""`parkbox restore FILE`: a new card becomes the box that the backup was made of. Both programs must be stopped."""

from __future__ import annotations

import grp
import pwd
import sqlite3
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from edge.box.backup_command import passphrase_of
from edge.box.backup_names import BackupError
from edge.box.backup_seal import read_head
from edge.box.kit import BOX_DATA
from edge.box.restore_open import open_backup, runs
from edge.box.restore_place import Places, Ready, beijing, finish
from edge.config.arguments import Arguments


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
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
    parser.add_argument("--data", type=Path, help=f"({BOX_DATA})")
    parser.add_argument("--socket", type=Path, default=Path("/run/parkbox/lane.sock"), help="(%(default)s)")
    parser.add_argument("--user", default="parkbox", help="所有者 owner of data; '' = 不更改 unchanged (%(default)s)")
    chosen = parser.parse_args(argv)
    try:
        with chosen.file.open("rb") as file:
            head, _ = read_head(file)
            if chosen.show:
                print(f"{head.box}  {_when(head.made_ms)}  (仅文件头, 未检验 its head only, not judged)")
                return 0
            owner = None
            if chosen.user:
                owner = _owner(chosen.user)
            if where := runs((chosen.socket, Path(f"{chosen.socket}.agent"))):
                raise BackupError(f"程序正在运行 ({where}): systemctl stop parkbox.target / a program of this box runs")
            places = Places(chosen.config, chosen.secrets, chosen.data or Path(BOX_DATA), owner)
            if (cut_off := _cut_off(places, replace=chosen.replace)) is not None:
                print("上次中断的恢复已完成 the restore that was cut off is finished: "
                      f"{cut_off.box}, {_when(cut_off.made_ms)}", flush=True)  # fmt: skip
                if (cut_off.box, cut_off.made_ms) == (head.box, head.made_ms):
                    return 0
                print(f"接着恢复 and now {chosen.file}: {head.box}, {_when(head.made_ms)}", flush=True)
            file.seek(0)
            places.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = open_backup(file, passphrase_of(chosen.passphrase_file), places, replace=chosen.replace,
                                judge_config=lambda text: _looks_there(text, places, asked=chosen.data is not None))
            finish(places)
    except (OSError, sqlite3.Error, BackupError, KeyError) as error:
        print(f"未恢复 not restored: {error}", file=sys.stderr)
        return 1
    print(f"已恢复 restored: {found.box}, {_when(found.made_ms)}, 记录至 facts up to {found.last_seq}")
    print("此后的通行不在备份中: 请核对场内车辆数, 旧盒子不可再上线")
    print("what happened later is not in it: correct the count of cars inside; the old box must not come back")
    return 0


def _cut_off(places: Places, *, replace: bool) -> Ready | None:
    """One that was committed before is carried out, whatever this file is: its data may lie in place in part."""
    try:
        return finish(places)
    except BackupError:
        if not replace:
            raise
        return None  # its record is damaged: `open_backup` sets it aside


def _looks_there(text: bytes, places: Places, *, asked: bool) -> None:
    """Whether the programs will look for the data where it is put: refused, or said when `--data` asks for it."""
    configured = places.config.parent / tomllib.loads(text.decode("utf-8-sig"))["box"]["data_dir"]
    if configured.resolve() == places.data.resolve():
        return
    zh = f"备份的配置 box.data_dir = {configured}, 数据却恢复到 {places.data}: 两个程序不会在那里找"
    en = f"the backup's configuration says {configured}, the data goes to {places.data}: the programs do not look there"
    if not asked:
        raise BackupError(f"{zh}; 请给 --data / {en}; give --data")
    print(f"注意: {zh}, 用前请改配置 / {en}; change the configuration before it is used", file=sys.stderr)


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
