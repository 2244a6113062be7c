"""Bytes for a camera's RS485 that wait for its next request: VZ carries them out of an HTTP reply (CAMERAS a7).

Only replies to plates and, in comet mode, to heartbeats are executed. In comet mode the camera's request waits here
and is answered at once; without, a text goes with the next plate, or not at all when none comes in time.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

LIVES_MS = 10_000
"""What a sign should have shown ten seconds ago is not news; the sign's owner sends the newest again every minute."""
FRAMES_MAX = 12
"""Four rows and a voice for two signs: more is never one text."""


class Mailbox:
    """All cameras'. On the lane's event loop."""

    def __init__(self, now_ms: Callable[[], int], lost: Callable[[str, str], None]) -> None:
        """`lost(camera, detail)`: bytes that nobody fetched."""
        self._now_ms, self._lost = now_ms, lost
        self._waiting: dict[str, deque[tuple[int, int, bytes]]] = {}

    def put(self, camera: str, channel: int, data: bytes) -> None:
        """`channel` counts from 1, as on the camera's terminals."""
        waiting = self._waiting.setdefault(camera, deque())
        waiting.append((self._now_ms(), channel, data))
        if len(waiting) > FRAMES_MAX:
            waiting.popleft()
            self._lost(camera, "too many wait")

    def waits(self, camera: str) -> bool:
        return camera in self._waiting

    def with_mail(self, camera: str, reply: bytes) -> bytes:
        """A reply with what waits for this camera in it, each frame whole and with its exact length."""
        waiting = self._waiting.pop(camera, None)
        if waiting is None:
            return reply
        fresh = [(channel, data) for put_ms, channel, data in waiting if self._now_ms() - put_ms <= LIVES_MS]
        if len(fresh) < len(waiting):
            self._lost(camera, f"{len(waiting) - len(fresh)} frames, no request within {LIVES_MS // 1000} s")
        if not fresh:
            return reply
        document: dict[str, Any] = msgspec.json.decode(reply)
        response = document.setdefault("Response_AlarmInfoPlate", {})
        response["serialData"] = [
            {"serialChannel": channel - 1, "data": base64.b64encode(data).decode("ascii"), "dataLen": len(data)}
            for channel, data in fresh
        ]  # dataLen counts the bytes before base64 (firmware source: decoded strictly and cut to it)
        return msgspec.json.encode(document)
