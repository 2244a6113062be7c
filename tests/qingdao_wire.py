"""A hand-made Qingdao sender for tests: bodies as text, signature by hashlib, raw http.client.

Members are JSON texts (`"5.00"` stands for the number 5.00), so that a test says exactly what is on the wire.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import uuid
from dataclasses import dataclass
from typing import Any

CNO, PROJECT, USER, PASSWORD, PASSKEY = "880001", "0000001", "parkbox", "Parkbox-1", "test-pass-key"
LOT = "0a000000000000000000000000000001"
DEVICE = "0b000000000000000000000000000001"
PLAN = "0c000000000000000000000000000001"
JSON_TYPE = "application/json;charset=UTF-8"
WAIT_S = 10.0

Item = dict[str, str]

# One good record for each interface, written from the printed tables of B.3.1.1 to B.3.1.14.
GOOD: dict[str, Item] = {
    "/thirdAPI/parkininfo": {
        "item_id": f'"{LOT}"', "park_code": '"P001"', "park_name": '"香港中路停车场"', "total_count": "120",
        "total_order_count": "10", "delete_flag": "false", "lock_flag": "0", "timestamp": "1795305600000",
    },
    "/thirdAPI/parkspace": {
        "park_id": f'"{LOT}"', "in_space_count": "20", "book_space_count": "0", "remain_space_count": "100",
        "timestamp": "1795305600000",
    },
    "/thirdAPI/carIn": {
        "item_id": '"1a000000000000000000000000000001"', "event_type": '"BRUSHCARD"', "car_no": '"鲁-B12345"',
        "car_color": '"BLUE"', "in_time": '"2026-11-22 08:00:00"', "in_equipment_id": f'"{DEVICE}"',
        "park_id": f'"{LOT}"', "io_type": "1", "timestamp": "1795305600000",
    },
    "/thirdAPI/carOut": {
        "item_id": '"2a000000000000000000000000000001"', "park_id": f'"{LOT}"', "event_type": '"BRUSHCARD"',
        "car_no": '"鲁-B12345"', "car_color": '"BLUE"', "out_time": '"2026-11-22 10:30:00"',
        "out_equipment_id": f'"{DEVICE}"', "ys_money": "12.00", "ss_money": "10.50", "yh_money": "1.50",
        "park_in_id": '"1a000000000000000000000000000001"', "in_time": '"2026-11-22 08:00:00"', "remark": '""',
        "io_type": "2", "timestamp": "1795314600000",
    },
    "/thirdAPI/carcharge": {
        "item_id": '"3a000000000000000000000000000001"', "park_id": f'"{LOT}"', "car_no": '"鲁-B12345"',
        "in_time": '"2026-11-22 08:00:00"', "charge_time": '"2026-11-22 10:29:00"',
        "park_in_id": '"1a000000000000000000000000000001"', "ys_money": "12.00", "ss_money": "10.50",
        "yh_money": "1.50", "charge_type": '"NORMAL"', "pay_type": '"XJ"', "pay_from": '"现金"',
        "timestamp": "1795314540000", "replace_deduct": "0", "app_userid": '"u1"', "calc_money": "12.00",
        "person_name": '"张三"', "pay_status": "1", "paid": "0.00", "orderId": '"T20261122"',
        "order_create_time": '"2026-11-22 10:28:00"',
    },
    "/thirdAPI/standardinfo": {
        "item_id": '"4a000000000000000000000000000001"', "park_id": f'"{LOT}"',
        "charge_standard_name": '"小型车"', "charge_standard_content": '"首小时5元"',
        "timestamp": "1795305600000",
    },
    "/thirdAPI/equipinfo": {
        "item_id": f'"{DEVICE}"', "equip_code": '"1"', "equip_name": '"东门入口道闸"', "type_class": '"0201"',
        "father_id": "null", "delete_flag": "false", "park_id": f'"{LOT}"', "timestamp": "1795305600000",
        "channel_no": "1", "io_type": "1",
    },
    "/thirdAPI/equipstatus": {
        "equipment_id": f'"{DEVICE}"', "equipment_state": '"01"', "timestamp": "1795305600000",
    },
    "/thirdAPI/cardtypeinfo": {
        "item_id": f'"{PLAN}"', "tc_code": "50", "tc_name": '"月卡A"', "seal_type": "1",
        "service_type": '"PARK"', "tc_type": '"MONTH_CARD"', "delete_flag": "false",
        "start_period": '"07:20"', "end_period": '"20:40"',
        "week": '{"day0":true,"day1":true,"day2":true,"day3":true,"day4":true,"day5":true,"day6":false}',
        "attach": '{"count":3}', "timestamp": "1795305600000",
    },
    "/thirdAPI/monthstandardinfo": {
        "item_id": '"5a000000000000000000000000000001"', "month_period": "3", "month_period_money": "900.00",
        "tc_id": f'"{PLAN}"', "delete_flag": "false", "timestamp": "1795305600000",
    },
    "/thirdAPI/cloud/place/status": {
        "item_id": '"6a000000000000000000000000000001"', "code": '"A-01"', "area": '"A"',
        "park_name": '"香港中路停车场"', "park_code": '"P001"', "floor": '"B1"', "book_flag": '"0"',
        "car_no": '"鲁-B12345"', "reco_time": '"2026-11-22 08:03:00"', "place_type": '"0"',
        "place_status": '"2"', "status": '"NORMAL"', "park_id": f'"{LOT}"',
    },
}  # fmt: skip

# What must have been uploaded before a record of that interface can be accepted.
BEFORE: dict[str, tuple[str, ...]] = {
    path: () if path.endswith(("parkininfo", "cardtypeinfo")) else ("/thirdAPI/parkininfo",) for path in GOOD
} | {
    "/thirdAPI/carOut": ("/thirdAPI/parkininfo", "/thirdAPI/carIn"),
    "/thirdAPI/carcharge": ("/thirdAPI/parkininfo", "/thirdAPI/carIn"),
    "/thirdAPI/equipstatus": ("/thirdAPI/parkininfo", "/thirdAPI/equipinfo"),
    "/thirdAPI/monthstandardinfo": ("/thirdAPI/cardtypeinfo",),
}


def text_of(members: Item) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


def sign(raw: bytes) -> str:
    return hashlib.md5(raw + PASSKEY.encode(), usedforsecurity=False).hexdigest().upper()


def guid() -> str:
    return uuid.uuid4().hex


@dataclass
class Sender:
    """One lot's connection to the platform."""

    url: str
    token: str = ""

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=WAIT_S)

    def raw(self, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, str, bytes]:
        """Status, content type and body of the answer, over a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        finally:
            connection.close()

    def login(self) -> str:
        body = f'{{"cno":"{CNO}","usr":"{USER}","psw":"{PASSWORD}"}}'.encode()
        reply = json.loads(self.raw("/login", body, {"Content-Type": JSON_TYPE})[2])
        assert reply["result_code"] == 0
        self.token = reply["token"]
        return self.token

    def body(self, items: list[Item], seq: str | None = None, **members: str) -> bytes:
        """The envelope of B.1.1.2; `members` replace its members by other JSON text ("" leaves one out)."""
        envelope = {
            "cno": f'"{CNO}"',
            "subCode": f'"{PROJECT}"',
            "tn": f'"{self.token}"',
            "seq_id": f'"{seq or guid()}"',
            "p": '{"data_items":[' + ",".join(text_of(item) for item in items) + "]}",
        } | members
        return text_of({name: value for name, value in envelope.items() if value}).encode()

    def send(self, path: str, *items: Item, seq: str | None = None, **members: str) -> dict[str, Any]:
        """A signed request and its reply."""
        raw = self.body(list(items), seq, **members)
        answer = self.raw(path, raw, {"Content-Type": JSON_TYPE, "sn": sign(raw)})
        reply = json.loads(answer[2])
        assert isinstance(reply, dict)
        return reply

    def prepare(self, path: str) -> None:
        """Log in and upload what a record of this interface refers to."""
        self.login()
        for before in BEFORE[path]:
            reply = self.send(before, GOOD[before])
            assert accepted(reply), reply


def accepted(reply: dict[str, Any]) -> bool:
    """Every record of the request was taken."""
    results = [item.get("error_code", item.get("code")) for item in reply.get("data_items", [])]
    return reply["result_code"] == 0 and results == [0] * len(results)


def complaint(reply: dict[str, Any]) -> str:
    """The reason of the first record that was not taken, "" if all were."""
    return next((str(item["error_message"]) for item in reply.get("data_items", []) if item["error_message"]), "")
