"""Orders to cameras that take them over HTTP: Hikvision ISAPI barrierGate, Dahua CGI open-/closeStrobe and manSnap.

Each order is one request on a thread and never repeated: an arm opened late is opened for another car. Orders to the
arm go one after the other, and one that has a newer behind it is not sent: a close never overtakes an opening.
Hikvision has no order in the survey that makes it read; its cameras are asked for nothing.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.cameras.desk import Desk
from drivers.cameras.digest import Login, LoginRefused, Request, ask
from drivers.cameras.identify import Known
from edge.config.model import CameraClient


class Make(msgspec.Struct, frozen=True):
    """How one make takes orders. `done`: what a 200 must contain to be a yes."""

    open: Request
    close: Request
    trigger: Request | None
    done: bytes


MAKES = {
    # CAMERAS b6, device-verified; ISAPI ResponseStatus: statusCode 1 is OK.
    "hikvision": Make(
        open=Request(
            "PUT", "/ISAPI/Parking/channels/1/barrierGate", b"<BarrierGate><ctrlMode>open</ctrlMode></BarrierGate>"
        ),
        close=Request(
            "PUT", "/ISAPI/Parking/channels/1/barrierGate", b"<BarrierGate><ctrlMode>close</ctrlMode></BarrierGate>"
        ),
        trigger=None,
        done=b"<statusCode>1</statusCode>",
    ),
    # CAMERAS c2. A yes of Dahua's CGI is the text OK.
    "dahua": Make(
        open=Request("GET", "/cgi-bin/trafficSnap.cgi?action=openStrobe&channel=1&info.openType=Normal"),
        close=Request("GET", "/cgi-bin/trafficSnap.cgi?action=closeStrobe&channel=1"),
        trigger=Request("GET", "/cgi-bin/trafficSnap.cgi?action=manSnap&channel=1"),
        done=b"OK",
    ),
}
HTTP_PORT = 80
FAILED_S = 5.0
"""An order that failed is a fault for so long; then the next one is tried. There is no connection to watch."""


class HttpOrders:
    """One camera. Used from the lane's event loop."""

    def __init__(
        self, desk: Desk, known: Known, settings: CameraClient, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._mono_s = mono_s
        self._desk, self._known, self._settings = desk, known, settings
        self._make = MAKES[known.camera.vendor]
        password = Path(settings.password_file).read_text(encoding="utf-8").strip()
        self._login = Login(settings.user, password)
        self._refused = False
        self._failed, self._failed_s = "", 0.0
        self._moving = asyncio.Lock()
        self._newest_move = 0

    async def run(self) -> None:
        """Its events, where it is asked for them; else nothing is kept: each order has its own connection."""
        if self._settings.reads:
            from drivers.cameras.hik_stream import HikStream  # noqa: PLC0415 - only where such a camera is

            port = self._settings.port or HTTP_PORT
            stream = HikStream(
                self._desk, self._known, port, self._settings.user, self._settings.password_file, self._no_login
            )
            await stream.run()
        await asyncio.Event().wait()

    def _no_login(self, why: str) -> None:
        """One refusal ends stream and orders alike: five lock the camera."""
        self._refused = True
        self._fail("login_refused", why)

    def trigger(self) -> bool:
        return self._make.trigger is not None and self._send(self._make.trigger, "trigger")

    def open_barrier(self) -> bool:
        return self._move(self._make.open, "open")

    def close_barrier(self) -> bool:
        return self._move(self._make.close, "close")

    def trouble(self) -> str:
        if self._refused:
            return "the camera refuses the login; set it right and start anew"
        return self._failed if self._failed and self._mono_s() - self._failed_s < FAILED_S else ""

    def _send(self, request: Request, what: str) -> bool:
        if self._refused:
            self._count("order_not_sent", f"{what}: the login was refused; set it right and start anew")
            return False
        self._desk.spawn(self._carry_out(request, what))
        return True

    def _move(self, request: Request, what: str) -> bool:
        if self._refused:
            return self._send(request, what)  # counts it
        self._newest_move += 1
        self._desk.spawn(self._in_turn(request, what, self._newest_move))
        return True

    async def _in_turn(self, request: Request, what: str, number: int) -> None:
        async with self._moving:
            if number == self._newest_move:
                await self._carry_out(request, what)
            else:
                self._count("order_overtaken", what)

    async def _carry_out(self, request: Request, what: str) -> None:
        address = self._known.camera.addresses[0]
        port = self._settings.port or HTTP_PORT
        try:
            status, body = await asyncio.to_thread(ask, address, port, request, self._login)
        except LoginRefused as error:
            self._no_login(str(error))
        except (OSError, http.client.HTTPException) as error:
            self._fail("order_lost", f"{what}: {type(error).__name__}: {error}")
        else:
            compact = b"".join(body.split())
            self._failed = ""
            if status != 200 or self._make.done not in compact:
                self._fail("order_refused", f"{what}: {status} {compact[:100].decode('utf-8', 'replace')}")

    def _fail(self, what: str, detail: str) -> None:
        self._failed, self._failed_s = f"{what}: {detail}", self._mono_s()
        self._count(what, detail)

    def _count(self, what: str, detail: str) -> None:
        self._desk.sink.count(self._known.camera.id, what, detail)
