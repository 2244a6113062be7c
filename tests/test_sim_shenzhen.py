"""The simulated Shenzhen platform against annex B and the printed tables: every example, then every field damaged."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hal_sim.shenzhen import ShenzhenPlatform
from hal_sim.shenzhen.tables import INTERFACES, Field
from tests.shenzhen_wire import ENTRY_ID, LOT, VECTORS, Sender, example, logged_in, platform_in, sorted_text

UP = (3001, 3002, 3005, 5003, 5004, 5005, 5006, 5008, 7001)
NEEDS = {5005: (5004,), 5006: (5004,)}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    with platform_in(tmp_path) as running:
        yield running


@pytest.fixture
def sender(platform: ShenzhenPlatform) -> Sender:
    return logged_in(platform)


def element(code: int) -> dict[str, Any]:
    """The element of the example of annex B."""
    one = example(code)["data"][0]
    assert isinstance(one, dict)
    return one


def send(sender: Sender, code: int, *elements: dict[str, Any]) -> dict[str, Any]:
    return sender.send(code, sorted_text(list(elements)))


@pytest.mark.parametrize("code", UP)
def test_every_example_of_annex_b_is_accepted_and_answered_as_printed(
    platform: ShenzhenPlatform, sender: Sender, code: int
) -> None:
    for before in NEEDS.get(code, ()):
        send(sender, before, element(before))
    answer = send(sender, code, element(code))
    printed = example(code, "response")
    assert set(answer) == set(printed)
    assert (answer["resultCode"], answer["resultMsg"]) == (0, printed["resultMsg"])
    assert answer["data"] == [one | {"code": 0} for one in printed["data"]]
    assert platform.summary().violations == ()
    assert platform.summary().accepted[code] == 1


def test_what_only_examples_have_is_noted(platform: ShenzhenPlatform, sender: Sender) -> None:
    for code in (3001, 3002, 5004):
        send(sender, code, element(code))
    assert platform.summary().notes == {
        "member_of_example": 3,  # totalStalls, staggerStalls, garageCode
        "latitude_impossible": 2,
        "lot_as_number": 1,
        "plate_with_blank": 1,
        "entry_with_fee": 1,
    }


# --- every field of every table -------------------------------------------------------------------------------


def good(code: int) -> dict[str, Any]:
    """An element with every member of its table: the example, completed and cleared of what no table has."""
    one = element(code)
    if code == 3001:
        del one["parkInfo"]["totalStalls"], one["parkInfo"]["staggerStalls"]
        one["parkInfo"]["mapImage"] = "aGk="
    if code == 3002:
        del one["entranceExitInfo"]["garageCode"]
    if "parkCode" in one:
        one["parkCode"] = LOT
    if code == 5006:
        exit_ = element(5005)
        one |= {name: exit_[name] for name in ("leaveTime", "outEquipmentId", "chargeIdList")}
    return one


def printed_tables() -> dict[int, list[list[str]]]:
    """Interface -> rows of (path of the member, type, length, required, allowed values)."""
    tables: dict[int, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in VECTORS.joinpath("shenzhen_up_tables.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rows = tables.setdefault(int(line[1 : line.index("]")]), [])
        elif line and not line.startswith("#"):
            rows.append([*(cell.strip() for cell in line.split("|")), ""][:5])
    return tables


PRINTED = printed_tables()
ROWS = [(code, row) for code, rows in PRINTED.items() for row in rows]

# An exit knows these, whatever its table says (SC41); parkCode always (SC39).
ALWAYS = {(5005, "leaveTime"), (5005, "outEquipmentId"), (5005, "chargeIdList")} | {
    (code, "parkCode") for code in (5004, 5005, 5006)
}
ANY_LENGTH = {"permitNo", "complaintTel", "operatorId"}  # SC29: the examples are longer than the tables


def test_the_simulator_has_exactly_the_printed_rows() -> None:
    def names(fields: tuple[Field, ...], prefix: str = "") -> Iterator[str]:
        for one in fields:
            if not one.example_only:
                yield prefix + one.name
                yield from names(one.children, f"{prefix}{one.name}.")

    simulated = {one.code: sorted(names(one.fields)) for one in INTERFACES}
    # An entry has no exit yet: the three members of table 7 that only an exit fills are not for 5004.
    only_exit = {"leaveTime", "outEquipmentId", "chargeIdList"}
    printed = {
        code: sorted(row[0] for row in rows if code != 5004 or row[0] not in only_exit)
        for code, rows in PRINTED.items()
    }
    assert simulated == printed


def at(holder: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that holds the member, and its name."""
    *outer, name = path.split(".")
    for one in outer:
        inner = holder[one]
        holder = inner[0] if isinstance(inner, list) else inner
    return holder, name


WRONG_TYPE: dict[str, list[Any]] = {
    "String": [12345, None, True, {}, []],
    "Uuid": [12345, None, ENTRY_ID[:31], ENTRY_ID[:31] + "g", "C78E319D-AB60-4A26-8842-ACF164774592"],
    "Int": ["1", "#1.0#", True, None, 2147483648],
    "Double": ["72.16", None, True],
    "Decimal": ["20.00", "#20.0#", "#20.000#", 20, "#-20.00#", None],
    "DateTime": ["2018-01-01T01:01:01", "2018-02-30 01:01:01", "2018-1-1 01:01:01", "2018-01-01", 1514739661, None, ""],
    "Object": ["{}", [], None],
    "List<Object>": ["[]", {}, None, [1]],
    "List<Uuid>": ["[]", {}, None, ["short"], [1]],
}


