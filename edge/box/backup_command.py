"""`parkbox backup CONFIG FILE`, and `parkbox backup CONFIG --nightly` by its timer."""

from __future__ import annotations

import getpass
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge.box.backup_make import make_backup
from edge.box.backup_names import DATED, SUFFIX, BackupError, nightly_backups, nightly_name
from edge.box.backup_seal import judge_passphrase
from edge.box.kit import SECRET_PREFIX
from edge.config.arguments import Arguments
from edge.config.check import explain
from edge.config.load import ConfigError, load
from edge.config.model import Config
from edge.config.secrets import credentials_folder, secret
from edge.config_file import named_files

SECRETS = Path("/etc/parkbox/secrets")
FOLDER = "backups"


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
        "parkbox backup",
        description="备份: 账本、上传队列、配置、用户、密钥, 加密, 可在运行中进行 a sealed copy of ledger, deliveries, "
        "configuration, users and keys, also while both programs run",
    )
    parser.add_argument("config", metavar="CONFIG", type=Path)
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="新文件 a file that does not exist yet")
    parser.add_argument("--nightly", action="store_true", help="按配置 [backup] as the configuration's [backup] says")
    parser.add_argument("--passphrase-file", type=Path, help="口令文件; 默认询问 (default: asked for)")
    parser.add_argument("--pictures", action="store_true", help="含图片 pictures too: gigabytes")
    chosen = parser.parse_args(argv)
    if (chosen.file is None) != chosen.nightly:
        parser.error("须给 FILE 或 --nightly give FILE or --nightly")
    try:
        config = load(chosen.config)
    except ConfigError as error:
        print(explain(error), file=sys.stderr)
        return 2
    try:
        if chosen.nightly:
            return _nightly(config, chosen.config)
        if chosen.file.exists():
            raise BackupError(f"{chosen.file} 已存在 / exists already")
        passphrase = passphrase_of(chosen.passphrase_file, twice=True)
        return _one(config, chosen.config, chosen.file, passphrase, pictures=chosen.pictures)
    except (OSError, sqlite3.Error, BackupError) as error:
        print(f"备份失败 no backup was made: {error}", file=sys.stderr)
        return 1


def passphrase_of(file: Path | None, *, twice: bool = False) -> str:
    """From the file, or asked of the person. Raises `BackupError` for one that is too short, or when there is nobody
    to ask, and `OSError`."""
    if file is not None:
        if wrong := list(secret("--passphrase-file", str(file))):
            raise BackupError(str(wrong[0]))
        passphrase = file.read_text("utf-8-sig").strip()
    elif not sys.stdin.isatty():
        raise BackupError("没有终端可询问口令, 请用 --passphrase-file / no terminal to ask at: use --passphrase-file")
    else:
        passphrase = getpass.getpass("口令 passphrase: ")
        if twice and getpass.getpass("再次输入 again: ") != passphrase:
            raise BackupError("两次输入不同 / the two are not the same")
    judge_passphrase(passphrase)
    return passphrase


def _one(config: Config, path: Path, out: Path, passphrase: str, *, pictures: bool) -> int:
    made = make_backup(config, path, secret_files(), out, passphrase, time.time_ns() // 1_000_000, pictures=pictures)
    size = max(1, out.stat().st_size // 1_000_000)
    homes = (SECRETS, credentials_folder(), Path(config.box.data_dir))
    for name, file in named_files(config):
        if file and Path(file).parent not in homes:
            print(f"注意: {name} = {file} 不在备份中 is not in the backup: it lies elsewhere", file=sys.stderr)
    print(f"{out}: {size} MB, {made.box}, 记录至 facts up to {made.last_seq}; 口令丢失则无法恢复")
    print("without its passphrase it cannot be opened by anybody")
    return 0


def secret_files() -> dict[str, Path]:
    """The secrets of the box: in the unit its credentials, else root's folder."""
    try:
        return {path.name: path for path in sorted(SECRETS.iterdir()) if path.is_file()}
    except (PermissionError, FileNotFoundError):
        given = sorted(credentials_folder().glob(f"{SECRET_PREFIX}*"))
        return {path.name.removeprefix(SECRET_PREFIX): path for path in given}


def _nightly(config: Config, path: Path) -> int:
    wanted = config.backup
    if wanted is None:
        print("配置没有 [backup], 不备份 no [backup] in the configuration: nothing to do")
        return 0
    folder = Path(wanted.folder) if wanted.folder else Path(config.box.data_dir) / FOLDER
    if not wanted.folder:
        folder.mkdir(mode=0o700, exist_ok=True)
    elif not folder.is_dir():
        raise BackupError(f"backup.folder = {folder}: 不存在, 介质未插入? / is not there: no stick in it?")
    now_ms = time.time_ns() // 1_000_000
    out = folder / nightly_name(config.box.id, now_ms)
    passphrase = passphrase_of(Path(wanted.passphrase_file))
    prune(folder, config.box.id, wanted.keep, now_ms)
    code = _one(config, path, out, passphrase, pictures=wanted.pictures)
    prune(folder, config.box.id, wanted.keep, now_ms, made=out)
    return code


def prune(folder: Path, box_id: str, keep: int, now_ms: int, made: Path | None = None) -> None:
    """Older ones of this box go; before a new one is made, too, in case a smaller number is wanted now. `made`: the one
    of tonight, which stays and is one of `keep`, whatever the others are called."""
    others = [path for path in nightly_backups(folder, box_id, now_ms) if path != made]
    for old in others[: max(0, len(others) - keep + (made is not None))]:
        old.unlink()
    for cut_off in folder.glob(f".{box_id}-{DATED}{SUFFIX}.new"):
        cut_off.unlink()
