"""One HTTP request to a camera with digest login (RFC 7616: MD5, qop auth or none), blocking, for a thread.

A wrong password is told once and never tried again by itself: five wrong logins lock a Hikvision camera's door for
half an hour, for everybody at this address.
"""

from __future__ import annotations

import hashlib
import http.client
import os
from urllib.request import parse_http_list, parse_keqv_list

import msgspec

TIMEOUT_S = 2.0
"""Camera networks answer within milliseconds; a later answer would be about another car."""
ANSWER_LIMIT_BYTES = 65_536


class LoginRefused(Exception):
    """The camera does not take this user and password."""


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/xml"


class Login(msgspec.Struct, frozen=True):
    user: str
    password: str


def ask(address: str, port: int, request: Request, login: Login) -> tuple[int, bytes]:
    """Status and body. Raises `OSError`, `http.client.HTTPException` and `LoginRefused`."""
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_S)
    try:
        status, body, challenge = _once(connection, request, {})
        if status == 401:
            status, body, _ = _once(connection, request, {"Authorization": answer_to(challenge, request, login)})
            if status == 401:
                raise LoginRefused(f"user {login.user!r}: the camera refuses this login")
        return status, body
    finally:
        connection.close()


def _once(
    connection: http.client.HTTPConnection, request: Request, more: dict[str, str]
) -> tuple[int, bytes, str]:
    fields = more | ({"Content-Type": request.content_type} if request.body else {})
    connection.request(request.method, request.path, request.body or None, fields)
    response = connection.getresponse()
    body = response.read(ANSWER_LIMIT_BYTES)
    return response.status, body, response.headers.get("WWW-Authenticate", "")


def answer_to(challenge: str, request: Request, login: Login, cnonce: str = "") -> str:
    """The Authorization field. `cnonce` is given by tests only. Raises `LoginRefused`."""
    scheme, _, rest = challenge.partition(" ")
    asked = parse_keqv_list(parse_http_list(rest)) if scheme.lower() == "digest" else {}
    if not {"realm", "nonce"} <= asked.keys() or asked.get("algorithm", "MD5").upper() != "MD5":
        raise LoginRefused(f"the camera asks for {challenge[:60]!r}, allowed is Digest with MD5")
    first = _md5(f"{login.user}:{asked['realm']}:{login.password}")
    second = _md5(f"{request.method}:{request.path}")
    fields = {"username": login.user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": request.path}
    qops = [qop.strip() for qop in asked.get("qop", "").split(",")]
    if "auth" in qops:
        cnonce = cnonce or os.urandom(8).hex()
        fields["cnonce"] = cnonce
        fields["response"] = _md5(f"{first}:{asked['nonce']}:00000001:{cnonce}:auth:{second}")
    else:
        fields["response"] = _md5(f"{first}:{asked['nonce']}:{second}")
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    text = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return f"Digest {text}" + (", qop=auth, nc=00000001" if "auth" in qops else "")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