def damages(code: int, row: list[str]) -> list[Any]:
    path, kind, length, required, values = row
    name = path.rpartition(".")[2]
    wrong = list(WRONG_TYPE["Decimal" if kind == "Decimal" else kind])
    if name == "couponValue":  # annex B writes 3 yuan as 3
        wrong = ["3", "#3.001#", "#-3.00#", None, True]
    if name == "parkCode":  # a number is let through in the records that annex B prints it in
        wrong = [None, True, {}, "粤B", "44030400100101000099"]
    if kind == "String" and required == "是":
        wrong += ["", "  "]
    if kind == "String" and length and name not in ANY_LENGTH:
        # Characters count, not bytes; letters where the member is no free text.
        wrong.append(("A" if name in ("plateNo", "stallNo", "parkCode") else "停") * (int(length) + 1))
    if values:
        wrong.append(99)
    if name == "plateNo":
        wrong += ["粤-B88888", "粤b88888", "粤B·8888"]
    if name == "plateColor":
        wrong.append("BLUE"[:3])
    if name in ("pricingSign", "mapImage"):
        wrong += ["not base64", "abc"]
    if name in ("longitude", "latitude"):
        wrong += ["#180.5#", "#-181.0#"]
    if name in ("usedStalls", "unusedStalls", "reservedStalls", "reservableStalls"):
        wrong.append(-1)
    return wrong


@pytest.mark.parametrize(("code", "row"), ROWS, ids=[f"{code}-{row[0]}" for code, row in ROWS])
def test_a_damaged_field_is_refused_and_named(
    platform: ShenzhenPlatform, sender: Sender, code: int, row: list[str]
) -> None:
    for before in NEEDS.get(code, ()):
        send(sender, before, good(before))
    path, _, _, required, _ = row
    entry = code == 5004 and path in ("leaveTime", "outEquipmentId", "chargeIdList")
    tried = [] if entry else damages(code, row)
    missing = object()
    if required == "是" or (code, path) in ALWAYS:
        tried.append(missing)
    for value in tried:
        one = good(code)
        holder, name = at(one, path)
        if value is missing:
            del holder[name]
        else:
            holder[name] = value
        before_count = platform.summary().violated
        answer = send(sender, code, one)
        refused = answer["resultCode"] == 4 if value is missing else answer["data"][0]["code"] not in (0, None)
        assert refused, (value, answer)
        fields = {violation.field for violation in platform.summary().violations[before_count:]}
        assert any(name in field for field in fields), (value, fields)
    assert code not in platform.summary().accepted
    assert send(sender, code, good(code))["data"][0]["code"] == 0


OPTIONAL = [(code, row) for code, row in ROWS if row[3] == "否" and (code, row[0]) not in ALWAYS]


@pytest.mark.parametrize(("code", "row"), OPTIONAL, ids=[f"{code}-{row[0]}" for code, row in OPTIONAL])
def test_an_optional_member_may_be_left_out(
    platform: ShenzhenPlatform, sender: Sender, code: int, row: list[str]
) -> None:
    path = row[0]
    for before in NEEDS.get(code, ()):
        send(sender, before, good(before))
    one = good(code)
    holder, name = at(one, path)
    holder.pop(name, None)
    assert send(sender, code, one)["data"][0]["code"] == 0
    assert platform.summary().violations == ()


@pytest.mark.parametrize("code", UP)
def test_an_unknown_member_is_refused(platform: ShenzhenPlatform, sender: Sender, code: int) -> None:
    answer = send(sender, code, good(code) | {"surprise": 1})
    assert (answer["resultCode"], answer["data"]) == (4, [])
    assert [violation.field for violation in platform.summary().violations] == ["surprise"]
    assert "surprise" in answer["resultMsg"]


def test_an_entry_with_an_exit_is_refused(platform: ShenzhenPlatform, sender: Sender) -> None:
    answer = send(sender, 5004, good(5004) | {"leaveTime": "2018-01-02 01:01:01"})
    assert answer["resultCode"] == 4
    assert platform.summary().violations[0].field == "leaveTime"


def test_elements_of_one_request_have_each_their_own_code(platform: ShenzhenPlatform, sender: Sender) -> None:
    other = copy.deepcopy(good(5004)) | {"id": "A" * 32}
    bad = copy.deepcopy(good(5004)) | {"id": "B" * 32, "enterTime": "yesterday"}
    answer = send(sender, 5004, good(5004), bad, other)
    assert [(one["id"], one["code"]) for one in answer["data"]] == [
        (ENTRY_ID, 0),
        ("B" * 32, 1005),
        ("A" * 32, 0),
    ]
    assert platform.summary().accepted == {5004: 2}


CODES = [
    ({"carInfo": {"plateNo": "粤B888888888"}}, 1004),
    ({"enterTime": 5}, 1005),
    ({"carInfo": {"plateNo": "粤B88888", "carModel": 4}}, 1007),
    ({"parkCode": "4403-"}, 1001),
    ({"parkCode": "999"}, 1101),
    ({"stallNo": "B1-108"}, 1002),
    ({"id": "Z" * 32}, 1000),
]


@pytest.mark.parametrize(("change", "code"), CODES)
def test_codes_of_table_44(sender: Sender, change: dict[str, Any], code: int) -> None:
    assert send(sender, 5004, good(5004) | change)["data"][0]["code"] == code


def test_the_codes_are_those_printed() -> None:
    printed = json.loads(VECTORS.joinpath("shenzhen_codes.json").read_text(encoding="utf-8"))
    from hal_sim.shenzhen import lists  # noqa: PLC0415

    assert {str(code): said for code, said in lists.RESULT_CODES.items()} == printed["table43"]
    assert {str(code): said for code, said in lists.CODES.items() if code} == printed["table44"]
