"""Certificate of the callback server: loaded again when its files change, and watched for its end.

A new certificate is put beside the old one and renamed over it: the next connection gets it, nobody restarts anything.
A pair that cannot be used (half copied, key of another) is reported, and the old one goes on serving.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from edge.cities.shenzhen.x509_times import ends_ms
from edge.cities.tls import server_context

# The platform stops calling when it has ended: time enough for a person to get another.
WARN_BEFORE_DAYS = 30

DAY_MS = 86_400_000


class ServerCertificate:
    """`context` for any thread."""

    def __init__(self, cert_file: str, key_file: str, client_ca_file: str = "") -> None:
        """Raises `OSError` or `ssl.SSLError` when there is none to begin with."""
        self._files = (cert_file, key_file, client_ca_file)
        self._lock = threading.Lock()
        self._seen = self._stamps()
        self._context = server_context(*self._files)
        self._ends_ms = self._end()
        self.trouble = ""
        """Why the newest files cannot be used; "" when they are in use."""

    def context(self) -> ssl.SSLContext:
        with self._lock:
            stamps = self._stamps()
            if stamps != self._seen:
                self._seen = stamps
                try:
                    self._context, self._ends_ms, self.trouble = server_context(*self._files), self._end(), ""
                except (OSError, ssl.SSLError, ValueError) as error:
                    self.trouble = f"{type(error).__name__}: {error}"
            return self._context

    def ends_soon(self, now_ms: int) -> str:
        """`中文 / English` when the end is near or past, else ""."""
        days = (self._ends_ms - now_ms) // DAY_MS
        if days >= WARN_BEFORE_DAYS:
            return ""
        if days < 0:
            return "回调服务器的证书已过期 / the certificate of the server for orders has ended"
        return f"回调服务器的证书还有 {days} 天到期 / the certificate of the server for orders ends in {days} days"

    def ended(self, now_ms: int) -> bool:
        return self._ends_ms <= now_ms

    def _end(self) -> int:
        return min(ends_ms(Path(self._files[0]).read_text(encoding="ascii")))

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        """What changes when a file is replaced or written again; a file that is away is a change too."""
        found = []
        for name in filter(None, self._files):
            try:
                at = Path(name).stat()
                found.append((at.st_mtime_ns, at.st_ino, at.st_size))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)
