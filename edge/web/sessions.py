"""Who is logged in: sessions in memory, known by a random cookie of which only the hash is kept.

A session ends after `idle_s` without a request, after 12 h in any case, at logout, and when the user's password or
role changes. Every login and password change makes a new one, so that an id known before is worth nothing after.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from edge.web.roles import Role

LONGEST_S = 12 * 3600.0
"""A shift. Whoever works on logs in again."""
SESSIONS_MAX = 100
OF_ONE_USER_MAX = 10
"""One more ends the one that was idle longest: a lost phone must not keep its owner out."""


class Session(msgspec.Struct):
    """`key` is the hash of the cookie. All but `used_s` stay as they were made."""

    key: str
    user: str
    role: Role
    csrf: str
    must_change_password: bool
    address: str
    began_s: float
    used_s: float


class Sessions:
    """For one thread (the page's event loop). `mono_s`: seconds that no clock setting moves."""

    def __init__(self, idle_s: float, mono_s: Callable[[], float]) -> None:
        self.idle_s = idle_s
        self._mono_s = mono_s
        self._sessions: dict[str, Session] = {}

    def begin(self, user: str, role: Role, must_change_password: bool, address: str) -> tuple[str, Session]:
        """The cookie's value, and the session."""
        self._sweep()
        mine = [one for one in self._sessions.values() if one.user == user]
        if len(mine) >= OF_ONE_USER_MAX:
            self.end(min(mine, key=lambda one: one.used_s).key)
        elif len(self._sessions) >= SESSIONS_MAX:
            self.end(min(self._sessions.values(), key=lambda one: one.used_s).key)
        token, now_s = secrets.token_urlsafe(32), self._mono_s()
        session = Session(
            key=_key(token), user=user, role=role, csrf=secrets.token_urlsafe(32),
            must_change_password=must_change_password, address=address, began_s=now_s, used_s=now_s,
        )  # fmt: skip
        self._sessions[session.key] = session
        return token, session

    def find(self, token: str, active: bool = True) -> Session | None:
        """The session of this cookie, None if it has ended. `active`: a person did something."""
        session = self._sessions.get(_key(token))
        if session is None or not self.alive(session):
            return None
        if active:
            session.used_s = self._mono_s()
        return session

    def alive(self, session: Session) -> bool:
        now_s = self._mono_s()
        if self._sessions.get(session.key) is not session:
            return False
        if now_s - session.used_s <= self.idle_s and now_s - session.began_s <= LONGEST_S:
            return True
        self.end(session.key)
        return False

    def end(self, key: str) -> None:
        self._sessions.pop(key, None)

    def end_user(self, user: str) -> None:
        for key in [one.key for one in self._sessions.values() if one.user == user]:
            self.end(key)

    def _sweep(self) -> None:
        for session in list(self._sessions.values()):
            self.alive(session)


def right_csrf(session: Session, given: str) -> bool:
    return hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace"))


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
