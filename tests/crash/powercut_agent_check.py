"""What the power-cut judge calls for the agent's files: is every promise of before the cut kept?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.evidence.seal import judge
from edge.store.deliveries import Deliveries
from edge.store.pictures import Pictures
from edge.store.uploads import Uploads

NAMES = ("deliveries.db", "pictures.db")


def check(folder: str, acks: dict[int, str]) -> dict[str, object]:
    """Counts of what was lost; `kept` and `db` are the judge's own words."""
    data = Path(folder)
    of_rows = ("delivery_lost", "accepted_lost", "row_lost", "upload_lost")
    lost = dict.fromkeys((*of_rows, "file_lost", "file_wrong", "row_no_file"), 0)
    deliveries, pictures = Deliveries(data / NAMES[0]), Pictures(data / NAMES[1])
    moved = [moved.why for moved in (deliveries.open(), pictures.open()) if moved is not None]
    states = {int(row.item_id, 16): row.state for row in deliveries.recent(1_000_000)}
    rows = {int(row.record_id, 16): row for row in pictures.recent(1_000_000)}
    uploads = {number: uploaded.upload for number in rows if (uploaded := Uploads(pictures).story(f"{number:032x}"))}
    deliveries.close()
    pictures.close()
    for number, digest in acks.items():
        lost["delivery_lost"] += number not in states
        lost["accepted_lost"] += number % 2 == 0 and states.get(number) != "accepted"
        lost["upload_lost"] += uploads.get(number) != ("waiting" if number % 3 else "stored")
        lost["row_lost"] += number not in rows or rows[number].digest != digest
        file = data / "pictures" / "20261122" / f"{number:032x}.jpg"
        if not file.exists():
            lost["file_lost"] += 1
        else:
            verdict = judge(file.read_bytes())
            lost["file_wrong"] += verdict.state != "untouched" or verdict.digest != digest
    for number, row in rows.items():
        file = data / "pictures" / row.day / f"{number:032x}.jpg"
        lost["row_no_file"] += not file.exists() or judge(file.read_bytes()).state != "untouched"
    checked = [_integrity(data / name) for name in NAMES]
    state = next((one for one in [*moved, *checked] if one != "ok"), "ok")
    return {**lost, "kept": state == "ok" and not any(lost.values()), "db": state[:60]}


def _integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as conn:
        return str(conn.execute("PRAGMA integrity_check").fetchone()[0])
