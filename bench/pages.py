"""The way from camera to relay while 50 pages are open, against the same without one.

Agent and lane run all the time; blocks alternate between 50 event streams and none, so that a machine whose speed
drifts is fair to both. Every car changes the lanes' state several times, so every stream is told some ten times a
second. The streams' readers are a program of the lowest priority: at a real site they are other people's phones.
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path

from bench.figures import Row, percentile
from bench.load import LOWEST_PRIORITY
from bench.process import Process, cli
from bench.rig import running
from edge.config.load import load

PAGES = 50
ROUNDS_A_BLOCK = 6
NEW_PASSWORD = "Bench-Page-1"
IDLE_RSS_MB = 40


def run(folder: Path, *, blocks: int) -> list[Row]:
    box = folder / "pages"
    with running(box, ["in"] * 4) as rig, Process(cli("agent", str(rig.site.config)), box / "agent.log") as agent:
        port = load(rig.site.config).web.port
        cookie = log_in(port, box / "data")
        idle_mb = agent.resident_kb() / 1024
        rig.rounds(ROUNDS_A_BLOCK, [])
        none_ms: list[float] = []
        open_ms: list[float] = []
        for _ in range(blocks):
            rig.rounds(ROUNDS_A_BLOCK, none_ms)
            command = [*LOWEST_PRIORITY, sys.executable, "-m", "bench.page_clients", str(port), cookie, str(PAGES)]
            with Process(command, box / "clients.log", word="open"):
                rig.rounds(ROUNDS_A_BLOCK, open_ms)
        with_mb = agent.resident_kb() / 1024
    rows = []
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        ours, without = percentile(open_ms, share), percentile(none_ms, share)
        goal, met = ("<= 1.2x of no page", ours <= 1.2 * without) if share > 0.9 else ("", None)
        rows.append(Row(
            f"camera to relay with {PAGES} open pages, {name}",
            f"{ours / without:.2f}x ({ours:.2f} ms against {without:.2f} ms, {len(open_ms)} events each)", goal, met,
        ))
    rows.append(Row(
        "resident memory of `agent`: idle, and after all", f"{idle_mb:.1f} MB, {with_mb:.1f} MB",
        f"<= {IDLE_RSS_MB} MB idle", idle_mb <= IDLE_RSS_MB,
    ))
    return rows


def log_in(port: int, data: Path) -> str:
    """The cookie of a person who has changed the first password."""
    user, first = (data / "first-password").read_text("utf-8").split()
    cookie, csrf = _post(port, "/api/login", {"user": user, "password": first}, "", "")
    return _post(port, "/api/password", {"old": first, "new": NEW_PASSWORD}, cookie, csrf)[0]


def _post(port: int, path: str, body: dict[str, str], cookie: str, csrf: str) -> tuple[str, str]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"Content-Type": "application/json", "Cookie": cookie, "X-CSRF-Token": csrf}
        line.request("POST", path, json.dumps(body), headers)
        answer = line.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {text!r}")
        return str(answer.getheader("Set-Cookie")).partition(";")[0], str(json.loads(text)["csrf"])
    finally:
        line.close()
