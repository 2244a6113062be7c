"""Plates: one spelling for each plate, what counts as no plate, and which two reads may be one car.

The record keeps what the camera read (`O` stays `O`); only the comparison knows that characters look alike. A
plate of unknown shape is a plate: `shape` is a judgement for the page and never a reason to refuse a car.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

# The 31 province signs of a mainland plate (GA 36).
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

# What cameras write for "no plate" and "not readable" (VZ, Qianyi, Hikvision, Dahua), case and separators
# dropped. `_无_`, 无牌车, 无车牌, 无牌 all have 无, which stands on no plate; "-", "--", "—" leave nothing.
NO_PLATE_WORDS = frozenset({"", "车牌", "NULL", "NOPLATE", "UNKNOWN", "UNLICENSED"})
NO_PLATE_SIGN = "无"

# Characters that readers take for one another: 0/D/Q/O, 8/B, 5/S, 2/Z, province signs (DESIGN 5; openalpr
# #502, #606; HyperLPR #402, #409: D for 0, B for 8, 鄂 for 粤), and 1/I (cameras write I, serials have none).
LOOKALIKES = ("0DQO", "8B", "5S", "2Z", "1I", PROVINCES)
_FIRST_OF_CLASS = {ord(char): group[0] for group in LOOKALIKES for char in group}

Shape = Literal[
    "none",
    "ordinary",
    "new_energy",
    "trailer",
    "learner",
    "police",
    "hk_macau",
    "embassy",
    "consulate",
    "armed_police",
    "military",
    "civil_aviation",
    "emergency",
    "other",
]

_P = f"[{PROVINCES}]"
_S = "[A-HJ-NP-Z0-9]"  # a serial has no I and no O (GA 36)
# First match wins; none of them overlaps another. Compiled when first asked for: a start needs none of them.
SHAPES: Mapping[Shape, str] = MappingProxyType(
    {
        "ordinary": f"{_P}[A-Z]{_S}{{5}}",
        # 京AD12345 (small), 京A12345D (large). D and F came first, other letters since: any letter counts.
        "new_energy": f"{_P}[A-Z](?:[A-HJ-NP-Z]{_S}[0-9]{{4}}|[0-9]{{5}}[A-HJ-NP-Z])",
        "trailer": f"{_P}[A-Z]{_S}{{4}}挂",
        "learner": f"{_P}[A-Z]{_S}{{4}}学",
        "police": f"{_P}[A-Z]{_S}{{4}}警",
        "hk_macau": f"粤Z{_S}{{4}}[港澳]",
        "embassy": "使[0-9]{6}|[0-9]{6}使",  # country and car, 3 digits each
        "consulate": f"领[0-9]{{6}}|{_P}[A-Z]?[0-9]{{4,5}}领",
        "armed_police": f"WJ{_P}?[0-9]{{4}}[0-9A-Z]",
        "military": "[A-Z]{2}[0-9]{5}",
        "civil_aviation": "民航[A-Z0-9]{4,5}",
        "emergency": f"{_P}[A-Z]?[SX]?[0-9]{{3,5}}应急",
    }
)


def _canonical(raw: str) -> str:
    """Full width to half width, upper case, letters, digits and Chinese characters only.

    NFKC twice: the upper case of a rare letter may again be a composed one.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", raw).upper())
    return "".join(char for char in text if char.isalnum())


def is_no_plate(raw: str) -> bool:
    """Whether `raw` is one of the spellings of "no plate or not readable"."""
    text = _canonical(raw)
    return text in NO_PLATE_WORDS or NO_PLATE_SIGN in text


def normalise(raw: str) -> str:
    """The plate as it stands in facts; "" when there is none.

    >>> normalise(" 鲁b·12345 "), normalise("_无_")
    ('鲁B12345', '')
    """
    text = _canonical(raw)
    return "" if text in NO_PLATE_WORDS or NO_PLATE_SIGN in text else text


PLATE_LENGTHS = range(4, 11)
"""Of the shapes below the shortest has 6 (港澳), the longest 8; foreign ones have 4 to 10."""


def plausible(raw: str) -> bool:
    """Whether a person who types this can mean a plate: of a known shape (its serial may be all letters), or 4 to 10
    characters with a digit among them. For what people enter; a camera's read is never refused for its shape."""
    plate = normalise(raw)
    if shape(plate) not in {"none", "other"}:
        return True
    return len(plate) in PLATE_LENGTHS and any(char.isdigit() for char in plate)


def skeleton(plate: str) -> str:
    """The plate with every character replaced by the first of its class: two confusable plates share it."""
    return plate.translate(_FIRST_OF_CLASS)


def confusable(a: str, b: str) -> bool:
    """Same length, exactly one position differs, and these two characters are taken for one another.

    Both plates normalised. Equal plates are not confusable: they are the same.
    """
    if len(a) != len(b) or skeleton(a) != skeleton(b):
        return False
    return sum(x != y for x, y in zip(a, b, strict=True)) == 1


def city_form(plate: str) -> str:
    """省-号码: first character, hyphen, rest (鲁-B12345).

    T/QME 0015-2024 B.2, special note 2, whose own example 鲁-B666679 fits no real plate. The standard is
    silent on police, army and embassy plates; they take the same form. "" for no plate: what the city is told
    instead is the city link's to decide.
    """
    return f"{plate[0]}-{plate[1:]}" if plate else ""


def shape(plate: str) -> Shape:
    """What kind of plate a normalised text looks like; "other" is still a plate."""
    if not plate:
        return "none"
    for name, pattern in SHAPES.items():
        if re.fullmatch(pattern, plate):
            return name
    return "other"
