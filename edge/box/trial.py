"""A new system on trial: the initramfs says so by a file, until the next start (DECISIONS 96)."""

from __future__ import annotations

from pathlib import Path

TRIAL = Path("/run/parkbox-trial")
