"""An order's story in words, from the facts of a box that charges; and the names of links, wherever they are shown."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from edge.agent.commissioning import Commission, Seen
from edge.agent.delivery_words import link_words
from edge.agent.money import OF_ORDER, OF_VISIT
from edge.agent.money_story import told
from edge.agent.qingdao import NAME as MQTT
from edge.agent.shenzhen import CALLBACK_NAME
from edge.agent.uploads import DEVICE as OSS
from edge.cities.shenzhen.tcp import NAME as TCP
from edge.config.load import load
from edge.core.facts import Stamp
from edge.web.api_views import StoryStep
from tests.money_box import MoneyBench
from tests.web_fakes import link, quiet_agent

MIN_MS = 60_000


class Clockwork:
    def at(self, stamp: Stamp) -> tuple[int, bool]:
        return stamp.wall_ms, True


def story(bench: MoneyBench, order_id: str) -> list[StoryStep]:
    """Of all facts; those that only a look by order or visit would find are checked to be looked for."""
    steps = [(fact, told(fact, order_id, Clockwork())) for fact in bench.facts]  # type: ignore[arg-type]
    kinds = {type(fact.body).__name__ for fact, step in steps if step is not None}
    assert kinds <= {*OF_ORDER, *OF_VISIT, "BackedOut"}
    return [step for _, step in steps if step is not None and step.kind != "decided"]


def test_paid_twice_stayed_too_long_and_given_back() -> None:
    bench = MoneyBench()
    bench.parked()
    order_id = bench.quote().order_id
    bench.pay(order_id, 500, transaction_id="a")
    bench.pay(order_id, 500, transaction_id="b")
    bench.ask("refund", order_id=order_id, amount_fen=500, who="张三", why="重复支付")
    bench.wait(20 * MIN_MS)
    later = bench.quote().order_id
    steps = story(bench, order_id)
    assert [(step.kind, step.fen, step.ok) for step in steps] == [
        ("passed", -1, True), ("quoted", 500, True), ("noticed", 500, True), ("paid", 500, True),
        ("noticed", 500, False), ("refund_due", 500, False), ("refunded", 500, True), ("overtime", 200, True),
    ]  # fmt: skip
    assert [steps[index].zh for index in (1, 2, 5, 7)] == [
        "手机查询出账, 停 59 分钟", "支付通知: 结清订单", "待退款: 重复支付", "超时, 另有订单",
    ]  # fmt: skip
    assert (steps[6].who, steps[6].why) == ("张三", "重复支付")
    assert story(bench, later)[-1].en.startswith("overtime: made out for a phone")


@pytest.mark.parametrize("name", [MQTT, CALLBACK_NAME, OSS, TCP, "qingdao", "shenzhen"])
def test_a_link_has_a_name_that_people_know(name: str, tmp_path: Path) -> None:
    zh, en = link_words(name)
    assert name not in {zh, en}
    config = load(Path("configs/entry-exit.toml"))
    down = quiet_agent(links=(link(city=name, online=False, zh="离线", en="offline"),))
    view = Commission(config, tmp_path, lambda: 0).view(Seen(None, down, True, 1, 1 << 40, True))
    item = next(one for one in view.items if one.id == "online")
    assert (item.detail_zh, item.detail_en) == (f"{zh}: 离线", f"{en}: offline")
    words = (files("edge.web") / "static" / "words.js").read_text("utf-8")
    assert f'\n  {name}: ["{zh[:2]}' in words or f'\n  "{name}": ["{zh[:2]}' in words
