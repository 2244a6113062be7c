"""Delivery engine: one thread that carries what the ledger says to one city. Several run side by side, each with its
cursor, its classes of messages and its retries (`city.City`).

A round is: read facts on and add their rows (`feed`), then, unless the link rests, the reports that are due (`reports`:
lot, devices, tariff, counts, states), and the due rows. The queue is the table: nothing waits in memory, no lock is
held across the network, and only the city's own "accepted" ends a delivery. A crash between "accepted" and our note of
it repeats the same item_id, by which the city knows the record.

What counts as one of a record's 50 repetitions is a request that left the box. While the platform cannot be
reached, refuses the login or our account, the link rests and no record is blamed, for days if need be.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

import msgspec

from edge.cities.city import City
from edge.cities.clock import Clock, Jitter
from edge.cities.feed import Feed
from edge.cities.reports import Reports
from edge.cities.sender import Sender
from edge.cities.uplink import Uplink
from edge.ports import DeliveryStore, LedgerReader, LinkView

log = logging.getLogger(__name__)

# An idle engine looks into the ledger this often; `kick` makes it look at once.
POLL_S = 0.2

# After trouble with the disk.
STORAGE_REST_S = 5.0

# What the city has accepted is kept as long as the audit (GB/T 22239: half a year at least); then the oldest go, an
# hour's thousand at a time: more than a busy lot makes, and one small transaction.
ACCEPTED_KEPT_MS = 184 * 86_400_000
PRUNE_EVERY_S = 3600.0


class CityFault(msgspec.Struct, frozen=True):
    """A fault of `core.faults`: its code there, which part, what happened, since when."""

    code: str
    device: str
    detail: str
    since_wall_ms: int


class DeliveryEngine:
    """`start`, `stop`, `kick`, `link`, `faults` and `held` are for any thread; `run_once` is for tests and for the
    engine's own thread."""

    def __init__(
        self,
        city: City,
        *,
        ledger: LedgerReader,
        boot_offsets: Callable[[], Mapping[str, int]],
        store: DeliveryStore,
        clock: Clock,
        random: Jitter,
        storage_errors: tuple[type[Exception], ...],
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        """`died` is told why the thread ended by itself; `changed` that `link` or `faults` or a delivery is another
        one. `storage_errors`: what store and ledger raise."""
        self._city, self._store, self._clock = city, store, clock
        self._storage_errors, self._died, self._changed = storage_errors, died, changed
        self._uplink = Uplink(
            city.talk,
            city.transport,
            clock,
            random,
            rest_max_s=city.rest_max_s,
            live_s=city.live_s,
            rest_base_s=city.rest_base_s,
        )
        self._feed = Feed(ledger, store, city.mapper, boot_offsets, city.name)
        self._wake = threading.Condition()
        self._kicked = False
        self._thread: threading.Thread | None = None
        # Due times live on a wall clock that no later step moves: due_ms outlives a restart, mono_s does not.
        self._wall_from_mono_ms = clock.wall_ms() - round(clock.mono_s() * 1000)
        self._reports = Reports(
            city.classes,
            city.makers,
            city.sending,
            self._uplink,
            clock,
            lambda: store.counts()["accepted"] > 0,
        )
        self._sender = Sender(city.name, city.sending, store, self._uplink, clock=clock, now_ms=self._now_ms)
        self._storage_trouble = ""
        self._prune_at_s = clock.mono_s() + PRUNE_EVERY_S
        self._set_aside = 0
        self._faults: tuple[CityFault, ...] = ()
        self._shown: object = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"{self._city.name}-deliveries", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut the request that is under way, note what was accepted, log out, end."""
        self._uplink.stop()
        self.kick()
        if self._thread is not None:
            self._thread.join()
        self._uplink.log_out()
        self._city.transport.close()

    def kick(self) -> None:
        """There may be new facts, or a row was put back by hand."""
        with self._wake:
            self._kicked = True
            self._wake.notify()

    def link(self) -> LinkView:
        return self._uplink.view(self._city.name)

    def faults(self) -> list[CityFault]:
        return list(self._faults)

    @property
    def held(self) -> int:
        """Passages and payments that wait for the box's clock."""
        return self._feed.held

    def run_once(self) -> float:
        """One round. How long nothing needs to be done unless somebody kicks, in seconds."""
        try:
            wait_s = self._round()
            self._prune()
            self._set_aside = self._store.counts()["set_aside"]
            self._storage_trouble = ""
        except self._storage_errors as error:
            self._storage_trouble = str(error)
            self._feed.reset()
            self._sender.reset()
            wait_s = STORAGE_REST_S
        self._update_faults()
        return wait_s

    # --- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._uplink.stopping:
                wait_s = self.run_once()
                with self._wake:
                    self._wake.wait_for(lambda: self._kicked or self._uplink.stopping, wait_s)
                    self._kicked = False
            self._note_at_end()
        except BaseException as error:
            self._died(error)
            raise

    def _note_at_end(self) -> None:
        try:
            self._sender.note()
        except self._storage_errors as error:
            log.warning("accepted records could not be noted and will be sent again: %s", error)
        finally:
            self._sender.reset()

    def _round(self) -> float:
        more = self._feed.advance()
        while more and not (self._uplink.stopping or self._reports.due()):
            more = self._feed.advance()  # the newest fact is the live one: first to the end of the ledger
        rest_s = self._uplink.rest_s()
        if rest_s > 0:
            return 0.0 if more else min(rest_s, POLL_S)
        rows = 0
        if self._reports.send_due() and all(map(self._reports.settled, self._city.records_after)) and not more:
            rows = self._send_rows()
        return 0.0 if more or rows else POLL_S

    # --- what is sent ----------------------------------------------------------------------------------------

    def _send_rows(self) -> int:
        tried = self._sender.send_due(lambda: self._kicked or self._reports.due())
        if tried:
            self._shown = None
        return tried

    def _prune(self) -> None:
        """A wrong clock must not make yesterday look old."""
        if self._clock.mono_s() >= self._prune_at_s and self._clock.wall_is_true():
            self._prune_at_s = self._clock.mono_s() + PRUNE_EVERY_S
            self._store.prune(self._clock.wall_ms() - ACCEPTED_KEPT_MS)

    def _now_ms(self) -> int:
        return self._wall_from_mono_ms + round(self._clock.mono_s() * 1000)

    # --- what is shown ---------------------------------------------------------------------------------------

    def _update_faults(self) -> None:
        since = {(fault.code, fault.device): fault.since_wall_ms for fault in self._faults}
        now_ms = self._clock.wall_ms()
        self._faults = tuple(
            CityFault(code, device, detail, since.get((code, device), now_ms))
            for code, device, detail in self._troubles()
        )
        shown = (self._faults, self._uplink.view(self._city.name), self._feed.held)
        if shown != self._shown:
            self._shown = shown
            self._changed()

    def _troubles(self) -> list[tuple[str, str, str]]:
        found = []
        if refused := self._uplink.refused:
            found.append(("city_refused_login", self._city.name, refused.answer))
        if down := self._uplink.down:
            found.append(("city_offline", self._city.name, down.answer))
        found += [("delivery_set_aside", kind, answer) for kind, answer in self._reports.troubles()]
        if self._set_aside:
            found.append(("delivery_set_aside", self._city.name, f"{self._set_aside} 条已搁置 / set aside"))
        if self._feed.held:
            found.append(("clock_unset", self._city.name, f"{self._feed.held} 条等待校时 / wait for the clock"))
        if self._storage_trouble:
            found.append(("storage_failing", "deliveries.db", self._storage_trouble))
        return found
