"""Plates: spellings come from camera manuals and samples, shapes from GA 36 as others wrote it down."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.plates import (
    PROVINCES,
    Shape,
    city_form,
    confusable,
    is_no_plate,
    normalise,
    plausible,
    shape,
    skeleton,
)

# VZ and Qianyi manuals; an integrator's parser; Hikvision ISAPI; a Dahua simulator, rroller/dahua #648.
NO_PLATE = [
    "_无_", "无牌车", "无车牌", "无牌", "车牌", "-", "—", "--", "null", "noPlate", "unknown", "unlicensed",
    "", " ", "NULL", "NoPlate", " _无_ ", "蓝无车牌",
]  # fmt: skip

# As cameras wrote them (VZ R5 manual, GA/T 1400, Hikvision samples), and with what people and signs add.
PLATES = [
    ("粤Z9065澳", "粤Z9065澳"),
    ("苏NF5676", "苏NF5676"),
    ("浙AX2P12", "浙AX2P12"),
    ("2กก1234", "2กก1234"),
    ("ITS123", "ITS123"),
    (" 京a·12345 ", "京A12345"),
    ("京A・12345", "京A12345"),
    ("京A.12345", "京A12345"),
    ("鲁-B12345", "鲁B12345"),
    ("京Ａ１２３４５", "京A12345"),
    ("粤B\t1O2I3\r\n", "粤B1O2I3"),
]

# Published by an independent plate checker (rules after GA 36) unless said otherwise.
SHAPES: list[tuple[str, Shape]] = [
    ("粤B12345", "ordinary"),
    ("京AD12345", "new_energy"),
    ("京AF12345", "new_energy"),
    ("京A12345D", "new_energy"),
    ("京A12345F", "new_energy"),
    ("鲁BA12345", "new_energy"),  # a letter of the second series, issued since 2019
    ("川A0001警", "police"),
    ("川AA001警", "police"),
    ("鲁B1234挂", "trailer"),
    ("鲁B1234学", "learner"),
    ("粤Z9065澳", "hk_macau"),  # VZ manual
    ("粤ZF123港", "hk_macau"),
    ("224578使", "embassy"),
    ("沪A0023领", "consulate"),
    ("WJ12345", "armed_police"),
    ("WJ京1234X", "armed_police"),
    ("VA12345", "military"),
    ("民航A1234", "civil_aviation"),
    ("京X1234应急", "emergency"),
    ("", "none"),
    ("ITS123", "other"),
    ("2กก1234", "other"),
    ("鲁B1234", "other"),
    ("鲁B12I45", "other"),  # no serial has an I
    ("鲁B666679", "other"),  # the city standard's own example
]

plates = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(PROVINCES),
        st.sampled_from("ABCDEFGHJKLMNOPQRSTUVWXYZ"),
        st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=5, max_size=6),
    ),
)

PAIRS = ["0D", "0Q", "0O", "DQ", "DO", "QO", "8B", "5S", "2Z", "1I", "鄂粤", "鲁京"]


@pytest.mark.parametrize("raw", NO_PLATE)
def test_every_spelling_of_no_plate_is_no_plate(raw: str) -> None:
    assert is_no_plate(raw)
    assert normalise(raw) == ""


@pytest.mark.parametrize(("raw", "plate"), PLATES)
def test_a_plate_has_one_spelling(raw: str, plate: str) -> None:
    assert not is_no_plate(raw)
    assert normalise(raw) == plate


@given(st.text(max_size=40))
@example("ŉ")  # its upper case is two characters, one of them composed
@example("ﬃ")
def test_normalising_twice_is_normalising_once(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert (once == "") == is_no_plate(raw)


@given(plates)
def test_a_made_up_plate_stays_as_it_is(plate: str) -> None:
    assert normalise(plate) == plate


@pytest.mark.parametrize("pair", PAIRS)
def test_one_lookalike_is_confusable_both_ways(pair: str) -> None:
    left, right = f"{pair[0]}A12347", f"{pair[1]}A12347"
    assert confusable(left, right)
    assert confusable(right, left)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("鲁B12345", "鲁B12345"),  # the same plate
        ("鲁B12346", "鲁B12345"),  # 6 and 5 do not look alike
        ("鲁B08345", "鲁BDB345"),  # two positions
        ("鲁B12345", "京B1234S"),  # two positions, one of them the province
        ("鲁B12340", "鲁B1234"),  # a character is missing
        ("鲁B12340", "鲁B123400"),
        ("鲁B12348", "鲁B1234D"),  # 8-B and 0-D are two classes
        ("鲁B12345", "AB12345"),  # a letter is no province
        ("", ""),
    ],
)
def test_what_is_not_confusable(a: str, b: str) -> None:
    assert not confusable(a, b)
    assert not confusable(b, a)


@given(plates, plates)
def test_confusable_plates_share_a_skeleton_and_are_symmetric(a: str, b: str) -> None:
    assert confusable(a, b) == confusable(b, a)
    assert not confusable(a, b) or skeleton(a) == skeleton(b)


@given(plates, st.data())
def test_changing_one_character_to_a_lookalike_is_always_found(plate: str, data: st.DataObject) -> None:
    swaps = [(0, sign) for sign in PROVINCES if sign != plate[0]]
    swaps += [
        (at, other)
        for at, char in enumerate(plate)
        for pair in PAIRS
        for other in pair
        if char in pair and other != char
    ]
    at, other = data.draw(st.sampled_from(swaps))
    assert confusable(plate, plate[:at] + other + plate[at + 1 :])


def test_city_form_is_province_hyphen_number() -> None:
    # T/QME 0015-2024 B.2, special note 2
    assert city_form("鲁B666679") == "鲁-B666679"
    assert city_form("") == ""


@given(plates)
def test_city_form_loses_nothing(plate: str) -> None:
    assert normalise(city_form(plate)) == plate


@pytest.mark.parametrize(("plate", "kind"), SHAPES)
def test_shape(plate: str, kind: Shape) -> None:
    assert shape(plate) == kind


# The published expression for ordinary and new-energy plates (D and F only): another implementation.
PUBLISHED = re.compile(f"[{PROVINCES}][A-Z](?:[0-9]{{5}}[DF]|[DF][A-HJ-NP-Z0-9][0-9]{{4}}|[A-HJ-NP-Z0-9]{{5}})")


@given(plates)
def test_shape_knows_every_plate_of_the_published_expression(plate: str) -> None:
    assert not PUBLISHED.fullmatch(plate) or shape(plate) in {"ordinary", "new_energy"}


@pytest.mark.parametrize("plate", ["鲁B12345", "浙HHXNRN", "粤Z1234港", "WJ鲁1234A", "กข1234", "民航A1234"])
def test_what_a_person_can_mean_as_a_plate(plate: str) -> None:
    assert plausible(plate)


@pytest.mark.parametrize("words", ["", "无牌车", "hello", "hello world", "1", "鲁B", "鲁B123456789", "AAAAAAAA"])
def test_what_nobody_can_mean_as_a_plate(words: str) -> None:
    assert not plausible(words)
