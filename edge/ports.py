"""Ports: what the composition roots plug together. Nobody behind a port knows who is on the other side.

Commands and facts are different words (DESIGN 5.7): a barrier has `raise_arm`, and separately somebody reports
`LimitChanged`. Drivers report by calling `emit(event)`; it is thread-safe and never blocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

import msgspec

from edge.core.events import AnyEvent
from edge.core.facts import Fact
from edge.core.lane_status import LaneStatus
from edge.core.line_status import LineStatus, Reaction
from edge.core.sign_status import SignStatus

Emit = Callable[[AnyEvent], None]


class Driver(Protocol):
    """The verbs of every driver, in the order of its life. `open` raises `DeviceError`; `close` never raises."""

    def open(self, emit: Emit) -> None:
        """Take the hardware, outputs at their safe level first, report the present state of every input."""

    def close(self) -> None:
        """Release every output and give the hardware back."""


class BarrierPort(Driver, Protocol):
    """Dry contacts. Each call starts one pulse that ends by itself; a call never blocks for the pulse."""

    def raise_arm(self) -> None: ...

    def lower_arm(self) -> None: ...

    def stop_arm(self) -> None: ...


class DeviceError(Exception):
    """A device cannot be opened or does not answer: which one, and what happened."""

    def __init__(self, device: str, detail: str) -> None:
        super().__init__(f"{device}: {detail}")
        self.device = device
        self.detail = detail


class LedgerReader(Protocol):
    """The agent's view of the ledger: facts in order, never a write."""

    def read_after(self, seq: int, limit: int) -> Sequence[Fact]: ...


# --- deliveries (agent) --------------------------------------------------------------------------------------


class Delivery(msgspec.Struct, frozen=True):
    """One message that a city must accept. `item_id` is the fact's id and never changes."""

    id: int  # row id: order of making
    city: str
    kind: str  # carIn, carOut, carcharge, parkininfo, ...
    item_id: str
    visit_id: str  # messages of one visit leave in order
    body: bytes  # the record (JSON object) as it will be signed and sent
    plate: str
    made_ms: int
    attempts: int = 0
    due_ms: int = 0
    state: Literal["waiting", "accepted", "set_aside"] = "waiting"
    last_answer: str = ""
    read_id: str = ""  # the camera read whose picture belongs to it
    answered_ms: int = 0  # wall clock of the last answer, 0 while there was none


class Due(msgspec.Struct, frozen=True):
    """What is needed to send a waiting delivery: members as there."""

    id: int
    kind: str
    item_id: str
    body: bytes
    made_ms: int
    attempts: int = 0


class DeliveryStore(Protocol):
    """`deliveries.db`: the queue is the table. Every call is one transaction; none is held across the network."""

    def cursor(self, city: str = "qingdao") -> int:
        """Ledger seq up to which facts have been turned into deliveries of this city."""

    def add(self, cursor: int, new: Sequence[Delivery], city: str = "qingdao") -> None:
        """Cursor advance and new rows in one transaction. A repeated (city, kind, item_id) is one row."""

    def due(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        """Waiting rows whose time has come, live before backlog; of one visit only its oldest waiting one (none
        while that one's time has not come), so an exit pulls its own entry forward. Those of `busy` (a page on the
        wire) count as waiting and are not among them; then all are in the order of making, what is live too."""

    def live(self, city: str, now_ms: int, limit: int, busy: Sequence[int] = ()) -> list[Due]:
        """Of `due`, the live ones: made within the last minute, or first of a visit with such a row."""

    def accepted(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None:
        """`at_ms`, here and below: wall clock of the answer."""

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int = 0) -> None:
        """Try again at `due_ms`; counts one attempt."""

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int = 0) -> None: ...

    def counts(self) -> dict[str, int]:
        """Rows by state: waiting, accepted, set_aside."""

    def prune(self, made_before_ms: int, limit: int = 1000) -> int:
        """Delete accepted ones made before then, at most `limit`, oldest first. How many went."""

    def recent(self, limit: int) -> list[Delivery]: ...

    def search(self, plate: str, limit: int, from_ms: int = 0, to_ms: int = 1 << 62) -> list[Delivery]:
        """Made from `from_ms` to before `to_ms`, newest first, whose plate contains `plate`."""


# --- pictures to the city's storage (agent) --------------------------------------------------------------------


