"""One camera connection: requests in, reads to the desk, exactly one answer each.

The life of a request: head -> who may this be -> body (a read as soon as the plate is known) -> answer. One
deadline on the loop's clock bounds the whole request; whatever is wrong gets its HTTP status, a counter and a close.
Only an answer made by the vendor's `reply(opened=True)` moves an arm, and only `_answer_plate` can ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from drivers.cameras.desk import KEPT_WITHIN_S, Desk, Taken
from drivers.cameras.http import CONTINUE, BadRequest, Head, RequestReader, answer
from drivers.cameras.identify import Known, Refused, by_serial, canonical_address
from drivers.cameras.reading import Damaged, Message, Push, Reading
from drivers.cameras.vendors import push_for

IDLE_S = 120.0
"""A kept connection without a request: longer than the slowest heartbeat (VZ 30 s, GA/T 1400 90 s)."""

LINGER_S = 1.0
"""After a refusal the rest is read and thrown away: closing at once would reset the refusal away (RFC 9112 9.6)."""


class Connection(asyncio.BufferedProtocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(desk.limits.body_limit_bytes, desk.buffers)
        self._state: Literal["reading", "answering", "draining"] = "reading"
        self._transport: asyncio.Transport
        self._here: tuple[Known, ...] = ()  # cameras of this address
        self._gives_back: Callable[[], None] | None = None  # its place among the connections
        self._timer: asyncio.TimerHandle | None = None
        self._end_of_file = False
        self._idle = True
        self._begin()

    def _begin(self) -> None:
        self._push: Push | None = None
        self._candidates: tuple[Known, ...] = self._here
        self._early: Taken | None = None
        self._early_message: Message | None = None
        self._ends_hold: Callable[[], None] | None = None

    # --- asyncio's side ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._desk.connections.add(self)
        peer = canonical_address(str(transport.get_extra_info("peername")[0]))
        shares = self._desk.shares
        self._here = self._candidates = self._desk.registry.at(peer)
        if not self._here:
            self._refuse(403, "camera_refused", f"address {peer} belongs to no camera")
        elif shares.take(peer):
            self._gives_back = lambda: shares.leave(peer)
            self._set_timer(self._desk.limits.slow_s)
        elif shares.take_over():
            self._gives_back = shares.leave_over
            self._refuse(503, "too_many_connections", f"over {shares.of(peer)} from {peer}")
        else:
            self._count("too_many_connections", f"over {shares.of(peer)} from {peer}, cut")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._desk.connections.discard(self)
        if self._gives_back is not None:
            self._gives_back()
        self._set_timer(None)
        if self._state == "reading" and not self._idle:
            self._count("cut_off", "connection ended within a request")
            self._not_finished("connection ended")
        if self._state != "answering":  # else the picture is still to be taken from it
            self._reader.release()

    def get_buffer(self, sizehint: int) -> bytearray | memoryview:
        room = self._reader.room() if self._state == "reading" else None
        return self._desk.scratch if room is None else room

    def buffer_updated(self, nbytes: int) -> None:
        if self._state == "draining":
            return
        if self._idle:
            self._idle = False
            self._set_timer(self._desk.limits.slow_s)
        try:
            if self._reader.room() is not None:
                self._reader.wrote(nbytes)
            else:
                self._reader.feed(memoryview(self._desk.scratch)[:nbytes])
        except BadRequest as error:
            self._refuse(error.status, "bad_request", error.reason)
            return
        self._work()

    def eof_received(self) -> bool:
        self._end_of_file = True
        return self._state == "answering"  # the sender may have closed its side only

    # --- requests ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """As far as the bytes go; several requests may be waiting."""
        while self._state == "reading" and self._reader.head is not None:
            try:
                if self._push is None:
                    self._push = self._start(self._reader.head)
                if not self._reader.complete:
                    self._look_early(self._push)
                    return
                self._set_timer(None)
                self._state = "answering"
                self._finish(self._push)
            except Refused as error:
                self._refuse(error.status, "camera_refused", error.reason)
            except BadRequest as error:
                self._refuse(error.status, "bad_request", error.reason)
            except Damaged as error:
                self._refuse(400, "damaged", str(error))

    def _start(self, head: Head) -> Push:
        named = self._desk.registry.named_by(head.path, self._here)
        if head.method != "POST":
            raise BadRequest(405, f"method {head.method}, allowed is POST")
        push, self._candidates = push_for(head, named)
        if head.expects and not self._reader.have:
            self._transport.write(CONTINUE)
        return push

    def _look_early(self, push: Push) -> None:
        if self._early is not None:
            return
        message = push.early(self._reader.body, self._reader.have)
        if message is not None:
            self._early_message = message
            self._early = self._desk.take(self._candidates, message)
            # The picture's bytes wait in the kernel: received now, they would hold the interpreter while the
            # decision's commit needs it.
            self._transport.pause_reading()
            self._desk.spawn(self._read_on())

    async def _read_on(self) -> None:
        """The rest of the body, as soon as the decision is durable and the arm asked."""
        await self._desk.sink.quiet()
        if self._state != "answering":
            self._transport.resume_reading()

    def _finish(self, push: Push) -> None:
        if self._early is not None and self._early_message is not None:
            self._finish_early(push, self._early, self._early_message)
            return
        message = push.finish(self._reader.body, self._reader.have)
        if message.kind == "plate":
            taken = self._desk.take(self._candidates, message)
            self._answer_plate(taken, message, push)
            return
        known = self._sender(message)
        if known is not None:
            self._desk.sink.on_alive(known.camera.id)
        if message.kind == "other":
            self._count("other_event", message.what, known)
        if message.kind == "alive" and known is not None:
            self._answer_beat(known, message)
        else:
            self._send(message.reply(self._candidates[0].camera.vendor, opened=False))

    def _finish_early(self, push: Push, taken: Taken, early: Message) -> None:
        """The read stands, whatever the rest says. A rest that contradicts it brings no picture and opens nothing."""
        vendor = taken.known.camera.vendor
        try:
            message = push.finish(self._reader.body, self._reader.have)
            same = essence(message.reading(vendor)) == essence(taken.reading)
            same = same and early.serial in ("", message.serial)  # "": it stands behind and nobody needs it
            wrong = "" if same else "the rest of the push contradicts its beginning"
        except Damaged as error:
            wrong = str(error)
        if wrong:
            self._count("damaged_after_read", f"read {taken.seen.read_id}: {wrong}", taken.known)
            self._send(early.reply(vendor, opened=False))
        else:
            self._answer_plate(taken, message, push)

    def _picture(self, push: Push, taken: Taken) -> bytes | None:
        if taken.seen.picture:
            return None
        try:
            return push.picture(self._reader.body)
        except Damaged as error:
            self._count("picture_damaged", f"read {taken.seen.read_id}: {error}", taken.known)
            return None

    def _sender(self, message: Message) -> Known | None:
        """Some pushes name nobody (VZ TriggerImage): a camera alone at its address is meant, else nobody is."""
        if message.serial:
            return by_serial(self._candidates, message.serial)
        return self._candidates[0] if len(self._candidates) == 1 else None

    # --- answers -----------------------------------------------------------------------------------------------

    def _answer_plate(self, taken: Taken, message: Message, push: Push) -> None:
        self._transport.pause_reading()
        self._desk.spawn(self._answer_when_settled(taken, message, push))

    async def _answer_when_settled(self, taken: Taken, message: Message, push: Push) -> None:
        try:
            # Decoding 300 KB of base64 holds the GIL for a millisecond and its fsync is in the way of the decision's:
            # the arm goes first.
            await self._desk.sink.quiet()
            picture = self._picture(push, taken)
            settled = await self._desk.settle(taken, picture)
        except BaseException:
            self.abort()  # no answer is a closed arm; the failure itself goes to the loop's exception handler
            raise
        if settled == "not_kept":
            self._not_kept(taken)
            return
        reply = message.reply(taken.known.camera.vendor, opened=settled == "opened")
        self._send_later(self._desk.mail.with_mail(taken.known.camera.id, reply))

    def _answer_beat(self, known: Known, message: Message) -> None:
        reply = message.reply(known.camera.vendor, opened=False)
        hold_s = self._desk.comet_hold_s(known.camera.id)
        if hold_s == 0:
            self._desk.beat_answered(known.camera.id, self)
            self._send(reply)
            return
        if self._desk.mail.waits(known.camera.id):
            self._desk.beat_answered(known.camera.id, self)
            self._send(self._desk.mail.with_mail(known.camera.id, reply))
            return
        self._desk.hold(known.camera.id, self)
        self._transport.pause_reading()
        self._ends_hold = lambda: self._end_hold(known, reply)
        self._set_timer(hold_s, self.end_hold)

    def end_hold(self) -> None:
        """The request that is held is answered, once."""
        ends, self._ends_hold = self._ends_hold, None
        if ends is not None and not self._transport.is_closing():
            ends()

    def _end_hold(self, known: Known, reply: bytes) -> None:
        self._desk.beat_answered(known.camera.id, self)
        self._send_later(self._desk.mail.with_mail(known.camera.id, reply))

    def _send_later(self, body: bytes) -> None:
        """An answer that comes from the loop, not from `_work`."""
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        self._send(body)
        self._work()

    def _not_kept(self, taken: Taken) -> None:
        """No promise: a camera that gets no 200 keeps its push and sends it again, which is no second read then."""
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._refuse(503, "not_kept_in_time", f"read {taken.seen.read_id} not durable in {KEPT_WITHIN_S:g} s")

    def _send(self, body: bytes) -> None:
        """Answer 200 and make ready for the next request."""
        head = self._reader.head
        close = self._end_of_file or head is None or not head.keep_alive
        self._transport.write(answer(200, body, close=close))
        if close:
            self._state = "draining"
            self._transport.close()
            return
        self._begin()
        self._state = "reading"
        try:
            self._reader.next()
        except BadRequest as error:
            self._refuse(error.status, "bad_request", error.reason)
            return
        self._idle = self._reader.untouched
        self._set_timer(IDLE_S if self._idle else self._desk.limits.slow_s)

    def _refuse(self, status: int, counter: str, reason: str) -> None:
        if self._state == "reading":
            self._not_finished(reason)
        self._state = "draining"
        self._count(counter, reason)
        self._transport.write(answer(status, close=True))
        if not self._here:
            self._transport.close()  # a stranger gets no patience
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._set_timer(LINGER_S, self.abort)

    def _not_finished(self, reason: str) -> None:
        if self._early is not None:
            detail = f"read {self._early.seen.read_id}: {reason}"
            self._count("damaged_after_read", detail, self._early.known)
            self._early = None

    # --- time and end ------------------------------------------------------------------------------------------

    def _set_timer(self, after_s: float | None, then: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if after_s is None else self._loop.call_later(after_s, then or self._too_late)

    def _too_late(self) -> None:
        if self._idle:
            self._state = "draining"
            self._transport.close()
        else:
            self._refuse(408, "slow", f"request not finished within {self._desk.limits.slow_s} s")

    def abort(self) -> None:
        self._set_timer(None)
        self._state = "draining"
        self._transport.abort()

    def _count(self, counter: str, detail: str, known: Known | None = None) -> None:
        if known is None and len(self._candidates) == 1:
            known = self._candidates[0]
        self._desk.sink.count(known.camera.id if known else "", counter, detail)


def essence(reading: Reading) -> tuple[str, str, bool, str, bool]:
    """What an early reading must share with the whole push. Width and confidence may stand behind the picture."""
    return reading.event_id, reading.plate_raw, reading.no_plate, reading.colour, reading.replay
