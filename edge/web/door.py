"""The door: who asks, may he, how often, and does the request come from our own page. Logins, and the audit of all.

Everything here runs on the page's event loop but password hashing and the audit's disk, which take a worker thread.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus

from edge.core.audit import AuditEntry, AuditLog
from edge.web.accounts import AccountError, Accounts, User
from edge.web.api import Problem, ProblemCode
from edge.web.lockout import LOCK_S, TRIES, Lockout, address_key, login_keys
from edge.web.message import RefusedRequest, Request
from edge.web.rate import ANY, HEAVY, LOGINS, ORDERS, Limiter, Rate
from edge.web.roles import ROLE_WORDS, may
from edge.web.routes import Route
from edge.web.sessions import Session, Sessions, right_csrf
from edge.web.work import Work

log = logging.getLogger("parkbox.page")

LOGINS_WAITING_MAX = 8
"""Passwords that wait to be hashed, one after the other; more are told to come again."""
FAILED_TOLD_A_MINUTE = 30
"""Failed logins that get an audit line of their own; a flood of them is one line with a number."""


class Limits:
    """Rates of the door; the tests of the interface widen them."""

    def __init__(self, any_: Rate = ANY, orders: Rate = ORDERS, heavy: Rate = HEAVY, logins: Rate = LOGINS) -> None:
        self.any, self.orders, self.heavy, self.logins = any_, orders, heavy, logins


class Door:
    def __init__(
        self,
        accounts: Accounts,
        audit: AuditLog,
        *,
        idle_s: float,
        tls: bool,
        wall_ms: Callable[[], int],
        mono_s: Callable[[], float],
        clock_is_true: Callable[[], bool],
        limits: Limits | None = None,
    ) -> None:
        self.accounts, self.audit_log = accounts, audit
        self.sessions = Sessions(idle_s, mono_s)
        self.lockout = Lockout()
        self.wall_ms, self.mono_s = wall_ms, mono_s
        self.cookie = "__Host-parkbox" if tls else "parkbox"
        self._tls, self._clock_is_true = tls, clock_is_true
        self.work = Work()
        self._limits, self._limiter = limits or Limits(), Limiter()
        self._hashing = 0
        self._failed_at_s: deque[float] = deque()
        self._failed_untold = 0

    # --- before a handler runs ---------------------------------------------------------------------------------

    def knock(self, request: Request) -> None:
        """The rate of one session, or of one address without any: what somebody does behind the same router must not
        stop who is logged in. Raises `RefusedRequest`."""
        session = self.session_of(request, active=False)
        self._rate(address_key(request.address) if session is None else f"session {session.key}", self._limits.any)

    def admit(self, route: Route, request: Request) -> Session | None:
        """The session that this route needs. Raises `RefusedRequest`: 401, 403 or 429."""
        if route.changes and not _from_own_page(request):
            raise refusal(HTTPStatus.FORBIDDEN, "csrf", "请求不是来自本页面", "the request comes from another site")
        if route.role is None:
            return None
        session = self.session_of(request)
        if session is None:
            raise refusal(HTTPStatus.UNAUTHORIZED, "login_needed", "请登录", "please log in")
        if route.changes and not right_csrf(session, request.headers.get("x-csrf-token", "")):
            raise refusal(HTTPStatus.FORBIDDEN, "csrf", "缺少防伪令牌, 请刷新页面", "CSRF token missing: reload")
        if session.must_change_password and not route.while_must_change:
            raise refusal(
                HTTPStatus.FORBIDDEN, "must_change_password", "请先更改初始密码", "change the first password first"
            )
        if route.changes and not route.often:
            self._rate(f"orders {session.key}", self._limits.orders)
        if not may(session.role, route.role):
            zh, en = ROLE_WORDS[route.role]
            raise refusal(HTTPStatus.FORBIDDEN, "role", f"需要{zh}权限", f"this needs the role {en}")
        if route.heavy:
            self._rate(f"heavy {session.key}", self._limits.heavy)
        return session

    def session_of(self, request: Request, *, active: bool = True) -> Session | None:
        """`active`: a person may have asked (what the page asks by itself says so)."""
        token = cookies(request).get(self.cookie, "")
        return self.sessions.find(token, active and "x-automatic" not in request.headers) if token else None

    def _rate(self, key: str, rate: Rate) -> None:
        wait_s = self._limiter.wait_s(key, rate, self.mono_s())
        if wait_s > 0:
            raise refusal(
                HTTPStatus.TOO_MANY_REQUESTS, "too_many", "请求过于频繁, 请稍候", "too often, please wait",
                retry_s=int(wait_s) + 1,
            )  # fmt: skip

    # --- logins ------------------------------------------------------------------------------------------------

    async def log_in(self, request: Request, user: str, password: str) -> tuple[str, Session]:
        """The cookie's value and the session. Raises `RefusedRequest`: 401, 429 or 503."""
        self._rate(f"login {address_key(request.address)}", self._limits.logins)
        old = self.session_of(request)
        found = await self._tried(request, user, password, "login", login_keys(user, request.address))
        if old is not None:
            self.sessions.end(old.key)
        token, session = self._begin(found, request)
        await self.work(lambda: self._note_login(found.name))
        await self.note(session, request, "login")
        return token, session

    async def change_password(self, session: Session, request: Request, old: str, new: str) -> tuple[str, Session]:
        """All sessions of the user end and a new one begins: its cookie's value, and the session. Raises
        `RefusedRequest`: 400, 401, 429 or 503."""
        # Of this session alone: whoever guesses at the login, as this user or beside him, must not lock him out here.
        found = await self._tried(request, session.user, old, "password", {f"session {session.key}": TRIES})
        if old == new:
            raise refusal(HTTPStatus.BAD_REQUEST, "weak_password", "新密码须与旧密码不同", "the new one is the old one")
        try:
            changed = await self.work(lambda: self.accounts.change_password(found, new))
        except AccountError as error:
            raise refusal(HTTPStatus.BAD_REQUEST, "weak_password", error.zh, error.en) from None
        if changed is None:
            raise _changed_meanwhile()
        await self.note(session, request, "password")
        self.sessions.end_user(session.user)
        return self._begin(changed, request)

    def _begin(self, checked: User, request: Request) -> tuple[str, Session]:
        """In one step of the loop with the look whether he is a user still: a removal under way ends his sessions
        when it has come through. Raises `RefusedRequest`: 401."""
        user = self.accounts.still(checked)
        if user is None:
            raise _changed_meanwhile()
        return self.sessions.begin(user.name, user.role, user.must_change_password, request.address)

    async def _tried(self, request: Request, name: str, password: str, action: str, keys: Mapping[str, int]) -> User:
        """The user, if this is his password; a wrong one is counted under all `keys` and noted."""
        wait_s = self.lockout.begin(keys, self.mono_s())
        if wait_s > 0:
            raise refusal(
                HTTPStatus.TOO_MANY_REQUESTS, "locked", f"密码输错次数过多, 已锁定 {LOCK_S:.0f} 秒",
                f"locked for {LOCK_S:.0f} s after too many wrong passwords", int(wait_s) + 1,
            )  # fmt: skip
        if self._hashing >= LOGINS_WAITING_MAX:
            raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "登录繁忙, 请稍候", "many logins, please wait", 2)
        self._hashing += 1
        try:
            found = await self.work(lambda: self.accounts.check(name, password))
        finally:
            self._hashing -= 1
        if found is None:
            await self._note_failed(request, name, action, any(self.lockout.wait_s(key, self.mono_s()) for key in keys))
            raise refusal(HTTPStatus.UNAUTHORIZED, "wrong_password", "用户名或密码错误", "wrong user or password")
        self.lockout.right(keys)
        return found

    def _note_login(self, name: str) -> None:
        try:
            self.accounts.logged_in(name)
        except OSError as error:
            log.warning("the time of a login could not be kept: %s", error)  # a full disk must keep nobody out

    # --- audit -------------------------------------------------------------------------------------------------

    async def note(
        self, session: Session | None, request: Request, action: str, target: str = "", why: str = "", *,
        ok: bool = True, zh: str = "", en: str = "", who: str = "",
    ) -> bool:
        """One line of the audit. False: it waits in memory for the disk. `who`: when there is no session."""
        entry = AuditEntry(
            at_ms=self.wall_ms(),
            clock_true=self._clock_is_true(),
            who=session.user if session is not None else who,
            role=session.role if session is not None else "",
            address=request.address,
            action=action,
            target=target[:100],
            why=why[:200],
            ok=ok,
            zh=zh[:300],
            en=en[:300],
        )
        return await self.work(lambda: self.audit_log.add(entry))

    async def _note_failed(self, request: Request, name: str, action: str, locked: bool) -> None:
        now_s = self.mono_s()
        while self._failed_at_s and now_s - self._failed_at_s[0] > 60:
            self._failed_at_s.popleft()
        if len(self._failed_at_s) >= FAILED_TOLD_A_MINUTE:
            self._failed_untold += 1
            return
        self._failed_at_s.append(now_s)
        untold, self._failed_untold = self._failed_untold, 0
        zh, en = "密码错误", "wrong password"
        if locked:
            zh, en = f"{zh}, 锁定 {LOCK_S:.0f} 秒", f"{en}, locked for {LOCK_S:.0f} s"
        if untold:
            zh, en = f"{zh}; 此前另有 {untold} 次未逐条记录", f"{en}; {untold} more before it without a line"
        # A name that nobody has may be a password in the wrong field: it is not written down.
        known = self.accounts.find(name) is not None
        await self.note(None, request, action, ok=False, zh=zh, en=en, who=name if known else "?")

    def set_cookie(self, token: str) -> dict[str, str]:
        secure = "; Secure" if self._tls else ""
        return {"Set-Cookie": f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"}

    def clear_cookie(self) -> dict[str, str]:
        secure = "; Secure" if self._tls else ""
        return {"Set-Cookie": f"{self.cookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}"}


def _changed_meanwhile() -> RefusedRequest:
    return refusal(
        HTTPStatus.UNAUTHORIZED, "wrong_password",
        "用户刚被更改或删除, 请重新登录", "the user was changed or removed just now",
    )  # fmt: skip


def refusal(status: HTTPStatus, code: ProblemCode, zh: str, en: str, retry_s: int = 0) -> RefusedRequest:
    return RefusedRequest(status, Problem(code, zh, en, retry_s))


def cookies(request: Request) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs}


def _from_own_page(request: Request) -> bool:
    """Browsers say where a POST comes from: Fetch Metadata, or Origin. Other programs say neither."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")
