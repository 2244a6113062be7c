"""`parkbox deliveries CONFIG`: was this car reported, with picture, when, and if not, why; and repeat by hand.

Reading needs no agent; only `repeat` asks the running one, which alone writes the queue.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from edge.agent.delivery_words import STATES, city_words, kind_words, moment, outcome, picture_outcome
from edge.agent.socket import IDS_MAX, agent_socket, ask_repeat, ask_repeat_pictures
from edge.config.arguments import Arguments
from edge.config.check import explain
from edge.config.load import ConfigError, load
from edge.config.model import Config
from edge.core.clock import CHINA
from edge.core.plates import normalise
from edge.ports import Delivery
from edge.store.delivery_rows import DeliveriesFile
from edge.store.errors import StoreError
from edge.store.uploads import PicturesFile

NONE_FOUND = (
    "没有符合的记录; 刚通过或等待校时的车还没有记录\n"
    "none found; a car that has just passed or waits for the clock has none yet"
)
FOR_EVER_MS = 1 << 62


def main(argv: Sequence[str]) -> int:
    chosen = _parser().parse_args(argv)
    try:
        config = load(Path(chosen.config))
    except ConfigError as error:
        print(explain(error), file=sys.stderr)
        return 2
    queue = DeliveriesFile(Path(config.box.data_dir) / "deliveries.db")
    try:
        if chosen.show is not None:
            return _show(config, queue, chosen.show)
        if chosen.repeat or chosen.repeat_all:
            return _repeat(config, queue, chosen.repeat or queue.ids("set_aside"))
        if chosen.repeat_pictures:
            return _repeat_pictures(config)
        return _list(config, queue, chosen)
    except (StoreError, OSError) as error:
        print(f"无法读取上传队列 the queue cannot be read: {error}", file=sys.stderr)
        return 1


def _parser() -> Arguments:
    parser = Arguments(
        "parkbox deliveries",
        description="上传记录: 此车是否已上报, 有无图片, 何时, 未上报的原因 "
        "was this car reported, with picture, when, and if not, why",
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--plate", default="", help="车牌或其一部分 the plate or a part of it")
    parser.add_argument("--from", dest="begin", type=_instant, metavar="TIME", help="北京时间 2026-11-22[ 08:30[:00]]")
    parser.add_argument("--to", dest="end", type=_end, metavar="TIME", help="不含 before it; 日期含当天")
    parser.add_argument("--state", choices=sorted(STATES), default="", help="只列此状态 only these")
    parser.add_argument("--limit", type=_limit, default=20, metavar="N", help="最多 N 条 at most N (20)")
    parser.add_argument("--pictures", action="store_true", help="也查图片 with picture, uploaded when, if not, why")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", type=int, metavar="ID", help="内容和平台最后应答 one record, its last answer")
    what.add_argument("--repeat", type=int, nargs="+", metavar="ID", help="重传已搁置的 send set-aside ones again")
    what.add_argument("--repeat-all", action="store_true", help="重传所有已搁置的 send all set-aside ones again")
    what.add_argument("--repeat-pictures", action="store_true", help="重传已搁置的图片 upload set-aside pictures again")
    return parser


def _list(config: Config, queue: DeliveriesFile, chosen: argparse.Namespace) -> int:
    begin_ms = chosen.begin if chosen.begin is not None else 0
    end_ms = chosen.end if chosen.end is not None else FOR_EVER_MS
    if end_ms <= begin_ms:
        print("--to 须晚于 --from: --to must be after --from", file=sys.stderr)
        return 2
    plate = normalise(chosen.plate) or chosen.plate
    found = queue.search(plate, chosen.limit, begin_ms, end_ms, chosen.state)
    counts = queue.counts()
    print("  ".join(f"{zh} {en} {counts.get(state, 0)}" for state, (zh, en) in STATES.items()))
    pictures = _pictures(config) if chosen.pictures else None
    now_ms = time.time_ns() // 1_000_000
    for delivery in found:
        print(_line(delivery, now_ms, pictures))
    if not found:
        print(NONE_FOUND)
        return 1
    return 0


def _line(delivery: Delivery, now_ms: int, pictures: Callable[[Delivery, int], str] | None) -> str:
    zh, en = outcome(delivery, now_ms)
    picture = f"\n         {pictures(delivery, now_ms)}" if pictures is not None else ""
    what = f"{city_words(delivery.city)}  {kind_words(delivery.kind)}"
    head = f"{delivery.id:>7}  {moment(delivery.made_ms)}  {delivery.plate or '无牌车'}  {what}"
    return f"{head}\n         {zh} | {en}{picture}"


def _show(config: Config, queue: DeliveriesFile, row_id: int) -> int:
    delivery = queue.get(row_id)
    if delivery is None:
        print(f"没有 {row_id} 号记录 there is no delivery {row_id}", file=sys.stderr)
        return 1
    print(_line(delivery, time.time_ns() // 1_000_000, _pictures(config)))
    earlier = queue.earlier_waiting(delivery) if delivery.state == "waiting" else None
    if earlier is not None:
        print(f"         先须接收 waits for: {earlier.id} {kind_words(earlier.kind)}: {earlier.last_answer or '-'}")
    print(f"城市 city {delivery.city}, item_id {delivery.item_id}, 停车 visit {delivery.visit_id}")
    print(f"已失败 failed {delivery.attempts} 次 times; 最后应答 last answer {moment(delivery.answered_ms)}:")
    print(f"  {delivery.last_answer or '-'}")
    print("内容 record:")
    print(_pretty(delivery.body))
    return 0


def _repeat(config: Config, queue: DeliveriesFile, ids: Sequence[int]) -> int:
    if not ids:
        print("没有已搁置的记录 nothing is set aside")
        return 0
    path = agent_socket(config.box.socket)
    repeated = 0
    for begin in range(0, len(ids), IDS_MAX):
        try:
            answer = ask_repeat(path, ids[begin : begin + IDS_MAX])
        except OSError as error:
            print(f"上传程序没有应答, 须先启动 the agent does not answer at {path}: {error}", file=sys.stderr)
            return 1
        if not answer.ok:
            print(f"{answer.zh} / {answer.en}", file=sys.stderr)
            return 1
        repeated += answer.repeated
    print(f"{repeated} 条将重新上传 will be sent again", end="")
    others = len(ids) - repeated
    print(f"; {others} 条未搁置, 不变 not set aside, left alone" if others else "")
    return 0 if repeated else 1


def _repeat_pictures(config: Config) -> int:
    path = agent_socket(config.box.socket)
    try:
        answer = ask_repeat_pictures(path)
    except OSError as error:
        print(f"上传程序没有应答, 须先启动 the agent does not answer at {path}: {error}", file=sys.stderr)
        return 1
    print(f"{answer.zh} / {answer.en}", file=sys.stdout if answer.ok else sys.stderr)
    return 0 if answer.ok else 1


def _pictures(config: Config) -> Callable[[Delivery, int], str]:
    file = PicturesFile(Path(config.box.data_dir) / "pictures.db")

    def words(delivery: Delivery, now_ms: int) -> str:
        if not delivery.read_id:
            return "无需图片 | no picture belongs to it"
        return " | ".join(picture_outcome(file.story(delivery.item_id), now_ms))

    return words


def _pretty(body: bytes) -> str:
    """The record as sent, one member a line; what could not be made is its own reason."""
    try:
        return json.dumps(json.loads(body, parse_float=str), ensure_ascii=False, indent=2)
    except ValueError:
        return body.decode(errors="replace")


def _instant(text: str) -> int:
    return _time(text)[0]


def _end(text: str) -> int:
    at_ms, day_only = _time(text)
    return at_ms + round(timedelta(days=1).total_seconds() * 1000) if day_only else at_ms


def _time(text: str) -> tuple[int, bool]:
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        try:
            named = datetime.strptime(text.replace("T", " "), form).replace(tzinfo=CHINA)
        except ValueError:
            continue
        return round(named.timestamp() * 1000), form == "%Y-%m-%d"
    raise argparse.ArgumentTypeError(f"{text!r}: 须为 must be 2026-11-22, 2026-11-22 08:30 或 or 2026-11-22 08:30:00")


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r}: 允许 1 到 100000, allowed 1 to 100000")
    return int(text)
