"""A page's server for tests: known users, quick password hashes, a desk and an audit under the test's hand."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.config.model import Web
from edge.core.audit import AuditEntry, AuditLine
from edge.ports import PageSource
from edge.web import api, api_views
from edge.web.accounts import Accounts
from edge.web.actions import Action
from edge.web.desk import Actor, Paper
from edge.web.door import Door, Limits
from edge.web.rate import Rate
from edge.web.server import PageServer
from edge.web.span import Span
from tests.web_fakes import NOON_MS, READ_ID
from tests.web_money import FakeMoney
from tests.web_update import FakeUpdate

QUICK = (1 << 4, 1)
"""scrypt's N and p for tests."""
PASSWORD = "Right-1234"
USERS = {"viewer": "vera", "technician": "tom", "admin": "admin"}
"""By role."""
WIDE = Limits(*(Rate(100_000, 100_000),) * 4)


class Clock:
    """Monotonic seconds under the test's hand."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class FakeAudit:
    """`ports.AuditLog` in memory."""

    kept_days = 400

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.works = True

    def add(self, entry: AuditEntry) -> bool:
        self.entries.append(entry)
        return self.works

    def read(
        self, limit: int, before_seq: int, *, who: str = "", action: str = "", from_ms: int = 0, to_ms: int = 1 << 62
    ) -> list[AuditLine]:
        return [
            line for line in self.after(0, 1 << 30)[::-1]
            if (not before_seq or line.seq < before_seq) and who in {"", line.who} and action in {"", line.action}
            and from_ms <= line.at_ms < to_ms
        ][:limit]  # fmt: skip

    def after(self, seq: int, limit: int) -> list[AuditLine]:
        lines = [
            AuditLine(seq=number, hash=f"{number:064x}", **msgspec.structs.asdict(entry))
            for number, entry in enumerate(self.entries, 1)
        ]
        return lines[seq : seq + limit]

    def broken_seq(self) -> int:
        return 0


class FakeDesk:
    """`web.desk.Desk`: notes what it was asked; `answers` and `failures` by name are the test's."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, dict[str, Any], Actor]] = []
        self.result = api.ActionResult(True, "好", "done")
        self.failure: Exception | None = None
        self.imported: list[bytes] = []
        self.passage_rows: tuple[api_views.PassageRow, ...] = ()
        self.order_rows: tuple[api_views.OrderRow, ...] = ()
        self.searched: list[tuple[str, Span, int, int]] = []
        self.money = FakeMoney()
        self.update = FakeUpdate()
        self.visit_view = api_views.Visit("", "", False, 0, 0, 0, 0, 0, ())

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def act(self, action: Action, order: api.Body, actor: Actor) -> api.ActionResult:
        self._fail()
        self.acts.append((action.name, msgspec.to_builtins(order), actor))
        return self.result

    def passages(self, plate: str, from_ms: int, to_ms: int, before_seq: int, limit: int) -> api_views.Passages:
        self._fail()
        return api_views.Passages(tuple(row for row in self.passage_rows if plate in row.plate)[:limit], 0)

    def visit(self, seq: int) -> api_views.Visit:
        self._fail()
        return self.visit_view

    def curve(self) -> api_views.Curve:
        return api_views.Curve("2026-11-21", 320, tuple(
            api_views.CurveHour(hour, hour * 3, hour * 2, 100 + hour, (100 + hour) * 100 // 320) for hour in range(13)
        ))  # fmt: skip

    def system(self) -> api_views.SystemView:
        disk = api_views.Disk("/data", 31_000_000_000, 22_000_000_000, "mmcblk0", 1_000_000, -1, "未知", "not known")
        rows = (api_views.ProgramRow("lane", "0.1.0", True, 31 << 20),)
        return api_views.SystemView(
            NOON_MS, True, "已同步", "synchronised", 3600, 0.4, 1 << 30, 1 << 29, 48.5, disk, rows,
            {"parkbox": "0.1.0"}, True,
        )  # fmt: skip

    def edges(self, lane: str) -> api_views.Edges:
        return api_views.Edges(NOON_MS, (api_views.Edge(NOON_MS - 500, lane or "in1", "arrival", True),))

    def cameras(self) -> tuple[api_views.CameraRow, ...]:
        read = api_views.ReadRow(READ_ID, NOON_MS, "鲁B12345", "blue", 97, 132, True)
        return (api_views.CameraRow("cam-in1", "in1", "vz", ("192.168.55.131",), (read,)),)

    def orders(self, lane: str, span: Span, before_seq: int, limit: int) -> api_views.Orders:
        self.searched.append((lane, span, before_seq, limit))
        fits = [row for row in self.order_rows if not before_seq or row.seq < before_seq]
        return api_views.Orders(tuple(fits[:limit]), fits[limit - 1].seq if len(fits) > limit else 0)

    def commissioning(self) -> api_views.Commissioning:
        item = api_views.CheckItem("clock", "first_boot", "box", "ok", "时钟已同步", "clock set", "", "")
        return api_views.Commissioning((item,), 1, api.CommissionForm(), {"项目名称": "青岛站东广场停车场"})

    def report(self, lang: str) -> Paper:
        return Paper(b"<!doctype html><title>report</title>", "sha256-x")

    def diagnostics(self) -> bytes:
        return b"\x1f\x8b"

    def config_text(self) -> str:
        return "[box]\n"

    def import_config(self, text: bytes) -> api.ActionResult:
        self._fail()
        self.imported.append(text)
        return self.result

    def clock_is_true(self) -> bool:
        return True


class House:
    """A server that has not started yet, and everything behind it."""

    def __init__(
        self,
        folder: Path,
        source: PageSource,
        *,
        wall_ms: Callable[[], int] = lambda: NOON_MS,
        mono_s: Callable[[], float] = time.monotonic,
        limits: Limits = WIDE,
        web: Web | None = None,
        first_boot: bool = False,
        desk: FakeDesk | None = None,
        idle_s: float = 600,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.desk, self.audit = desk or FakeDesk(), FakeAudit()
        self.accounts = Accounts(folder, wall_ms, QUICK)
        self.first_password, _ = self.accounts.open()
        if not first_boot:
            make_users(self.accounts)
        self.door = Door(
            self.accounts, self.audit, idle_s=idle_s, tls=False, wall_ms=wall_ms, mono_s=mono_s,
            clock_is_true=lambda: True, limits=limits,
        )  # fmt: skip
        self.server = PageServer(web or Web(port=0), source, self.desk, self.door, on_failure=on_failure)


def change(accounts: Accounts, name: str, password: str) -> None:
    user = accounts.find(name)
    assert user is not None
    assert accounts.change_password(user, password) is not None


def make_users(accounts: Accounts, roles: Sequence[str] = ("viewer", "technician")) -> None:
    """One of each role, all with `PASSWORD`, which needs no change."""
    change(accounts, "admin", PASSWORD)
    for role in roles:
        accounts.add(USERS[role], role)  # type: ignore[arg-type]  # roles by name
        change(accounts, USERS[role], PASSWORD)


class Client:
    """A person with a browser's manners: keeps the cookie, sends the CSRF token."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port
        self.cookie = ""
        self.csrf = ""

    def line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, body."""
        sent = {"Cookie": self.cookie} if self.cookie else {}
        data = None
        if method == "POST":
            data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
            sent |= {"Content-Type": "application/json", "X-CSRF-Token": self.csrf}
        line = self.line()
        try:
            line.request(method, path, data, sent | (headers or {}))
            answer = line.getresponse()
            got = {name.lower(): value for name, value in answer.getheaders()}
            if "set-cookie" in got:
                self.cookie = got["set-cookie"].partition(";")[0]
            return answer.status, got, answer.read()
        finally:
            line.close()

    def get(self, path: str) -> Any:
        """The JSON of a 200."""
        status, _, body = self.ask("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        status, _, answer = self.ask("POST", path, body)
        return status, json.loads(answer)

    def log_in(self, user: str, password: str = PASSWORD) -> int:
        """The status; 200 is logged in."""
        status, session = self.post("/api/login", {"user": user, "password": password})
        if status == 200:
            self.csrf = session["csrf"]
        return status

    def log_in_first_time(self, data_dir: Path, new: str = PASSWORD) -> None:
        """As the person with the label does at a new box."""
        user, first = (data_dir / "first-password").read_text("utf-8").split()
        assert self.log_in(user, first) == 200
        status, session = self.post("/api/password", {"old": first, "new": new})
        assert status == 200, session
        self.csrf = session["csrf"]
