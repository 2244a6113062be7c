"""`parkbox health CONFIG`: whether this box does its work. An update is kept only when it says so.

The lane program answers at its socket, its loop takes an order through ledger and disk and back (acknowledging a fault
that does not exist moves nothing and is refused with words of its own, after the whole way), a simulated car is read,
judged and let through a copy of each lane in memory (`edge.lane.self_test`), the cameras' port answers, and the agent
answers at its page. Faults of cameras, loops, cities and signs are the site's and no reason to go back.
"""

from __future__ import annotations

import http.client
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.ask_lane import ask_lane
from edge.box.trial import TRIAL
from edge.config.arguments import Arguments
from edge.config.check import explain
from edge.config.load import ConfigError, load
from edge.config.model import Config
from edge.web.desk import RefusedError

WITHIN_S = 300.0
"""Under TCG a boot takes a minute, the lane's start on an old card half of one more."""
AGAIN_S = 1.0
PAGE_S = 10.0
OURS_TO_MEND = frozenset({"storage_failing", "socket_down", "listener_down"})
"""Faults of the box itself, by which it cannot do its work."""

Look = Callable[[], str]


class _Said(msgspec.Struct, frozen=True):
    """What is needed of /healthz (`edge.web.api.Health`)."""

    ok: bool
    pictures: str = ""


def main(argv: Sequence[str]) -> int:
    parser = Arguments(
        "parkbox health",
        description="自检: 两个程序是否正常工作; 更新后由此决定是否保留 whether both programs do their work; after an "
        "update this decides whether it is kept. 退出码 exit 0: 正常 well, 1: 不正常 not, 2: 配置有错 configuration",
    )
    parser.add_argument("config", metavar="CONFIG", type=Path)
    parser.add_argument("--within", type=float, default=WITHIN_S, metavar="S", help="最长等待 (%(default).0f s)")
    parser.add_argument("--mark-good", action="store_true", help="正常则确认系统分区 tell RAUC to stay with this slot")
    parser.add_argument(
        "--trial", type=Path, default=TRIAL, metavar="FILE",
        help="有此文件: 新系统试运行, 还须制成一张测试照片 if it exists, a test picture must be made too (%(default)s)",
    )  # fmt: skip
    chosen = parser.parse_args(argv)
    try:
        config = load(chosen.config)
    except ConfigError as error:
        print(explain(error), file=sys.stderr)
        return 2
    wrong = wait(config, chosen.within, chosen.trial)
    if wrong:
        print(f"不正常 not well: {wrong}", file=sys.stderr)
        return 1
    print("正常 well: 车道程序, 模拟通行, 网页均正常 lane, simulated car and page do their work")
    if chosen.mark_good:
        from edge.box.update_rauc import UpdateError, mark_good  # noqa: PLC0415 - few ask for it

        try:
            mark_good()
        except UpdateError as error:
            print(f"未确认 not confirmed: {error}", file=sys.stderr)
            return 1
    return 0


def wait(config: Config, within_s: float, trial: Path = TRIAL) -> str:
    """What is still wrong when the time is over; "" as soon as nothing is."""
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()
    while wrong := look(config, trial):
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            return wrong
        pause.wait(min(AGAIN_S, left_s))
    return ""


def look(config: Config, trial: Path = TRIAL) -> str:
    """The first thing that is wrong now, "" when all is well. `trial` exists while a new system is on trial."""
    return lane_trouble(config) or listener_trouble(config) or page_trouble(config, on_trial=trial.exists())


def lane_trouble(config: Config) -> str:
    socket = Path(config.box.socket)
    try:
        view = ask_lane(socket, {"op": "view"}).view
        if view is None:
            return "车道程序未给出状态 the lane program shows no state"
        broken = [fault["code"] for fault in view["faults"] if fault["code"] in OURS_TO_MEND]
        if broken:
            return f"盒子故障 faults of the box: {', '.join(broken)}"
        if len(view["lanes"]) != len(config.lane):
            return f"车道 {len(view['lanes'])}/{len(config.lane)} lanes"
        command = {
            "command_id": f"health-{uuid.uuid4().hex[:16]}", "action": "acknowledge_fault", "fault": "health_check",
            "who": "parkbox health", "why": "自检 self-test", "source": "operator",
        }  # fmt: skip
        answer = ask_lane(socket, {"op": "command", "command": command})
        passage = ask_lane(socket, {"op": "self_test"})
    except RefusedError as error:
        return error.en
    if "health_check" not in answer.en:
        return f"车道程序未执行命令 the lane program did not take the order: {answer.en}"
    if not passage.ok:
        return f"模拟通行 simulated car: {passage.zh} / {passage.en}"
    return ""


def listener_trouble(config: Config) -> str:
    """Where cameras push to: a GET of nobody in particular is refused there, and any refusal in HTTP will do."""
    listener = config.listener
    if not listener.port or not any(lane.camera for lane in config.lane):
        return ""  # no port of its own to find, or nobody pushes
    line = http.client.HTTPConnection(_reached_at(listener.host), listener.port, timeout=PAGE_S)
    try:
        line.request("GET", "/")
        line.getresponse().read(1000)
    except (OSError, http.client.HTTPException) as error:
        where = f"{listener.host}:{listener.port}"
        return f"相机上报端口 {where} 没有应答 the cameras' port does not answer: {error!r}"
    finally:
        line.close()
    return ""


def page_trouble(config: Config, *, on_trial: bool = False) -> str:
    """The certificate is the box's own: nobody is trusted with anything here."""
    web = config.web
    host = _reached_at(web.host)
    line: http.client.HTTPConnection
    if web.tls == "off":
        line = http.client.HTTPConnection(host, web.port, timeout=PAGE_S)
    else:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection(host, web.port, timeout=PAGE_S, context=context)
    try:
        line.request("GET", "/healthz")
        answer = line.getresponse()
        body = answer.read(1000)
    except (OSError, http.client.HTTPException) as error:
        return f"网页没有应答 the page does not answer: {error}"
    finally:
        line.close()
    try:
        said = msgspec.json.decode(body, type=_Said) if answer.status == 200 else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    if said is None or not said.ok:
        return f"网页 page: {answer.status} {body[:200].decode('utf-8', 'replace')}"
    return picture_trouble(said.pictures) if on_trial else ""


def picture_trouble(word: str) -> str:
    """On trial the agent makes a test picture through its child; what it says of it at the page."""
    if word == "ok":
        return ""
    if word == "waiting":
        return "测试照片尚未制成 the test picture is not made yet"
    if word == "failing":
        return "照片进程不能制成测试照片, 原因见 agent 日志 the picture process makes no test picture, its log says why"
    return f"网页未说明测试照片 the page says nothing of a test picture: {word!r}"


def _reached_at(host: str) -> str:
    """That address itself, or loopback for all of them."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
