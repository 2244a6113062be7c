"""Sign: the text that is signed and its digest (T/SZPIA 001-2020 7.1.4.1.1 e, 7.1.4.1.2 a). Pure.

What is sent is serialised once, sorted and compact, and those bytes are signed (SC03). No secret enters the signature
as printed (SC05): it shows damage, and who calls is shown by TLS and token. Of the platform both algorithms, the whole
list or its only element, and the text as it stands or sorted again are accepted (SC01 to SC04).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Algorithm = Literal["sha1", "md5"]
Scope = Literal["array", "element"]

_SORTED = msgspec.json.Encoder(order="sorted", decimal_format="number")
_DIGITS_KEPT = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
_LENGTHS = {"sha1": 40, "md5": 32}


class Signing(msgspec.Struct, frozen=True):
    """How we sign."""

    algorithm: Algorithm = "sha1"
    scope: Scope = "array"
    secret: str = ""

    def __repr__(self) -> str:
        return f"Signing({self.algorithm}, {self.scope}, secret {'set' if self.secret else 'none'})"

    def of(self, data: bytes, elements: int) -> str:
        """The sign of `data`, a sorted JSON list of `elements` members as it will be sent."""
        text = data[1:-1] if self.scope == "element" and elements == 1 else data
        return digest(self.algorithm, text, self.secret)


def digest(algorithm: Algorithm, text: bytes, secret: str = "") -> str:
    """Lower-case hex."""
    return hashlib.new(algorithm, text + secret.encode(), usedforsecurity=False).hexdigest()


def sorted_json(value: object) -> bytes:
    """Compact UTF-8 with members sorted by name at every depth, "/" and Chinese not escaped (SC03)."""
    return _SORTED.encode(value)


def sorted_again(text: bytes) -> bytes:
    """The same for JSON text, numbers as they stand in it (20.00 stays 20.00). Raises `ValueError`."""
    try:
        return _SORTED.encode(_DIGITS_KEPT.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None


def fits(sign: str, data: bytes, secret: str = "") -> bool:
    """Whether `sign` belongs to the received text `data`, in any reading that the standard leaves open."""
    wanted = sign.strip().lower()
    algorithm = next((name for name, length in _LENGTHS.items() if length == len(wanted)), None)
    if algorithm is None or not wanted.isascii():
        return False
    return any(hmac.compare_digest(wanted, digest(algorithm, text, secret)) for text in _readings(data))  # type: ignore[arg-type]


def _readings(data: bytes) -> Iterator[bytes]:
    yield data
    try:
        again = sorted_again(data)
    except ValueError:
        return
    yield again
    value: Any = msgspec.json.decode(again)
    if isinstance(value, list) and len(value) == 1:
        yield again[1:-1]
        yield data.strip()[1:-1].strip()
