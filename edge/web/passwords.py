"""Passwords: which are good enough, how they are kept, and random ones for the first login.

Kept as scrypt (RFC 7914) with N = 2^14, r = 8, p = 5: one of the equivalent settings that OWASP's password storage
sheet gives as its minimum, chosen for its 16 MB where others take 128: a Pi with 1 GB carries it beside the lane.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

LENGTH_MIN = 8
CLASSES_MIN = 3
"""Of small letters, capitals, digits and others (DESIGN 10, as GB/T 22239-2019 7.1.4.1 a asks)."""

SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 14, 8, 5
_MEMORY_MAX = 64 << 20  # OpenSSL refuses more; 128 * N * r = 16 MB are needed
_HASH_MAX_N, _HASH_MAX_P = 1 << 17, 16  # a changed file must not make the box calculate for minutes

FIRST_LENGTH = 12
_UNMISTAKABLE = "".join(char for char in string.ascii_letters + string.digits if char not in "0O1lIo")
"""A first password is typed from a label in the rain."""


def weakness(password: str, user: str) -> tuple[str, str] | None:
    """What is wrong with it (Chinese, English), or None."""
    if len(password) < LENGTH_MIN or _classes(password) < CLASSES_MIN:
        return (
            f"至少 {LENGTH_MIN} 位, 大写、小写、数字、符号中至少 {CLASSES_MIN} 类",
            f"at least {LENGTH_MIN} characters and {CLASSES_MIN} of: small letters, capitals, digits, others",
        )
    if user.lower() in password.lower():
        return "不能包含用户名", "must not contain the user's name"
    return None


def _classes(password: str) -> int:
    return len({
        "small" if char.islower() else "capital" if char.isupper() else "digit" if char.isdigit() else "other"
        for char in password
    })


def first_password() -> str:
    """Random, 12 characters of 54: 69 bits; good enough by `weakness`."""
    while True:
        made = "".join(secrets.choice(_UNMISTAKABLE) for _ in range(FIRST_LENGTH))
        if _classes(made) == CLASSES_MIN:
            return made


def hashed(password: str, n: int = SCRYPT_N, p: int = SCRYPT_P) -> str:
    """`scrypt:N:r:p:salt:key`, hexadecimal. `n` and `p`: smaller ones are for tests."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{n}:{SCRYPT_R}:{p}:{salt.hex()}:{_key(password, salt, n, SCRYPT_R, p).hex()}"


def nobody(n: int = SCRYPT_N, p: int = SCRYPT_P) -> str:
    """Of the form that `hashed` gives, matched by no password, at no cost: for names that do not exist."""
    return f"scrypt:{n}:{SCRYPT_R}:{p}:{secrets.token_hex(16)}:{secrets.token_hex(32)}"


def matches(password: str, kept: str) -> bool:
    """Raises `ValueError` if `kept` is none of ours."""
    name, n, r, p, salt, key = kept.split(":")
    if name != "scrypt" or int(n) > _HASH_MAX_N or int(p) > _HASH_MAX_P:
        raise ValueError(f"hash {name} with N {n}, p {p}: allowed is scrypt up to N {_HASH_MAX_N}, p {_HASH_MAX_P}")
    return hmac.compare_digest(_key(password, bytes.fromhex(salt), int(n), int(r), int(p)), bytes.fromhex(key))


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY_MAX, dklen=32)
