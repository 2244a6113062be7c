"""A configuration that is fit to run, as text, and what is wrong with another."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.load import ConfigError, load

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "configs" / "entry-exit.toml").read_text(encoding="utf-8")
GOOD = TEXT.replace("/var/lib/", "./").replace("/run/", "./")


def issues_of(folder: Path, text: str) -> dict[str, str]:
    """path -> whole line of every issue."""
    path = folder / "box.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    return {issue.path: str(issue) for issue in caught.value.issues}
