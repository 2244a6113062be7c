"""The rules that keep the house in order (DESIGN 3), read from the source of every file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 400

PURE = {
    "__future__", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "heapq", "itertools",
    "json", "math", "msgspec", "re", "types", "typing", "unicodedata", "zlib",
}  # fmt: skip
"""All that the core may import from outside: nothing here has a clock, a socket, a thread or a log."""

OURS = {"edge", "drivers", "hal_sim", "tests", "bench"}
INNER = {"edge.core", "edge.ports", "edge.config"}
APART = {
    "edge.lane": ("edge.agent", "edge.box", "edge.commands"),
    "edge.agent": ("edge.lane", "edge.commands"),
    "edge.box": ("edge.lane", "edge.agent", "edge.commands"),
}
"""The two programs meet at sockets and files only (DESIGN 2); the box's own commands know neither."""
ROOMS = ("edge.store", "edge.evidence", "edge.cities", "edge.umqtt", "edge.web", "drivers")


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).exists()]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


LIFTABLE = "edge.umqtt"
"""A package of its own, for anybody to take: it names itself by relative imports only, and nothing else of ours."""


def imports(source: str, package: str = "") -> Iterator[str]:
    """Names that are imported; a relative one is resolved within `package`, and forbidden without it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or (package and node.level == 1), "relative import"
            yield ".".join(filter(None, (package if node.level else "", node.module)))


def direct(source: str) -> list[str]:
    """Names that are imported by their whole path."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return named + [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]


def inside(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def wrong_imports(module: str, source: str) -> list[str]:
    """Imports of `module` that DESIGN 3 forbids."""
    wrong = []
    room = next((room for room in ROOMS if inside(module, room)), None)
    if inside(module, LIFTABLE):
        others = [name for name in imports(source, LIFTABLE) if not inside(name, LIFTABLE)]
        named = [name for name in (*others, *direct(source)) if name.split(".")[0] in OURS]
        return [f"{module} imports {name}" for name in named]
    for name in imports(source):
        ours = name.split(".")[0] in OURS
        if inside(module, "edge.core"):
            bad = not inside(name, "edge.core") if ours else name.split(".")[0] not in PURE
        elif inside(module, "edge.config") or module == "edge.ports":
            bad = ours and not any(inside(name, inner) for inner in INNER)
        elif room is not None:
            bad = ours and not (inside(name, room) or any(inside(name, inner) for inner in INNER))
        elif inside(module, "edge"):
            others = [other for room, rooms in APART.items() if inside(module, room) for other in rooms]
            bad = name.split(".")[0] in {"hal_sim", "tests", "bench"} or any(inside(name, other) for other in others)
        elif inside(module, "hal_sim"):
            # The simulator must not make our mistakes: no driver, no city, no store, no web, no program of ours.
            allowed = any(inside(name, inner) for inner in ("hal_sim", "edge.core", "edge.config"))
            bad = ours and not allowed
        else:
            bad = False
        if bad:
            wrong.append(f"{module} imports {name}")
    return wrong


CODE = tracked("edge/*.py", "drivers/*.py", "hal_sim/*.py")


@pytest.mark.parametrize("path", CODE, ids=module_of)
def test_imports_point_inward(path: Path) -> None:
    assert wrong_imports(module_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("edge.core.x", "import time"),
        ("edge.core.x", "from edge.config import model"),
        ("edge.store.x", "from edge.web import server"),
        ("edge.cities.x", "import drivers.gpio"),
        ("drivers.x", "from edge.store.ledger import Ledger"),
        ("edge.x", "import hal_sim.command"),
        ("edge.lane.x", "from edge.agent.desk import Desk"),
        ("edge.agent.x", "from edge.lane import program"),
        ("edge.box.x", "from edge.agent import program"),
        ("hal_sim.x", "from drivers.cameras import vz"),
        ("hal_sim.x", "from edge.cities.qingdao import messages"),
        ("edge.config.x", "from edge.store import ledger"),
        ("edge.umqtt.x", "from edge.core import plates"),
        ("edge.umqtt.x", "import edge.config"),
        ("edge.umqtt.x", "from edge.umqtt import packets"),
    ],
)
def test_the_rule_sees_a_planted_import(module: str, source: str) -> None:
    assert wrong_imports(module, source) != []


def test_relative_imports_are_for_the_package_that_can_be_lifted_out() -> None:
    assert wrong_imports("edge.umqtt.x", "from . import packets\nfrom .stream import Stream") == []
    with pytest.raises(AssertionError, match="relative import"):
        wrong_imports("edge.umqtt.x", "from ..core import plates")
    with pytest.raises(AssertionError, match="relative import"):
        wrong_imports("edge.web.x", "from . import server")


def handlers_that_swallow(source: str) -> list[int]:
    """Lines of `except Exception`, `except BaseException` or bare `except` that neither raise again nor log."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"BaseException"}
        if not names & {"Exception", "BaseException"}:
            continue
        raises = any(isinstance(n, ast.Raise) for n in ast.walk(node))
        logs = any(isinstance(n, ast.Attribute) and n.attr == "exception" for n in ast.walk(node))
        if not raises and not logs:
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("path", CODE, ids=module_of)
def test_no_swallowed_exception(path: Path) -> None:
    assert handlers_that_swallow(path.read_text(encoding="utf-8")) == []


def test_the_rule_sees_a_swallowed_exception() -> None:
    assert handlers_that_swallow("try:\n    f()\nexcept Exception:\n    pass\n") == [3]
    assert handlers_that_swallow("try:\n    f()\nexcept OSError:\n    g()\n") == []


def test_no_file_is_too_long() -> None:
    patterns = ("*.py", "*.html", "*.js", "*.css", "*.sql")
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in tracked(*patterns)}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


STUB = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|\btime\.sleep\(")


def waits_at_reconnect(path: Path) -> bool:
    """umqtt.robust's interface is a call that waits until it is connected again."""
    return path.relative_to(ROOT).as_posix() == "edge/umqtt/robust.py"


def test_no_stub_and_no_sleep() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("edge/*.py", "drivers/*.py", "hal_sim/*.py", "tests/*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if STUB.search(line) and path != Path(__file__).resolve() and not waits_at_reconnect(path)
    ]
    assert found == []


def test_the_rule_sees_a_stub() -> None:
    assert STUB.search("    time.sleep(1)")
    assert STUB.search("# TODO later")
    assert not STUB.search("await asyncio.sleep(0)")


def test_requirements_are_pinned_by_hash_and_name_no_address() -> None:
    for path in tracked("requirements/*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        pins = [line for line in text.splitlines() if re.match(r"^[a-z]", line)]
        assert pins
        assert all("==" in line for line in pins)
        assert text.count("--hash=sha256:") >= len(pins)


def test_what_tests_share_stands_in_modules_of_its_own() -> None:
    """A test file that others import from runs with them, and its tests cannot be changed for themselves."""
    lent = [
        f"{module_of(path)} -> {name}"
        for path in tracked("tests/*.py", "bench/*.py")
        for name in imports(path.read_text("utf-8"))
        if name.startswith("tests.test_")
    ]
    assert lent == []
