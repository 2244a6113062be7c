"""What one field cannot tell: how a record must fit itself and what was sent before it.

Called only for records whose every field is right. Returns what is wrong, each naming its field.
"""

from __future__ import annotations

from hal_sim.qingdao.records import Records, different, yuan
from hal_sim.qingdao.tables import BY_KIND, Interface
from hal_sim.qingdao.values import moment

Item = dict[str, object]


def broken(interface: Interface, item: Item, records: Records) -> list[str]:
    """The rules this record breaks; also counts in `records.notes` what is odd and still allowed."""
    found = [*_lot(interface, item, records), *_times(item), *_money(item)]
    if interface.once:
        found += _other_kind(interface, item, records)
    if interface.kind in ("carOut", "carcharge"):
        found += _visit(interface, item, records)
    if interface.kind == "parkspace":
        found += _spaces(item, records)
    if interface.kind == "monthstandardinfo" and records.get("cardtypeinfo", str(item["tc_id"])) is None:
        found.append(f"tc_id: {item['tc_id']} 套餐信息未上传 no such plan was uploaded (B.3.10)")
    if interface.kind == "equipstatus" and records.get("equipinfo", str(item["equipment_id"])) is None:
        found.append(f"equipment_id: {item['equipment_id']} 设备未上传 no such device was uploaded (B.3.8)")
    if not interface.once and interface.repeated:
        found += _stamp_renewed(interface, item, records)
    if not found:
        _note(interface, item, records)
    return found


def _lot(interface: Interface, item: Item, records: Records) -> list[str]:
    """park_id 参见<B.3.1 车场信息 item_id>."""
    if "park_id" not in {field.name for field in interface.fields}:
        return []
    lot = records.get("parkininfo", str(item["park_id"]))
    if lot is None:
        return [f"park_id: {item['park_id']} 车场信息未上传 no such lot was uploaded (B.3.1)"]
    if lot.item["delete_flag"] is True:
        return [f"park_id: {item['park_id']} 车场已删除 the lot was deleted"]
    return []


def _times(item: Item) -> list[str]:
    """A car enters before it pays and leaves."""
    entered = moment(str(item.get("in_time", "")))
    if entered is None:
        return []
    found = []
    for name in ("out_time", "charge_time"):
        later = moment(str(item.get(name, "")))
        if later is not None and later < entered:
            found.append(f"{name}: {item[name]} 早于入场时间 is before in_time {item['in_time']}")
    return found


def _money(item: Item) -> list[str]:
    """应收 = 实收 + 优惠. The standard prints no relation of the three; this is the only one that adds up."""
    if "ys_money" not in item:
        return []
    due, paid, waived = yuan(item["ys_money"]), yuan(item["ss_money"]), yuan(item.get("yh_money"))
    if due == paid + waived:
        return []
    return [f"ys_money: {due} 不等于实收加优惠 is not ss_money {paid} + yh_money {waived}"]


def _other_kind(interface: Interface, item: Item, records: Records) -> list[str]:
    """记录 ID 全球唯一: an exit must not carry the id of its entry."""
    same_id = [record.kind for record in records.by_id(str(item["item_id"])) if record.kind != interface.kind]
    return [f"item_id: {item['item_id']} 已用于 already used by {kind}" for kind in same_id]


def _visit(interface: Interface, item: Item, records: Records) -> list[str]:
    """An exit or a payment belongs to one entry, and one entry has one exit."""
    entry = records.get("carIn", str(item["park_in_id"]))
    if entry is None:
        return [f"park_in_id: {item['park_in_id']} 无此入场记录 no such entry record"]
    found = [
        f"{name}: {item[name]} 与入场记录不符 differs from the entry record {entry.item[name]}"
        for name in ("park_id", "in_time")
        if item[name] != entry.item[name]
    ]
    left_as = records.exit_of(entry.item_id)
    if interface.kind == "carOut" and left_as not in (None, item["item_id"]):
        found.append(f"park_in_id: {entry.item_id} 该车已出场 this visit already ended with exit {left_as}")
    return found


def _spaces(item: Item, records: Records) -> list[str]:
    lot = records.get("parkininfo", str(item["park_id"]))
    if lot is None:
        return []
    total, free = int(str(lot.item["total_count"])), int(str(item["remain_space_count"]))
    if free <= total:
        return []
    return [f"remain_space_count: {free} 大于总车位数 is more than total_count {total}"]


def _stamp_renewed(interface: Interface, item: Item, records: Records) -> list[str]:
    """时间戳, 每更新一次都需要更新 (line 616). The space report (15) has none."""
    known = records.get(interface.kind, str(item[interface.key]))
    if known is None or "timestamp" not in item:
        return []
    changed = [name for name in different(known.item, item) if name != "timestamp"]
    before, now = int(str(known.item["timestamp"])), int(str(item["timestamp"]))
    if changed and now <= before:
        return [f"timestamp: {now} 内容已变而时间戳未更新 not renewed although {', '.join(changed)} changed"]
    return []


def _note(interface: Interface, item: Item, records: Records) -> None:
    if records.get(interface.kind, str(item[interface.key])) is not None:
        return
    for name in ("in_equipment_id", "out_equipment_id"):
        if name in item and records.get(BY_KIND["equipinfo"].kind, str(item[name])) is None:
            records.notes["equipment_unknown"] += 1
    if interface.kind == "carIn" and records.inside(str(item["car_no"])):
        records.notes["entered_twice"] += 1
    if interface.kind == "carOut" and item["event_type"] != "CHECKCARNO":
        entry = records.get("carIn", str(item["park_in_id"]))
        if entry is not None and entry.plate != item["car_no"]:
            records.notes["plate_differs"] += 1
