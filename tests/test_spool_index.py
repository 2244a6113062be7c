"""The spool tells its newest pictures by its own headers, also behind damage."""

from __future__ import annotations

from pathlib import Path

from edge.evidence.spool import SpoolWriter, read_picture
from edge.evidence.spool_index import newest_pictures

SEGMENT = 1 << 20


def test_nothing_yet(tmp_path: Path) -> None:
    assert newest_pictures(tmp_path / "spool", 10) == []


def test_the_newest_in_their_order_at_their_places(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path / "spool", 4 * SEGMENT, SEGMENT)
    places = {f"{n:032x}": spool.append(f"{n:032x}", bytes([n]) * (1000 * n)) for n in range(1, 8)}
    spool.close()
    found = newest_pictures(tmp_path / "spool", 3)
    assert [read_id for read_id, _ in found] == [f"{n:032x}" for n in (5, 6, 7)]
    for read_id, place in found:
        assert place == places[read_id]
        assert read_picture(tmp_path / "spool", *place[:4]) == bytes([int(read_id, 16)]) * (1000 * int(read_id, 16))


def test_a_damaged_header_hides_only_its_own(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path / "spool", 4 * SEGMENT, SEGMENT)
    places = [spool.append(f"{n:032x}", b"p" * 9000) for n in range(1, 4)]
    spool.close()
    path = tmp_path / "spool" / places[1].spool
    with path.open("r+b") as file:
        file.seek(places[1].offset - 20)
        file.write(b"\0" * 20)
    assert [int(read_id, 16) for read_id, _ in newest_pictures(tmp_path / "spool", 10)] == [1, 3]
