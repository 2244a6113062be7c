"""A server whose certificate nobody vouches for, for link checks."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.page_certificate import CERTIFICATE, KEY, make


@contextmanager
def own_certificate_at(folder: Path) -> Iterator[int]:
    """Its port; it takes the two connections of a check: TCP, then TLS."""
    make(folder, "X", [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                line, _ = listener.accept()
                try:
                    context.wrap_socket(line, server_side=True).close()
                except OSError:  # what the check is to do
                    line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(10)
