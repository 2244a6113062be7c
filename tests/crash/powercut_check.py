"""What the power-cut judge calls in place of its own `check.py`: is every promise of before the cut kept?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.core.facts import PictureKept
from edge.evidence.spool import read_picture
from edge.store.ledger import Ledger


def check(folder: str, acks: dict[int, str]) -> dict[str, object]:
    """Counts of what was lost; `kept` and `db` are the judge's own words."""
    data = Path(folder)
    lost: dict[str, int] = {"fact_lost": 0, "fact_wrong": 0, "picture_lost": 0, "gaps": 0, "unacknowledged_bad": 0}
    ledger = Ledger(data / "ledger.db")
    opened = ledger.open()
    facts = {fact.seq: fact for fact in ledger.read_after(0, 10_000_000)}
    ledger.close()
    lost["gaps"] = len(facts) - max(facts, default=0)
    for seq, sha in acks.items():
        fact = facts.get(seq)
        if fact is None:
            lost["fact_lost"] += 1
        elif not isinstance(fact.body, PictureKept) or fact.body.read_id != sha:
            lost["fact_wrong"] += 1
    for seq, fact in facts.items():
        place = fact.body
        if not isinstance(place, PictureKept):
            lost["fact_wrong"] += 1
        elif read_picture(data / "spool", place.spool, place.offset, place.length, place.crc32) is None:
            lost["picture_lost" if seq in acks else "unacknowledged_bad"] += 1
    conn = sqlite3.connect(data / "ledger.db")
    state = conn.execute("PRAGMA integrity_check").fetchone()[0]
    conn.close()
    if opened.damage:
        state = opened.damage
    kept = state == "ok" and not any(lost.values())
    return {**lost, "kept": kept, "db": state[:60]}
