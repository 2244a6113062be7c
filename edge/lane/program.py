"""`parkbox lane`: the composition root of the program that must never be down (DESIGN 2).

Opens the ledger, folds what it holds, opens the devices, and runs one event loop with one task group. A task that
must not end takes the program down when it does; whoever supervises it starts it again, and it re-reads the world
before it acts. Start, stop and crash leave every relay off.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from drivers.cameras.clients import CameraClients
from drivers.cameras.listener import CameraListener
from drivers.cameras.serial_port import SerialThroughCameras
from edge.config.model import Config
from edge.core.box import Box
from edge.core.events import DeviceDown, PictureSpooled
from edge.core.facts import PictureKept, ReadTaken
from edge.core.lane_table import Desk
from edge.core.money_look import look
from edge.evidence.spool import SpoolWriter
from edge.evidence.spool_index import newest_pictures
from edge.lane.devices import LaneDevices
from edge.lane.lines import LaneLines
from edge.lane.reads import LaneReads
from edge.lane.runtime import LaneRuntime
from edge.lane.self_test import SelfTest
from edge.lane.setup import empty_box
from edge.lane.sign_test import sign_tester
from edge.lane.signs import LaneSigns
from edge.lane.socket import LaneSocket
from edge.lane.view import box_view
from edge.log_ring import ASKED_EXIT, LogRing
from edge.memory import settle
from edge.ports import DeviceError
from edge.service_notify import ServiceNotify
from edge.store.errors import StoreError
from edge.store.ledger import Ledger
from edge.wall_clock import LaneClock, boot_id

log = logging.getLogger("parkbox.lane")
logged = LogRing()

CHECK_EVERY_S = 1.0
"""Clock, silent cameras and the loop's own lateness are looked at once a second."""

LATE_S = 0.25
"""A loop that wakes so much too late is worth a line: the safety reaction waited as long."""

READ_BATCH = 1000

RIDE_MS = 10_000
"""A picture's fact waits so long for its car's passage, to be stored with it: one sync less a car. The picture itself
is durable in the spool, under its read's id, before the camera gets its reply; a start finds it there."""

SHOW_MS = 500
WAITING = {desk.value for desk in (Desk.WAIT_PAYMENT, Desk.WAIT_STALL, Desk.WAIT_CONFIRM, Desk.REFUSED)}
"""A car that waits for a person: the person wants to see its picture now, whatever a sync costs."""

PICTURES_LOOKED_AT = 50
"""Newest pictures of the spool that a start compares with the ledger: far more than come in RIDE_MS."""

LINGER_MS = 300
"""Facts that nobody waits for ride with others so long. Less than the shortest `hold_s` (0.5 s): a passage is durable
before the arm goes down behind it."""


def new_id() -> str:
    """A fact's id: 32 hex digits from the kernel, never reused (DESIGN 1)."""
    return os.urandom(16).hex()


def restore(ledger: Ledger, config: Config) -> Box:
    """The box as the ledger's facts leave it: last snapshot of the fold, then the facts after it."""
    snapshot = ledger.latest_snapshot()
    box = empty_box(config, new_id)
    seq = 0
    if snapshot is not None:
        try:
            box.restore(snapshot[1])
            seq = snapshot[0]
        except ValueError as error:
            # Slower, not wrong: the facts themselves are all there. A snapshot of an older version ends here too.
            log.warning("snapshot at %d not usable (%s): folding the whole ledger", snapshot[0], error)
    while facts := ledger.read_after(seq, READ_BATCH):
        for fact in facts:
            box.apply(fact)
        seq = facts[-1].seq
    return box


def run(config: Config) -> int:
    """Until SIGTERM or SIGINT. Exit code 0, or 1 if a mistake of ours ended it."""
    supervisor = ServiceNotify()
    data = Path(config.box.data_dir)
    ledger = Ledger(data / "ledger.db", LINGER_MS)
    try:
        failure = ledger.open_or_wait()
    except StoreError as error:
        log.critical("the ledger cannot be used: %s", error)
        return 1
    try:
        return asyncio.run(_run_with(config, ledger, data, failure, supervisor))
    finally:
        lost = ledger.close()
        if lost:
            log.error("%d facts could not be kept: the disk failed to the end", lost)
        supervisor.close()


