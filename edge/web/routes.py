"""The table of the page's HTTP interface: method, path, who may, what goes in, what comes out.

Everything is made from it: the routes of the server, the checks before a handler runs, and `openapi.json`. A path
that is not here is not there.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from edge.core import money_seen
from edge.web import api, api_money, api_views
from edge.web.actions import ACTIONS
from edge.web.roles import Role
from edge.web.views import FoundRow, PageState

Kind = Literal["json", "jpeg", "events", "toml", "csv", "html", "gzip", "jsonl"]

MEDIA: dict[Kind, str] = {
    "json": "application/json; charset=UTF-8",
    "jpeg": "image/jpeg",
    "events": "text/event-stream; charset=UTF-8",
    "toml": "application/toml; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8",
    "jsonl": "application/jsonl; charset=UTF-8",
    "html": "text/html; charset=UTF-8",
    "gzip": "application/gzip",
}


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of the query: a whole number, a choice, or a text up to `longest` characters."""

    name: str
    en: str
    type: Literal["int", "text"] = "int"
    most: int = 2**53
    longest: int = 0
    choices: tuple[str, ...] = ()
    required: bool = False


class Route(msgspec.Struct, frozen=True):
    """`name` is the handler's. `role` None: without login."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    role: Role | None
    en: str
    answer: Any = None
    kind: Kind = "json"
    body: type[api.Body] | None = None
    takes: Literal["json", ""] = ""
    query: tuple[Parameter, ...] = ()
    refusals: tuple[int, ...] = ()
    """Statuses beside those that every route may answer."""
    heavy: bool = False
    """Costs seconds of a core: asked for seldom."""
    while_must_change: bool = False
    """Answered before a first password was changed."""

    @property
    def changes(self) -> bool:
        return self.method == "POST"


BEFORE = Parameter("before_seq", "older than this one; 0: from the newest")
FROM_MS = Parameter("from_ms", "from this instant")
TO_MS = Parameter("to_ms", "before this instant; 0: no end")
PLATE = Parameter("plate", "the plate or a part of it", "text", longest=20)
LANE = Parameter("lane", "this lane only", "text", longest=20)


def limit(most: int) -> Parameter:
    return Parameter("limit", f"at most so many, 1..{most}; 0: {most}", most=most)


_READS: tuple[Route, ...] = (
    Route("GET", "/healthz", "health", None, "whether the box works, for a watcher", api.Health),
    Route("POST", "/api/login", "login", None, "begin a session (cookie)", api.SessionView, body=api.LoginBody,
          takes="json", refusals=(401,)),
    Route("GET", "/api/session", "session", "viewer", "who is logged in", api.SessionView, while_must_change=True),
    Route("POST", "/api/logout", "logout", "viewer", "end the session", api.ActionResult, body=api.Body,
          takes="json", while_must_change=True),
    Route("POST", "/api/password", "password", "viewer", "change the own password; all other sessions of the user end",
          api.SessionView, body=api.PasswordBody, takes="json", while_must_change=True),
    Route("GET", "/api/state", "state", "viewer", "the live state once", PageState),
    Route("GET", "/events", "events", "viewer", "the live state as server-sent events: state, beat, ended",
          kind="events"),
    Route("GET", "/picture/{read_id}.jpg", "picture", "viewer", "the picture of a read", kind="jpeg",
          refusals=(404,), query=(Parameter("sealed", "so that a browser asks anew; no value", "text"),)),
    Route("GET", "/api/deliveries", "deliveries", "viewer", "what became of the deliveries of a car, newest first",
          tuple[FoundRow, ...], query=(PLATE, FROM_MS, TO_MS)),
    Route("GET", "/api/passages", "passages", "viewer", "passages, newest first", api_views.Passages,
          query=(PLATE, FROM_MS, TO_MS, BEFORE, limit(100))),
    Route("GET", "/api/visit", "visit", "viewer", "the timeline of one visit", api_views.Visit, refusals=(404,),
          query=(Parameter("seq", "of one of its passages", required=True),)),
    Route("GET", "/api/curve", "curve", "viewer", "today by hour", api_views.Curve),
    Route("GET", "/api/system", "system", "viewer", "clock, disk, card wear, temperature, versions",
          api_views.SystemView),
    Route("GET", "/api/edges", "edges", "technician", "the newest changes of loops and limit switches",
          api_views.Edges, query=(LANE,)),
    Route("GET", "/api/cameras", "cameras", "technician", "each camera's last reads, to aim it",
          tuple[api_views.CameraRow, ...]),
    Route("GET", "/api/orders", "orders", "viewer", "orders with the pictures near them, newest first",
          api_views.Orders, query=(LANE, PLATE, FROM_MS, TO_MS, BEFORE, limit(50))),
    Route("GET", "/api/money/desk", "money_desk", "viewer", "the exits: who stands there, what it owes and why",
          money_seen.ExitDesk),
    Route("GET", "/api/money/orders", "money_orders", "viewer", "orders to pay, newest first", money_seen.MoneyOrders,
          query=(PLATE, FROM_MS, TO_MS, Parameter("before", "older than this order", "text", longest=64),
                 limit(money_seen.ROWS_MAX))),
    Route("GET", "/api/money/order", "money_order", "viewer", "the story of one order", api_views.OrderStory,
          refusals=(404,), query=(Parameter("order_id", "its id", "text", longest=64, required=True),)),
    Route("GET", "/api/money/tariffs", "money_tariffs", "viewer", "the tariffs, in versions", money_seen.Tariffs),
    Route("GET", "/api/money/price", "money_price", "viewer", "what a visit costs by a tariff, and why",
          money_seen.Price, query=(
              Parameter("version", "of a tariff", "text", longest=64, required=True),
              Parameter("vehicle", "class; empty: any other", "text", longest=6, choices=("large", "medium", "small")),
              Parameter("began_ms", "the entry", required=True), Parameter("until_ms", "the exit", required=True))),
    Route("POST", "/api/money/try", "money_try", "admin", "what a visit would cost by a tariff that is not in force",
          money_seen.Price, body=api_money.TryTariff, takes="json"),
    Route("GET", "/api/money/cards", "money_cards", "viewer", "cards, newest first", money_seen.CardRows,
          query=(PLATE, limit(money_seen.ROWS_MAX))),
    Route("GET", "/api/money/lists", "money_lists", "viewer", "plates on lists, newest first", money_seen.ListRows,
          query=(PLATE, limit(money_seen.ROWS_MAX))),
    Route("GET", "/api/actions", "actions", "viewer", "the table of orders", tuple[api.ActionView, ...]),
    Route("GET", "/api/commissioning", "commissioning", "viewer", "the check list", api_views.Commissioning),
    Route("GET", "/api/commissioning/report", "report", "technician", "the report to hand over", kind="html",
          query=(Parameter("lang", "language", "text", longest=2, choices=("zh", "en")),)),
    Route("GET", "/api/diagnostics", "diagnostics", "technician", "the diagnostics bundle, no secrets", kind="gzip",
          heavy=True),
    Route("GET", "/api/config", "config", "technician", "the configuration, no secrets", kind="toml"),
    Route("POST", "/api/config", "import_config", "admin", "check a configuration and put it in place of the old one; "
          "it takes effect when the programs start anew", api.ActionResult, body=api.ImportConfig, takes="json"),
    Route("GET", "/api/users", "users", "admin", "who may", tuple[api.UserRow, ...]),
    Route("GET", "/api/audit", "audit", "admin", "who did what, newest first", api.AuditPage,
          query=(Parameter("who", "this user", "text", longest=50), Parameter("action", "this action", "text",
                 longest=40), FROM_MS, TO_MS, BEFORE, limit(200))),
    Route("GET", "/api/audit.csv", "audit_csv", "admin", "the whole audit as CSV", kind="csv", heavy=True),
    Route("GET", "/api/audit.jsonl", "audit_jsonl", "admin", "the whole audit as JSON lines", kind="jsonl",
          heavy=True),
    Route("GET", "/api/openapi.json", "openapi", "viewer", "this interface", dict[str, Any]),
)  # fmt: skip

ROUTES: tuple[Route, ...] = _READS + tuple(
    Route("POST", f"/api/actions/{action.name}", "act", action.role, f"order: {action.en}", api.ActionResult,
          body=action.body, takes="json")
    for action in ACTIONS
)  # fmt: skip
