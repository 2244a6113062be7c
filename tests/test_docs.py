"""What is cited is there: every place of a standard and every section of the design leads a stranger somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("edge", "drivers", "hal_sim", "bench", "tests", "configs", "tools", "docs")
SUFFIXES = {".py", ".md", ".toml", ".js", ".html", ".css", ".sql"}
NUMBER = re.compile(r"\b([QS]C\d{2,3})\b")
SECTION = re.compile(r"\bDESIGN (\d+)")


def written() -> Iterator[tuple[str, str]]:
    """(name, text) of all that people read here."""
    for file in sorted((*ROOT.glob("*.md"), *(f for folder in FOLDERS for f in (ROOT / folder).rglob("*")))):
        if file.suffix in SUFFIXES and "vectors" not in file.parts:
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def listed(name: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE))


def missing(pattern: re.Pattern[str], known: set[str]) -> list[str]:
    return [f"{name}: {found}" for name, text in written() for found in pattern.findall(text) if found not in known]


def test_every_cited_reading_is_listed() -> None:
    known = listed("readings.md", r"^\| ([QS]C\d{2,3}) \|")
    assert "QC31" in known
    assert missing(NUMBER, known) == []


def test_every_cited_section_of_the_design_is_there() -> None:
    known = listed("design.md", r"^## (\d+)\. ")
    assert "5" in known
    assert missing(SECTION, known) == []
