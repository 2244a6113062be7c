"""Commissioning: the check list from a box's first boot to "accepted by the city", and what is kept of it.

What the box can see it judges itself, at every look; the rest a person ticks, with a note. Kept in one small file,
written beside and renamed. `agent_report` makes the paper of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge.agent.delivery_words import link_words
from edge.config.durable import write_private
from edge.config.model import Config
from edge.ports import AgentView, BoxView
from edge.web.api import CommissionForm, CommissionMark
from edge.web.api_views import CheckItem, Commissioning
from edge.web.desk import Actor, RefusedError

FILE = "commissioning.json"
PASSAGES_WANTED = 3
"""Cars through each lane before its sensors count as proven."""
PLATE_PX_MIN = 100  # Qingdao B.1 rule 3

Stage = Literal["first_boot", "lane", "pictures", "city", "handover"]
State = Literal["ok", "open", "failed"]


class Seen(msgspec.Struct, frozen=True):
    """What the automatic items look at."""

    box: BoxView | None
    agent: AgentView
    first_password_changed: bool
    named_users: int
    free_bytes: int
    set_right: bool
    """Page on loopback or with TLS."""


class Row(msgspec.Struct, frozen=True):
    """One item. `judge` None: a person ticks it."""

    id: str
    stage: Stage
    zh: str
    en: str
    how_zh: str
    how_en: str
    judge: Callable[[Seen, Config], tuple[State, str, str]] | None = None


class Mark(msgspec.Struct, frozen=True):
    done: bool
    who: str
    at_ms: int
    note: str = ""


class _File(msgspec.Struct):
    marks: dict[str, Mark] = {}
    form: CommissionForm = CommissionForm()


def _clock(seen: Seen, config: Config) -> tuple[State, str, str]:
    if seen.box is not None and seen.box.clock_synced:
        return "ok", "时钟已同步", "the clock is synchronised"
    return "failed", "时钟未同步: 检查网络和 NTP", "not synchronised: check network and NTP"


def _password(seen: Seen, config: Config) -> tuple[State, str, str]:
    if seen.first_password_changed:
        return "ok", "初始密码已更改", "the first password was changed"
    return "open", "用标签上的初始密码登录并更改", "log in with the label's first password and change it"


def _users(seen: Seen, config: Config) -> tuple[State, str, str]:
    if seen.named_users > 1:
        return "ok", f"{seen.named_users} 个用户", f"{seen.named_users} users"
    return "open", "为每人建立自己的用户, 不要共用 admin", "make a user for each person instead of sharing admin"


def _secure(seen: Seen, config: Config) -> tuple[State, str, str]:
    if seen.set_right:
        return "ok", "页面仅本机或使用 TLS", "the page is on loopback or has TLS"
    reason = config.web.plain_reason
    return "open", f"未加密, 原因: {reason}", f"plain HTTP, because: {reason}"


def _disk(seen: Seen, config: Config) -> tuple[State, str, str]:
    free, wanted = seen.free_bytes // 1_000_000, config.box.free_mb
    state: State = "ok" if free > 2 * wanted else "failed"
    return state, f"剩余 {free} MB", f"{free} MB free"


def _no_faults(seen: Seen, config: Config) -> tuple[State, str, str]:
    if seen.box is None:
        return "failed", "车道程序没有应答", "the lane program does not answer"
    faults = [*seen.box.faults, *seen.agent.faults]
    if not faults:
        return "ok", "没有故障", "no faults"
    first = faults[0]
    return "failed", f"{len(faults)} 个故障: {first.zh} ({first.device})", f"{len(faults)}: {first.en} ({first.device})"


def _passages(seen: Seen, config: Config) -> tuple[State, str, str]:
    lanes = seen.box.lanes if seen.box is not None else ()
    short = [f"{lane.name} {lane.passed}" for lane in lanes if lane.passed < PASSAGES_WANTED]
    if lanes and not short:
        return "ok", f"每条车道已通过 {PASSAGES_WANTED} 辆以上", f"{PASSAGES_WANTED} cars or more at every lane"
    names = ", ".join(short)
    return "open", f"每条车道开过 {PASSAGES_WANTED} 辆车: {names}", f"drive {PASSAGES_WANTED} cars through: {names}"


def _pictures(seen: Seen, config: Config) -> tuple[State, str, str]:
    counted = sum(one.passages for one in seen.agent.evidence)
    missing = sum(one.missing + one.failed for one in seen.agent.evidence)
    if not counted:
        return "open", "还没有通行", "no passages yet"
    share = 100 * (counted - missing) / counted
    state: State = "ok" if share >= 99 else "failed"
    return state, f"捕获率 {share:.1f}% (要求 99%)", f"{share:.1f} % of passages have a picture (99 % wanted)"


def _plates(seen: Seen, config: Config) -> tuple[State, str, str]:
    known, narrow = (sum(getattr(one, name) for one in seen.agent.evidence) for name in ("plates", "narrow"))
    if not known:
        return "open", "相机未提供车牌宽度, 请在图片上量", "the cameras tell no plate width: measure it in a picture"
    state: State = "ok" if not narrow else "failed"
    limit = f"{PLATE_PX_MIN} px"
    return state, f"{narrow}/{known} 张车牌宽度小于 {limit}", f"{narrow} of {known} plates under {limit}"


def _small(seen: Seen, config: Config) -> tuple[State, str, str]:
    small = sum(one.small for one in seen.agent.evidence)
    if small:
        return "failed", f"{small} 张小于 1280x720", f"{small} pictures under 1280x720"
    return "ok", "图片尺寸符合要求", "the pictures are large enough"


def _online(seen: Seen, config: Config) -> tuple[State, str, str]:
    if not seen.agent.links:
        return "open", "配置中没有城市平台", "the configuration has no city platform"
    down = [link for link in seen.agent.links if not link.online]
    for link in sorted(down, key=lambda link: link.idle):
        state: State = "open" if link.idle else "failed"
        zh, en = link_words(link.city)
        return state, f"{zh}: {link.zh}", f"{en}: {link.en}"
    return "ok", "所有平台在线", "every platform is online"


def _accepted(seen: Seen, config: Config) -> tuple[State, str, str]:
    accepted, aside = seen.agent.counts.get("accepted", 0), seen.agent.counts.get("set_aside", 0)
    if aside:
        return "failed", f"{aside} 条被平台拒收", f"the platform refused {aside}"
    if not accepted:
        return "open", "平台还没有接收记录", "the platform has accepted nothing yet"
    return "ok", f"平台已接收 {accepted} 条", f"{accepted} accepted by the platform"


ROWS: tuple[Row, ...] = (
    Row("clock", "first_boot", "时钟", "Clock", "", "", _clock),
    Row("password", "first_boot", "初始密码", "First password", "", "", _password),
    Row("users", "first_boot", "用户", "Users", "", "", _users),
    Row("secure", "first_boot", "页面加密", "Page encrypted", "", "", _secure),
    Row("disk", "first_boot", "磁盘空间", "Disk space", "", "", _disk),
    Row("faults", "lane", "故障", "Faults", "", "", _no_faults),
    Row("crush", "lane", "防砸独立接线", "Anti-crush wired on its own",
        "防砸地感接在道闸控制器上, 断开盒子后仍起作用",
        "the safety loop is wired to the barrier's controller: works without box"),
    Row("relays", "lane", "继电器", "Relays", "锁定车道, 逐个测试开、关、停",
        "lock the lane, test OPEN, CLOSE and STOP one by one"),
    Row("loops", "lane", "地感", "Loops", "用车逐个压地感, 看页面上亮起",
        "drive onto each loop and see it light up on the page"),
    Row("reverse", "lane", "遇车返回", "Reverses for a car",
        "落杆时车压防砸地感, 闸杆须立即升起",
        "cover the safety loop while the arm comes down: it must go up at once"),
    Row("emergency", "lane", "消防联动", "Emergency input", "短接输入, 所有闸杆升起",
        "close the input: all arms go up"),
    Row("passages", "lane", "试通行", "Test passages", "", "", _passages),
    Row("capture", "pictures", "图片捕获率", "Capture rate", "", "", _pictures),
    Row("size", "pictures", "图片尺寸", "Picture size", "", "", _small),
    Row("plates", "pictures", "车牌宽度", "Plate width", "", "", _plates),
    Row("overlay", "pictures", "图片内容", "Picture content",
        "看一张证据图片: 时间、地点、设备、防伪码清楚", "look at one: time, place, device and code are readable"),
    Row("form", "city", "接入申请", "Application",
        "填写接入申请表 (T/QME 0015-2024 附录 A.1) 并提交", "fill in and send the form (T/QME 0015-2024 Annex A.1)"),
    Row("online", "city", "平台连接", "City link", "", "", _online),
    Row("accepted", "city", "平台接收", "Accepted by the city", "", "", _accepted),
    Row("seen_there", "city", "平台核对", "Seen at the city",
        "在平台上查到一条入场和出场记录及图片", "find one entry and exit with pictures at the platform"),
    Row("formal", "city", "正式环境", "Formal platform",
        "地址和账号改为正式环境 (6.5)", "address and account are those of the formal platform (6.5)"),
    Row("count", "handover", "场内车辆数", "Cars parked", "清点并在页面更正",
        "count the cars and correct the number on the page"),
    Row("trained", "handover", "值班人员", "Attendants", "已说明抬杆、收费、锁定和故障处理",
        "shown how to open, take money, lock and read faults"),
    Row("label", "handover", "标签", "Label", "盒子标签已贴, 初始密码已作废",
        "the label is on the box, its first password is void"),
)  # fmt: skip
BY_HAND = {row.id for row in ROWS if row.judge is None}


class Commission:
    """Any thread. Raises `OSError` when the disk fails."""

    def __init__(self, config: Config, data_dir: Path, now_ms: Callable[[], int]) -> None:
        self._config, self._path, self._now_ms = config, data_dir / FILE, now_ms

    def view(self, seen: Seen) -> Commissioning:
        kept = self._read()
        items = tuple(self._item(row, seen, kept.marks.get(row.id)) for row in ROWS)
        done = sum(item.state == "ok" for item in items)
        return Commissioning(items, done, kept.form, known(self._config))

    def mark(self, order: CommissionMark, actor: Actor) -> None:
        if order.item not in BY_HAND:
            allowed = ", ".join(sorted(BY_HAND))
            raise RefusedError("refused", f"{order.item} 不是人工项目", f"item: {order.item} is not one of {allowed}")
        kept = self._read()
        kept.marks[order.item] = Mark(order.done, actor.user, self._now_ms(), order.note)
        self._write(kept)

    def fill_in(self, form: CommissionForm) -> None:
        kept = self._read()
        kept.form = form
        self._write(kept)

    def _item(self, row: Row, seen: Seen, mark: Mark | None) -> CheckItem:
        state: State
        if row.judge is not None:
            state, zh, en = row.judge(seen, self._config)
            return CheckItem(row.id, row.stage, "box", state, row.zh, row.en, zh, en)
        state = "ok" if mark is not None and mark.done else "open"
        who, at_ms, note = (mark.who, mark.at_ms, mark.note) if mark is not None else ("", 0, "")
        return CheckItem(row.id, row.stage, "hand", state, row.zh, row.en, row.how_zh, row.how_en, who, at_ms, note)

    def _read(self) -> _File:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File(marks={})
        except msgspec.DecodeError:
            moved = self._path.with_name(f"{FILE}.damaged-{self._now_ms()}")
            self._path.rename(moved)  # kept; the person ticks again what was done
            return _File(marks={})

    def _write(self, kept: _File) -> None:
        write_private(self._path, msgspec.json.encode(kept))


def known(config: Config) -> dict[str, str]:
    """What the box knows of the application form's own rows."""
    vendors: Sequence[str] = sorted({camera.vendor for lane in config.lane for camera in lane.camera})
    return {
        "项目名称": config.lot.name,
        "车位数量": str(config.lot.total_stalls),
        "车道数": str(len(config.lane)),
        "相机品牌": ", ".join(vendors),
    }
