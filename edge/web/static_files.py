"""The page's own files: read once at start, kept packed, not sent again to a browser that has them.

Comments are for whoever changes a file and stay here: a tenth of what would go over the line. Their lines are sent
empty, so that what a browser says of a line is true of the file.

They hold no plate and no secret, so a browser may keep them, but asks each time whether they are still the same.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from http import HTTPStatus
from importlib.resources import files

import msgspec

from edge.web.message import RefusedRequest, Request, Response

MEDIA_TYPES = {
    ".html": "text/html; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".svg": "image/svg+xml",
}
COMMENTS = {
    "js": re.compile(rb"^[ \t]*//.*$", re.MULTILINE),
    "css": re.compile(rb"^[ \t]*/\*.*?\*/[ \t]*$", re.MULTILINE | re.DOTALL),
}
"""Those that have their lines to themselves. What looks like one in the middle of a text would go too: a test looks."""

KEPT = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}


class StaticFile(msgspec.Struct, frozen=True):
    tag: str
    media: str
    packed: bytes
    """gzip: every browser takes it. Who does not gets it unpacked anew, instead of all files twice in memory."""


def static_files() -> dict[str, StaticFile]:
    """By path; index.html is "/"."""
    return {
        "/" if file.name == "index.html" else f"/{file.name}": _made(file.read_bytes(), file.name)
        for file in (files("edge.web") / "static").iterdir()
    }


def answer(file: StaticFile, request: Request) -> Response:
    """Raises `RefusedRequest` for a POST."""
    if request.method == "POST":
        raise RefusedRequest(HTTPStatus.METHOD_NOT_ALLOWED)
    headers = KEPT | {"ETag": file.tag}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(b"", file.media, HTTPStatus.NOT_MODIFIED, headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, file.media, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(file.packed), file.media, headers=headers)


def _made(content: bytes, name: str) -> StaticFile:
    kind = name.rpartition(".")[2]
    media = MEDIA_TYPES["." + kind]
    if kind in COMMENTS:
        content = COMMENTS[kind].sub(lambda found: b"\n" * found[0].count(b"\n"), content)
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return StaticFile(tag, media, gzip.compress(content, mtime=0))
