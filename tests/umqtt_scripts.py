"""MicroPython's own scripts as judges of umqtt: where they are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FETCHED = Path(os.environ.get("PARKBOX_JUDGES") or Path(tempfile.gettempdir()) / "judges")


def scripts() -> Path:
    for above in (ROOT.parent, ROOT.parent.parent):
        if (above / "shared" / "judges" / "mqtt" / "driver.py").exists():
            return above / "shared" / "judges" / "mqtt"
    pytest.skip("the judge ../shared/judges/mqtt is not beside the project")


def fetched(*parts: str) -> Path:
    path = FETCHED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there: ../shared/judges/get_judges.sh FOLDER, and PARKBOX_JUDGES=FOLDER")
    return path
