"""A sealed picture that keeps every rule, and a storage that takes it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.evidence.seal import seal
from hal_sim.oss import Keys, OssServer, Rules
from tests.evidence_tools import claim, jpeg, scene

PROJECT = "0000001"
DAY = "20261122"
PASSED_MS = 1_795_326_131_000  # 2026-11-22 13:42:11 in Beijing, as `evidence_tools.claim` says
KEYS = Keys("LTAI5tTestKeyId", "test-secret/with+signs=")


@cache
def plain(width: int = 1280, height: int = 720) -> bytes:
    return jpeg(scene(width, height), 70)


def picture(number: int = 1, passed_ms: int = PASSED_MS, direction: str = "in", base: bytes = b"") -> bytes:
    """As the box makes it: the picture of the passage with that number."""
    said = msgspec.structs.replace(
        claim(number), record_id=f"{number:032x}", passed_ms=passed_ms, direction=direction
    )
    return seal(base or plain(), said, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))[0]


def key(number: int = 1, folder: str = "NISSP_IMG_PARK_IN", day: str = DAY) -> str:
    return f"{PROJECT}/{folder}/{day}/{number:032x}"


@contextmanager
def storage(
    rules: Rules | None = None, keys: Keys = KEYS, shift_s: float = 0.0, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[OssServer, str]]:
    """A running storage and its endpoint; its clock is off by `shift_s`. A mistake of its own fails the test."""
    oss = OssServer(rules or Rules(PROJECT), keys, now=lambda: time.time() + shift_s)
    endpoint = oss.start(tls=tls)
    try:
        yield oss, endpoint
    finally:
        oss.stop()
    assert oss.summary().internal_errors == ()
