"""What the lane program loads before it can open an arm: its start is mostly imports, so what is heavy stays out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import get_args, get_type_hints

import msgspec

from edge.config.model import Config
from edge.core import facts

HEAVY = frozenset({
    "cryptography", "cv2", "microdot", "numpy", "requests", "urllib3",  # the agent's
    "dataclasses", "email", "html", "http", "importlib.metadata", "json", "multiprocessing", "tomllib", "unittest",
    "serial", "ssl", "urllib.request",
    "drivers.boards.relays", "drivers.cameras.dahua", "drivers.cameras.vz", "drivers.rs485.line", "drivers.signs.sign",
    "edge.config.rules_qingdao", "edge.config.rules_shenzhen",  # by those who configure them
})  # fmt: skip
"""Each costs 5 to 200 ms on a laptop, several times that on a box, and nothing of it moves an arm. The config's reader
(`tomllib`) is loaded by the command line and not by the program."""


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(ran.stdout.split())


def test_the_lane_program_loads_nothing_heavy() -> None:
    loaded = loaded_by("from edge.lane.without_tls import load_asyncio; load_asyncio(); import edge.lane.program")
    assert "edge.core.box" in loaded
    assert sorted(loaded & HEAVY) == []


def test_the_lane_programs_asyncio_is_whole_without_tls() -> None:
    code = r"""
from edge.lane.without_tls import load_asyncio
load_asyncio()
import asyncio
async def talk():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"car\n")
    print((await reader.readline()).decode().strip())
    writer.close()
    server.close()
asyncio.run(talk())
import ssl
print(ssl.create_default_context().verify_mode.name)
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["CAR", "CERT_REQUIRED"]


def test_what_msgspec_reads_is_declared_in_types_and_not_in_text() -> None:
    """An annotation that is text is compiled and evaluated when the reader is made: a sixth of the time from exec to
    ready. `from __future__ import annotations` makes it text."""
    text = {
        f"{struct.__module__}.{struct.__name__}"
        for read in (*get_args(facts.AnyBody), Config)
        for struct in (read, *nested(read))
        for wanted in vars(struct).get("__annotations__", {}).values()
        if isinstance(wanted, str)
    }
    assert text == set()


def nested(struct: type) -> set[type]:
    """Every structure that one of this kind holds, at any depth."""
    found: set[type] = set()

    def look(kind: object) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in found:
            found.add(kind)
            look_all(get_type_hints(kind, include_extras=True).values())
        look_all(get_args(kind))

    def look_all(kinds: Iterable[object]) -> None:
        for kind in kinds:
            look(kind)

    look_all(get_type_hints(struct, include_extras=True).values())
    return found


def test_the_rule_sees_a_heavy_import() -> None:
    assert "json" in loaded_by("import json") & HEAVY
