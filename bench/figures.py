"""Figures as ratios: candidates are run in turn within one run, so that a machine whose speed drifts is fair to all."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One line of the report. `goal` as the issue words it; `met` None = stated, not judged."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; `share` 0..1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median and the whole range: what a reader needs to judge noise."""
    return f"{median(values):.3g} ({min(values):.3g}..{max(values):.3g}){unit}"


def machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        model = platform.machine()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} CPUs, load {load}, Python {platform.python_version()}, {platform.system()}"


def show(title: str, rows: Sequence[Row]) -> None:
    print(f"\n{title}")
    for row in rows:
        verdict = {True: "ok  ", False: "MISS", None: "    "}[row.met]
        goal = f"  [{row.goal}]" if row.goal else ""
        print(f"  {verdict} {row.what}: {row.figure}{goal}")
    sys.stdout.flush()
