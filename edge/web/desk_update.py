"""What the page asks of updates and backups. The composition root brings it, as it does `web.desk.Desk`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge.web.api import ActionResult
from edge.web.api_update import UpdateView


class UpdateDesk(Protocol):
    """Every call may raise `web.desk.RefusedError` and `OSError`."""

    def view(self) -> UpdateView: ...

    def piece(self, at: int, data: bytes) -> ActionResult: ...

    def install(self, size: int, who: str) -> ActionResult: ...

    def newest_backup(self) -> Path:
        """A sealed file (edge/box/backup_seal.py)."""
