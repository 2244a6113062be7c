"""Runs inside the machine, put on its boot partition: what of facts, pictures and databases is kept, as one line of
JSON; `passed`: how many cars are through.

By the database program, checksums and the command that a court's expert would use (`parkbox verify`), nothing of the
programs that wrote it all.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from zlib import crc32

DATA = Path("/var/lib/parkbox")


def rows(base: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{DATA / base}?mode=ro", uri=True)) as conn:
        return list(conn.execute(query))


def spool_wrong() -> list[str]:
    """Pictures of cameras that a fact calls durable, and whose bytes are not those."""
    wrong = []
    for (text,) in rows("ledger.db", "select body from facts where kind = 'PictureKept'"):
        body = json.loads(str(text))
        with (DATA / "spool" / body["spool"]).open("rb") as file:
            file.seek(body["offset"])
            if crc32(file.read(body["length"])) != body["crc32"]:
                wrong.append(body["read_id"])
    return wrong


def main() -> None:
    bases = sorted(file.name for file in DATA.glob("*.db"))
    unsound = {base: str(word) for base in bases for (word,) in rows(base, "pragma quick_check") if word != "ok"}
    made = rows("pictures.db", "select record_id, day, digest from pictures where state = 'made'")
    files = [DATA / "pictures" / str(day) / f"{name}.jpg" for name, day, _ in made]
    judged = subprocess.run(
        ["/usr/bin/parkbox", "verify", DATA / "pictures", "--key", DATA / "evidence.pub"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {
        "facts": {str(key): seq for key, seq in rows("ledger.db", "select id, seq from facts")},
        "plates": [json.loads(str(body)).get("plate") for (body,) in rows(
            "ledger.db", "select body from facts where kind = 'ReadTaken'")],
        "kept": [str(key) for (key,) in rows("ledger.db", "select id from facts where kind = 'PictureKept'")],
        "pictures": {str(name): str(digest) for name, _, digest in made},
        "unsound": unsound,
        "spool_wrong": spool_wrong(),
        "without_file": [file.name for file in files if not file.is_file()],
        "verify": judged.stdout[-2000:] + judged.stderr[-2000:] if judged.returncode and files else "",
    }  # fmt: skip
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["passed"]:
        print(*rows("ledger.db", "select count(*) from facts where kind = 'Passed'")[0])
    else:
        main()
