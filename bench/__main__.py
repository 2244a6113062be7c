"""`python -m bench [names...] [--quick | --full]`, or `make bench`: all figures of the box as ratios, in one run.

Names: ledger latency load deliveries shenzhen node-red writes start memory agent plan flow umqtt money
payments pages pictures rs485 card. Without one, all of them (about 18 minutes; --quick about 7).
Everything is written into a temporary folder that is deleted at the end; PARKBOX_BENCH_DIR names another place for it
(the disk that is to be measured). The exit code is 0 unless a part could not be run: a figure that misses its goal is a
finding, not an error.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import (
    agent,
    card,
    deliveries,
    flow,
    latency,
    ledger,
    load,
    memory,
    money,
    node_red,
    pages,
    payments,
    pictures,
    plan,
    rs485,
    shenzhen,
    starting,
    umqtt,
    writes,
)
from bench.figures import Row, machine, show


@dataclass(frozen=True)
class Size:
    events: int
    paced_events: int
    load_blocks: int
    red_events: int
    passages: int
    starts: int
    cars: int
    cars_within_s: float
    picture_rounds: int
    reports: int
    backlog: int
    page_blocks: int
    orders: int
    payments: int
    agent_cars: int
    edges: int
    idle_s: float
    card_cars: int


QUICK = Size(60, 24, 4, 24, 40, 5, 1_200, 60, 5, 5, 10_000, 2, 200, 100, 1_500, 20, 60, 20)
DEFAULT = Size(240, 80, 12, 60, 160, 9, memory.ALL, 180, 15, 15, 50_000, 12, 500, 200, 3_000, 60, 180, 60)
FULL = Size(600, 200, 24, 200, 200, 15, memory.ALL, 3600, 40, 40, 100_000, 30, 1_000, 400, 10_000, 150, 900, 200)

PARTS: dict[str, tuple[str, Callable[[Path, Size], list[Row]]]] = {
    "ledger": ("账本 ledger", lambda folder, size: ledger.run(folder)),
    "latency": (
        "从相机到道闸 camera to relay",
        lambda folder, size: latency.run(folder, events=size.events, paced_events=size.paced_events),
    ),
    "load": ("上传积压时 while the agent drains", lambda folder, size: load.run(folder, blocks=size.load_blocks)),
    "deliveries": (
        "上报 reports to the city",
        lambda folder, size: deliveries.run(folder, rounds=size.reports, backlog=size.backlog),
    ),
    "shenzhen": (
        "深圳平台 Shenzhen platform",
        lambda folder, size: shenzhen.run(
            folder, rounds=size.reports, orders=size.orders, backlog=2 * size.backlog
        ),
    ),
    "node-red": ("Node-RED", lambda folder, size: node_red.run(folder, events=size.red_events)),
    "writes": ("每次通行的写入 writes per passage", lambda folder, size: writes.run(folder, passages=size.passages)),
    "start": ("启动 start", lambda folder, size: starting.run(folder, rounds=size.starts)),
    "memory": (
        "内存 memory", lambda folder, size: memory.run(folder, cars=size.cars, within_s=size.cars_within_s),
    ),
    "flow": ("流量管控 flow control", lambda folder, size: flow.run(4 * size.starts)),
    "umqtt": ("MQTT", lambda folder, size: umqtt.run(folder, rounds=4 * size.starts)),
    "money": ("收费 money", lambda folder, size: money.run(4 * size.starts)),
    "payments": (
        "缴费到抬杆 payment to arm", lambda folder, size: payments.run(folder, payments=size.payments),
    ),
    "plan": ("规则比较 plan", lambda folder, size: plan.run(size.starts)),
    "agent": (
        "两个程序 both programs",
        lambda folder, size: agent.run(folder, passages=size.passages // 4, cars=size.agent_cars),
    ),
    "pages": ("打开的网页 open pages", lambda folder, size: pages.run(folder, blocks=size.page_blocks)),
    "rs485": ("485 总线 RS485", lambda folder, size: rs485.run(folder, edges=size.edges)),
    "card": (
        "卡上的写入 writes to the card", lambda folder, size: card.run(folder, idle_s=size.idle_s, cars=size.card_cars),
    ),
    "pictures": ("证据图片 evidence pictures", lambda folder, size: pictures.run(folder, size.picture_rounds)),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m bench", description="性能比值 figures as ratios in one run")
    parser.add_argument("names", nargs="*", metavar="name", help=" ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="较小样本 fewer samples, about 3 minutes")
    parser.add_argument("--full", action="store_true", help="10,000 辆车 10,000 cars, about half an hour")
    chosen = parser.parse_args(argv)
    unknown = [name for name in chosen.names if name not in PARTS]
    if unknown or (chosen.quick and chosen.full):
        parser.error(f"{' '.join(unknown) or '--quick --full'}: 可用 allowed: {' '.join(PARTS)}, --quick 或 or --full")
    size = QUICK if chosen.quick else FULL if chosen.full else DEFAULT
    print(f"机器 machine: {machine()}", flush=True)
    failed: list[str] = []
    missed = 0
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parkbox-bench-", dir=os.environ.get("PARKBOX_BENCH_DIR")) as temporary:
        for name in chosen.names or PARTS:
            title, part = PARTS[name]
            part_s = time.monotonic()
            try:
                rows = part(Path(temporary), size)
            except (RuntimeError, OSError) as error:
                print(f"\n{title}\n  无法测量 could not be measured: {error}", flush=True)
                failed.append(name)
                continue
            show(f"{title} ({time.monotonic() - part_s:.0f} s)", rows)
            missed += sum(row.met is False for row in rows)
    took_s, load_now = time.monotonic() - began_s, os.getloadavg()[0]
    print(f"\n{took_s:.0f} s; {missed} 项未达标 missed; 负载 load {load_now:.2f} at the end")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
