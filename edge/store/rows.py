"""A fact as a row of the ledger, and back."""

from __future__ import annotations

from sys import intern

import msgspec

from edge.core.facts import AnyBody, Fact, Stamp

COLUMNS = "seq, id, lane, kind, boot_id, mono_ms, wall_ms, synced, body"
INSERT = f"INSERT INTO facts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

Row = tuple[int, str, str, str, str, int, int, int, str]
KIND = 3  # index of `kind` in a Row
TYPES = (int, str, str, str, str, int, int, int, str)  # what a damaged page may not keep to

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyBody).decode


class UnreadableFactError(Exception):
    """A row that this program cannot turn into a fact: a kind it does not know, a body that does not fit."""

    def __init__(self, seq: int, kind: str, detail: str) -> None:
        super().__init__(f"fact {seq} of kind {kind!r}: {detail}")
        self.seq = seq
        self.kind = kind


def to_row(fact: Fact, seq: int) -> Row:
    stamp = fact.stamp
    return (
        seq,
        fact.id,
        fact.lane,
        type(fact.body).__name__,
        stamp.boot_id,
        stamp.mono_ms,
        stamp.wall_ms,
        int(stamp.synced),
        _encode(fact.body).decode(),
    )


def to_fact(row: Row) -> Fact:
    seq, fact_id, lane, kind, boot_id, mono_ms, wall_ms, synced, body = row
    if tuple(map(type, row)) != TYPES:
        raise UnreadableFactError(seq, str(kind), f"damaged: {row!r}")
    try:
        stamp = Stamp(intern(boot_id), mono_ms, wall_ms, bool(synced))  # one text for all of a boot
        return Fact(fact_id, intern(lane), stamp, _decode(body), seq)
    except msgspec.DecodeError as error:
        raise UnreadableFactError(seq, kind, str(error)) from error
