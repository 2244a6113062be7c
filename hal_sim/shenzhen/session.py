"""Who may speak: 1001 to 1004, tokens and their life, the password of table 15.

A refresh (1002) ends the token it renews, at once: whoever still sends with it learns so by code 3002.
"""

from __future__ import annotations

import base64
import binascii
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from hal_sim.shenzhen.envelope import SignRule

# 7.1.4.1.2 a): the token in Authorization. Printed without blank, RFC 6750 has one: both are let through (SC07).
_BEARER = re.compile(r"[Bb]earer ?(?P<token>[^\s]+)")


@dataclass(frozen=True, slots=True)
class Account:
    """What the platform hands out to a lot (7.1.1). `iv` None: the key is the initial vector too (SC12)."""

    user_id: str
    password: str
    des_key: bytes
    park_codes: tuple[str, ...]
    iv: bytes | None = None
    sign: SignRule = field(default_factory=SignRule)

    def __post_init__(self) -> None:
        for name, value in (("des_key", self.des_key), ("iv", self.des_key if self.iv is None else self.iv)):
            if len(value) != 8:
                raise ValueError(f"{name}: {len(value)} 字节, DES 须为 must be 8 bytes")
        if not self.park_codes:
            raise ValueError("park_codes: 须至少一个 must have at least one")

    def opened(self, sent: str) -> str:
        """The clear password of table 15 (Base64 of DES-CBC with PKCS7). ValueError says what is wrong."""
        try:
            sealed = base64.b64decode(sent, validate=True)
        except binascii.Error as error:
            raise ValueError(f"不是 Base64 is not Base64: {error}") from error
        if not sealed or len(sealed) % 8:
            raise ValueError(f"{len(sealed)} 字节不是 8 的倍数 bytes are no whole DES blocks")
        # Three equal keys make triple DES the plain DES that the print asks for.
        reader = Cipher(TripleDES(self.des_key * 3), modes.CBC(self.iv or self.des_key)).decryptor()
        clear = reader.update(sealed) + reader.finalize()
        padding = clear[-1]
        if not 1 <= padding <= 8 or clear[-padding:] != bytes([padding]) * padding:
            raise ValueError("填充不是 PKCS7 the padding is not PKCS7 (key, IV or mode differ)")
        try:
            return clear[:-padding].decode()
        except UnicodeDecodeError as error:
            raise ValueError("解密后不是 UTF-8 is not UTF-8 once decrypted") from error


@dataclass(slots=True)
class Session:
    """The living tokens of one account. The caller holds the lock."""

    account: Account
    rng: random.Random
    life_s: int
    now: Callable[[], float]
    ends_s: dict[str, float] = field(default_factory=dict)
    newest: str = ""  # given out last; its answer may have been lost
    used: str = ""  # the box has shown last that it knows this one
    callback: str | None = None

    def welcome(self, callback: str | None) -> dict[str, object]:
        """1001: a token and where the box wants its orders."""
        self.callback = callback
        return {"scope": "default", **self._token()}

    def renew(self, token: str) -> dict[str, object]:
        """1002: a new token for a living one, which ends."""
        self.expire(token)
        return {"id": f"{self.rng.getrandbits(128):032x}", **self._token()}

    def _token(self) -> dict[str, object]:
        token = base64.urlsafe_b64encode(self.rng.randbytes(24)).decode()
        self.ends_s[token] = self.now() + self.life_s
        self.newest = token
        return {
            "tokenType": "bearer",
            "expiresIn": self.life_s,
            "accessToken": token,
            "refreshToken": base64.urlsafe_b64encode(self.rng.randbytes(24)).decode(),
        }

    def password_fault(self, element: dict[str, object]) -> str:
        """What is wrong with userId and password, "" if nothing is."""
        if element["userId"] != self.account.user_id:
            return f"userId: {element['userId']} 无此用户 no such user"
        try:
            clear = self.account.opened(str(element["password"]))
        except ValueError as error:
            return f"password: {error}"
        return "" if clear == self.account.password else "password: 密码错误 wrong password"

    def shown_to_box(self) -> tuple[str, ...]:
        """The tokens by which the box may know us (SC06), the likeliest first."""
        return tuple(dict.fromkeys(token for token in (self.used, self.newest) if token))

    def alive(self, token: str) -> bool:
        return self.ends_s.get(token, 0.0) > self.now()

    def expire(self, token: str) -> None:
        self.ends_s.pop(token, None)

    def expire_all(self) -> None:
        self.ends_s.clear()


def token_in(authorization: str) -> str | None:
    """The token in the header, None if the header is not of the printed form."""
    match = _BEARER.fullmatch(authorization.strip())
    return None if match is None else match["token"]
