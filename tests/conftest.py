"""What holds for every test: no deadline that a busy machine could miss, and no thread left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Timings are the bench's business; a shared machine must not fail a test by being slow.
settings.register_profile("parkbox", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("parkbox")

LONG_FILES = ("test_programs_", "test_sim_run", "test_web_walk", "test_web_access", "test_ledger_crash", "test_world_")
"""Begun first: two processes share the files, and one of these at the end would leave the other process idle."""
JOIN_S = 5.0
LIBRARY_THREADS = ("asyncio_", "ThreadPoolExecutor", "page-work")
"""Pools; the page's own waits for its threads when the server stops, which may be after the test."""


class Names:
    """A run takes a quarter of an hour: what fails is named at once, not only at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line(f"\n{report.when}: {report.nodeid}")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Names(config), "names of what fails")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.name.startswith(LONG_FILES))


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """A test that leaves a thread of ours running fails: on the box it would be a leak."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and not t.name.startswith(LIBRARY_THREADS)]
    for thread in left:
        thread.join(JOIN_S)
    assert [thread.name for thread in left if thread.is_alive()] == []
