"""`parkbox diagnose CONFIG`: the bundle that the page gives too, also while a program or the configuration is broken.

What the programs know is asked of them; what they do not answer is said in its place. The journal's last lines are
taken along where there is one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from edge.agent.diagnose import AUDIT_LINES, box_members, bundle, site_secrets
from edge.ask_lane import ask_lane
from edge.config.arguments import Arguments
from edge.config.check import explain
from edge.config.durable import write_private
from edge.config.load import ConfigError, load
from edge.config_file import ConfigFile
from edge.core.clock import CHINA
from edge.store.audit import last_lines

JOURNAL_LINES = 1000
JOURNAL_S = 20.0


def main(argv: Sequence[str]) -> int:
    parser = Arguments("parkbox diagnose", description="诊断包, 不含密码 a bundle without secrets")
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("-o", "--out", type=Path, help="文件名 file (default: parkbox-<time>.tar.gz here)")
    chosen = parser.parse_args(argv)
    try:
        config = load(Path(chosen.config))
    except ConfigError as error:
        print(explain(error), file=sys.stderr)
        return 2
    socket = Path(config.box.socket)
    file = ConfigFile(Path(chosen.config), config)
    members = box_members(config, file.text) | {
        "box.json": lambda: ask_lane(socket, {"op": "view"}).view,
        "lane.log": lambda: "\n".join(ask_lane(socket, {"op": "log"}).log),
        "journal.log": _journal,
        "audit.jsonl": lambda: _audit(Path(config.box.data_dir) / "audit.db"),
    }
    now = datetime.fromtimestamp(time.time(), CHINA)
    out = chosen.out or Path(f"parkbox-{now:%Y%m%d-%H%M%S}.tar.gz")
    try:
        made = bundle(members, site_secrets(config), now.timestamp())
        write_private(out, made)
    except OSError as error:
        print(f"无法写入 cannot be written: {out}: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {max(1, len(made) // 1000)} KB; 不含密码, 含车牌: 只给可看车牌的人")
    print("no secrets inside, but plates: give it to whom they may be shown")
    return 0


def _journal() -> str:
    command = ["journalctl", "--no-pager", "-n", str(JOURNAL_LINES), "-u", "parkbox-*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=JOURNAL_S, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    return done.stdout + done.stderr


def _audit(path: Path) -> str:
    """The agent may write beside it."""
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in last_lines(path, AUDIT_LINES))
