"""`python -m hal_sim.qingdao --port 9000`: the platform alone, one line a request, until Ctrl-C."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import threading
from datetime import datetime
from zoneinfo import ZoneInfo

from hal_sim.qingdao import Account, QingdaoPlatform

BEIJING = ZoneInfo("Asia/Shanghai")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m hal_sim.qingdao", description="模拟青岛平台 the platform alone")
    parser.add_argument("--port", type=int, default=0, help="0: 任一空闲端口 any free port")
    parser.add_argument("--seed", type=int, default=0, help="天气与令牌的随机种子 for weather and tokens")
    parser.add_argument("--token-life-s", type=int, default=7200, help="-1: 永久 for ever")
    for name, example in (
        ("cno", "880001"),
        ("sub-code", "0000001"),
        ("user", "parkbox"),
        ("password", "Parkbox-1"),
        ("passkey", "0123456789abcdef"),
    ):
        parser.add_argument(f"--{name}", default=example)
    chosen = parser.parse_args(argv)
    account = Account(chosen.cno, chosen.sub_code, chosen.user, chosen.password, chosen.passkey)
    platform = QingdaoPlatform(account, seed=chosen.seed, token_life_s=chosen.token_life_s, listener=_tell)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    url = platform.start(chosen.port)
    _tell(f"模拟青岛平台 simulated Qingdao platform {url}, 天气 weather {url}/sim/weather")
    ended.wait()
    platform.stop()
    print(json.dumps(dataclasses.asdict(platform.summary()), ensure_ascii=False, indent=1), flush=True)
    return 0


def _tell(line: str) -> None:
    print(datetime.now(BEIJING).strftime("%H:%M:%S"), line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
