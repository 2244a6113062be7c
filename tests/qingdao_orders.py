"""One lawful order of each interface 16 to 28, by hand from the tables of B.4, and a lane program that answers."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from edge.cities.qingdao.downlink import Downlink
from edge.cities.qingdao.orders import Site
from edge.cities.qingdao.replies import LaneTold
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.orders_money import AnyMoneyOrder, QuoteTold

PARK, ENTRY, DEVICE = "0a" * 16, "1a" * 16, "2b" * 16
SEQ = "5eq0" * 8
MS = 1_795_305_600_000  # 2026-11-22 08:00:00 in Beijing

SITE = Site(
    park_id=PARK,
    park_code="QD-1",
    park_name="前海停车场",
    projects=frozenset({"0000001", "0000002"}),
    sub_code="0000001",
    lanes={"out1": "out1", DEVICE: "out1"},
)
CAR: dict[str, Any] = {"plate_no": "鲁-B12345", "plate_color": "BLUE"}

ITEMS: dict[str, dict[str, Any]] = {
    "16": {
        "item_id": "r16", "service_id": "s-1", "operate_type": "OPEN", "region_id_list": [{"region_id": "A"}, "B"],
        "seal_id": "plan-1", "place_num": 1, "start_time": "2026-11-01 00:00:00", "end_time": "2026-11-30",
        "month": 1, "money": 300.00, "ys_money": "350.50", "refundys_money": 0, "refundss_money": "0.00",
        "start_calc_date": "2026-11-01", "pay_type": "WX", "person_id": "p-1",
        "person_info": {
            "item_id": "p-1", "code": "001", "name": "张三", "id_card_type": "身份证", "id_card_no": "37",
            "sex": "男", "age": 40, "telephone": "13800000000",
        },
        "credential": [
            {"card_id": "c-1", "credential_type": 163, "credential_no": "鲁B12345", "car_id": "v-1",
             "status": "NORMAL", "vehicle_info": CAR},
            {"card_id": "c-2", "credential_type": 163, "credential_no": "鲁-B67890", "car_id": "v-2",
             "status": "NORMAL", "vehicle_info": {"plate_no": "", "plate_color": "GREEN"}},
            {"card_id": "c-3", "credential_type": 163, "credential_no": "鲁-B00003", "car_id": "v-3",
             "status": "LOSSED", "vehicle_info": {"plate_no": "鲁-B00003", "plate_color": "BLUE"}},
        ],
        "timestamp": MS,
    },
    "17": {"item_id": "r17", "service_id": "s-1", "timestamp": MS},
    "18": {"partner": "m-9", "car_no": "鲁-B12345", "vehicle_info": CAR, "timestamp": MS},
    "19": {
        "trad_state": 0, "pay_info": "", "pay_type": "ZFB", "pay_from": "支付宝", "total_fee": 500, "fee_type": 1,
        "out_trade_no": "T-1", "time_end": "2026-11-22 08:00:00",
    },
    "20": {
        "user_id": "u-1", "car_no": "鲁-B12345", "vehicle_info": json.dumps(CAR), "in_recordid": ENTRY,
        "is_signatory": 1, "withhold_mode": 1, "withhold_channel": "WX", "withhold_limit": 50.00,
        "withhold_balance": "120.30", "signatory_code": 1000, "is_enable_etc": 0, "attach": "{}",
    },
    "21": {
        "item_id": "r21", "user_id": "u-1", "car_no": "鲁-B12345", "vehicle_info": json.dumps(CAR),
        "in_recordid": ENTRY, "is_signatory": 0, "withhold_mode": 0, "withhold_channel": "", "withhold_limit": "",
        "withhold_balance": "", "attach": "",
    },
    "22": {
        "park_code": "QD-1", "equip_code": "out1", "credential_no": "V-00017",
        "coupon_list": [
            {"couponNum": "k1", "couponName": "减免", "channelNo": "ch", "tacticsWay": 0, "couponMoney": 1.50},
            {"couponNum": "k2", "couponName": "时长", "channelNo": "ch", "tacticsWay": 1, "couponMoney": "0.5"},
            {"couponNum": "k3", "couponName": "全免", "channelNo": "ch", "tacticsWay": 2, "couponMoney": 1},
        ],
        "attach": "",
    },
    "23": {
        "item_id": "t-1", "basic_seal_info": {"code": "55", "name": "临时 B", "car_type": "小型车", "place_type": "0"},
        "param": '{"free_min":15}', "absolve_minute": 15, "park_id": PARK, "remark": "试行", "timestamp": MS,
    },
    "24": {"item_id": "t-1", "timestamp": MS},
    "25": {
        "item_id": "plan-1", "basic_seal_info": {"code": "50", "name": "月卡 A", "car_type": "", "place_type": ""},
        "allow_refund": 1, "expired_mode": 2, "multiPlace_full_mode": 1, "temp_seal_id": "t-1",
        "charge_standard": [{"months": 1, "total_fee": 300.00}, {"months": 3, "total_fee": "850.00"}], "remark": "",
        "timestamp": MS,
    },
    "26": {"item_id": "plan-1", "timestamp": MS},
    "27": {
        "item_id": "r27", "blacklist_id": "b-1", "car_no": "鲁-B12345", "vehicle_info": CAR, "type": 1,
        "begin_date": "2026-11-01", "end_date": "2026-11-30", "remark": "欠费", "timestamp": MS,
    },
    "28": {"item_id": "r28", "blacklist_id": "b-1", "timestamp": MS},
}  # fmt: skip

CMD = {
    "16": "monthCardService", "17": "monthCardCancel", "18": "queryOrder", "19": "payNotice", "20": "signatoryNotice",
    "21": "signatoryChange", "22": "staticCodeOrder", "23": "tempStandard", "24": "tempStandardDelete",
    "25": "monthStandard", "26": "monthStandardDelete", "27": "blackWhiteList", "28": "blackWhiteListDelete",
}  # fmt: skip

QUOTE = QuoteTold(
    order_id="T-1", visit_id=ENTRY, plate="鲁B12345", colour="blue", lane="out1", entered_ms=MS - 3_600_000,
    billed_ms=MS, parked_ms=3_600_000, due_fen=700, discount_fen=200, pay_fen=500, settled_fen=100, leave_min=15,
    rest_min=0, overtime=False, card=False, tariff_zh="首小时5元",
)  # fmt: skip


class FakeLane:
    """Answers as the lane program does: once by the command id, alike to a repeat."""

    def __init__(self) -> None:
        self.told = LaneTold(True, "完成", "done")
        self.silent = False
        self.asked: list[AnyMoneyOrder] = []
        self.done: dict[str, LaneTold] = {}

    def ask(self, order: AnyMoneyOrder, within_s: float) -> LaneTold | None:
        assert 0 < within_s <= 3
        self.asked.append(order)
        return None if self.silent else self.done.setdefault(order.command_id, self.told)


class StillClock:
    """Moves when it is told."""

    now_s = 1000.0

    def mono_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return MS

    def wall_is_true(self) -> bool:
        return True


def downlink(lane: FakeLane, **settings: Any) -> Downlink:
    found = msgspec.convert({"host": "127.0.0.1", **settings}, QingdaoMqtt)
    return Downlink(found, SITE, lane.ask, StillClock())


def message(number: str, *items: dict[str, Any], **changed: Any) -> bytes:
    top = {
        "seq_id": SEQ, "cmd_type": CMD[number], "project_code": "0000001",
        "data_items": list(items) or [ITEMS[number]], **changed,
    }  # fmt: skip
    return json.dumps(top, ensure_ascii=False).encode()


def said(reply: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply)
    return found
