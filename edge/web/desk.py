"""The desk: what the page can ask and order of the box. The composition root brings it; the page knows only this.

Every call may take time (a disk, the lane program, a city's network) and runs on a thread of the page's own, never on
its event loop. Nothing here decides who may: that was judged before.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from edge.web import api, api_views
from edge.web.actions import Action
from edge.web.desk_money import MoneyDesk
from edge.web.desk_update import UpdateDesk
from edge.web.span import Span


class Actor(msgspec.Struct, frozen=True):
    """Who asks, from where."""

    user: str
    role: str
    address: str


class RefusedError(Exception):
    """The box cannot do it: what the person is told."""

    def __init__(
        self,
        code: Literal["refused", "lane_silent", "storage", "busy", "not_found", "bad_request"],
        zh: str,
        en: str,
        retry_s: int = 0,
    ) -> None:
        super().__init__(en)
        self.code: Literal["refused", "lane_silent", "storage", "busy", "not_found", "bad_request"] = code
        self.zh, self.en, self.retry_s = zh, en, retry_s


class Paper(msgspec.Struct, frozen=True):
    """A page of its own that can be kept as one file: no script, and one style that its hash allows."""

    html: bytes
    style_hash: str
    """`sha256-…` of the text in its style element, as the Content-Security-Policy takes it."""


class Desk(Protocol):
    """Every call may raise `RefusedError`."""

    @property
    def money(self) -> MoneyDesk: ...

    @property
    def update(self) -> UpdateDesk: ...

    def act(self, action: Action, order: api.Body, actor: Actor) -> api.ActionResult:
        """Every action of the table but those of group users."""

    def passages(self, plate: str, from_ms: int, to_ms: int, before_seq: int, limit: int) -> api_views.Passages: ...

    def visit(self, seq: int) -> api_views.Visit:
        """Of the passage with this number in the ledger."""

    def curve(self) -> api_views.Curve: ...

    def system(self) -> api_views.SystemView: ...

    def edges(self, lane: str) -> api_views.Edges: ...

    def cameras(self) -> tuple[api_views.CameraRow, ...]: ...

    def orders(self, lane: str, span: Span, before_seq: int, limit: int) -> api_views.Orders:
        """A lane that is not configured is refused, here and in `edges`."""

    def commissioning(self) -> api_views.Commissioning: ...

    def report(self, lang: str) -> Paper: ...

    def diagnostics(self) -> bytes:
        """tar.gz, under 10 MB, no secrets."""

    def config_text(self) -> str: ...

    def import_config(self, text: bytes) -> api.ActionResult: ...

    def clock_is_true(self) -> bool: ...
