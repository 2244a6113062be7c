"""The page's desk (`web.desk.Desk`): each question and order goes to whoever knows or does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from edge.agent import money_hints, past
from edge.agent.commissioning import Commission, Seen
from edge.agent.diagnose import AUDIT_LINES, BUNDLE_MAX_BYTES, box_members, bundle, site_secrets
from edge.agent.link_check import LinkCheck, Running
from edge.agent.machine import Machine, supervised
from edge.agent.money import AgentMoney
from edge.agent.money_orders import lane_members
from edge.agent.source import AgentSource
from edge.agent.update import AgentUpdate
from edge.agent.visit import VisitReader
from edge.ask_lane import ask_lane, order_lane
from edge.config.model import Config
from edge.config_file import ConfigFile
from edge.core.audit import AuditLog
from edge.core.facts import ReadTaken
from edge.ports import Delivery
from edge.store.delivery_rows import DeliveriesFile
from edge.store.errors import StoreError
from edge.store.history import LedgerHistory
from edge.version import VERSION
from edge.wall_clock import kernel_synchronised
from edge.web import api, api_views
from edge.web.actions import Action
from edge.web.desk import Actor, Paper, RefusedError
from edge.web.span import Span

READS_OF_A_CAMERA = 6
READS_LOOKED_AT = 400
VISIT_DELIVERIES = 50
RESTART_AFTER_S = 0.5
"""The agent ends itself a moment after its answer, so that the person gets it."""


class Hands(NamedTuple):
    """What the desk reaches for."""

    source: AgentSource
    has_picture: Callable[[str], bool]
    repeat: Callable[[Sequence[int]], int]
    repeated: Callable[[], None]
    running: Running
    restart_agent: Callable[[], None]
    log_lines: Callable[[], list[str]]
    page: Callable[[], tuple[AuditLog, bool, int, list[str]]]
    """Audit, whether the first password was changed, users, password hashes."""


class AgentDesk:
    def __init__(self, config: Config, config_path: Path, hands: Hands, *, now_ms: Callable[[], int]) -> None:
        self._config, self._hands, self._now_ms = config, hands, now_ms
        data = Path(config.box.data_dir)
        self._data = data
        self._lane = Path(config.box.socket)
        self._ledger = LedgerHistory(data / "ledger.db")
        self.money = AgentMoney(self._lane, self._ledger)
        self.update = AgentUpdate(config, now_ms)
        self._queue = DeliveriesFile(data / "deliveries.db")
        self._machine = Machine(data)
        self._config_file = ConfigFile(config_path, config)
        self._commission = Commission(config, data, now_ms)
        self._links = LinkCheck(config, hands.running)
        self._one_check = threading.Lock()

    def stop(self) -> None:
        """Before the page stops: what takes long ends soon."""
        self._links.stop()

    def close(self) -> None:
        self._ledger.close()

    # --- orders ------------------------------------------------------------------------------------------------

    def act(self, action: Action, order: api.Body, actor: Actor) -> api.ActionResult:
        match order:
            case api.CommissionMark():
                self._commission.mark(order, actor)
                return api.ActionResult(True, "已记录", "noted")
            case api.CommissionForm():
                self._commission.fill_in(order)
                return api.ActionResult(True, "申请表已保存", "the form is kept")
            case api.CheckLink():
                return self._check_link(order)
            case api.RepeatDelivery():
                return self._repeat(order)
            case api.AcknowledgeFault(device=str(device)):
                return api.ActionResult(*self._hands.source.acknowledge(order.fault, device))
            case api.RestartProgram():
                return self._restart(order)
            case api.Order() if action.lane_action:
                return self._to_the_lane(action, order, actor)
        raise ValueError(f"action {action.name}: nobody here carries it out")

    def _to_the_lane(self, action: Action, order: api.Order, actor: Actor) -> api.ActionResult:
        hint = money_hints.of(order, self.money, self._now_ms())
        if hint.ask:
            return api.ActionResult(False, hint.zh, hint.en, ask=True)
        given = lane_members(order)
        if given is None:
            given = msgspec.to_builtins(order)
        why, command_id = order.why, order.command_id
        for name in ("why", "command_id"):
            given.pop(name, None)
        if action.lane_op == "command":
            given["action"] = action.lane_action
        if "lane_role" in given:
            given["role"] = given.pop("lane_role")
        answer = order_lane(self._lane, action.lane_op, actor.user, why, command_id, given)
        zh, en = (hint.zh, hint.en) if answer.ok else ("", "")
        return api.ActionResult(answer.ok, answer.zh + zh, answer.en + en)

    def _repeat(self, order: api.RepeatDelivery) -> api.ActionResult:
        try:
            count = self._hands.repeat(order.ids)
        except StoreError as error:
            raise _no_store(error) from error
        if not count:
            return api.ActionResult(False, "没有已搁置的记录", "none of them is set aside")
        self._hands.repeated()
        return api.ActionResult(True, f"{count} 条将重新上传", f"{count} will be sent again")

    def _check_link(self, order: api.CheckLink) -> api.ActionResult:
        if not self._one_check.acquire(blocking=False):
            raise RefusedError("busy", "正在检查, 请稍候", "a check is under way, please wait", 10)
        try:
            return self._links.run(order.city)
        finally:
            self._one_check.release()

    def _restart(self, order: api.RestartProgram) -> api.ActionResult:
        watched = supervised()
        zh, en = ("约一秒后自动重新启动", "it starts again by itself in about a second") if watched else (
            "本机没有守护进程: 结束后请手动启动", "nobody starts it again on this machine: start it by hand"
        )  # fmt: skip
        if order.program == "lane":
            answer = ask_lane(self._lane, {"op": "restart"})
            if not answer.ok:
                return api.ActionResult(False, answer.zh, answer.en)
            return api.ActionResult(True, f"{answer.zh}, {zh}", f"{answer.en}, {en}")
        later = threading.Timer(RESTART_AFTER_S, self._hands.restart_agent)
        later.name = "restart"
        later.start()
        return api.ActionResult(True, f"上传与网页程序正在结束, {zh}; 需重新登录", f"the agent is ending, {en}")

    # --- the past ----------------------------------------------------------------------------------------------

    def passages(self, plate: str, from_ms: int, to_ms: int, before_seq: int, limit: int) -> api_views.Passages:
        return _stored(lambda: past.passages(self._ledger, plate, from_ms, to_ms, before_seq, limit))

    def visit(self, seq: int) -> api_views.Visit:
        def deliveries(visit_id: str) -> list[Delivery]:
            return self._queue.of_visit(visit_id, VISIT_DELIVERIES)

        reader = VisitReader(self._ledger, deliveries, self._hands.has_picture, self._now_ms)
        return _stored(lambda: reader.read(seq))

    def curve(self) -> api_views.Curve:
        return _stored(lambda: past.curve(self._ledger, self._hands.source.box(), self._now_ms()))

    def orders(self, lane: str, span: Span, before_seq: int, limit: int) -> api_views.Orders:
        self._known_lane(lane)
        picture = self._hands.has_picture
        return _stored(lambda: past.orders(self._ledger, lane, span, before_seq, limit, picture))

    def _known_lane(self, lane: str) -> None:
        known = [one.id for one in self._config.lane]
        if lane and lane not in known:
            lanes = ", ".join(known)
            raise RefusedError("bad_request", f"lane: 没有车道 {lane}, 只有 {lanes}", f"lane: {lane}: one of {lanes}")

    def cameras(self) -> tuple[api_views.CameraRow, ...]:
        return _stored(self._cameras)

    def _cameras(self) -> tuple[api_views.CameraRow, ...]:
        facts, _ = self._ledger.newest_before(0, ("ReadTaken",), READS_LOOKED_AT)
        clockwork = past.Clockwork(self._ledger)
        reads: dict[str, list[api_views.ReadRow]] = {}
        for fact in facts:
            body = fact.body
            if isinstance(body, ReadTaken) and len(mine := reads.setdefault(body.camera, [])) < READS_OF_A_CAMERA:
                mine.append(api_views.ReadRow(
                    read_id=fact.id,
                    at_ms=clockwork.at(fact.stamp)[0],
                    plate=body.plate,
                    colour=body.colour,
                    confidence_pct=body.confidence_pct,
                    plate_width_px=body.plate_width_px,
                    picture=self._hands.has_picture(fact.id),
                ))
        return tuple(
            api_views.CameraRow(camera.id, lane.id, camera.vendor, camera.addresses, tuple(reads.get(camera.id, ())))
            for lane in self._config.lane
            for camera in lane.camera
        )

    def edges(self, lane: str) -> api_views.Edges:
        self._known_lane(lane)
        found = msgspec.convert(ask_lane(self._lane, {"op": "edges"}).edges, tuple[api_views.Edge, ...])
        return api_views.Edges(self._now_ms(), tuple(edge for edge in found if lane in {"", edge.lane}))

    # --- the machine and the paper -------------------------------------------------------------------------------

    def system(self) -> api_views.SystemView:
        machine, box = self._machine, self._hands.source.box()
        memory, free = machine.memory_bytes()
        lane = self._hands.source.lane_pid()
        true = self.clock_is_true()
        return api_views.SystemView(
            now_ms=self._now_ms(),
            clock_true=true,
            clock_zh="已同步" if true else "未同步: 记录等待校时",
            clock_en="synchronised" if true else "not synchronised: records wait",
            up_s=machine.up_s(),
            load=machine.load(),
            memory_bytes=memory,
            memory_free_bytes=free,
            temperature_c=machine.temperature_c(),
            disk=machine.disk(),
            programs=(
                api_views.ProgramRow("lane", VERSION, box is not None, -1 if lane is None else machine.rss_bytes(lane)),
                api_views.ProgramRow("agent", VERSION, True, machine.rss_bytes()),
            ),
            versions={"parkbox": VERSION} | machine.versions(),
            supervised=supervised(),
        )

    def clock_is_true(self) -> bool:
        return self._config.box.clock == "trusted" or kernel_synchronised()

    def commissioning(self) -> api_views.Commissioning:
        return self._commission.view(self._seen())

    def _seen(self) -> Seen:
        _, changed, users, _ = self._hands.page()
        web = self._config.web
        return Seen(
            box=self._hands.source.box(),
            agent=self._hands.source.agent(),
            first_password_changed=changed,
            named_users=users,
            free_bytes=self._machine.disk().free_bytes,
            set_right=web.tls != "off" or not web.plain_reason,
        )

    def report(self, lang: str) -> Paper:
        from edge.agent.report import report  # noqa: PLC0415 - with the tables of `html` half a megabyte, seldom asked for

        return report(self.commissioning(), self._config, VERSION, self._now_ms(), lang)

    def diagnostics(self) -> bytes:
        audit, _, _, hashes = self._hands.page()
        source = self._hands.source
        members = box_members(self._config, self.config_text) | {
            "box.json": source.box,
            "agent.json": lambda: [source.agent().links, source.agent().counts, source.agent().faults],
            "agent.log": lambda: "\n".join(self._hands.log_lines()),
            "lane.log": lambda: "\n".join(ask_lane(self._lane, {"op": "log"}).log),
            "edges.json": lambda: self.edges(""),
            "audit.jsonl": lambda: "".join(
                msgspec.json.encode(line).decode() + "\n" for line in reversed(audit.read(AUDIT_LINES, 0))
            ),
            "commissioning.json": self.commissioning,
        }
        made = bundle(members, site_secrets(self._config, hashes), self._now_ms() / 1000)
        if len(made) > BUNDLE_MAX_BYTES:
            raise RefusedError("storage", "诊断包过大", f"the bundle has {len(made)} bytes, allowed {BUNDLE_MAX_BYTES}")
        return made

    def config_text(self) -> str:
        return money_hints.export(self._config_file.text(), self.money)

    def import_config(self, text: bytes) -> api.ActionResult:
        return self._config_file.replace(text)


T = TypeVar("T")


def _stored(read: Callable[[], T]) -> T:
    try:
        return read()
    except StoreError as error:
        raise _no_store(error) from error


def _no_store(error: StoreError) -> RefusedError:
    return RefusedError("storage", f"数据不可用: {error.kind}", f"the data cannot be used: {error.kind}", 5)
