"""Password: how it goes over the wire (T/SZPIA 001-2020 table 15: DES, CBC, PKCS7, Base64). Pure.

DES is broken; TLS around it is what keeps the password (SC84). `openssl enc -des-cbc` confirms the bytes in a test.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from Crypto.Cipher import DES

BLOCK_BYTES = 8

Form = Literal["des", "md5", "plain"]


def on_the_wire(password: str, form: Form, key: bytes, iv: bytes = b"") -> str:
    """SC13: by the rule of table 15 unless the platform wants one of the forms of its examples."""
    if form == "plain":
        return password
    if form == "md5":
        return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    return des_cbc(password.encode(), key, iv or key)  # SC12: no IV is given, the key serves


def des_cbc(text: bytes, key: bytes, iv: bytes) -> str:
    """Base64. Raises `ValueError` for a key or IV that has not 8 bytes; it never shows them."""
    for name, value in (("key", key), ("iv", iv)):
        if len(value) != BLOCK_BYTES:
            raise ValueError(f"{name}: {len(value)} bytes are not allowed, {BLOCK_BYTES} are")
    pad = BLOCK_BYTES - len(text) % BLOCK_BYTES
    sealed = DES.new(key, DES.MODE_CBC, iv).encrypt(text + bytes([pad]) * pad)
    return base64.b64encode(sealed).decode()
