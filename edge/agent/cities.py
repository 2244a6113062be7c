"""The agent's city links: which are configured, with what account, and what the page may know of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cities.city import City, Counts
from edge.cities.engine import DeliveryEngine
from edge.cities.qingdao.city import qingdao
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.site import makers
from edge.cities.times import Times
from edge.config.model import Config, Qingdao
from edge.fault_view import fault_view
from edge.ports import BoxView, FaultView, LinkView
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from edge.store.reader import LedgerFile
from edge.wall_clock import kernel_synchronised

if TYPE_CHECKING:
    from edge.agent.link_mqtt import RunningLine
    from edge.cities.shenzhen.conversation import Conversation as ShenzhenTalk


class SystemClock:
    """`cities.clock.Clock` on this machine."""

    def __init__(self, trusted: bool) -> None:
        self._trusted = trusted

    def mono_s(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def wall_is_true(self) -> bool:
        return self._trusted or kernel_synchronised()


class CityLinks:
    """Starts and stops one delivery engine for each city of the config."""

    def __init__(
        self,
        config: Config,
        ledger: LedgerFile,
        store: Deliveries,
        box: Callable[[], BoxView | None],
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        self._engines: list[DeliveryEngine] = []
        self._store, self._shenzhen, self._orders, self._calls = store, None, None, None
        clock = SystemClock(config.box.clock == "trusted")

        def counts() -> Counts | None:
            view = box()
            return None if view is None else Counts(view.total, view.parked, booked(view))

        cities: list[City] = []
        if config.city.qingdao is not None:
            city = _qingdao(config, config.city.qingdao, box, counts)
            cities.append(city)
            if config.city.qingdao.mqtt is not None:
                from edge.agent.qingdao import QingdaoLink  # noqa: PLC0415 - only for a city that orders
                from edge.agent.qingdao_calls import QingdaoCallsLink  # noqa: PLC0415

                talk, settings, mqtt = city.talk, config.city.qingdao, config.city.qingdao.mqtt
                assert isinstance(talk, Conversation)
                orders = self._orders = QingdaoLink(
                    config,
                    settings,
                    mqtt,
                    account_of(config),
                    lambda: talk.token,
                    clock,
                    random.SystemRandom(),
                    died=died,
                    changed=changed,
                )
                self._calls = QingdaoCallsLink(
                    config,
                    settings,
                    mqtt,
                    account_of(config),
                    talk,
                    ledger,
                    lambda: Times(ledger.boot_offsets()),
                    lambda: orders.view().online,
                    died=died,
                )
        if config.city.shenzhen is not None:
            from edge.agent.shenzhen import ShenzhenLink  # noqa: PLC0415 - 12 MB that only this city needs

            self._shenzhen = ShenzhenLink(
                config, config.city.shenzhen, clock, counts, died=died, changed=changed
            )
            cities.append(self._shenzhen.city)
        self._names = [city.name for city in cities]
        for city in cities:
            engine = DeliveryEngine(
                city,
                ledger=ledger,
                boot_offsets=ledger.boot_offsets,
                store=store,
                clock=clock,
                random=random.SystemRandom(),
                storage_errors=(StoreError, OSError),
                died=died,
                changed=changed,
            )
            self._engines.append(engine)

    def start(self) -> None:
        self._store.begin(self._names)
        for engine in self._engines:
            engine.start()
        if self._shenzhen is not None:
            self._shenzhen.start()
        if self._orders is not None:
            self._orders.start()
        if self._calls is not None:
            self._calls.start()

    def stop(self) -> None:
        if self._calls is not None:
            self._calls.stop()
        if self._orders is not None:
            self._orders.stop()
        if self._shenzhen is not None:
            self._shenzhen.stop()
        for engine in self._engines:
            engine.stop()

    def kick(self) -> None:
        """There may be new facts."""
        for engine in self._engines:
            engine.kick()
        if self._calls is not None:
            self._calls.kick()

    def links(self) -> list[LinkView]:
        found = [engine.link() for engine in self._engines]
        found += self._shenzhen.links() if self._shenzhen is not None else []
        return found + ([self._orders.view()] if self._orders is not None else [])

    def beside_shenzhen(self) -> ShenzhenTalk | None:
        """A conversation with the running link's token; None: no such city, or it is not logged in."""
        return self._shenzhen.beside() if self._shenzhen is not None else None

    def orders_of_qingdao(self) -> RunningLine | None:
        return self._orders

    def held(self) -> int:
        """Passages and payments that wait for the clock; every city waits for the same ones."""
        return max((engine.held for engine in self._engines), default=0)

    def faults(self) -> list[FaultView]:
        """Each once, though every city may have met it."""
        found = [fault for engine in self._engines for fault in engine.faults()]
        found += self._shenzhen.faults() if self._shenzhen is not None else []
        found += self._orders.faults() if self._orders is not None else []
        known = {(fault.code, fault.device): fault for fault in reversed(found)}
        return [
            fault_view(fault.code, fault.device, fault.detail, fault.since_wall_ms)
            for fault in reversed(known.values())
        ]


def booked(view: BoxView) -> int:
    """Bookings that hold a stall."""
    return view.flow.held if view.flow is not None else 0


def _qingdao(
    config: Config, settings: Qingdao, box: Callable[[], BoxView | None], counts: Callable[[], Counts | None]
) -> City:
    return qingdao(settings, config.lot, config.lane, account_of(config), counts=counts, makers=makers(config, box))


def account_of(config: Config) -> Account:
    """What Qingdao handed out; the secrets are read from their files now."""
    settings = config.city.qingdao
    if settings is None:
        raise ValueError("city.qingdao: the configuration has none")
    return Account(
        cno=settings.cno,
        sub_code=settings.sub_code,
        user=settings.user,
        password=_secret(settings.password_file),
        passkey=_secret(settings.passkey_file),
    )


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()
