"""The outer form of a backup: a stream sealed with a passphrase, so that whoever finds the file learns nothing.

    parkbox-backup 1\\n
    {"box": ..., "made_ms": ..., "salt": ..., "n": ..., "check": ...}\\n        (one line of JSON, in clear)
    pieces of 64 KiB, each with its tag of 16 bytes, the last one shorter

Key: scrypt (RFC 7914) of the passphrase. Pieces: ChaCha20-Poly1305 (RFC 8439; a Raspberry Pi 3 or 4 has no AES
instructions), its nonce the piece's number and whether it is the last, so that pieces cannot be left out, exchanged or
cut off (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar, 2015); the two lines of the head are bound
to every piece. `check` tells a wrong passphrase from a damaged file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Annotated, BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta

from edge.box.backup_names import BackupError

MAGIC = b"parkbox-backup 1\n"
PIECE_BYTES = 64 * 1024
TAG_BYTES = 16
HEAD_LIMIT_BYTES = 2000
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 16, 8, 1
"""64 MB and under a second on a Pi 4: OWASP's sheet gives 2^17 as first choice, 2^16 with p = 2 next; a box with 1 GB
carries it beside the lane, and the passphrase has `PASSPHRASE_MIN_CHARS`."""
MEMORY_MAX = 160 << 20
PASSPHRASE_MIN_CHARS = 12


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    box: str
    """The box's id in its configuration: which box it is a backup of must be seen without the passphrase."""
    made_ms: int
    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
    n: Annotated[int, Meta(ge=2, le=1 << 17)]
    check: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


def judge_passphrase(passphrase: str) -> None:
    """Raises `BackupError`."""
    if len(passphrase) < PASSPHRASE_MIN_CHARS:
        raise BackupError(f"口令 {len(passphrase)} 个字符, 至少 {PASSPHRASE_MIN_CHARS} 个 / the passphrase has "
                          f"{len(passphrase)} characters, at least {PASSPHRASE_MIN_CHARS} are needed")  # fmt: skip


def _keys(passphrase: str, salt: str, n: int) -> tuple[ChaCha20Poly1305, str]:
    made = hashlib.scrypt(passphrase.encode("utf-8", "surrogatepass"), salt=bytes.fromhex(salt), n=n, r=SCRYPT_R,
                          p=SCRYPT_P, maxmem=MEMORY_MAX, dklen=64)  # fmt: skip
    return ChaCha20Poly1305(made[:32]), hashlib.sha256(made[32:]).hexdigest()


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


class SealWriter:
    """A file to write to; what is written comes out sealed. `close` writes the last piece and leaves `out` open."""

    def __init__(self, out: BinaryIO, passphrase: str, box: str, made_ms: int, n: int = SCRYPT_N) -> None:
        judge_passphrase(passphrase)
        salt = os.urandom(16).hex()
        self._cipher, check = _keys(passphrase, salt, n)
        head = MAGIC + msgspec.json.encode(Head(box, made_ms, salt, n, check)) + b"\n"
        self._out, self._bound = out, hashlib.sha256(head).digest()
        self._held, self._number = bytearray(), 0
        _all(out, head)

    def write(self, data: bytes | memoryview) -> int:
        self._held += data
        while len(self._held) > PIECE_BYTES:  # the last piece is known only at the end
            self._piece(bytes(self._held[:PIECE_BYTES]), last=False)
            del self._held[:PIECE_BYTES]
        return len(data)

    def flush(self) -> None:
        """A piece goes when it is full."""

    def close(self) -> None:
        self._piece(bytes(self._held), last=True)
        self._held.clear()

    def _piece(self, data: bytes, *, last: bool) -> None:
        _all(self._out, self._cipher.encrypt(_nonce(self._number, last), data, self._bound))
        self._number += 1


def _all(out: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[out.write(left):]


def read_head(source: BinaryIO) -> tuple[Head, bytes]:
    """Whose backup it is, without the passphrase; and the bytes of the head. Raises `BackupError`."""
    magic = source.read(len(MAGIC))
    if magic != MAGIC:
        kind = "更新版本 of a newer version" if magic.startswith(MAGIC[:-2]) else "不是备份文件 no backup of a box"
        raise BackupError(f"{kind}: 须以 {MAGIC.decode().strip()!r} 开头 / it must begin with that")
    line = source.readline(HEAD_LIMIT_BYTES)
    try:
        return msgspec.json.decode(line, type=Head), magic + line
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupError(f"备份文件头损坏 / the head of the backup is damaged: {error}") from error


class SealReader:
    """A file to read from. What comes out of `read` is untouched; that nothing is missing at the end is certain only
    when `read` has returned b""."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        """Raises `BackupError` for a foreign file and a wrong passphrase."""
        self.head, head = read_head(source)
        self._cipher, check = _keys(passphrase, self.head.salt, self.head.n)
        if not hmac.compare_digest(check, self.head.check):
            raise BackupError("口令错误 / wrong passphrase")
        self._source, self._bound = source, hashlib.sha256(head).digest()
        self._number, self._left, self._ended = 0, b"", False
        self._next = source.read(PIECE_BYTES + TAG_BYTES)

    def read(self, size: int = -1) -> bytes:
        """Raises `BackupError` for a damaged or shortened file."""
        found = bytearray()
        while size < 0 or len(found) < size:
            if not self._left:
                if self._ended:
                    break
                self._left = self._piece()
                continue
            take = len(self._left) if size < 0 else size - len(found)
            found += self._left[:take]
            self._left = self._left[take:]
        return bytes(found)

    def _piece(self) -> bytes:
        sealed, self._next = self._next, self._source.read(PIECE_BYTES + TAG_BYTES)
        self._ended = not self._next
        try:
            found = self._cipher.decrypt(_nonce(self._number, self._ended), sealed, self._bound)
        except InvalidTag:
            raise BackupError(
                f"备份文件损坏或不完整, 第 {self._number + 1} 段 / the backup is damaged or cut off at piece "
                f"{self._number + 1}"
            ) from None
        self._number += 1
        return found