class Upload(msgspec.Struct, frozen=True):
    """One picture that the city's storage is to get."""

    id: int
    record_id: str
    direction: str
    day: str  # the folder of the file
    passed_ms: int
    attempts: int = 0


class UploadQueue(Protocol):
    """A table in the agent's files. Every call is one transaction; none is held across the network."""

    def due(self, now_ms: int, live_ms: int, limit: int) -> list[Upload]:
        """Those whose time has come: of passages since `live_ms` first, then in the order of passing."""

    def next_due_ms(self) -> int | None: ...

    def stored(self, ids: Sequence[int], answer: str, at_ms: int) -> None: ...

    def failed(self, ids: Sequence[int], due_ms: int, answer: str, at_ms: int) -> None:
        """Again at `due_ms`; counts one attempt."""

    def set_aside(self, ids: Sequence[int], answer: str, at_ms: int) -> None: ...

    def gone(self, ids: Sequence[int], answer: str, at_ms: int) -> None: ...

    def counts(self) -> dict[str, int]:
        """Pictures that wait, and that were set aside."""


class PictureStory(msgspec.Struct, frozen=True):
    """What became of one passage's picture: made or not, uploaded or not, and why not."""

    state: str  # made, missing, failed, deleted
    why: str = ""
    upload: str = ""  # waiting, stored, set_aside, gone; "" = no upload is configured
    attempts: int = 0
    due_ms: int = 0
    answer: str = ""
    answered_ms: int = 0


# --- the lane's status, as the socket and the page see it ------------------------------------------------------


class FaultView(msgspec.Struct, frozen=True):
    code: str
    device: str
    zh: str
    en: str
    effect_zh: str
    effect_en: str
    todo_zh: str
    todo_en: str
    detail: str
    since_wall_ms: int
    by_hand: bool = False  # ends when a person acknowledges it; else when its cause is gone
    mild: bool = False  # everything still works: to be looked at, no alarm


class LaneView(LaneStatus, frozen=True, kw_only=True):
    """One lane as the core tells it, under the name that people know it by."""

    name: str


class QueueView(msgspec.Struct, frozen=True):
    """A car that waits at an entrance, in the order in which they may go."""

    lane: str
    plate: str
    reserved: bool
    since_wall_ms: int
    decision: Literal["wait", "ask"]
    rule: str
    zh: str
    en: str


class BookingView(msgspec.Struct, frozen=True):
    code: str
    plate: str
    from_ms: int
    until_ms: int
    ends_ms: int  # with what it is kept beyond: last moment at which its car is a reserved one
    confirmed: bool
    arrived: bool  # its car is admitted and not yet through
    city: str


class EntranceView(msgspec.Struct, frozen=True):
    """One entrance and its rules. `role` differs from `configured` while it is switched; `until_ms` 0: no end."""

    lane: str
    role: Literal["reserved", "ordinary", "mixed"]
    configured: Literal["reserved", "ordinary", "mixed"]
    until_ms: int
    ordinary: Literal["rules", "wait", "ask"]


class FlowView(msgspec.Struct, frozen=True):
    """Flow control as it stands. To change it: `priority`, `role` and `book` on the lane socket."""

    configured: bool  # False: no [flow] in the configuration; holds of bookings count all the same
    state: Literal["free", "saturated", "full"]
    state_zh: str
    state_en: str
    saturated_from: float  # share of the stalls
    full_from: float
    parked: int  # P: inside, and admitted but not yet through
    held: int  # H: bookings that hold a stall
    room: int  # T - P - H; negative when overbooked
    priority: bool
    scheduled: tuple[str, str] | None  # on from, off from
    rule_zh: str  # what an ordinary car meets now
    rule_en: str
    reserved_since: int  # of `reserved_needed`, while saturated
    reserved_needed: int
    exits: int  # of `out`, while full
    out: int
    credits: int
    queue: tuple[QueueView, ...]
    bookings: tuple[BookingView, ...]  # the next ones, at most BOOKINGS_SHOWN
    bookings_all: int
    entrances: tuple[EntranceView, ...]
    controls: int  # entries of control lists


BOOKINGS_SHOWN = 100


