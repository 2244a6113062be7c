"""Reports to the city: CPU of one report alone and in a batch; the backlog is `bench.drain`.

The city is a process of its own that reads a request and answers "accepted" at once: what is measured is the box.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from bench import drain
from bench.figures import Row, median, spread
from bench.process import Process
from edge.agent.cities import SystemClock
from edge.cities.http import HttpTransport
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.uplink import Uplink
from edge.cities.verdict import Answer
from edge.config.model import Lot

ACCOUNT = Account("0000001234", "P-77", "box", "bench", "secret-key")
LOT = Lot(park_id="0a" * 16, code="QD-1", name="性能测试停车场", total_stalls=1000)
RECORD = (
    b'{"item_id":"%032x","event_type":"BRUSHCARD","car_no":"\xe9\xb2\x81-B12345","car_color":"BLUE",'
    b'"in_time":"2026-11-22 12:00:00","park_id":"' + b"0a" * 16 + b'","io_type":1,"timestamp":1795320000000}'
)
BATCH = 100
LIVE_EVERY_S = 0.05
WITHIN_S = 600.0

CITY = """
import socket, sys, threading
answer = b'{"result_code":0,"token":"T","timeOut":-1}'
reply = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(answer) + answer
def serve(line):
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    while True:
        while b"\\r\\n\\r\\n" not in data:
            more = line.recv(262144)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\\r\\n\\r\\n")
        wanted = int(next(x for x in head.lower().split(b"\\r\\n") if x.startswith(b"content-length"))[15:])
        while len(data) < wanted:
            data += line.recv(262144)
        data = data[wanted:]
        line.sendall(reply)
listener = socket.create_server(("127.0.0.1", 0))
print("city at", listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def run(folder: Path, *, rounds: int, backlog: int) -> list[Row]:
    with Process([sys.executable, "-c", CITY], folder / "city-reports.log", word="city at ") as city:
        url = f"http://127.0.0.1:{city.line.split()[-1]}"
        return [*_cpu(url, rounds), *drain.run(folder / "reports", url, backlog)]


# --- one report ----------------------------------------------------------------------------------------------------


def _cpu(url: str, rounds: int) -> list[Row]:
    """All three in turn within each round."""
    transport = HttpTransport(url, 20.0)
    uplink = Uplink(Conversation(ACCOUNT), transport, SystemClock(True), random.Random(1), rest_max_s=1, live_s=180)
    numbers = iter(range(10**9))
    talk = Conversation(ACCOUNT)
    talk.logged_in(talk.login(), Answer(200, b'{"result_code":0,"token":"T","timeOut":-1}'), 0.0)
    made = talk.request("carIn", "0b" * 16, RECORD % 0)

    def record() -> tuple[str, bytes]:
        number = next(numbers)
        return f"{number:032x}", RECORD % number

    def alone() -> None:
        assert uplink.send_batch("carIn", [record()], repeat=False)[0].meaning == "accepted"

    def batch() -> None:
        assert uplink.send_batch("carIn", [record() for _ in range(BATCH)], repeat=False)[0].meaning == "accepted"

    ratios: dict[str, list[float]] = {"alone": [], "batch": []}
    with requests.Session() as session:
        session.trust_env = True  # as it comes

        def plain() -> None:
            session.post(url + made.path, data=made.body, headers=made.headers, timeout=20).json()

        for each in (alone, batch, plain):
            each()
        for _ in range(rounds):
            floor_s = _cpu_s(plain, 40)
            ratios["alone"].append(_cpu_s(alone, 40) / floor_s)
            ratios["batch"].append(_cpu_s(batch, 10) / BATCH / floor_s)
    transport.close()
    one, many = median(ratios["alone"]), median(ratios["batch"])
    against = "of requests.Session().post"
    return [
        Row("CPU of one report sent alone", f"{spread(ratios['alone'])}x", f"<= 0.5x {against}", one <= 0.5),
        Row(f"CPU of one in a batch of {BATCH}", f"{spread(ratios['batch'])}x", f"<= 0.1x {against}", many <= 0.1),
    ]


def _cpu_s(work: Callable[[], None], times: int) -> float:
    began_s = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began_s) / times
