"""Names that backup and restore share, without what either of them needs to load."""

from __future__ import annotations

LEDGER = "ledger.db"
GENERATION = "ledger.generation"
MANIFEST = "manifest.json"
NOT_OURS = (".", "replaced-")
"""Names in the data folder that begin so are work of backup and restore themselves."""


class BackupError(Exception):
    """A backup cannot be made or used: why, Chinese first."""
