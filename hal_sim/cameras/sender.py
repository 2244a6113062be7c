"""One simulated camera on the network: pushes events and heartbeats over HTTP, a new connection each.

As real ones do, it pushes the same event again until it gets the proper reply, whatever happened to the
last one. The push is written in two pieces, and the moment before the last byte needed for the plate
leaves is told: from there the box's read-to-relay time counts.
"""

from __future__ import annotations

import dataclasses
import http.client
import queue
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hal_sim.cameras.dahua import Dahua
from hal_sim.cameras.event import CameraEvent, Push, Vendor
from hal_sim.cameras.gat1400 import Gat1400
from hal_sim.cameras.hikvision import Hikvision
from hal_sim.cameras.huaxia import Huaxia
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.qianyi import Qianyi
from hal_sim.cameras.rk_v5 import RkV5
from hal_sim.cameras.vz import Vz

REPLY_WITHIN_S = 5.0
"""VZ's default time-out of a push."""

RETRY_S = 0.3
"""Pause before the same event is pushed again."""

WORKERS = 3
"""Pushes of one camera at the same time: a repeat may overtake the event before it."""

Told = Callable[[int], None]
"""Called with CLOCK_MONOTONIC ns when the last byte needed for the plate is about to leave."""


@dataclass(frozen=True)
class CameraSpec:
    id: str
    vendor: str
    serial: str


def vendor_of(spec: CameraSpec) -> Vendor:
    if spec.vendor == "vz":
        return Vz(spec.serial)
    if spec.vendor == "dahua":
        return Dahua(spec.serial)
    if spec.vendor == "hikvision":
        # Its URL is free text in the camera; the path names the camera (its serial is one of many numbers).
        return Hikvision(spec.serial, path=f"/cam/{spec.id}")
    if spec.vendor == "huaxia":
        return Huaxia(spec.serial)
    if spec.vendor == "rk_v5":
        return RkV5(spec.serial)
    if spec.vendor == "gat1400":
        return Gat1400(spec.serial)
    if spec.vendor == "qianyi":
        return Qianyi(spec.serial)
    known = "vz, dahua, hikvision, huaxia, rk_v5, gat1400, qianyi"
    raise ValueError(f"camera {spec.id}: vendor {spec.vendor!r}, simulated are {known}")


@dataclass(frozen=True)
class _Job:
    """An event to push; its picture is painted by the worker, never by whoever saw the car."""

    number: int
    uuid: str
    plate: str
    colour: str
    variant: int
    at_ms: int
    not_before_s: float
    told: Told | None


class SimCamera:
    """`see()` queues one event; worker threads push it. `counts` tells what happened."""

    def __init__(
        self, spec: CameraSpec, address: tuple[str, int], painter: Painter, *, seed: int, heartbeat_s: float
    ) -> None:
        self.spec = spec
        self.counts: Counter[str] = Counter()
        self._vendor = vendor_of(spec)
        self._address = address
        self._painter = painter
        self._dice = random.Random(seed)
        self._number = self._dice.randint(1000, 9000)
        self._heartbeat_s = heartbeat_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._idle = threading.Condition()
        self._open_jobs = 0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        targets = [self._work] * WORKERS + [self._beat]
        for target in targets:
            thread = threading.Thread(target=target, name=f"camera-{self.spec.id}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for _ in range(WORKERS):
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=REPLY_WITHIN_S + 1)

    def see(
        self,
        plate: str,
        colour: str,
        *,
        variant: int,
        delay_s: float = 0.0,
        again: int = 0,
        resent: bool = False,
        told: Told | None = None,
    ) -> None:
        """A vehicle was seen. `again`: further events of it, own ids. `resent`: the first is pushed twice."""
        now_s = time.monotonic()
        jobs = []
        for turn in range(1 + again):
            self._number += 1
            known = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
            at_ms = time.time_ns() // 1_000_000 + turn
            due_s = now_s + delay_s + 0.15 * turn
            first = told if turn == 0 else None
            jobs.append(_Job(self._number, known, plate, colour, variant + turn, at_ms, due_s, first))
        if resent:
            jobs.append(dataclasses.replace(jobs[0], not_before_s=now_s + delay_s + 0.1, told=None))
        with self._idle:
            self._open_jobs += len(jobs)
        for job in jobs:
            self._jobs.put(job)

    def wait_idle(self, timeout_s: float) -> bool:
        """All events pushed and properly answered."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open_jobs == 0, timeout_s)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            picture = self._painter.paint(job.plate, job.colour, job.variant)
            event = CameraEvent(job.number, job.uuid, job.plate, job.colour, job.at_ms, picture)
            self._stop.wait(max(0.0, job.not_before_s - time.monotonic()))
            attempt = 0
            while not self._stop.is_set():
                if self._post(self._vendor.plate_push(event, attempt), job.told, self._vendor.proper):
                    self.counts["accepted"] += 1
                    break
                attempt += 1
                self.counts["pushed_again"] += 1
                self._stop.wait(RETRY_S)
            with self._idle:
                self._open_jobs -= 1
                self._idle.notify_all()

    def _beat(self) -> None:
        while self._heartbeat_s > 0 and not self._stop.is_set():
            push = self._vendor.heartbeat(time.time_ns() // 1_000_000)
            self.counts["heartbeats"] += self._post(push, None, lambda status, body: status == 200)
            self._stop.wait(self._heartbeat_s)

    def _post(self, push: Push, told: Told | None, proper: Callable[[int, bytes], bool]) -> bool:
        try:
            with socket.create_connection(self._address, timeout=REPLY_WITHIN_S) as sock:
                # A camera's stack sends what it has; without this the second piece would wait for an ACK.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(_head(push, self._address))
                if told is not None:
                    told(time.monotonic_ns())
                sock.sendall(push.early)
                if push.late:
                    sock.sendall(push.late)
                response = http.client.HTTPResponse(sock)
                response.begin()
                body = response.read()
                if proper(response.status, body):
                    return True
                self.counts[f"improper_{response.status}"] += 1
        except (OSError, http.client.HTTPException) as error:
            self.counts[type(error).__name__] += 1
        return False


def _head(push: Push, address: tuple[str, int]) -> bytes:
    length = len(push.early) + len(push.late)
    lines = [
        f"POST {push.path} HTTP/1.1",
        f"Host: {address[0]}:{address[1]}",
        "Accept: */*",
        f"Content-Type: {push.content_type}",
        f"Content-Length: {length}",
        *(f"{name}: {value}" for name, value in push.headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
