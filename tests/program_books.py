"""Three books of the same cars: what the test saw, the ledger file, the city. What differs is a sentence each."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from edge.core.facts import AnyBody, Passed
from hal_sim.qingdao import QingdaoPlatform

KINDS = ("carIn", "carOut", "carcharge")


def ledger_problems(path: Path, passed: Iterable[tuple[str, str]], promised: Iterable[str] = ()) -> list[str]:
    """`passed`: lane and plate of every car that really went through; `promised`: ids of all answered orders."""
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = [f"integrity: {line}" for (line,) in conn.execute("PRAGMA integrity_check") if line != "ok"]
        rows = conn.execute("SELECT seq, id, lane, kind, body FROM facts ORDER BY rowid").fetchall()
    finally:
        conn.close()
    seqs = [row[0] for row in rows]
    found += [f"seq {b} follows {a}" for a, b in itertools.pairwise(seqs) if b <= a]
    found += [f"id {one} {n} times" for one, n in Counter(row[1] for row in rows).items() if n > 1]
    bodies = []
    for seq, _, lane, kind, body in rows:
        try:
            decoded = msgspec.json.decode(body, type=AnyBody)
        except msgspec.DecodeError as error:
            found.append(f"half a fact at {seq}: {error}")
            continue
        if type(decoded).__name__ != kind:
            found.append(f"fact {seq} is a {type(decoded).__name__}, its column says {kind}")
        bodies.append((lane, decoded))
    recorded = Counter((lane, body.plate) for lane, body in bodies if isinstance(body, Passed))
    found += _differing("passage", Counter(passed), recorded)
    orders = Counter(str(getattr(body, "command_id", "")) for _, body in bodies)
    found += [f"order {one}: answered, {orders[one]} times in the ledger" for one in promised if orders[one] != 1]
    return found


def parked(path: Path) -> int:
    """Entries less exits in the ledger."""
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        bodies = [msgspec.json.decode(row[0], type=AnyBody) for row in conn.execute("SELECT body FROM facts")]
    finally:
        conn.close()
    return sum(1 if body.direction == "in" else -1 for body in bodies if isinstance(body, Passed))


def due_at_city(path: Path) -> Counter[tuple[str, str]]:
    """What the city must have, by the ledger: (kind, item id)."""
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = conn.execute("SELECT id, body FROM facts WHERE kind IN ('Passed', 'Paid')").fetchall()
    finally:
        conn.close()
    due: Counter[tuple[str, str]] = Counter()
    for item_id, text in rows:
        body = msgspec.json.decode(text, type=AnyBody)
        if isinstance(body, Passed):
            due["carIn" if body.direction == "in" else "carOut", item_id] += 1
        else:
            due["carcharge", item_id] += 1
    return due


def at_city(platform: QingdaoPlatform) -> Counter[tuple[str, str]]:
    return Counter((record.kind, record.item_id) for kind in KINDS for record in platform.of_kind(kind))


def city_problems(due: Mapping[tuple[str, str], int], there: Counter[tuple[str, str]]) -> list[str]:
    return _differing("record", Counter(due), there)


def _differing(what: str, wanted: Counter[tuple[str, str]], found: Counter[tuple[str, str]]) -> list[str]:
    return [
        f"{what} {' '.join(key)}: {wanted[key]} wanted, {found[key]} found"
        for key in sorted(wanted | found)
        if wanted[key] != found[key]
    ]
