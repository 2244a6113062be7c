"""The box's evidence key: Ed25519, made on the box at first use, readable by its user alone, never leaving it.

Beside it lies the public half (`evidence.pub`, PEM), which whoever verifies pictures elsewhere needs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.config.durable import write_durably

KEY_NAME = "evidence.key"
PUBLIC_NAME = "evidence.pub"
_HEX_KEY = re.compile(rb"[0-9A-Fa-f]{64}")
CODE_CHARS = 10
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is read as something else


class KeyFileError(Exception):
    """A key file cannot be used: which, and what is wrong."""


def load_or_make(folder: Path) -> Ed25519PrivateKey:
    path = folder / KEY_NAME
    try:
        return _load(path)
    except FileNotFoundError:
        pass
    made = Ed25519PrivateKey.generate()
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_durably(folder / PUBLIC_NAME, public_pem(made.public_key()), 0o644)
    write_durably(path, private, 0o600)
    return _load(path)


def load_public(path: Path) -> bytes:
    """The 32 bytes of a public key: PEM, or 64 hex digits in a file."""
    text = path.read_bytes()
    if b"PRIVATE KEY" in text:
        raise KeyFileError(f"{path}: 是私钥, 请给公钥 a private key; give the public one ({PUBLIC_NAME})")
    try:
        if text.lstrip().startswith(b"-----BEGIN"):
            key = serialization.load_pem_public_key(text)
            if isinstance(key, Ed25519PublicKey):
                return key.public_bytes_raw()
        elif _HEX_KEY.fullmatch(text.strip()):
            return bytes.fromhex(text.decode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: PEM 公钥无法读取  the PEM cannot be read: {error}") from error
    allowed = f"须为 PEM 或 64 位十六进制, 如 {PUBLIC_NAME}"
    raise KeyFileError(f"{path}: 不是 Ed25519 公钥, {allowed}  no Ed25519 public key (PEM or 64 hex digits)")


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def check_code(key: Ed25519PrivateKey, *parts: str) -> str:
    """The anti-forgery code printed into the picture: only this box can make it, for just these parts."""
    secret = hashlib.sha256(b"parkbox overlay code\0" + key.private_bytes_raw()).digest()
    digest = hmac.digest(secret, "\0".join(parts).encode(), "sha256")
    number = int.from_bytes(digest[:8])
    return "".join(_LETTERS[(number >> (5 * place)) & 31] for place in range(CODE_CHARS))


def _load(path: Path) -> Ed25519PrivateKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFileError(f"{path}: 权限 mode is {mode:o}, 只允许 allowed 600: others may have read it")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: {type(key).__name__}, needed Ed25519")
    return key
