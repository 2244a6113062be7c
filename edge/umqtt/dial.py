"""Connecting: every address of a name in turn, then TLS that verifies, none of it blocking longer than it may.

On CPython the socket never blocks: whoever waits can be stopped. MicroPython can learn only from a blocking connect
that it failed, so there it has a time-out.
"""

import errno
import select
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Callable
    from typing import Any  # noqa: F401 - for a type comment

try:  # MicroPython: a counter that wraps round
    from time import ticks_add, ticks_diff, ticks_ms  # type: ignore[attr-defined]
except ImportError:
    from time import monotonic_ns

    def ticks_ms() -> int:
        return monotonic_ns() // 1_000_000

    def ticks_add(moment: int, ms: int) -> int:
        return moment + ms

    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


__all__ = ["MICRO", "again", "dial", "ticks_add", "ticks_diff", "ticks_ms", "timed_out"]

MICRO = sys.implementation.name == "micropython"

SSL_PARAMS = ("server_hostname", "cafile", "cadata", "certfile", "keyfile")


def timed_out(what: str) -> OSError:
    return OSError(errno.ETIMEDOUT, what)


def again(error: OSError) -> bool:
    """The socket has nothing now, or takes nothing now."""
    if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
        return True
    return bool(error.args) and error.args[0] in (errno.EAGAIN, errno.EINPROGRESS)


def dial(  # noqa: PLR0917 - the order of MQTTClient's arguments
    server: str,
    port: int,
    ssl: object,
    ssl_params: "dict[str, object]",
    due_ms: int,
    until: "Callable[[socket.socket, int, int], None]",
) -> "tuple[socket.socket, socket.socket]":
    """The TCP socket and the one to talk through (with TLS another), both not blocking.

    `until(sock, events, due_ms)` waits for poll events and raises `OSError` when it is not to wait any longer.
    The name is resolved by the system, in its own time.
    """
    trouble = OSError(errno.EHOSTUNREACH, "no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(server, port, 0, socket.SOCK_STREAM):
        if ticks_diff(due_ms, ticks_ms()) <= 0:
            raise timed_out("connect")
        raw = socket.socket(family, kind, protocol)
        try:
            _reach(raw, address, due_ms, until)
            sock = _secure(raw, server, ssl, ssl_params, due_ms, until) if ssl else raw
            sock.setblocking(False)
        except OSError as error:
            raw.close()
            trouble = error
        except ValueError as error:  # a certificate without a usable name, or a setting of `ssl_params`
            raw.close()
            raise OSError(errno.EINVAL, "TLS: " + str(error)) from error
        else:
            return raw, sock
    raise trouble


def _reach(
    raw: "socket.socket", address: object, due_ms: int, until: "Callable[[socket.socket, int, int], None]"
) -> None:
    if MICRO:
        raw.settimeout(ticks_diff(due_ms, ticks_ms()) / 1000)
        raw.connect(address)  # type: ignore[arg-type]
        return
    raw.setblocking(False)
    code = raw.connect_ex(address)  # type: ignore[arg-type]
    if code == errno.EINPROGRESS:
        until(raw, select.POLLOUT, due_ms)
        code = raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, "connect")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # one packet is one write: never wait for more


def _secure(  # noqa: PLR0917 - as dial
    raw: "socket.socket",
    server: str,
    ssl: object,
    ssl_params: "dict[str, object]",
    due_ms: int,
    until: "Callable[[socket.socket, int, int], None]",
) -> "socket.socket":
    """TLS over `raw`. `ssl` is a context, or True: then certificate and name are verified with the system's
    authorities, or with those of `ssl_params` (SSL_PARAMS). On MicroPython these go to its own `ssl.wrap_socket`."""
    import ssl as tls  # noqa: PLC0415 - a plain connection needs none of it

    if MICRO:
        raw.settimeout(max(1, ticks_diff(due_ms, ticks_ms())) / 1000)
        if ssl is True:
            plain_tls = tls  # type: Any
            return plain_tls.wrap_socket(raw, **ssl_params)  # type: ignore[no-any-return]
        return ssl.wrap_socket(raw, server_hostname=server)  # type: ignore[attr-defined, no-any-return]
    name = server
    if ssl is True:
        unknown = set(ssl_params) - set(SSL_PARAMS)
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ValueError("ssl_params: " + names + " not known, allowed: " + ", ".join(SSL_PARAMS))
        known = dict(ssl_params)
        name = str(known.pop("server_hostname", server))
        certificate, key = known.pop("certfile", None), known.pop("keyfile", None)
        ssl = tls.create_default_context(**known)  # type: ignore[arg-type]
        if certificate:
            ssl.load_cert_chain(certificate, key)  # type: ignore[arg-type]
    sock = ssl.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)  # type: ignore[attr-defined]
    try:
        while True:
            try:
                sock.do_handshake()
            except tls.SSLWantReadError:
                events = select.POLLIN
            except tls.SSLWantWriteError:
                events = select.POLLOUT
            else:
                return sock  # type: ignore[no-any-return]
            until(sock, events, due_ms)
    except OSError:
        sock.close()  # it has taken `raw` over
        raise
