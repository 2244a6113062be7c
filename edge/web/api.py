"""What goes over the JSON interface about people: sessions, users, orders and their answers, refusals, the audit.

Every body is one of these types: names, ranges and lengths stand here and nowhere else; `openapi.json` is made from
them. What the page reads of the box stands in `views` and `api_views`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.core.facts_flow import Role as EntranceRole
from edge.ports import TrialWord
from edge.web.roles import Role

Text = Annotated[str, Meta(min_length=1, max_length=50)]
Why = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x20\x7f\u3000][^\x00-\x1f\x7f]*$")]
"""Words: not empty, not spaces alone, no control characters."""
Password = Annotated[str, Meta(min_length=1, max_length=128)]
"""What was typed; whether it is good enough is judged by `passwords`. 128: scrypt's work must not depend on it."""
UserName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{1,19}$")]
LaneId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
OneLine = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all request bodies: an unknown member is an error."""


ProblemCode = Literal[
    "bad_request", "login_needed", "wrong_password", "locked", "csrf", "role", "must_change_password",
    "weak_password", "not_found", "method", "too_large", "media_type", "too_many", "refused", "lane_silent",
    "storage", "busy", "internal",
]  # fmt: skip

# --- answers that every request may get --------------------------------------------------------------------------


class Issue(msgspec.Struct, frozen=True):
    """One thing to mend in a configuration: where, what stands there, what is allowed."""

    path: str
    value: str
    zh: str
    en: str


class Problem(msgspec.Struct, frozen=True):
    """Body of every answer that is not 2xx. `code` never changes its meaning; the words are for the person."""

    code: ProblemCode
    zh: str
    en: str
    retry_s: int = 0
    """After so many seconds it may work (codes locked, too_many, busy)."""
    issues: tuple[Issue, ...] = ()


# --- sessions ----------------------------------------------------------------------------------------------------


class Health(msgspec.Struct, frozen=True):
    """/healthz, for whoever watches from outside: no name, no plate, no version."""

    ok: bool
    """The lane program answers."""
    pictures: TrialWord = ""
    """Of the test picture that the box makes while a new system is on trial; "": no trial."""


class LoginBody(Body, frozen=True, kw_only=True):
    user: Text
    password: Password


class PasswordBody(Body, frozen=True, kw_only=True):
    old: Password
    new: Password


class SessionView(msgspec.Struct, frozen=True):
    """Who is logged in. `csrf` goes into the header X-CSRF-Token of every POST."""

    user: str
    role: Role
    csrf: str
    must_change_password: bool
    """Only GET /api/session, POST /api/password and POST /api/logout are answered until it is changed."""
    idle_s: int
    """Without a request (the event stream is none) the session ends after so long."""


class UserRow(msgspec.Struct, frozen=True):
    name: str
    role: Role
    must_change_password: bool
    made_ms: int
    last_login_ms: int
    """0: never."""
    locked_until_ms: int
    """0: not locked."""


# --- orders ------------------------------------------------------------------------------------------------------


class Order(Body, frozen=True, kw_only=True):
    """Base of what a person orders. The same `command_id` twice is carried out once."""

    why: Why
    command_id: Hex32 | None = None


class LaneOrder(Order, frozen=True, kw_only=True):
    lane: LaneId


SeenPlate = Annotated[str, Meta(max_length=20)]


class CarOrder(LaneOrder, frozen=True, kw_only=True):
    """Of the car that stands at the lane and no other: with another one there nothing is done."""

    arrival_id: Hex32
    """As the state showed it."""
    seen_plate: SeenPlate
    """The plate that stood beside it, "" = not read."""


class PayFree(CarOrder, frozen=True, kw_only=True):
    order_id: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")]
    """What is paid, as the state showed it; "" where no order was made out."""


class PayCash(PayFree, frozen=True, kw_only=True):
    amount_fen: Annotated[int, Meta(ge=0, le=10_000_000)]


class CorrectPlate(Order, frozen=True, kw_only=True):
    """Of the car at the arm (`lane`, with its `arrival_id`) or of one that is inside (`visit_id`); one of the two."""

    plate: Annotated[str, Meta(min_length=1, max_length=20)]
    lane: LaneId | None = None
    arrival_id: Hex32 | None = None
    seen_plate: SeenPlate | None = None
    visit_id: Hex32 | None = None


class CorrectCount(Order, frozen=True, kw_only=True):
    count: Annotated[int, Meta(ge=0, le=100_000)]


class AcknowledgeFault(Order, frozen=True, kw_only=True):
    """`device` as the fault shows it (the lane's id stands before the slash)."""

    fault: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
    lane: LaneId | None = None
    device: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """Of a fault that the state's `agent` tells of; left out, it is one of the lane program's."""


class TestRelay(LaneOrder, frozen=True, kw_only=True):
    """One pulse of one relay, at a lane that is locked and without a car."""

    relay: Literal["open", "close", "stop"]


class SetPriority(Order, frozen=True, kw_only=True):
    """Priority of reserved cars on or off; the schedule, if there is one, switches it again at its next turn."""

    on: bool


class SetLaneRole(LaneOrder, frozen=True, kw_only=True):
    """Whom an entrance is for, until it is switched again."""

    lane_role: EntranceRole


class RepeatDelivery(Order, frozen=True, kw_only=True):
    ids: Annotated[tuple[Annotated[int, Meta(ge=1, le=2**53)], ...], Meta(min_length=1, max_length=200)]


LinkName = Literal["qingdao", "qingdao-mqtt", "shenzhen", "shenzhen-tcp", "oss"]
"""Links that the box opens itself, as the page's state names them."""


class CheckLink(Body, frozen=True, kw_only=True):
    city: LinkName


class RestartProgram(Order, frozen=True, kw_only=True):
    program: Literal["lane", "agent"]


class ImportConfig(Body, frozen=True, kw_only=True):
    """A whole configuration (TOML). It is judged as `parkbox check` does, then written in place of the old one."""

    text: Annotated[str, Meta(min_length=1, max_length=300_000)]
    why: Why


class UserAdd(Order, frozen=True, kw_only=True):
    name: UserName
    role: Role


class UserRole(UserAdd, frozen=True, kw_only=True):
    """The user's new role."""


class UserNamed(Order, frozen=True, kw_only=True):
    name: UserName


class CommissionMark(Body, frozen=True, kw_only=True):
    """A by-hand item of the check list is done, or is not."""

    item: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
    done: bool
    note: OneLine = ""


class CommissionForm(Body, frozen=True, kw_only=True):
    """What the box cannot know of the application form (T/QME 0015-2024 Annex A.1). "": not filled in yet."""

    address: OneLine = ""
    gaode: Annotated[str, Meta(pattern=r"^$|^\d{1,3}\.\d{1,8}, ?\d{1,3}\.\d{1,8}$")] = ""
    """Longitude, latitude as lbs.amap.com/tools/picker gives them."""
    building: Literal["", "地面", "地下"] = ""
    district: Literal[
        "", "市南区", "市北区", "李沧区", "崂山区", "黄岛区", "城阳区", "即墨区", "胶州市", "平度市", "莱西市"
    ] = ""
    owner: OneLine = ""
    brand: OneLine = ""
    contact: OneLine = ""
    government_price: Literal["", "是", "否"] = ""
    filed: Literal["", "是", "否"] = ""
    filed_on: Annotated[str, Meta(pattern=r"^$|^\d{4}-\d{2}-\d{2}$")] = ""
    remarks: OneLine = ""
    filled_by: OneLine = ""


class Step(msgspec.Struct, frozen=True):
    """One step of a check. `todo_*`: what to do when it failed."""

    name: Literal["name", "address", "tcp", "tls", "login", "call"]
    state: Literal["ok", "failed", "skipped"]
    zh: str
    en: str
    took_ms: int
    todo_zh: str = ""
    todo_en: str = ""


class ActionResult(msgspec.Struct, frozen=True):
    """What became of an order: `ok` False is a refusal by whoever was asked, in its own words."""

    ok: bool
    zh: str
    en: str
    steps: tuple[Step, ...] = ()
    """check_link only."""
    password: str = ""
    """user_add and user_reset only: shown once, to be changed at the first login."""
    issues: tuple[Issue, ...] = ()
    """Import of a configuration only."""
    ask: bool = False
    """Nothing was done: the words say why it may be a mistake. The same order with `confirmed` is carried out."""


# --- the table of actions, as the page draws its sheets --------------------------------------------------------------


class FieldView(msgspec.Struct, frozen=True):
    name: str
    kind: Literal["lane", "text", "plate", "fen", "count", "choice", "ids", "hex", "bool", "day", "known"]
    required: bool
    zh: str
    en: str
    choices: tuple[str, ...] = ()
    max_length: int = 0


class ActionView(msgspec.Struct, frozen=True):
    """POST /api/actions/<name> with `fields` as members."""

    name: str
    group: Literal["lane", "car", "lot", "fault", "delivery", "test", "program", "users", "commission", "money"]
    role: Role
    allowed: bool
    """For whoever asks."""
    zh: str
    en: str
    warn_zh: str
    warn_en: str
    """"" unless a person should think twice."""
    fields: tuple[FieldView, ...]


# --- audit ---------------------------------------------------------------------------------------------------------


class AuditRow(msgspec.Struct, frozen=True):
    """Who, when, from where, what, result."""

    seq: int
    at_ms: int
    clock_true: bool
    who: str
    role: str
    address: str
    action: str
    target: str
    why: str
    ok: bool
    zh: str
    en: str
    hash: str


class AuditPage(msgspec.Struct, frozen=True):
    rows: tuple[AuditRow, ...]
    next_before_seq: int
    """0: there are no older ones."""
    broken_seq: int
    """The first row whose chain does not fit: somebody changed the file. 0: whole."""
    kept_days: int
