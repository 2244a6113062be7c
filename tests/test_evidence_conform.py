"""Whatever a camera sends becomes a picture by the rules of B.1, or an error that says what it was."""

from __future__ import annotations

import csv
import random
import struct
from pathlib import Path

import pytest

from edge.evidence.conform import Conformed, conform
from edge.evidence.fit import encode
from edge.evidence.look import NotAPictureError, look, wrong
from tests.evidence_tools import LINES, Image, jpeg, pixels, scene

VECTORS = Path(__file__).parent / "vectors" / "evidence"
PHOTOS = Path(__file__).parent.parent.parent / "shared" / "photos"


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Quality of every full encode that was made."""
    made: list[int] = []

    def counted(image: Image, quality: int) -> bytes:
        made.append(quality)
        return encode(image, quality)

    monkeypatch.setattr("edge.evidence.conform.encode", counted)
    return made


def obeys(made: Conformed) -> None:
    """T/QME 0015-2024 B.1 rules 5 to 8 as its strict readings have them, on the file alone."""
    seen = look(made.jpeg)
    assert (seen.width, seen.height) == (made.width, made.height)
    assert seen.width >= 1280
    assert seen.height >= 720
    assert (seen.components, seen.bits, seen.orientation) == (3, 8, 1)
    assert 20_480 <= len(made.jpeg) <= 500_000 - 2000
    assert pixels(made.jpeg).shape == (made.height, made.width, 3)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("day", ()),
        ("progressive", ()),
        ("foliage", ("large_file",)),
        ("1440p noise", ("large_file", "halved")),
        ("4k", ("large_file",)),
        ("12 megapixel", ("large_file",)),
        ("12 megapixel noise", ("large_file", "halved")),
        ("640x480", ("small", "scaled_up")),
        ("portrait", ("small", "scaled_up")),
        ("grey", ("colours",)),
        ("black night", ()),
        ("black", ()),
        ("cut in the middle", ("truncated",)),
    ],
)
def test_every_odd_input_becomes_a_picture_by_the_rules(
    name: str, flags: tuple[str, ...], encodes: list[int]
) -> None:
    day = jpeg(scene())
    source = {
        "day": lambda: day,
        "progressive": lambda: jpeg(scene(), progressive=True),
        "foliage": lambda: jpeg(scene(noise=28), 90),
        "1440p noise": lambda: jpeg(scene(2560, 1440, noise=60), 95),
        "4k": lambda: jpeg(scene(3840, 2160, noise=5), 90),
        "12 megapixel": lambda: jpeg(scene(4000, 3000, noise=4), 92),
        "12 megapixel noise": lambda: jpeg(scene(4000, 3000, noise=25), 90),
        "640x480": lambda: jpeg(scene(640, 480)),
        "portrait": lambda: jpeg(scene(720, 1280)),
        "grey": lambda: jpeg(scene()[:, :, 0]),
        "black night": lambda: jpeg(scene(1280, 720, noise=3, light=0.05), 60),
        "black": lambda: jpeg(scene(1280, 720, noise=0, light=0), 60),
        "cut in the middle": lambda: day[: len(day) // 2],
    }[name]()
    made = conform(source, LINES)
    obeys(made)
    assert made.flags == flags
    assert 1 <= len(encodes) <= 2
    assert made.encodes == len(encodes)


def test_what_was_expected_of_the_odd_inputs_is_so() -> None:
    """The scenes are what their names say: otherwise the test above proves less than it seems to."""
    assert len(jpeg(scene(noise=28), 90)) > 500_000
    assert len(jpeg(scene(1280, 720, noise=3, light=0.05), 60)) < 20_480
    assert look(jpeg(scene(), progressive=True)).progressive
    assert look(jpeg(scene()[:, :, 0])).components == 1


def test_cmyk_and_turned_pictures_of_another_encoder(encodes: list[int]) -> None:
    cmyk = (VECTORS / "cmyk.jpg").read_bytes()
    assert look(cmyk).components == 4
    made = conform(cmyk, ())
    obeys(made)
    assert made.flags == ("small", "colours", "scaled_up", *made.flags[3:])
    blue, green, red = (int(value) for value in pixels(made.jpeg)[-40, 100])
    assert (blue > 150, green < 110, red < 90) == (True, True, True)
    turned = (VECTORS / "turned.jpg").read_bytes()
    assert look(turned).orientation == 6
    upright = conform(turned, ())
    obeys(upright)
    assert "turned" in upright.flags
    # Orientation 6: the 0th column is the visual top (EXIF 2.32, 4.6.4), so red lies on the right after turning.
    shown = pixels(upright.jpeg)
    assert int(shown[100, -40, 2]) > 150 > int(shown[100, 40, 2])
    assert len(encodes) == 2


def test_a_conforming_picture_with_the_cameras_overlay_is_not_encoded_again(encodes: list[int]) -> None:
    source = jpeg(scene())
    made = conform(source, ())
    assert made.jpeg == source
    assert (made.encodes, made.flags, encodes) == (0, (), [])


def test_what_follows_the_end_of_a_picture_is_cut_off(encodes: list[int]) -> None:
    source = jpeg(scene())
    assert conform(source + bytes(500), ()).jpeg == source
    assert encodes == []


def test_a_dark_conforming_picture_is_filled_up_and_not_encoded(encodes: list[int]) -> None:
    source = jpeg(scene(1280, 720, noise=3, light=0.05), 60)
    made = conform(source, ())
    obeys(made)
    assert made.flags == ("filled",)
    assert (pixels(made.jpeg) == pixels(source)).all()
    assert encodes == []


def test_a_picture_that_is_a_little_too_large_with_its_seal_is_encoded(encodes: list[int]) -> None:
    source = jpeg(scene())
    room = bytes(498_001 - len(source) - 4)
    parts = [room[:60_000] for _ in range(len(room) // 60_004)]
    for part in parts:
        source = source[:2] + b"\xff\xfe" + (len(part) + 2).to_bytes(2) + part + source[2:]
    left = 498_001 - len(source) - 4
    source = source[:2] + b"\xff\xfe" + (left + 2).to_bytes(2) + bytes(left) + source[2:]
    assert len(source) == 498_001
    obeys(conform(source, ()))
    assert len(encodes) == 1


def test_the_overlay_is_at_the_top_and_nowhere_else() -> None:
    image = scene(noise=0)
    source = jpeg(image, 85)
    made = pixels(conform(source, LINES).jpeg).astype(int)
    change = abs(made - pixels(source).astype(int)).max(axis=(1, 2))
    assert change[:85].max() > 150
    assert change[:85].mean() > 60
    assert change[120:].max() < 40


def test_an_overlay_too_long_for_the_picture_keeps_inside() -> None:
    obeys(conform(jpeg(scene(1280, 720)), ("很长的停车场名字" * 30, "x" * 400)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "begins with nothing"),
        (b"GIF89a" + bytes(100), "begins with 47494638"),
        (b"\xff\xd8", "cut off before its pixels"),
        (b"\xff\xd8\xff\xd9", "cut off before its pixels"),
        (b"\xff\xd8\xff\xd9\0\0\0\0", "holds no pixels"),
        (b"\xff\xd8" + bytes(40), "damaged before its pixels, at byte 2"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(40), "cut off before its pixels"),
        (b"<html>502 Bad Gateway</html>", "begins with 3c68746d"),
    ],
)
def test_what_is_no_picture_says_so(data: bytes, says: str) -> None:
    with pytest.raises(NotAPictureError, match=says):
        conform(data, LINES)


def resized(source: bytes, width: int, height: int) -> bytes:
    at = source.index(b"\xff\xc0") + 5
    return source[:at] + struct.pack(">HH", height, width) + source[at + 4 :]


def test_headers_that_lie_are_refused() -> None:
    source = jpeg(scene(1280, 720))
    with pytest.raises(NotAPictureError, match="claims 65535 x 65535 px"):
        conform(resized(source, 65535, 65535), LINES)
    with pytest.raises(NotAPictureError, match="claims 0 x 720 px"):
        conform(resized(source, 0, 720), LINES)
    with pytest.raises(NotAPictureError, match="1 x 40000 px is no shape"):
        conform(jpeg(scene(1, 40_000)), LINES)
    with pytest.raises(NotAPictureError, match="SOF3 "):
        look(source.replace(b"\xff\xc0", b"\xff\xc3", 1))


def test_random_damage_gives_a_picture_by_the_rules_or_the_error() -> None:
    source = jpeg(scene(1280, 720))
    for seed in range(60):
        rng = random.Random(seed)
        data = bytearray(source)
        for _ in range(rng.choice([1, 5, 50])):
            data[rng.randrange(rng.choice([30, 700, len(data)]))] = rng.randrange(256)
        try:
            made = conform(bytes(data), LINES)
        except NotAPictureError:
            continue
        obeys(made)


def test_the_quality_of_a_picture_is_judged_by_its_tables() -> None:
    image = scene(64, 64)
    for quality in (20, 50, 75, 90, 95):
        assert abs(look(jpeg(image, quality)).quality - quality) <= 1


def test_all_photos_of_real_lanes(encodes: list[int]) -> None:
    if not PHOTOS.is_dir():
        pytest.skip("no real photos here (../shared/photos): nothing was proved on them")
    with (PHOTOS / "manifest.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        encodes.clear()
        source = (PHOTOS / row["file"]).read_bytes()
        seen = look(source)
        assert (seen.width, seen.height, seen.bytes) == (int(row["w"]), int(row["h"]), int(row["bytes"]))
        made = conform(source, LINES)
        obeys(made)
        assert ("small" in made.flags) == (seen.width < 1280 or seen.height < 720)
        assert len(encodes) == 1
        if not wrong(seen):
            assert conform(source, ()).encodes == 0
    assert rows
