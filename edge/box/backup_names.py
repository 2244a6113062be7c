"""Names that backup and restore share, without what either of them needs to load."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from edge.core.clock import CHINA

LEDGER = "ledger.db"
GENERATION = "ledger.generation"
MANIFEST = "manifest.json"
REPLACED = "replaced-"
NOT_OURS = (".", REPLACED)
"""Names in the data folder that begin so are work of backup and restore themselves."""


class BackupError(Exception):
    """A backup cannot be made or used: why, Chinese first."""


SUFFIX = ".parkbox"
DATED = "????????-??????"


def nightly_name(box_id: str, at_ms: int) -> str:
    """Wall clock in ms since 1970 to Beijing time in the file's name."""
    return f"{box_id}-{datetime.fromtimestamp(at_ms / 1000, CHINA):%Y%m%d-%H%M%S}{SUFFIX}"


def nightly_backups(folder: Path, box_id: str, now_ms: int) -> list[Path]:
    """Least worth keeping first. All that tells one's age is the clock of its night (a time stamp of the file is no
    better), so one dated later than now counts as older than all others: a wrong clock would keep it the newest for
    years."""
    now = nightly_name(box_id, now_ms)
    return sorted(folder.glob(f"{box_id}-{DATED}{SUFFIX}"), key=lambda path: (path.name <= now, path.name))
