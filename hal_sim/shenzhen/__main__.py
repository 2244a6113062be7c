"""`python -m hal_sim.shenzhen --folder DIR`: the platform alone, one line a request, until Ctrl-C; orders from stdin.

A line on stdin is an order: `6001 {"bookCode": ...}`; its answer is printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hal_sim.shenzhen import Account, ShenzhenPlatform, SignRule

BEIJING = ZoneInfo("Asia/Shanghai")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m hal_sim.shenzhen", description="模拟深圳平台 the platform alone")
    parser.add_argument("--port", type=int, default=0, help="HTTPS, 0: 任一空闲端口 any free port")
    parser.add_argument("--tcp-port", type=int, default=0, help="TLS TCP")
    parser.add_argument("--folder", type=Path, help="密钥与证书 keys and certificates (default: a temporary folder)")
    parser.add_argument("--seed", type=int, default=0, help="天气与令牌的随机种子 for weather and tokens")
    parser.add_argument("--token-life-s", type=int, default=7200)
    parser.add_argument("--sign", choices=("sha1", "md5"), default="sha1")
    for name, example in (
        ("user", "cadre01"),
        ("password", "Parkbox-1"),
        ("des-key", "parkbox8"),
        ("park-code", "44030400100101000010"),
    ):
        parser.add_argument(f"--{name}", default=example)
    chosen = parser.parse_args(argv)
    account = Account(
        chosen.user, chosen.password, chosen.des_key.encode()[:8], (chosen.park_code,), sign=SignRule(chosen.sign)
    )
    with tempfile.TemporaryDirectory(prefix="parkbox-sz-") as temporary:
        folder = chosen.folder or Path(temporary)
        platform = ShenzhenPlatform(account, folder, seed=chosen.seed, token_life_s=chosen.token_life_s, listener=_tell)
        issued = platform.authority.issue("box")
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        addresses = platform.start(chosen.port, chosen.tcp_port)
        _tell(
            f"模拟深圳平台 simulated Shenzhen platform {addresses.url}, TCP {addresses.tcp_port}, "
            f"CA {addresses.ca_file}, 盒子证书 for the box {issued.cert} {issued.key}"
        )
        threading.Thread(target=_take_orders, args=(platform,), name="orders", daemon=True).start()
        ended.wait()
        platform.stop()
    print(json.dumps(dataclasses.asdict(platform.summary()), ensure_ascii=False, indent=1), flush=True)
    return 0


def _take_orders(platform: ShenzhenPlatform) -> None:
    for line in sys.stdin:
        code, _, text = line.strip().partition(" ")
        try:
            answer = platform.send_order(int(code), [json.loads(text)])
        except ValueError as error:
            _tell(f"指令须为 an order is `6001 {{...}}`: {error}")
            continue
        _tell(f"{code} → {answer.fault or answer.result}")


def _tell(line: str) -> None:
    print(datetime.now(BEIJING).strftime("%H:%M:%S"), line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
