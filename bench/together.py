"""Several measurements at the same time, each on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence


def together(works: Sequence[Callable[[], None]]) -> None:
    """Returns when all have ended. The first failure is raised then, so that no thread is left behind at work."""
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told by the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
