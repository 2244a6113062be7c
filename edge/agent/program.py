"""`parkbox agent`: the composition root of what may be down for hours (DESIGN 2): city links and the page.

Plain threads: one that listens to the lane program, one for each city, one for the page. A thread that must not
end takes the program down when it does; whoever supervises it starts it again, and the queue on disk says where
to go on.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from edge.agent.cities import CityLinks, account_of
from edge.agent.desk import AgentDesk, Hands
from edge.agent.end import Ending
from edge.agent.evidence import Evidence
from edge.agent.lane_link import LaneLink
from edge.agent.link_check import Running
from edge.agent.page import Page
from edge.agent.picture_trial import PictureTrial
from edge.agent.pictures import PictureIndex
from edge.agent.socket import AgentSocket, agent_socket
from edge.agent.source import AgentSource
from edge.agent.upkeep import Limits, Upkeep
from edge.agent.uploads import CityPictures, wanted
from edge.box.restore_place import beijing, note_seen, read_note
from edge.config.model import Config
from edge.core.audit import AuditLog
from edge.evidence.jobs import Child
from edge.fault_view import fault_view
from edge.log_ring import ASKED_EXIT, LogRing
from edge.memory import settle
from edge.ports import FaultView
from edge.service_notify import ServiceNotify
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from edge.store.pictures import Pictures
from edge.store.reader import LedgerFile
from edge.version import VERSION
from edge.web.accounts import FIRST_USER
from edge.web.server import system_wall_ms

log = logging.getLogger("parkbox.agent")
logged = LogRing()

PICTURES_BACK = 20_000
"""Facts before the newest whose pictures the page can show at once after a start."""

FEED_EVERY_S = 5.0
"""How often the main thread wakes to feed the watchdog. It is late when any thread keeps the interpreter."""

OPEN_AGAIN_S = 2.0
"""Between two tries to open the queue on a disk that fails; the page runs and says so."""


def run(config: Config, path: Path) -> int:
    supervisor = ServiceNotify()
    data = Path(config.box.data_dir)
    ending = Ending()
    store = Deliveries(data / "deliveries.db")
    lasting: list[FaultView] = []
    if (note := read_note(data)) is not None and not note.seen:
        lasting.append(fault_view("restored", note.box, f"{beijing(note.made_ms)}, {note.last_seq}", note.made_ms))
    ledger = LedgerFile(data / "ledger.db")
    pictures = PictureIndex(ledger, data / "spool", lambda: max(0, ledger.last_seq() - PICTURES_BACK))
    source = AgentSource(store, pictures, VERSION)

    def lane_changed() -> None:
        source.changed()
        cities.kick()
        evidence.kick()

    link = LaneLink(Path(config.box.socket), lane_changed)
    cities = CityLinks(config, ledger, store, link.view, died=ending.failed, changed=source.changed)
    box = config.box
    limits = Limits(box.evidence_days, box.evidence_mb * 1_000_000, box.free_mb * 1_000_000)
    shelf = Pictures(data / "pictures.db", uploading=wanted(config))
    uploads = CityPictures(config, shelf, store.undelivered, died=ending.failed, changed=source.changed)
    upkeep = Upkeep(data / "pictures", shelf, limits, uploads.still_needed)

    def picture_changed() -> None:
        source.changed()
        uploads.kick()

    evidence = Evidence(
        config,
        ledger,
        shelf,
        Child(data),
        upkeep,
        died=ending.failed,
        changed=picture_changed,
    )
    trial = PictureTrial(config, died=ending.failed)
    hands = Hands(
        source=source,
        has_picture=lambda read_id: source.picture(read_id) is not None,
        repeat=store.repeat,
        repeated=lane_changed,
        running=Running(
            lambda: account_of(config), link.view, cities.links, cities.beside_shenzhen, cities.orders_of_qingdao
        ),
        restart_agent=ending.asked,
        log_lines=logged.lines,
        page=lambda: _page_books(page),
    )
    desk = AgentDesk(config, path, hands, now_ms=system_wall_ms)
    page = Page(config, source, desk, changed=source.changed, on_failure=ending.failed)
    seen_to = {"restored": lambda: note_seen(data)}
    source.attach(link, cities, evidence, uploads, lasting, page.faults, seen_to, trial.word)
    orders = AgentSocket(
        agent_socket(config.box.socket), store.repeat, lane_changed, ending.failed, repeat_pictures=uploads.repeat
    )
    # Whatever happens to this thread, no other is left behind: a program half alive is not started again.
    with ExitStack() as at_end:
        at_end.callback(supervisor.close)
        at_end.callback(ending.close)
        at_end.callback(ledger.close)
        at_end.callback(store.close)
        at_end.callback(desk.close)
        link.start()
        at_end.callback(link.stop)
        evidence.start()
        at_end.callback(evidence.stop)
        trial.start()
        at_end.callback(trial.stop)
        uploads.start()
        at_end.callback(uploads.stop)
        at_end.callback(cities.stop)
        page.start()
        at_end.callback(page.stop)
        at_end.callback(desk.stop)
        orders.start()
        at_end.callback(orders.stop)
        at_end.callback(supervisor.ending)
        _carry(store, lasting, cities, source, ending, supervisor=supervisor)
    if ending.failure is not None:
        log.error("the agent ends because of %r", ending.failure)
        return 1
    return ASKED_EXIT if ending.anew else 0


def _page_books(page: Page) -> tuple[AuditLog, bool, int, list[str]]:
    users = page.accounts.users()
    changed = bool(users) and not any(user.name == FIRST_USER and user.must_change_password for user in users)
    return page.audit, changed, len(users), page.accounts.hashes()


def _carry(
    store: Deliveries,
    lasting: list[FaultView],
    cities: CityLinks,
    source: AgentSource,
    ending: Ending,
    *,
    supervisor: ServiceNotify,
) -> None:
    """Open the queue, again and again while the disk fails; then the cities run. Until the program is to end."""
    try:
        opened = _open(store, lasting)
        if opened:
            cities.start()
        print("ready", flush=True)
        supervisor.ready()
        while True:
            pause_s = FEED_EVERY_S if opened else OPEN_AGAIN_S
            due_s = time.monotonic() + pause_s
            if ending.wait(pause_s):
                break
            supervisor.alive(time.monotonic() - due_s)
            if opened:
                continue
            opened = _open(store, lasting)
            if opened:
                log.warning("the delivery queue can be used again")
                cities.start()
                source.changed()
    except StoreError as error:
        ending.failed(error)


def _open(store: Deliveries, lasting: list[FaultView]) -> bool:
    """False: the disk fails, try again later; until then the facts wait in the ledger."""
    try:
        moved = store.open()
    except StoreError as error:
        if error.kind == "newer":
            raise  # no time will mend it: a newer program must be installed
        log.warning("the delivery queue cannot be used: %s; next try in %.0f s", error, OPEN_AGAIN_S)
        return False
    if moved is not None:
        detail = f"{moved.moved_to.name}: {moved.why}"
        lasting.append(fault_view("deliveries_damaged", "deliveries", detail, time.time_ns() // 1_000_000))
    return True


def main(config: Config, path: Path) -> int:
    """`path`: the configuration's file, which the page can show and replace."""
    settle()  # else glibc keeps 16 MB of scrypt for each thread that once hashed a password: 102 MB instead of 39
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger().addHandler(logged)
    return run(config, path)
