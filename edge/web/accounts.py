"""Who may use the page: one file of mode 0600, written beside, synced and renamed; passwords as scrypt hashes.

At the first start there is one user, `admin`, with a random password that must be changed at its first login. It is
shown once on the console and stands, for the box's label, in a file of mode 0600 that goes when it has been changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.config.durable import write_private
from edge.web import passwords
from edge.web.roles import Role

FILE = "accounts.json"
FIRST_FILE = "first-password"
FIRST_USER = "admin"
USERS_MAX = 20


class User(msgspec.Struct, frozen=True):
    name: str
    role: Role
    hash: Annotated[str, Meta(pattern=r"^scrypt:\d+:\d+:\d+:[0-9a-f]{32}:[0-9a-f]{64}$")]
    must_change_password: bool
    made_ms: int
    last_login_ms: int = 0


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    users: list[User]


class AccountError(Exception):
    """Refused, in words for the person."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Accounts:
    """Any thread. What changes the file raises `OSError` when the disk fails, and then nothing has changed."""

    def __init__(self, folder: Path, wall_ms: Callable[[], int], cost: tuple[int, int] = (
        passwords.SCRYPT_N, passwords.SCRYPT_P
    )) -> None:
        """`cost`: scrypt's N and p; smaller ones are for tests."""
        self._folder, self._wall_ms, self._cost = folder, wall_ms, cost
        self._users: dict[str, User] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()  # 16 MB and a core each
        self._nobody = passwords.nobody(*cost)

    def open(self) -> tuple[str, Path | None]:
        """Read or begin the file. Returns the first password ("" unless it was made now) and where a damaged file
        was moved to: then there is a first password again."""
        path, moved = self._folder / FILE, None
        try:
            found = msgspec.json.decode(path.read_bytes(), type=_File)
            self._users = {user.name: user for user in found.users}
        except FileNotFoundError:
            pass
        except msgspec.DecodeError:
            moved = path.with_name(f"{FILE}.damaged-{self._wall_ms()}")
            path.rename(moved)
        if self._users:
            return "", moved
        password = passwords.first_password()
        write_private(self._folder / FIRST_FILE, f"{FIRST_USER} {password}\n".encode())
        self._keep({FIRST_USER: self._new(FIRST_USER, "admin", password)})
        return password, moved

    def check(self, name: str, password: str) -> User | None:
        """The user, if this is the password. As slow for a name that does not exist. Raises `OSError` while there is
        no file of users and none can be begun."""
        if not self._users:  # the disk failed when it was to be read or begun
            self.open()
        user = self._users.get(name)
        with self._one_at_a_time:
            right = passwords.matches(password, user.hash if user is not None else self._nobody)
        return user if right else None

    def still(self, checked: User) -> User | None:
        """As he stands in the file now, if the password that was checked is his still: to check one takes a while."""
        user = self._users.get(checked.name)
        return user if user is not None and user.hash == checked.hash else None

    def logged_in(self, name: str) -> None:
        with self._lock:
            user = self._users.get(name)
            if user is not None:
                self._keep(self._users | {name: msgspec.structs.replace(user, last_login_ms=self._wall_ms())})

    def change_password(self, checked: User, new: str) -> User | None:
        """Raises `AccountError` for a weak one. `checked` is the user whose old one was right; None: it is not his any
        more, he was removed or got another one meanwhile."""
        name = checked.name
        weak = passwords.weakness(new, name)
        if weak is not None:
            raise AccountError(*weak)
        hashed = self._hashed(new)
        with self._lock:
            now = self.still(checked)
            if now is None:
                return None
            user = msgspec.structs.replace(now, hash=hashed, must_change_password=False)
            self._keep(self._users | {name: user})
        if name == FIRST_USER:
            (self._folder / FIRST_FILE).unlink(missing_ok=True)
        return user

    def users(self) -> list[User]:
        return sorted(self._users.values(), key=lambda user: user.name)

    def find(self, name: str) -> User | None:
        return self._users.get(name)

    def add(self, name: str, role: Role) -> str:
        """The first password of the new user."""
        password = passwords.first_password()
        user = self._new(name, role, password)
        with self._lock:
            if any(known.lower() == name.lower() for known in self._users):
                raise AccountError(f"用户 {name} 已存在", f"user {name} exists")
            if len(self._users) >= USERS_MAX:
                raise AccountError(f"最多 {USERS_MAX} 个用户", f"at most {USERS_MAX} users")
            self._keep(self._users | {name: user})
        return password

    def set_role(self, name: str, role: Role) -> None:
        with self._lock:
            user = self._get(name)
            if role != "admin":
                self._keep_an_admin(name)
            self._keep(self._users | {name: msgspec.structs.replace(user, role=role)})

    def reset(self, name: str) -> str:
        """A new first password."""
        password = passwords.first_password()
        hashed = self._hashed(password)
        with self._lock:
            user = msgspec.structs.replace(self._get(name), hash=hashed, must_change_password=True)
            self._keep(self._users | {name: user})
        return password

    def remove(self, name: str) -> None:
        with self._lock:
            self._get(name)
            self._keep_an_admin(name)
            self._keep({known: user for known, user in self._users.items() if known != name})

    def hashes(self) -> list[str]:
        """For whoever must make sure that none of them leaves the box."""
        return [user.hash for user in self._users.values()]

    def _get(self, name: str) -> User:
        user = self._users.get(name)
        if user is None:
            raise AccountError(f"没有用户 {name}", f"there is no user {name}")
        return user

    def _keep_an_admin(self, but: str) -> None:
        if not any(user.role == "admin" for name, user in self._users.items() if name != but):
            raise AccountError("至少保留一个管理员", "one administrator must remain")

    def _new(self, name: str, role: Role, password: str) -> User:
        return User(name, role, self._hashed(password), True, self._wall_ms())

    def _hashed(self, password: str) -> str:
        with self._one_at_a_time:
            return passwords.hashed(password, *self._cost)

    def _keep(self, users: dict[str, User]) -> None:
        write_private(self._folder / FILE, msgspec.json.encode(_File(1, list(users.values()))))
        self._users = users
