"""The agent's city links: which are configured, with what account, and what the page may know of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from edge.cities.engine import Counts, DeliveryEngine
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.site import makers
from edge.config.model import Config
from edge.fault_view import fault_view
from edge.lane_clock import kernel_synchronised
from edge.ports import BoxView, FaultView, LinkView
from edge.store.deliveries import Deliveries
from edge.store.errors import StoreError
from edge.store.reader import LedgerFile


class SystemClock:
    """`cities.link.Clock` on this machine."""

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
        qingdao = config.city.qingdao
        if qingdao is None:
            return

        def counts() -> Counts | None:
            view = box()
            return None if view is None else Counts(view.total, view.parked, 0)

        account = Account(
            cno=qingdao.cno,
            sub_code=qingdao.sub_code,
            user=qingdao.user,
            password=_secret(qingdao.password_file),
            passkey=_secret(qingdao.passkey_file),
        )
        engine = DeliveryEngine(
            qingdao,
            config.lot,
            config.lane,
            account,
            ledger=ledger,
            boot_offsets=ledger.boot_offsets,
            store=store,
            counts=counts,
            clock=SystemClock(config.box.clock == "trusted"),
            random=random.SystemRandom(),
            storage_errors=(StoreError, OSError),
            died=died,
            changed=changed,
            makers=makers(config, box),
        )
        self._engines.append(engine)

    def start(self) -> None:
        for engine in self._engines:
            engine.start()

    def stop(self) -> None:
        for engine in self._engines:
            engine.stop()

    def kick(self) -> None:
        """There may be new facts."""
        for engine in self._engines:
            engine.kick()

    def links(self) -> list[LinkView]:
        return [engine.link() for engine in self._engines]

    def held(self) -> int:
        return sum(engine.held for engine in self._engines)

    def faults(self) -> list[FaultView]:
        return [
            fault_view(fault.code, fault.device, fault.detail, fault.since_wall_ms)
            for engine in self._engines
            for fault in engine.faults()
        ]


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()
