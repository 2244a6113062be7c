"""The files that Python reads from exec to ready of both programs, in that order: run by the image's own Python,
printed below its root, a priority each for mksquashfs's -sort.

Small files share blocks of 128 KiB that are unpacked as a whole. Laid out by name, the 600 files of a start lie in most
blocks of the system, and a cold start unpacks nearly all of it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

PROGRAMS = ("edge.cli", "edge.config.load", "edge.lane.program", "drivers.cameras.vz", "RPi.GPIO", "edge.agent.program")
HIGHEST = 32_000
"""Of what mksquashfs takes: 32767 is read first, 0 is any other file."""


def files(modules: Iterator[ModuleType]) -> Iterator[str]:
    for module in modules:
        spec = module.__spec__
        if spec is not None and spec.has_location:
            yield str(spec.cached or spec.origin)


if __name__ == "__main__":
    for program in PROGRAMS:
        importlib.import_module(program)
    for number, file in enumerate(dict.fromkeys(files(iter(tuple(sys.modules.values()))))):
        print(file.lstrip("/"), HIGHEST - number)
