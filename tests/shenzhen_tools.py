"""What tests of the Shenzhen link share: settings, a clock held by hand, requests as a platform makes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec

from edge.cities.shenzhen.orders import LaneAnswer
from edge.config.shenzhen import Shenzhen, ShenzhenSite
from edge.core.orders_flow import AnyFlowOrder

PARK = "44030400100101000010"
WALL_MS = 1_790_000_000_000  # 2026-09-21 22:13:20 in Beijing

SITE = ShenzhenSite(
    operator_id="B76238DF08",
    permit_no="663434",
    charger="示例停车管理有限公司",
    complaint_tel="12315",
    public_info="全天24小时",
    longitude=114.05,
    latitude=22.54,
    service_type=3,
)


def settings(**changes: Any) -> Shenzhen:
    values: dict[str, Any] = {
        "url": "https://127.0.0.1:1/api",
        "park_code": PARK,
        "user": "cadre01",
        "password_file": "",
        "key_file": "",
        "site": SITE,
    }
    return Shenzhen(**(values | changes))


class HandClock:
    """`edge.cities.clock.Clock` that only moves when told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def mono_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return WALL_MS + round((self.now_s - 1000.0) * 1000)

    def wall_is_true(self) -> bool:
        return True


class Lane:
    """A lane program of the test: keeps the orders, answers as told."""

    def __init__(self) -> None:
        self.orders: list[AnyFlowOrder] = []
        self.say: Callable[[AnyFlowOrder], LaneAnswer | None] = lambda _: LaneAnswer(True, "完成", "done", rest=14)

    def ask(self, order: AnyFlowOrder, within_s: float) -> LaneAnswer | None:
        assert within_s > 0
        self.orders.append(order)
        return self.say(order)


def platform_request(data: Any, *, sign: str | None = None, timestamp: Any = 1_790_000_000) -> bytes:
    """Table 12, signed by the text as another program writes it: with blanks."""
    text = json.dumps(data, ensure_ascii=False)
    sign = hashlib.sha1(text.encode()).hexdigest() if sign is None else sign
    return f'{{"timestamp": {json.dumps(timestamp)}, "sign": "{sign}", "data": {text}}}'.encode()


def read(body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(body)
    return answer
