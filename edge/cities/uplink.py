"""Uplink: conversation and transport put together: log in when needed, send one record, rest after trouble.

The rules of time are here: one immediate repetition when no answer came (Qingdao QC28), one login for a refused token
and the record again, and a rest with full jitter while login or transport fail. Whether a record is tried again later
is its sender's business.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from edge.cities.city import Poster, Request, Talk
from edge.cities.clock import Clock, Jitter
from edge.cities.http import TransportFault
from edge.cities.verdict import Answer, Verdict, lost, unreachable
from edge.ports import LinkView

# Full jitter (a random rest between 0 and a doubling bound) spreads a city's boxes after an outage.
REST_BASE_S = 1.0

# A refused login starts at this many failures (bound 32 s): an account must not be locked by our repetitions.
REFUSED_FAILURES = 6

# Online means that the city took something within three reports of the counts, or within this.
LIVE_MIN_S = 180.0


class Uplink:
    """`send` is for one thread; `view`, `refused` and `down` may be asked from any."""

    def __init__(
        self,
        conversation: Talk,
        transport: Poster,
        clock: Clock,
        random: Jitter,
        *,
        rest_max_s: float,
        live_s: float,
        rest_base_s: float = REST_BASE_S,
    ) -> None:
        self._talk, self._transport, self._clock, self._random = conversation, transport, clock, random
        self._rest_base_s, self._rest_max_s = rest_base_s, rest_max_s
        self._live_s = max(LIVE_MIN_S, live_s)
        self._stopping = threading.Event()
        self._failures = 0
        self._rest_until_s = 0.0
        self._trouble: Verdict | None = None
        self._last_ok_s: float | None = None
        self._last_ok_wall_ms = 0
        self._last_try_s = 0.0

    def stop(self) -> None:
        """Cut what is under way and send nothing more."""
        self._stopping.set()
        self._transport.abort()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def rest_s(self) -> float:
        """How long nothing may be sent."""
        return max(0.0, self._rest_until_s - self._clock.mono_s())

    def send(self, kind: str, record_id: str, record: bytes, *, repeat: bool) -> Verdict:
        """One record. `repeat`: send at once again when no answer came. Never "relogin"."""
        return self.send_batch(kind, [(record_id, record)], repeat=repeat)[0]

    def send_batch(self, kind: str, records: Sequence[tuple[str, bytes]], *, repeat: bool) -> list[Verdict]:
        """Records of one kind, each with its id, in one request; a verdict for each. They rest all or none."""
        verdicts = self._with_login(kind, records, repeat)
        taken = next((verdict for verdict in verdicts if verdict.meaning == "accepted"), None)
        self._book(taken or verdicts[0])
        return verdicts

    def _with_login(self, kind: str, records: Sequence[tuple[str, bytes]], repeat: bool) -> list[Verdict]:
        for _ in range(2):
            if self._talk.needs_login(self._clock.mono_s()):
                verdict = self._log_in()
                if verdict.meaning != "accepted":
                    return [verdict] * len(records)
            request = self._talk.batch(kind, records, self._clock.wall_ms())
            answer = self._exchange(request, repeat)
            if isinstance(answer, Verdict):
                return [answer] * len(records)
            verdicts = self._talk.judged_each(request, answer)
            verdict = verdicts[0]
            if verdict.meaning != "relogin":
                return verdicts
            self._talk.token_refused(request)
        refused = unreachable(
            f"新令牌也被拒绝: {verdict.zh}", f"a fresh token was refused too: {verdict.en}", verdict.code
        )
        return [refused] * len(records)

    def log_out(self) -> None:
        """After `stop` and the end of the sending thread: give the token back, if the city listens. It ends by
        itself too, so a goodbye that fails is nobody's trouble."""
        request = self._talk.logout(self._clock.wall_ms()) if self.online else None
        if request is not None:
            with suppress(TransportFault):
                self._transport.farewell(request)

    def _log_in(self) -> Verdict:
        verdict = self._log_in_once()
        if verdict.meaning == "relogin":  # a token that could not be renewed: from the beginning
            verdict = self._log_in_once()
        if verdict.meaning == "relogin":
            verdict = unreachable(verdict.zh, verdict.en, verdict.code)
        return verdict

    def _log_in_once(self) -> Verdict:
        sent_at_s = self._clock.mono_s()
        request = self._talk.login(self._clock.wall_ms())
        answer = self._exchange(request, repeat=False)
        if isinstance(answer, Verdict):
            return unreachable(answer.zh, answer.en)
        verdict = self._talk.logged_in(request, answer, sent_at_s)
        if verdict.meaning not in {"accepted", "relogin"}:
            self._failures = max(self._failures, REFUSED_FAILURES - 1)
        return verdict

    def _exchange(self, request: Request, repeat: bool) -> Answer | Verdict:
        try:
            return self._transport.post(request)
        except TransportFault as fault:
            if not fault.sent or self.stopping:
                return unreachable(fault.zh, fault.en)
            if not repeat:
                return lost(fault.zh, fault.en)
        return self._exchange(request, repeat=False)

    def _book(self, verdict: Verdict) -> None:
        if self.stopping and verdict.meaning != "accepted":
            return  # cut by ourselves: it says nothing of the city
        now_s = self._clock.mono_s()
        self._last_try_s = now_s
        if verdict.meaning == "accepted":
            self._last_ok_s, self._last_ok_wall_ms = now_s, self._clock.wall_ms()
            self._failures, self._trouble = 0, None
        elif verdict.rests:
            self._failures += 1
            self._trouble = verdict
            bound_s = min(self._rest_max_s, self._rest_base_s * 2 ** min(self._failures - 1, 30))
            self._rest_until_s = now_s + self._random.uniform(0.0, bound_s)
        else:
            self._failures = 0
            self._trouble = verdict

    @property
    def online(self) -> bool:
        """Business liveness: the city took something lately, and nothing that we sent since met trouble."""
        ok_s = self._last_ok_s
        if ok_s is None or self._failures:
            return False
        return self._last_try_s <= ok_s or self._clock.mono_s() - ok_s <= self._live_s

    @property
    def refused(self) -> Verdict | None:
        """The city answers and will not have us: account, signature, address."""
        trouble = self._trouble
        return trouble if trouble is not None and trouble.meaning == "link" and trouble.code else None

    @property
    def down(self) -> Verdict | None:
        """Not reached, or no readable answer. One failure is not an outage."""
        return self._trouble if self._failures > 1 and self.refused is None else None

    def view(self, city: str) -> LinkView:
        trouble = self._trouble
        if self.online:
            zh, en = "在线", "online"
        elif trouble is None:
            zh, en = "正在连接", "connecting"
        elif not self._failures:
            zh, en = f"未被接收: {trouble.zh}", f"not taken: {trouble.en}"
        else:
            zh, en = f"离线: {trouble.zh}", f"offline: {trouble.en}"
        return LinkView(city, self.online, zh, en, self._last_ok_wall_ms)