class BoxView(msgspec.Struct, frozen=True):
    """Everything the page shows about the lane program; sent on every change, at most 10 a second."""

    box_id: str
    lot_name: str
    total: int
    parked: int
    lanes: tuple[LaneView, ...]
    faults: tuple[FaultView, ...]
    clock_synced: bool
    wall_ms: int
    ledger_seq: int
    counters: dict[str, int]
    flow: FlowView | None = None  # None from a lane program older than flow control
    signs: tuple[SignStatus, ...] = ()
    lines: tuple[LineStatus, ...] = ()
    reactions: tuple[Reaction, ...] = ()


# --- cameras to lane program -----------------------------------------------------------------------------------


class ReadSink(Protocol):
    """Where a camera listener puts what it understood. Called on the lane's event loop."""

    def on_read(self, event: AnyEvent) -> None:
        """A read, as early as the plate is known (before the picture where the field order allows)."""

    def on_picture(self, read_id: str, jpeg: bytes) -> Awaitable[None]:
        """The scene picture of a read; done when it is durable. Raises `OSError` if it cannot be kept."""

    def quiet(self) -> Awaitable[None]:
        """Done when no decision waits for the disk, at the latest after a fifth of a second: the moment for work
        that would be in its way."""

    def kept(self) -> Awaitable[None]:
        """Done when all reads so far are durable, or when the disk is known to fail. Not bounded: a disk may hang."""

    def verdict(self, read_id: str) -> Awaitable[bool]:
        """For a camera whose relay is the barrier: whether the box admits this car. Bounded by the box, not the
        caller; False when nothing was decided in time."""

    def on_alive(self, camera: str) -> None:
        """Any valid message of this camera, heartbeats included."""

    def count(self, camera: str, what: str, detail: str = "") -> None:
        """One refused, damaged or unknown input: counter name, and one log line with the reason."""


# --- what the page shows ---------------------------------------------------------------------------------------


class LinkView(msgspec.Struct, frozen=True):
    """One city link in words. `online` is business liveness: the city accepted something lately."""

    city: str
    online: bool
    zh: str
    en: str
    last_ok_wall_ms: int
    receives: bool = False  # only listens: nothing of ours is accepted there, `last_ok_wall_ms` says nothing
    idle: bool = False  # not tried since the start: neither online nor offline


class EvidenceView(msgspec.Struct, frozen=True):
    """One lane's pictures over its last passages (`passages` of them): Qingdao B.1 rules 1 and 9."""

    lane: str
    passages: int
    pictures: int
    missing: int  # no read, or the camera sent none
    failed: int  # sent, and could not be used
    plates: int  # pictures whose plate's width the camera told
    narrow: int  # of these, under 100 px
    small: int  # pictures that had to be scaled up: the camera is to be set right


class AgentView(msgspec.Struct, frozen=True):
    links: tuple[LinkView, ...]
    counts: dict[str, int]  # waiting, accepted, set_aside, held_for_clock
    recent: tuple[Delivery, ...]
    faults: tuple[FaultView, ...]
    version: str
    evidence: tuple[EvidenceView, ...] = ()


class DeliveryFound(msgspec.Struct, frozen=True):
    """What a search tells of one delivery. `zh` and `en` answer: reported, when, and if not, why."""

    delivery: Delivery
    picture: bool  # the box has the picture of its read
    zh: str
    en: str
    picture_zh: str = ""
    """With picture, uploaded when, and if not, why; "" when no picture belongs to it."""
    picture_en: str = ""


TrialWord = Literal["", "waiting", "ok", "failing"]
"""Of the test picture while a new system is on trial; "": it is not."""


class PageSource(Protocol):
    """What the page may ask. Called from the web server's thread; never blocks on the network."""

    def box(self) -> BoxView | None:
        """None: the lane program does not answer."""

    def agent(self) -> AgentView: ...

    def picture(self, read_id: str) -> bytes | None:
        """The evidence picture, or the camera's while there is none yet; None if there is neither."""

    def sealed(self, read_id: str) -> bool:
        """Whether `picture` is the evidence picture."""

    def search(self, plate: str, from_ms: int, to_ms: int) -> Sequence[DeliveryFound]:
        """Deliveries of plates that contain `plate` ("" = any), made from `from_ms` to before `to_ms`, newest first."""

    def trial(self) -> TrialWord:
        """What has come of the test picture of a trial."""

    def version(self) -> int:
        """Grows with every change of `box()` or `agent()`: the page's stream sends on change."""
