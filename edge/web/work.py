"""Work that may wait (a disk, the lane program, a password's hash) on a few threads beside the page's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from edge.web.api import Problem
from edge.web.message import RefusedRequest

THREADS = 4
"""One person waits for one thing; a link check of half a minute must not stop an order at the arm."""
WAITING_MAX = 40

T = TypeVar("T")


class Work:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page-work")
        self._under_way = 0

    async def __call__(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. `RefusedRequest` 503 when too many wait already."""
        if self._under_way >= WAITING_MAX:
            busy = Problem("busy", "盒子繁忙, 请稍候", "busy, please wait", 2)
            busy = Problem("busy", "盒子繁忙, 请稍候", "busy, please wait", 2)
            raise RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE, busy)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Waits for what is under way."""
        self._threads.shutdown(wait=True, cancel_futures=True)
