"""Replies: what the box tells the city of an order that was carried out, or was not (B.1 下行, B.4). Pure.

The tables of 18 and 22 are an order to pay: 18 in numbers, 22 in texts, both in fen (QC70). Without one only the
members that say why are sent (QC77).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from edge.cities.qingdao.orders import Kind, Reading, Site
from edge.cities.qingdao.reading import unwrapped
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.clock import china_datetime
from edge.core.orders_money import QuoteTold, ScanOrder
from edge.core.plates import city_form

# 18: the cut-off list has 9 and 10 left (QC64). 22: 1011 to 1019 (QC65).
QUOTE_CODES: Mapping[str, int] = {"in_grace": 9, "free_time": 10}
SCAN_CODES: Mapping[str, int] = {
    "admitted": 1013,
    "barred": 1014,
    "card_frozen": 1015,
    "no_plate": 1018,
    "no_car": 1018,
    "in_grace": 1019,
}

# error_message has no printed length; the list of B.1.1.4 says 100 for a message.
WORDS_MAX = 100


class LaneTold(msgspec.Struct, frozen=True):
    """What the lane program says to an order (`orders_money.MONEY_REASONS`)."""

    ok: bool
    zh: str
    en: str
    reason: str = ""
    quote: QuoteTold | None = None


class Entry(msgspec.Struct, frozen=True):
    """One entry of the reply: done or not, and its members. `settled` False: the order was not carried out now and
    may be at its next coming, so its reply is not kept."""

    ok: bool
    words: str
    members: dict[str, object]
    settled: bool = True


def entry_of(kind: Kind, reading: Reading, told: LaneTold | None, site: Site, settings: QingdaoMqtt) -> Entry:
    """`told` None: the order was not carried out, or the lane program did not answer."""
    if reading.order is None:
        code = 0 if reading.taken else 1
        return Entry(reading.taken, reading.words, _result(code, reading.words, reading.answer))
    if told is None:
        words = "车场控制程序暂时没有应答, 请稍后重试 / the lane program does not answer, try again"
        return Entry(False, words, _result(1, words, reading.answer), settled=False)
    words = told.zh if told.zh == told.en else f"{told.zh} / {told.en}"
    settled = told.reason != "no_clock"
    if kind not in ("quote", "scan"):
        return Entry(told.ok, words, _result(0 if told.ok else 1, words, reading.answer), settled)
    quote = told.quote
    if told.ok and quote is not None and quote.order_id:
        members = _scan_members(quote, site) if kind == "scan" else _quote_members(quote, site, reading)
        return Entry(True, words, {**_result(0, words, {}), **members}, settled)
    printed, own = (SCAN_CODES, settings.scan_codes) if kind == "scan" else (QUOTE_CODES, settings.quote_codes)
    codes = {**printed, **{each.reason: each.code for each in own}}
    code = codes.get(told.reason, settings.no_order_code)
    members = dict(reading.answer)
    if isinstance(reading.order, ScanOrder) and quote is not None:
        members["credential_no"] = city_form(quote.plate) or quote.credential
    return Entry(told.ok, words, _result(code, words, members), settled)


def reply_body(  # noqa: PLR0917 - the envelope's members
    result_code: int,
    words: str,
    cmd_type: str,
    seq_id: str,
    entries: list[dict[str, object]] | None,
    settings: QingdaoMqtt,
    project: str = "",
    *,
    flat: Mapping[str, object] = MappingProxyType({}),
    like: object = None,
) -> bytes:
    """B.1 通用下发响应 (line 452). QC86: cmd_type and seq_id as they came; QC19: the form of data_items is a setting.
    None: 19 has no data_items. `flat`: members that stand beside result_code as well (QC62).
    `like`: the order's own data_items, for the setting "request"."""
    reply: dict[str, object] = {
        **flat,
        "result_code": result_code,
        "message": words[:WORDS_MAX],
        "cmd_type": cmd_type,
        "seq_id": seq_id,
    }
    if entries is not None:
        form = settings.reply_items
        reply["data_items"] = _as_asked(entries, like) if form == "request" else _formed(entries, form)
    if settings.reply_project and project:
        reply["project_code"] = project
    return msgspec.json.encode(reply)


def _formed(entries: list[dict[str, object]], form: Literal["array", "object", "string"]) -> object:
    if form == "string":
        return msgspec.json.encode(entries).decode()
    return entries[0] if form == "object" and len(entries) == 1 else entries


def _as_asked(entries: list[dict[str, object]], like: object) -> object:
    """An array, object or text of either, as `like` is; an array for an order without the member."""
    if isinstance(like, str):
        return msgspec.json.encode(_as_asked(entries, unwrapped(like, "data_items"))).decode()
    return _formed(entries, "object" if isinstance(like, dict) else "array")


def _result(code: int, words: str, answer: Mapping[str, object]) -> dict[str, object]:
    return {"error_code": code, "error_message": words[:WORDS_MAX], **answer}


def _quote_members(quote: QuoteTold, site: Site, reading: Reading) -> dict[str, object]:
    """Lines 1224 to 1244, as printed: what may be empty is sent empty (QC77)."""
    plate = city_form(quote.plate)
    return {
        "partner": reading.answer["partner"],
        "car_location": "",
        "invoice_receiving_place": "",
        "overtime_charge_flag": "1" if quote.overtime else "0",
        "charge_standard_desc": quote.tariff_zh,
        "mer_gid": plate,
        "car_no": plate,
        "park_code": site.sub_code,
        "park_id": site.park_id,
        "park_name": site.park_name,
        "out_trade_no": quote.order_id,
        "service_stime": _when(quote.entered_ms),
        "service_etime": _when(quote.billed_ms),
        "service_fee_time": quote.parked_ms // 1000,
        "goods_title": "停车费",
        "service_fee": quote.due_fen,
        "discount_fee": quote.discount_fen,
        "total_fee": quote.pay_fen,
        "free_minute": quote.leave_min,
        "surplus_minute": quote.rest_min,
        "serial_no": quote.visit_id,
    }


def _scan_members(quote: QuoteTold, site: Site) -> dict[str, object]:
    """Lines 1368 to 1383; QC55: attach is left out."""
    members: dict[str, object] = {
        "park_id": site.park_id,
        "park_name": site.park_name,
        "out_no": quote.order_id,
        "credential_no": city_form(quote.plate) or quote.credential,
        "service_fee": str(quote.due_fen),
        "discount_fee": str(quote.discount_fen),
        "total_fee": str(quote.pay_fen),
        "start_time": _when(quote.entered_ms),
        "end_time": _when(quote.billed_ms),
        "fee_times": str(quote.parked_ms // 1000),
        "free_minute": str(quote.leave_min),
        "Overtime_charge_flag": "1" if quote.overtime else "0",
        "serial_no": quote.visit_id,
        "is_month": 1 if quote.card else 0,
    }
    if quote.settled_fen:
        members["paid"] = str(quote.settled_fen)
    return members


def _when(wall_ms: int) -> str:
    return china_datetime(wall_ms) if wall_ms else ""
