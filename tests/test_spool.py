"""The raw pictures: one write and one fdatasync each, found again after any cut, never more than the limit."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from edge.evidence import spool
from edge.evidence.spool import ALIGN, SpoolPlace, SpoolWriter, read_picture, segment_numbers

READ_ID = "0123456789abcdef" * 2
SEGMENT = 64 * ALIGN
LIMIT = 4 * SEGMENT


def picture(seed: int, length: int = 10_000) -> bytes:
    return b"\xff\xd8" + random.Random(seed).randbytes(length - 4) + b"\xff\xd9"


def writer(folder: Path) -> SpoolWriter:
    return SpoolWriter(folder, LIMIT, SEGMENT)


def found(folder: Path, place: SpoolPlace) -> bytes | None:
    return read_picture(folder, place.spool, place.offset, place.length, place.crc32)


def test_a_picture_is_read_back_by_its_place(tmp_path: Path) -> None:
    out = writer(tmp_path / "spool")
    places = [out.append(READ_ID, picture(n)) for n in range(10)]
    assert [found(tmp_path / "spool", place) for place in places] == [picture(n) for n in range(10)]
    assert {place.spool for place in places} == {"spool-00000001.bin"}
    out.close()


def test_one_write_and_one_fdatasync_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = writer(tmp_path)
    out.append(READ_ID, picture(0))
    calls: list[str] = []
    pwritev, fdatasync = os.pwritev, os.fdatasync

    def counted_write(fd: int, parts: list[bytes], offset: int) -> int:
        calls.append("write")
        return pwritev(fd, parts, offset)

    def counted_sync(fd: int) -> None:
        calls.append("sync")
        fdatasync(fd)

    monkeypatch.setattr(os, "pwritev", counted_write)
    monkeypatch.setattr(os, "fdatasync", counted_sync)
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append("fsync"))
    out.append(READ_ID, picture(1))
    assert calls == ["write", "sync"]
    out.close()


def test_the_writer_goes_on_behind_the_last_whole_picture(tmp_path: Path) -> None:
    places = []
    for n in range(5):
        out = writer(tmp_path)
        places.append(out.append(READ_ID, picture(n, 5000 + n * 3000)))
        out.close()
    assert [found(tmp_path, place) for place in places] == [picture(n, 5000 + n * 3000) for n in range(5)]
    assert segment_numbers(tmp_path) == [1]


@pytest.mark.parametrize("kept_bytes", [0, 1, 43, 44, 48, 49, 5000, 8191, 10_047])
def test_a_picture_cut_off_by_a_power_cut_makes_room_for_the_next(tmp_path: Path, kept_bytes: int) -> None:
    out = writer(tmp_path)
    first = out.append(READ_ID, picture(1))
    torn = out.append(READ_ID, picture(2))
    out.close()
    path = tmp_path / torn.spool
    start = torn.offset - 48
    with path.open("r+b") as file:
        file.seek(start + kept_bytes)
        file.write(bytes(torn.offset + torn.length - start - kept_bytes))
    again = writer(tmp_path)
    third = again.append(READ_ID, picture(3, 3000))
    again.close()
    assert third.offset == torn.offset
    assert found(tmp_path, torn) is None
    assert [found(tmp_path, first), found(tmp_path, third)] == [picture(1), picture(3, 3000)]
    assert writer(tmp_path).append(READ_ID, picture(4)).offset > third.offset


def test_damage_in_the_middle_hides_nothing_behind_it(tmp_path: Path) -> None:
    out = writer(tmp_path)
    places = [out.append(READ_ID, picture(n)) for n in range(8)]
    out.close()
    with (tmp_path / places[0].spool).open("r+b") as file:
        file.seek(places[3].offset - 48)
        file.write(b"\xa5" * 2000)
    out = writer(tmp_path)
    new = out.append(READ_ID, picture(99))
    out.close()
    assert new.offset > places[7].offset + places[7].length
    assert [found(tmp_path, p) for p in places] == [picture(n) if n != 3 else None for n in range(8)]


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_never_overwrites_a_good_picture_nor_returns_a_bad_one(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    out = writer(tmp_path)
    places = [out.append(READ_ID, picture(n, rng.randint(10, 20_000))) for n in range(12)]
    kept = [found(tmp_path, place) for place in places]
    out.close()
    with (tmp_path / places[0].spool).open("r+b") as file:
        for _ in range(rng.randint(1, 4)):
            file.seek(rng.randrange(places[-1].offset - 2 * ALIGN))  # the last one proves where the end is
            file.write(rng.randbytes(rng.choice([1, 64, 4096])))
    good = [found(tmp_path, place) for place in places]
    assert all(data is None or data == kept[n] for n, data in enumerate(good))
    out = writer(tmp_path)
    out.append(READ_ID, picture(99, 15_000))
    out.close()
    assert [found(tmp_path, place) for place in places] == good


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwritev = os.pwritev
    out = writer(tmp_path)

    def short(fd: int, parts: list[bytes], offset: int) -> int:
        return pwritev(fd, [b"".join(parts)[:777]], offset)

    monkeypatch.setattr(os, "pwritev", short)
    place = out.append(READ_ID, picture(1))
    assert found(tmp_path, place) == picture(1)
    monkeypatch.setattr(os, "pwritev", lambda *_: 0)
    with pytest.raises(OSError, match="took no byte"):
        out.append(READ_ID, picture(2))
    out.close()


def test_a_failed_picture_leaves_its_place_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = writer(tmp_path)
    first = out.append(READ_ID, picture(1))

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as sick:
        sick.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            out.append(READ_ID, picture(2))
    third = out.append(READ_ID, picture(3, 2000))
    out.close()
    assert third.offset == first.offset + 3 * ALIGN
    assert [found(tmp_path, first), found(tmp_path, third)] == [picture(1), picture(3, 2000)]


def test_the_oldest_segments_go_so_that_the_limit_holds(tmp_path: Path) -> None:
    out = writer(tmp_path)
    removed: list[str] = []
    places = []
    for n in range(60):
        place = out.append(READ_ID, picture(n, 40_000))
        places.append(place)
        removed += place.removed
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= LIMIT
    out.close()
    numbers = segment_numbers(tmp_path)
    assert len(numbers) == 4
    assert removed == [f"spool-{n:08d}.bin" for n in range(1, numbers[0])]
    for n, place in enumerate(places):
        expected = None if place.spool in removed else picture(n, 40_000)
        assert found(tmp_path, place) == expected


def test_when_the_disk_is_full_the_oldest_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = writer(tmp_path)
    while len(segment_numbers(tmp_path)) < 2:
        out.append(READ_ID, picture(1, 40_000))

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    for _ in range(5):
        out.append(READ_ID, picture(1, 40_000))  # as many as the segment in use still takes
    with pytest.raises(OSError, match="No space left"):
        out.append(READ_ID, picture(1, 40_000))
    assert segment_numbers(tmp_path) == [1, 2], "a file that could not be given its size must not stay"
    monkeypatch.undo()
    assert out.free_oldest() == "spool-00000001.bin"
    assert out.free_oldest() is None
    assert out.append(READ_ID, picture(1, 40_000)).spool == "spool-00000003.bin"
    out.close()


def test_a_new_segments_name_is_durable_before_a_picture_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(spool, "sync_folder", lambda folder: order.append(folder.name))
    monkeypatch.setattr(os, "fdatasync", lambda fd: order.append("picture"))
    out = writer(tmp_path / "a" / "spool")
    out.append(READ_ID, picture(1))
    assert order == ["a", "spool", "picture"]
    out.close()


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="limit_bytes is 100, needed 524288 or more"):
        SpoolWriter(tmp_path, 100, SEGMENT)
    with pytest.raises(ValueError, match="segment_bytes is 5"):
        SpoolWriter(tmp_path, 100, 5)
    out = writer(tmp_path)
    with pytest.raises(ValueError, match="jpeg is 0 bytes, allowed 1 to 262096"):
        out.append(READ_ID, b"")
    with pytest.raises(ValueError, match="jpeg is 300000 bytes"):
        out.append(READ_ID, bytes(300_000))
    with pytest.raises(ValueError, match="read_id is 'x', needed 32 hex digits"):
        out.append("x", b"x")
    with pytest.raises(ValueError, match=r"spool is '../../etc/passwd', needed spool-"):
        read_picture(tmp_path, "../../etc/passwd", 0, 1, 0)
    assert read_picture(tmp_path, "spool-00000009.bin", 0, 1, 0) is None
