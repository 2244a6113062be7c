"""The page's own files over the line: packed, not sent twice, and together small."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from edge.web.static_files import static_files
from tests.web_fakes import FakeSource, box
from tests.web_house import Client, House

PACKED_MAX_BYTES = 88_000
"""All of the page: 0.5 s on a bad mobile link (1.6 Mbit/s), once."""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    server = House(tmp_path, FakeSource(box())).server
    yield Client(server.start())
    server.stop()


def test_a_file_comes_packed_to_who_can_unpack_it(client: Client) -> None:
    status, plain_headers, plain = client.ask("GET", "/words.js")
    assert status == 200
    assert "content-encoding" not in plain_headers
    _, headers, packed = client.ask("GET", "/words.js", headers={"Accept-Encoding": "br, gzip"})
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


def test_a_browser_that_has_it_gets_it_not_again(client: Client) -> None:
    tag = client.ask("GET", "/page.css")[1]["etag"]
    assert client.ask("GET", "/page.css", headers={"If-None-Match": tag})[::2] == (304, b"")
    assert client.ask("GET", "/page.css", headers={"If-None-Match": '"another"'})[0] == 200
    assert client.ask("GET", "/lane.css")[1]["etag"] != tag


def test_the_whole_page_is_small() -> None:
    packed = sum(len(file.packed) for file in static_files().values())
    assert packed < PACKED_MAX_BYTES


@pytest.mark.parametrize("kind", ["js", "css"])
def test_comments_stay_here_and_nothing_else(kind: str) -> None:
    """Line for line what stands in the file, but for lines that are a comment from their first character on."""
    static = files("edge.web") / "static"
    sent = static_files()
    comments = 0
    for file in static.iterdir():
        if not file.name.endswith(f".{kind}"):
            continue
        own = file.read_text("utf-8").split("\n")
        served = gzip.decompress(sent[f"/{file.name}"].packed).decode("utf-8").split("\n")
        assert len(served) == len(own)
        inside = False  # a comment of several lines
        for number, (line, got) in enumerate(zip(own, served, strict=True), 1):
            text = line.strip()
            inside = inside or text.startswith("/*" if kind == "css" else "//")
            assert got == ("" if inside else line), f"{file.name}:{number}"
            comments += inside
            inside = inside and kind == "css" and not text.endswith("*/")
    assert comments > 20


def test_no_text_of_a_script_has_a_line_that_looks_like_a_comment() -> None:
    """Only a text between back ticks can go on over lines."""
    static = files("edge.web") / "static"
    for file in static.iterdir():
        if file.name.endswith(".js"):
            open_text = False
            for line in file.read_text("utf-8").split("\n"):
                assert not (open_text and line.strip().startswith("//")), f"{file.name}: {line}"
                open_text ^= line.count("`") % 2 == 1


OF_ITS_OWN = "words_orders.js"
"""A table beside the others: its names are the ledger's."""


def test_no_word_of_the_page_is_declared_twice() -> None:
    """The second would silently take the first one's place."""
    static = files("edge.web") / "static"
    found = [file for file in static.iterdir() if file.name.startswith("words") and file.name != OF_ITS_OWN]
    text = "".join(file.read_text("utf-8") for file in found)
    names = re.findall(r'^  "?([\w-]+)"?: \[', text, re.MULTILINE)
    assert len(names) > 200
    assert sorted(names) == sorted(set(names))


def test_the_page_names_its_modules_at_once() -> None:
    """Each is a connection of its own: found one after the other they cost a mobile link half a second more."""
    static = files("edge.web") / "static"
    needed, found = ["page.js"], set[str]()
    while needed:
        name = needed.pop()
        if name not in found:
            found.add(name)
            text = (static / name).read_text("utf-8")
            needed += re.findall(r'^import [^;(]* from "\./([\w.]+)";', text, re.MULTILINE)
    named = re.findall(r'rel="modulepreload" href="/([\w.]+)"', (static / "index.html").read_text("utf-8"))
    assert sorted(named) == sorted(found - {"page.js"})
