"""The whole audit as CSV or JSON lines, piece by piece, oldest first. Its hashes go along: an export proves itself."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator
from datetime import datetime

import msgspec

from edge.core.audit import AuditLine
from edge.core.clock import CHINA
from edge.web.door import Door

BATCH = 500
_FIELDS = (
    "seq", "at_ms", "clock_true", "who", "role", "address", "action", "target", "why", "ok", "zh", "en", "hash",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate (OWASP, CSV injection); names and reasons come from people."""


async def json_lines(door: Door) -> AsyncGenerator[bytes, None]:
    async for lines in _batches(door):
        yield b"".join(
            msgspec.json.encode({name: getattr(line, name) for name in _FIELDS}) + b"\n" for line in lines
        )


async def csv_lines(door: Door) -> AsyncGenerator[bytes, None]:
    heads = (*_FIELDS[:2], "time", *_FIELDS[2:])
    yield "﻿".encode() + (",".join(heads) + "\r\n").encode()  # the mark tells Excel that it is UTF-8
    async for lines in _batches(door):
        text = io.StringIO()
        writer = csv.writer(text)
        for line in lines:
            cells = [_cell(getattr(line, name)) for name in _FIELDS]
            writer.writerow([*cells[:2], _beijing(line.at_ms), *cells[2:]])
        yield text.getvalue().encode()


def _beijing(at_ms: int) -> str:
    """For who reads it in a spreadsheet; a clock that was never set shows as 1970."""
    return datetime.fromtimestamp(at_ms // 1000, tz=CHINA).replace(tzinfo=None).isoformat(" ")


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


async def _batches(door: Door) -> AsyncGenerator[list[AuditLine], None]:
    seq = 0
    while True:
        after = seq
        lines = list(await door.work(lambda after=after: door.audit_log.after(after, BATCH)))  # type: ignore[misc]
        if not lines:
            return
        yield lines
        seq = lines[-1].seq
