"""The pictures of a run: what the storage must have by the ledger, against what it has.

A picture is due for every passage whose read the lane kept a picture of. Its key is made here from the ledger and the
city's project number alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from hal_sim.ledger_view import FactRow
from hal_sim.oss import OssBucket
from hal_sim.oss.rules import day_of
from hal_sim.summary import Report

FOLDERS = {"in": "NISSP_IMG_PARK_IN", "out": "NISSP_IMG_PARK_OUT"}


def due_keys(facts: Sequence[FactRow], project: str) -> dict[str, str]:
    """Record id to object key."""
    kept = {str(fact.body["read_id"]) for fact in facts if fact.kind == "PictureKept"}
    return {
        fact.id: f"{project}/{FOLDERS[str(fact.body['direction'])]}/{day_of(fact.wall_ms)}/{fact.id}"
        for fact in facts
        if fact.kind == "Passed" and str(fact.body.get("read_id", "")) in kept
    }


def unkept(facts: Sequence[FactRow]) -> int:
    """Passages whose camera sends a picture that the ledger does not have (yet): its fact comes a moment later."""
    kept = {str(fact.body["read_id"]) for fact in facts if fact.kind == "PictureKept"}
    sending = {fact.id for fact in facts if fact.kind == "ReadTaken" and fact.body.get("picture")}
    return sum(fact.kind == "Passed" and str(fact.body.get("read_id", "")) in sending - kept for fact in facts)


def upload_counts(path: Path) -> dict[str, int]:
    """Uploads by state; empty while the file is not there."""
    if not path.exists():
        return {}
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=2.0)
    try:
        rows = connection.execute("SELECT state, count(*) FROM uploads GROUP BY state").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise
    finally:
        connection.close()
    return {str(state): int(count) for state, count in rows}


def pictures_there(facts: Sequence[FactRow], oss: OssBucket, index: Path) -> bool:
    """Everything that is due has come, and the box knows it."""
    due = due_keys(facts, oss.rules.project)
    return set(due.values()) <= set(oss.objects()) and upload_counts(index).get("waiting", 0) == 0


def compare_pictures(
    report: Report, facts: Sequence[FactRow], drained: Sequence[FactRow], oss: OssBucket, data: Path
) -> None:
    """`drained`: the facts whose pictures were waited for; none when the run was cut short. What the lane tells while
    it ends (a picture that waited for its car) nobody can upload any more."""
    states = upload_counts(data / "pictures.db")
    there, summary = oss.objects(), oss.summary()
    due = due_keys(facts, oss.rules.project)
    report.uploaded, report.picture_repeats = len(there), summary.repeats
    report.pictures_waiting = states.get("waiting", 0)
    report.pictures_refused = len(summary.refused) + states.get("set_aside", 0)
    for text in summary.refused:
        report.problem(f"picture refused: {text}")
    passed = {fact.id for fact in facts if fact.kind == "Passed"}
    for key, jpeg in there.items():
        record_id, day = key.rpartition("/")[2], key.split("/")[2]
        if record_id not in passed:
            report.problem(f"invented: the storage has {key}, the ledger has no such passage")
        elif due.get(record_id) != key:
            report.problem(f"picture at the wrong place: {key}, due at {due.get(record_id)}")
        file = data / "pictures" / day / f"{record_id}.jpg"
        if file.exists() and file.read_bytes() != jpeg:
            report.problem(f"picture changed: {key} is not the file that the box keeps")
    if summary.changed:
        report.problem(f"picture changed: {summary.changed} came again with other bytes")
    missing = [key for key in due_keys(drained, oss.rules.project).values() if key not in there]
    report.pictures_missing = len(missing)
    for key in missing:
        report.problem(f"picture missing: {key} is not in the storage")
    for text in summary.internal_errors:
        report.problem(f"the simulated storage itself failed: {text}")
