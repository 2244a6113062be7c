"""Orders about tariffs and lists: 23, 24, 27 and 28 from JSON to the core's words (T/QME 0015-2024 B.4). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from edge.cities.qingdao.orders import Base, Reading, Site, stamp_ms
from edge.cities.qingdao.orders_cards import colour_of
from edge.cities.qingdao.reading import BadMember, Members
from edge.core.orders_money import ListDeleteOrder, ListOrder, TariffDeleteOrder, TariffOrder

# type of 27 (line 1519).
LISTS: Mapping[int, Literal["black", "grey", "white"]] = {1: "black", 2: "grey", 3: "white"}

# absolve_minute: a day.
LEAVE_MAX_MIN = 1440

# As `orders_money` bounds it.
PARAM_MAX = 20_000


def read_tariff(entry: Members, base: Base, site: Site) -> Reading:
    """23 (line 1385). `param` has no schema in the standard (QC55): the core says whether it is ours."""
    tariff_id = entry.text("item_id", 64)
    park_id = entry.text("park_id", 64)
    if park_id.lower() != site.park_id.lower():
        raise BadMember("park_id", park_id, "不是本车场 is not this lot")
    seal = entry.part("basic_seal_info")
    param = entry.raw_text("param", PARAM_MAX)
    order = TariffOrder(
        tariff_id=tariff_id,
        param=param,
        leave_min=entry.whole("absolve_minute", 0, LEAVE_MAX_MIN),
        code=seal.text("code", 64),
        name=seal.text("name", 100),
        # QC62, QC63: the print lost whether they stand inside basic_seal_info
        car_type=seal.text("car_type", 64, required=False) or entry.text("car_type", 64, required=False),
        place_type=seal.text("place_type", 64, required=False) or entry.text("place_type", 64, required=False),
        remark=entry.text("remark", 200, required=False),
        **base.members(stamp_ms(entry)),
    )
    return Reading({"item_id": tariff_id}, order)


def read_tariff_delete(entry: Members, base: Base, site: Site) -> Reading:
    """24 (line 1419)."""
    tariff_id = entry.text("item_id", 64)
    return Reading({"item_id": tariff_id}, TariffDeleteOrder(tariff_id=tariff_id, **base.members(stamp_ms(entry))))


def read_list(entry: Members, base: Base, site: Site) -> Reading:
    """27 (line 1508). QC89: both days included."""
    answer: dict[str, object] = {"item_id": entry.text("item_id", 64)}
    from_ms, until_ms = entry.instant_ms("begin_date"), entry.instant_ms("end_date", end_of_day=True)
    if until_ms < from_ms:
        raise BadMember("end_date", entry.text("end_date", 30), "早于 begin_date is before begin_date")
    order = ListOrder(
        entry_id=entry.text("blacklist_id", 64),
        plate=entry.plate("car_no"),
        kind=LISTS[entry.choice("type", LISTS)],
        from_ms=from_ms,
        until_ms=until_ms,
        colour=colour_of(entry.part("vehicle_info")) if entry.has("vehicle_info") else "",
        remark=entry.text("remark", 200, required=False),
        **base.members(stamp_ms(entry)),
    )
    return Reading(answer, order)


def read_list_delete(entry: Members, base: Base, site: Site) -> Reading:
    """28 (line 1539)."""
    answer: dict[str, object] = {"item_id": entry.text("item_id", 64)}
    return Reading(answer, ListDeleteOrder(entry_id=entry.text("blacklist_id", 64), **base.members(stamp_ms(entry))))
