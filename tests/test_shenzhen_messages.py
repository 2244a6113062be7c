"""What the box sends: every table of T/SZPIA 001-2020 and every example of Annex B against our messages."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from edge.cities.shenzhen.fields import FieldError, Message, settle_lengths, too_long, yuan
from edge.cities.shenzhen.messages import REPORTED, CarInfo, Charging, ParkRecord, PriorityEvent
from edge.cities.shenzhen.sign import sorted_json

VECTORS = Path(__file__).parent / "vectors" / "shenzhen"
EXAMPLES = {str(each["interface"]): each for each in json.loads((VECTORS / "annex_b.json").read_text("utf-8"))}
TABLES: dict[str, list[dict[str, Any]]] = json.loads((VECTORS / "tables.json").read_text("utf-8"))

# SC35: in an example and in no table. totalStalls is sent by a setting, the others never.
ONLY_IN_EXAMPLES = {"staggerStalls", "garageCode", "bluetoothAddress"}


def without(value: Any) -> Any:
    """An example without the members that no table has, its empty texts, its lot code as text (SC24) and longitude and
    latitude where they belong (SC60: printed exchanged)."""
    if isinstance(value, dict):
        if "latitude" in value:
            value = {**value, "latitude": value["longitude"], "longitude": value["latitude"]}
        return {
            name: str(each) if name == "parkCode" else without(each)
            for name, each in value.items()
            if name not in ONLY_IN_EXAMPLES and each != ""
        }
    return [without(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", sorted(REPORTED))
def test_annex_b_decodes_and_what_we_send_equals_it(kind: str) -> None:
    for element in EXAMPLES[kind]["request"]["data"]:
        text = json.dumps(without(element), ensure_ascii=False)
        message = msgspec.json.decode(text, type=REPORTED[kind])
        assert json.loads(sorted_json(message)) == json.loads(text)


def leaves(message: type[Message], prefix: str = "") -> dict[str, tuple[bool, Any]]:
    """Every member of a message and of its parts: wire name, whether it must be there, its type."""
    found: dict[str, tuple[bool, Any]] = {}
    for field in msgspec.structs.fields(message):
        name = prefix + field.encode_name
        found[name] = (field.required, field.type)
        for part in parts(field.type):
            found |= leaves(part, name + ".")
    return found


def parts(hint: Any) -> list[type[Message]]:
    if isinstance(hint, type) and issubclass(hint, Message):
        return [hint]
    return [found for each in get_args(hint) for found in parts(each)]


def metas(hint: Any) -> list[msgspec.Meta]:
    own = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta)]
    return own + [meta for each in get_args(hint) for meta in metas(each)]


def choices(hint: Any) -> list[int]:
    own = [each for each in get_args(hint) if isinstance(each, int)] if get_origin(hint) is Literal else []
    return own + [each for part in get_args(hint) for each in choices(part)]


@pytest.mark.parametrize("kind", sorted(REPORTED))
def test_every_member_of_the_tables_is_declared_as_printed(kind: str) -> None:
    ours = leaves(REPORTED[kind])
    printed = {row["name"]: row for row in TABLES[kind]}
    assert set(ours) - {"parkInfo.totalStalls"} == set(printed)
    for name, row in printed.items():
        required, hint = ours[name]
        if not name.endswith("parkCode"):  # SC39: always sent
            assert required is row["required"], name
        length = next((meta.extra["length"] for meta in metas(hint) if meta.extra and "length" in meta.extra), None)
        if row["type"] == "String" and row["length"]:
            assert length == row["length"], name
        if row["enum"]:
            assert sorted(choices(hint)) == row["enum"], name


def record(**changes: Any) -> ParkRecord:
    values: dict[str, Any] = {
        "id": "c78e319dab604a268842acf164774592",
        "park_code": "44030400100101000010",
        "car_info": CarInfo(plate_no="粤B88888"),
        "enter_time": "2018-01-01 01:01:01",
        "receivables": yuan(0),
        "discount": yuan(0),
        "received": yuan(0),
    }
    return ParkRecord(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "C78E319D"}, "ParkRecord.id"),
        ({"enter_time": "2018-01-01"}, "ParkRecord.enterTime"),
        ({"enter_time": "2018-13-01 00:00:00"}, "yyyy-MM-dd HH:mm:ss"),
        ({"receivables": Decimal("-1.00")}, "ParkRecord.receivables"),
        ({"receivables": Decimal("1.005")}, "two decimals"),
        ({"park_code": ""}, "ParkRecord.parkCode"),
    ],
)
def test_what_the_standard_forbids_is_not_made(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FieldError, match=says):
        record(**changes)


def test_an_enumeration_is_closed() -> None:
    with pytest.raises(FieldError, match="operateType"):
        PriorityEvent(
            id="c78e319dab604a268842acf164774592",
            park_code="1",
            time="2018-01-01 01:01:01",
            operate_type=2,  # type: ignore[arg-type]
        )


def test_money_has_two_decimals_on_the_wire() -> None:
    assert b'"received":15.00' in sorted_json(record(received=yuan(1500)))


def test_lengths_are_kept_cut_or_refused() -> None:
    """SC29, SC30: the example's own permitNo has 10 characters where the table allows 6."""
    charging = msgspec.json.decode(
        json.dumps(without(EXAMPLES["3005"]["request"]["data"][0])), type=Charging
    )
    assert settle_lengths(charging, "keep").permit_no == "6634344557"
    assert settle_lengths(charging, "cut").permit_no == "663434"
    assert too_long(charging) == ["permitNo", "complaintTel"]
    with pytest.raises(FieldError, match=r"permitNo.*at most 6 characters"):
        settle_lengths(charging, "refuse")
