"""A barrier that hangs on a camera's relay: `edge.ports.BarrierPort`, in place of pins or a board.

What opens it is one of two, as the camera's settings say: an order over the box's own connection (`client.opens`), or
the reply to the push that is waiting for one. Nobody sees the contact in either: a failure that can be known is the
fault barrier_down for as long as it lasts, and an order that found no way out is gone, never sent later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.core.events import DeviceDown, DeviceUp
from edge.ports import DeviceError, Emit


class Mover(Protocol):
    """What carries the orders out. False: nothing was sent."""

    def open_barrier(self) -> bool: ...

    def close_barrier(self) -> bool: ...

    def trouble(self) -> str:
        """Why an order would not arrive now, "" if nothing speaks against it."""


class ByReply:
    """The reply to a push that still waits. `answer(lane)` gives it; False when none waits."""

    def __init__(self, lane: str, answer: Callable[[str], bool]) -> None:
        self._lane, self._answer = lane, answer

    def open_barrier(self) -> bool:
        return self._answer(self._lane)

    def close_barrier(self) -> bool:
        return False  # no published reply closes

    def trouble(self) -> str:
        return ""


class CameraBarrier:
    """`mover` is given before `open`. Used on the event loop's thread alone."""

    def __init__(self, lane: str, camera: str, *, closes: bool) -> None:
        self._lane, self._camera, self._closes = lane, camera, closes
        self.mover: Mover | None = None
        self._emit: Emit | None = None
        self._down = False

    def open(self, emit: Emit) -> None:
        """Nothing to take: the camera's relay is open while nobody orders, and its pulses end in the camera."""
        self._emit = emit

    def close(self) -> None:
        """Nothing is told any more: an end is no fault."""
        self._emit = None

    def raise_arm(self) -> None:
        """Raises `DeviceError` when no order can be sent and no reply waits."""
        mover = self._moved_by()
        self._sent(mover.open_barrier(), mover, "open")

    def lower_arm(self) -> None:
        """Where the camera closes (`client.closes`); else the barrier does by itself. Raises `DeviceError`."""
        if self._closes:
            mover = self._moved_by()
            self._sent(mover.close_barrier(), mover, "close")

    def stop_arm(self) -> None:
        """No camera of the survey stops an arm; the lane is told so (`has_stop`)."""

    def check(self) -> None:
        """About once a second: the fault begins and ends with the mover's trouble."""
        why = self._moved_by().trouble()
        if bool(why) == self._down or self._emit is None:
            return
        self._down = bool(why)
        if why:
            self._emit(DeviceDown(lane=self._lane, code="barrier_down", device=self._camera, detail=why))
        else:
            self._emit(DeviceUp(lane=self._lane, code="barrier_down", device=self._camera))

    def _moved_by(self) -> Mover:
        if self.mover is None:
            raise DeviceError(self._camera, "nothing moves this barrier: it was never connected")
        return self.mover

    def _sent(self, sent: bool, mover: Mover, verb: str) -> None:
        if not sent:
            self._down = True  # the caller tells it; `check` ends it
            raise DeviceError(self._camera, f"{verb}: {mover.trouble() or 'no push of the camera waits for its reply'}")
