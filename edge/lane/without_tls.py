"""asyncio for a program that speaks no TLS: the lane program, whose cameras, boards and sockets have none."""

from __future__ import annotations

import sys


def load_asyncio() -> None:
    """Load asyncio as on a Python without `ssl`, which it allows for: OpenSSL would be a tenth of the time from exec to
    ready, and of the memory. `ssl` itself can be imported as ever, before and after; where it was, nothing is done.

    Source: Python's documentation, "The import system": None in `sys.modules` makes an import fail.
    """
    if "ssl" in sys.modules or "asyncio" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401, PLC0415 - what counts is that it is loaded now
    finally:
        del sys.modules["ssl"]
