"""What one field cannot tell: how a record must fit itself, the account and what was sent before it.

Called only for records whose every field is right.
"""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

from hal_sim.shenzhen import lists
from hal_sim.shenzhen.envelope import CLOCK_S
from hal_sim.shenzhen.records import Books, yuan
from hal_sim.shenzhen.tables import Interface
from hal_sim.shenzhen.values import Fault, moment, shown

Item = dict[str, object]

BEIJING = timezone(timedelta(hours=8))  # SC26
LATE_S = 3 + 1  # 7.2.1: 3 s; one more because the event's time is written in whole seconds
EVENT_TIME = {5004: "enterTime", 5005: "leaveTime", 5008: "payTime", 7001: "time"}
TIMES = ("enterTime", "leaveTime", "payTime", "time")


def broken(interface: Interface, item_id: str, item: Item, books: Books, now_s: float) -> list[Fault]:
    """The rules this record breaks."""
    found = [*_lots(item, books.lots), *_times(item, now_s), *_money(item)]
    if interface.code == 5005:
        found += _fits_entry(item_id, item, books)
    if interface.code == 5006 and books.get(5004, item_id) is None:
        said = "无此入场记录 no such entry to correct (7.1.4.3.7)"
        found.append(Fault("id", item_id, said, lists.UNKNOWN_OBJECT))
    return found


def _lots(item: Item, lots: tuple[str, ...], prefix: str = "") -> list[Fault]:
    """Every parkCode in the record, at whatever depth, is one of the account's lots."""
    found = []
    for name, value in item.items():
        if name == "parkCode" and str(value) not in lots:
            said = f"停车库（场）不存在 the account has only {', '.join(lots)}"
            found.append(Fault(f"{prefix}parkCode", str(value), said, lists.UNKNOWN_LOT))
        elif isinstance(value, dict):
            found += _lots(value, lots, f"{prefix}{name}.")
    return found


def _times(item: Item, now_s: float) -> list[Fault]:
    """Nothing happens after its report, and nobody leaves before he has come."""
    found = []
    for name in TIMES:
        at_s = epoch(item.get(name))
        if at_s is not None and at_s > now_s + CLOCK_S:
            found.append(Fault(name, shown(item[name]), "在将来 lies in the future", lists.OUT_OF_RANGE))
    entered, left = epoch(item.get("enterTime")), epoch(item.get("leaveTime"))
    if entered is not None and left is not None and left < entered:
        said = f"早于入场时间 is before enterTime {item['enterTime']}"
        found.append(Fault("leaveTime", shown(item["leaveTime"]), said, lists.OUT_OF_RANGE))
    return found


def _money(item: Item) -> list[Fault]:
    """应收 = 优惠 + 实收, as in every example (20 = 5 + 15, 20 = 3 + 17)."""
    if "receivables" not in item:
        return []
    due, discount, received = (yuan(item[name]) for name in ("receivables", "discount", "received"))
    if due == discount + received:
        return []
    said = f"不等于优惠加实收 is not discount {discount} + received {received}"
    return [Fault("receivables", str(due), said, lists.OUT_OF_RANGE)]


def out_of_order(item_id: str, books: Books) -> list[Fault]:
    """An entry that comes after what belongs to it: a visit stays in order, also from a backlog. Taken all the same."""
    said = "出场或缴费先于入场 its exit or payment came before this entry"
    later = [books.get(5005, item_id), *books.payments.get(item_id.lower(), [])]
    return [Fault("id", one.item_id, f"{one.code} {said}", lists.EXISTS_ALREADY) for one in later if one is not None]


def _fits_entry(item_id: str, item: Item, books: Books) -> list[Fault]:
    """An exit repeats what its entry said (a correction may have changed it since)."""
    entry = books.get(5006, item_id) or books.get(5004, item_id)
    if entry is None:
        return []
    return [
        Fault(name, shown(item[name]), f"与入场不符 differs from the entry {shown(entry.item[name])}", lists.BAD_NAME)
        for name in ("parkCode", "enterTime")
        if str(item[name]) != str(entry.item[name])
    ]


def note(interface: Interface, item_id: str, item: Item, books: Books, now_s: float) -> None:
    """Count what is odd and still allowed, and keep who is inside. Called once for each new record."""
    if interface.code not in (3001, 3002, 3005) and not books.counts[3001]:
        books.notes["lot_not_reported"] += 1
    happened_s = epoch(item.get(EVENT_TIME.get(interface.code, "")))
    if happened_s is not None and now_s - happened_s > LATE_S:
        books.late[interface.code] += 1
    record = books.get(interface.code, item_id)
    plate = "" if record is None else record.plate
    if interface.code == 5004:
        if yuan(item["receivables"]) != 0:
            books.notes["entry_with_fee"] += 1
        if plate in books.inside and any(sign.isascii() and sign.isdigit() for sign in plate):
            books.notes["entered_twice"] += 1  # 无牌车 and the like are no plates: several may be inside
        books.inside[plate] = item_id
    elif interface.code == 5005:
        if books.get(5004, item_id) is None:
            books.notes["exit_without_entry"] += 1
        entered_as = books.plate_of_visit(item_id) or plate
        if books.inside.get(entered_as, "").lower() == item_id.lower():
            del books.inside[entered_as]


def epoch(written: object) -> float | None:
    """Seconds since 1970 of a Beijing DateTime, None if it is none."""
    named = moment(written) if isinstance(written, str) else None
    return None if named is None else named.replace(tzinfo=BEIJING).astimezone(UTC).timestamp()
