"""Telling the supervisor that a program is ready, alive or ending: the datagrams of sd_notify(3), without a library.

Systemd starts a unit of `Type=notify`, and restarts one whose `WATCHDOG=1` has not come for `WatchdogSec`. We feed it
from the lateness of the loop that does the work, so a loop that hangs, or that is late again and again, is restarted;
a timer beside the loop would go on feeding. Without a supervisor every call does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping

log = logging.getLogger("parkbox.service")

FED_LATE_S = 1.0
"""A loop later than this does not feed. An arm moves 90 degrees in 1.5 s at the fastest: one second late is too late
to stop it, while a single late second is no reason to restart: only `WatchdogSec` of them in a row are."""

SEND_WITHIN_S = 0.1
"""The socket's queue is full when the supervisor itself hangs; the hardware watchdog is for that, not we."""

PATH_MAX_BYTES = 107  # sockaddr_un of unix(7), without the final zero


class ServiceNotify:
    """One for a program. Raises `ValueError` when `NOTIFY_SOCKET` is neither a path nor an abstract name."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        """Takes its variables out of `environment`: a child of ours must not speak for us (sd_notify(3))."""
        found = os.environ if environment is None else environment
        address = found.pop("NOTIFY_SOCKET", "")
        if address and (address[0] not in "/@" or len(os.fsencode(address)) > PATH_MAX_BYTES):
            raise ValueError(f"NOTIFY_SOCKET is {address!r}, must be a path or @name of at most {PATH_MAX_BYTES} bytes")
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            found.pop(name, None)
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(SEND_WITHIN_S)

    def ready(self) -> None:
        """The program does its work from now on."""
        self._send("READY=1")

    def alive(self, late_s: float) -> bool:
        """Feed the watchdog, unless the loop that calls woke more than `FED_LATE_S` too late. Whether it did."""
        if late_s > FED_LATE_S:
            return False
        self._send("WATCHDOG=1")
        return True

    def ending(self) -> None:
        """The program ends in order."""
        self._send("STOPPING=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(state.encode("ascii"), self._address)
        except OSError as error:
            # The supervisor hears nothing and will restart us in its time; cars pass until then.
            log.warning("%s did not reach the supervisor: %s", state, error)
