"""A secret stands in a file of its own that nobody else can read (DESIGN 10), or in a credential of systemd.

`credential:NAME` in the place of a file's name is the file NAME that systemd put where only the unit can read it
(LoadCredential= in systemd/*.service, systemd.exec(5)): there /etc/parkbox/secrets/password is secrets_password.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.config.issues import ConfigIssue

CREDENTIAL = "credential:"

CREDENTIALS = Path("/run/credentials")
"""Where systemd keeps the credentials of all units (systemd.exec(5)); nobody else can make files there."""


def credentials_folder() -> Path:
    """The credentials of this unit; outside of one (`parkbox check` by a person) those of the agent while it runs."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", CREDENTIALS / "parkbox-agent.service"))


def secret(path: str, name: str, *, lines: bool = False) -> Iterator[ConfigIssue]:
    """What is wrong with the file `name` that the setting `path` points to. Its text is never shown. `lines`: it may
    have several (PEM)."""
    if not name:
        yield ConfigIssue(path, "", "缺少; 须为 0600 权限的文件", "missing; names a file of mode 0600 with the secret")
        return
    if Path(name).is_dir():
        yield ConfigIssue(path, name, "是目录, 须为 0600 权限的文件", "is a folder, must be a file of mode 0600")
        return
    try:
        mode = Path(name).stat().st_mode
        text = Path(name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        zh = "没有此文件: 建立 0600 权限的文件, 内容一行" if not lines else "没有此文件: 建立 0600 权限的文件"
        yield ConfigIssue(path, name, zh, "there is no such file: make one of mode 0600 with the secret in it")
        return
    except (OSError, UnicodeDecodeError) as error:
        yield ConfigIssue(path, name, "无法读取", f"cannot be read: {type(error).__name__}")
        return
    # The unit's user reads a credential by an ACL, whose mask stands where the group's bits do (acl(5)).
    forbidden = stat.S_IRWXO if Path(name).is_relative_to(CREDENTIALS) else stat.S_IRWXG | stat.S_IRWXO
    if not stat.S_ISREG(mode) or mode & forbidden:
        yield ConfigIssue(path, name, f"权限 {stat.S_IMODE(mode):04o}, 须为 0600", "must be a file of mode 0600")
    if not text:
        yield ConfigIssue(path, name, "文件为空", "is empty")
    elif not lines and len(text.splitlines()) > 1:
        yield ConfigIssue(path, name, f"有 {len(text.splitlines())} 行, 只可有一行",
                          f"has {len(text.splitlines())} lines, one is allowed")