async def _run_with(
    config: Config, ledger: Ledger, data: Path, failure: StoreError | None, supervisor: ServiceNotify
) -> int:
    loop = asyncio.get_running_loop()
    whole = True
    try:
        box = restore(ledger, config)
    except StoreError as error:
        if failure is None:
            raise
        # Cars must pass: the lot begins empty, exits ask a person. `_watch` starts anew when the file can be read.
        log.error("%s: nobody knows who is inside until the disk works again", error)  # noqa: TRY400
        box, whole = empty_box(config, new_id), False
    if failure is not None:
        ledger.forget_reads()
    this_boot = boot_id()
    clock = LaneClock(config.box.clock, this_boot, box.lot.offsets.get(this_boot))
    devices = LaneDevices(config)
    runtime = LaneRuntime(box, ledger, clock, devices.barriers, loop, snapshots=whole)
    signs, lines = LaneSigns(config, devices.lines), LaneLines(config, devices.lines)
    if signs:
        runtime.on_change.append(lambda: signs.feed(box.lane_states(), box.lot.free))
    spool = SpoolWriter(data / "spool", limit_bytes=config.box.pictures_mb * 1_000_000)
    reads = LaneReads(config.lane, runtime, spool, time.monotonic)
    cameras = [(lane.id, camera) for lane in config.lane for camera in lane.camera]
    listener = CameraListener(config.listener, cameras, reads, new_id, clock.mono_ms)
    clients = CameraClients(listener.desk, cameras)
    runtime.ask_camera = clients.trigger
    devices.plug_cameras(clients.of, reads.open_by_reply)
    devices.plug_serial(SerialThroughCameras(listener.desk, clients))
    stop = asyncio.Event()
    broken: list[str] = []
    anew: list[bool] = []

    def restart() -> None:
        log.warning("ends because a person asked for a new start")
        anew.append(True)
        stop.set()

    socket = LaneSocket(
        Path(config.box.socket), runtime, lambda: box_view(config, box, runtime, clock, signs, lines), logged.lines,
        restart, test_sign=sign_tester(signs), look=lambda ask: look(box, ask, clock.now()),
        self_test=SelfTest(config, clock.now).run,
    )  # fmt: skip

    def fatal(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A mistake of ours in a callback: end, be started again, re-read the world (DESIGN 2)."""
        log.critical("%s", context.get("message"), exc_info=context.get("exception"))
        broken.append(str(context.get("message")))
        stop.set()

    loop.set_exception_handler(fatal)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        runtime.check_clock()
        runtime.start()
        _tell_recovery(runtime, ledger)
        if failure is None:
            _adopt_pictures(runtime, ledger, data / "spool")
        signs.open(runtime.feed_from_thread)
        devices.open(runtime.feed_from_thread, runtime.feed)
        signs.feed(box.lane_states(), box.lot.free)
        try:
            await listener.start()
        except DeviceError as error:
            log.error("%s", error)  # noqa: TRY400
            runtime.feed(DeviceDown(code="listener_down", device=error.device, detail=error.detail))
        try:
            await socket.start()
        except OSError as error:
            log.error("lane socket %s: %s", config.box.socket, error)  # noqa: TRY400
            runtime.feed(DeviceDown(code="socket_down", device=config.box.socket, detail=str(error)))
        print("ready", flush=True)
        supervisor.ready()
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(
                _watch(runtime, reads, ledger, supervisor, whole=whole, signs=signs, lines=lines, devices=devices)
            )
            connected = tasks.create_task(clients.run())
            await stop.wait()
            watch.cancel()
            connected.cancel()
    finally:
        supervisor.ending()
        devices.close()
        runtime.store_riding()
        runtime.stop()
        await listener.stop()
        await socket.stop()
        reads.close()
    return 1 if broken else ASKED_EXIT if anew else 0


def _tell_recovery(runtime: LaneRuntime, ledger: Ledger) -> None:
    if (moved := ledger.recovery) is not None:
        detail = f"{moved.moved_to.name}: {moved.why}; {moved.facts_kept} facts carried over"
        runtime.feed(DeviceDown(code="ledger_damaged", device="ledger", detail=detail))


def _adopt_pictures(runtime: LaneRuntime, ledger: Ledger, spool: Path) -> None:
    """Pictures that were durable and whose fact was not when the program ended: tell them now."""
    facts = ledger.read_after(max(0, ledger.last_seq() - READ_BATCH), READ_BATCH)
    told = {fact.body.read_id for fact in facts if isinstance(fact.body, PictureKept)}
    lanes = {fact.id: fact.lane for fact in facts if isinstance(fact.body, ReadTaken)}
    for read_id, place in newest_pictures(spool, PICTURES_LOOKED_AT):
        if read_id in lanes and read_id not in told:
            runtime.feed(
                PictureSpooled(
                    lane=lanes[read_id],
                    read_id=read_id,
                    spool=place.spool,
                    offset=place.offset,
                    length=place.length,
                    crc32=place.crc32,
                )
            )
    runtime.store_riding()


async def _watch(
    runtime: LaneRuntime,
    reads: LaneReads,
    ledger: Ledger,
    supervisor: ServiceNotify,
    *,
    whole: bool,
    signs: LaneSigns,
    lines: LaneLines,
    devices: LaneDevices,
) -> None:
    """Once a second: the clock, the cameras, the ledger's writer, and how late this loop runs."""
    told = ledger.recovery
    while True:
        due_s = time.monotonic() + CHECK_EVERY_S
        await asyncio.sleep(CHECK_EVERY_S)
        late_s = time.monotonic() - due_s
        if late_s > LATE_S:
            runtime.counters["loop_late"] += 1
            log.warning("event loop %.0f ms late", late_s * 1000)
        runtime.check_clock()
        runtime.store_riding(SHOW_MS if any(lane.state in WAITING for lane in runtime.box.lane_states()) else RIDE_MS)
        reads.check_silence()
        devices.check_cameras()
        if signs.tick() | lines.tick():  # both look
            for changed in runtime.on_change:
                changed()
        if ledger.recovery is not told:  # found only when the disk worked again, or while it wrote
            told = ledger.recovery
            _tell_recovery(runtime, ledger)
        if not whole and ledger.opened:
            raise RuntimeError("the ledger can be read again: a new start reads it whole")
        if dead := devices.dead():
            raise RuntimeError(f"the thread of line {', '.join(dead)} has ended")
        if not ledger.alive:
            raise RuntimeError("the ledger's writer has ended")  # takes the program down; it is started again
        supervisor.alive(late_s)


def main(config: Config) -> int:
    logging.basicConfig(
        stream=sys.stderr,
        level=os.environ.get("PARKBOX_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    settle()
    logging.getLogger().addHandler(logged)
    return run(config)
