"""What a box must answer an order: the reply tables of B.4, judged member by member, written from the print alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hal_sim.qingdao.values import moment
from hal_sim.strict_json import decode

# Interface -> members inside data_items: name, JSON type, required. error_code and error_message stand in all but 19.
_CODE = (("error_code", int, True), ("error_message", str, False))
_WITH_ID = (*_CODE, ("item_id", str, True))
ENTRIES: dict[int, tuple[tuple[str, type, bool], ...]] = {
    16: _WITH_ID,
    17: _WITH_ID,
    18: (
        *_CODE, ("partner", str, True), ("car_location", str, True), ("invoice_receiving_place", str, True),
        ("overtime_charge_flag", str, True), ("charge_standard_desc", str, True), ("mer_gid", str, True),
        ("car_no", str, True), ("park_code", str, True), ("park_id", str, True), ("park_name", str, True),
        ("out_trade_no", str, True), ("service_stime", str, True), ("service_etime", str, True),
        ("service_fee_time", int, True), ("goods_title", str, True), ("service_fee", int, True),
        ("discount_fee", int, False), ("total_fee", int, True), ("free_minute", int, True),
        ("surplus_minute", int, False), ("serial_no", str, True),
    ),
    19: (),
    20: _CODE,
    21: (*_CODE, ("item_id", str, False)),
    22: (
        *_CODE, ("park_id", str, True), ("park_name", str, True), ("out_no", str, True), ("credential_no", str, True),
        ("service_fee", str, True), ("discount_fee", str, False), ("total_fee", str, True), ("paid", str, False),
        ("start_time", str, True), ("end_time", str, True), ("fee_times", str, True), ("free_minute", str, True),
        ("Overtime_charge_flag", str, False), ("serial_no", str, False), ("is_month", int, True),
        ("attach", str, False),
    ),
    23: _WITH_ID,
    24: _WITH_ID,
    25: _WITH_ID,
    26: _WITH_ID,
    27: _WITH_ID,
    28: _WITH_ID,
}  # fmt: skip

TOP = ("result_code", "message", "cmd_type", "seq_id", "data_items")
# 18, 22: what says why there is no order; the order's own members are then not there (lines 1220, 1364).
WITHOUT_ORDER = {
    18: {"error_code", "error_message", "partner", "car_no"},
    22: {"error_code", "error_message", "credential_no"},
}
_FEN = re.compile(r"0|[1-9]\d{0,11}", re.ASCII)
_TIMES = ("service_stime", "service_etime", "start_time", "end_time")


class NoReply(Exception):
    """JSON that is no reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that could be read."""

    seq_id: str
    cmd_type: str
    result_code: int
    message: str
    entries: tuple[dict[str, object], ...]


def read(payload: bytes) -> Reply:
    """Raises `NoReply`, or ValueError for what is no JSON."""
    top = decode(payload)
    if not isinstance(top, dict):
        raise NoReply("reply: 须为对象 must be an object")
    unknown = [name for name in top if name not in TOP]
    if unknown:
        raise NoReply(f"{unknown[0]}: 未知字段 unknown member")
    code, entries = top.get("result_code"), top.get("data_items", [])
    if type(code) is not int or code not in (0, 1):
        raise NoReply(f"result_code: {code!r}, 须为 must be 0 or 1")
    for name in ("message", "cmd_type", "seq_id"):
        if not isinstance(top.get(name), str):
            raise NoReply(f"{name}: 须为 String must be a string")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NoReply("data_items: 须为对象数组 must be an array of objects")
    return Reply(str(top["seq_id"]), str(top["cmd_type"]), code, str(top["message"]), tuple(entries))


def wrong(number: int, asked: list[dict[str, object]], reply: Reply) -> list[str]:
    """What is wrong with the reply to an order of interface `number`, each naming its member."""
    if number == 19:
        return [] if not reply.entries else ["data_items: 接口 19 没有 interface 19 has none"]
    if reply.result_code == 1 and not reply.entries:
        return []  # data_items 可能为空
    if len(reply.entries) != len(asked):
        return [f"data_items: {len(reply.entries)} 项, 请求有 the order has {len(asked)}"]
    found = []
    for item, entry in zip(asked, reply.entries, strict=True):
        found += _entry(number, item, entry)
    codes = [entry.get("error_code") for entry in reply.entries]
    if number not in WITHOUT_ORDER and (reply.result_code == 1) != all(code == 1 for code in codes):
        found.append(f"result_code: {reply.result_code} 与 does not fit error_code {codes}")
    return found


def _entry(number: int, item: dict[str, object], entry: dict[str, object]) -> list[str]:
    rows = ENTRIES[number]
    known = {name: kind for name, kind, _ in rows}
    found = [f"{name}: 未知字段 unknown member" for name in entry if name not in known]
    found += [
        f"{name}: 类型 type {type(value).__name__}"
        for name, value in entry.items()
        if name in known and type(value) is not known[name]
    ]
    needed = {name for name, _, required in rows if required}
    if entry.get("error_code") != 0 and number in WITHOUT_ORDER:
        needed &= {"error_code"}
        found += [f"{name}: 没有订单 there is no order" for name in entry if name not in WITHOUT_ORDER[number]]
    if entry.get("error_code") == 1 and "item_id" not in item:
        needed -= {"item_id"}
    found += [f"{name}: 缺失 is missing" for name in sorted(needed) if name not in entry]
    if "item_id" in known and "item_id" in entry and entry["item_id"] != item.get("item_id"):
        found.append(f"item_id: {entry['item_id']} 不是 is not {item.get('item_id')}")
    found += [f"{name}: {entry[name]!r}" for name in _TIMES if name in entry and moment(str(entry[name])) is None]
    if number == 22:
        fees = ("service_fee", "discount_fee", "total_fee", "paid", "fee_times", "free_minute")
        found += [f"{name}: {entry[name]!r}" for name in fees if name in entry and not _FEN.fullmatch(str(entry[name]))]
    if "total_fee" in entry and "service_fee" in entry:
        total, due, off = (int(str(entry.get(name, 0))) for name in ("total_fee", "service_fee", "discount_fee"))
        if total != due - off:
            found.append(f"total_fee: {total} 不等于 is not service_fee {due} - discount_fee {off}")
    return found
