"""The page put together: users, audit, TLS and the server, from the configuration."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from edge.config.model import Config
from edge.fault_view import fault_view
from edge.page_certificate import CERTIFICATE, KEY, fingerprint
from edge.ports import FaultView, PageSource
from edge.store.audit import Audit
from edge.web.accounts import FILE, FIRST_FILE, FIRST_USER, Accounts
from edge.web.desk import Desk
from edge.web.door import Door
from edge.web.server import PageServer, system_wall_ms

log = logging.getLogger("parkbox.agent")

CONSOLE = Path("/dev/console")
MAKE_WITHIN_S = 60.0
ANYWHERE = frozenset({"0.0.0.0", "::"})


class Page:
    """`faults` for any thread."""

    def __init__(
        self,
        config: Config,
        source: PageSource,
        desk: Desk,
        *,
        changed: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._config, self._source, self._desk = config, source, desk
        self._on_failure = on_failure
        self._data = Path(config.box.data_dir)
        self._lasting: list[FaultView] = []
        self._no_users: FaultView | None = None
        self.audit = Audit(self._data / "audit.db", config.web.audit_days, changed)
        self.accounts = Accounts(self._data, system_wall_ms)
        self._server: PageServer | None = None

    def start(self) -> int:
        """The port. Raises `OSError`: no port, no certificate."""
        try:
            first, moved = self.accounts.open()
        except OSError as error:  # the page is there and says so; each login tries again
            log.error("the page's users cannot be read or begun: %s", error)  # noqa: TRY400
            self._no_users = fault_view("storage_failing", FILE, str(error), system_wall_ms())
        else:
            if moved is not None:
                self._lasting.append(fault_view("accounts_damaged", FILE, moved.name, system_wall_ms()))
            if first:
                show_once(first, self._data / FIRST_FILE)
        tls = self._tls()
        door = Door(
            self.accounts,
            self.audit,
            idle_s=self._config.web.idle_s,
            tls=tls is not None,
            wall_ms=system_wall_ms,
            mono_s=time.monotonic,
            clock_is_true=self._desk.clock_is_true,
        )
        self._server = PageServer(
            self._config.web, self._source, self._desk, door, tls=tls, on_failure=self._on_failure
        )
        return self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self.audit.close()

    def faults(self) -> list[FaultView]:
        found = list(self._lasting)
        if self._no_users is not None and not self.accounts.users():
            found.append(self._no_users)
        if self.audit.trouble:
            found.append(fault_view("audit_failing", "audit.db", self.audit.trouble, system_wall_ms()))
        if (moved := self.audit.recovery) is not None:
            found.append(fault_view("audit_damaged", "audit.db", f"{moved.moved_to.name}: {moved.why}", 0))
        return found

    def _tls(self) -> ssl.SSLContext | None:
        web = self._config.web
        if web.tls == "off":
            return None
        if web.tls == "given":
            certificate, key = Path(web.certificate_file), Path(web.key_file)
        else:
            certificate, key = self._data / CERTIFICATE, self._data / KEY
            if not (certificate.exists() and key.exists()):
                self._make_certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        log.info("page certificate, SHA-256 fingerprint %s", fingerprint(certificate))
        return context

    def _make_certificate(self) -> None:
        web, box = self._config.web, self._config.box
        names = [*web.names, socket.gethostname()] + ([] if web.host in ANYWHERE else [web.host])
        command = [sys.executable, "-m", "edge.page_certificate", str(self._data), box.id, *names]
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_WITHIN_S, check=False)
        if done.returncode:
            raise OSError(f"the page's certificate could not be made: {done.stderr[-500:]}")


def show_once(password: str, kept: Path) -> None:
    """On the console of the box, never in a log: a service's standard output goes to the journal, so a terminal is used
    when there is one and the console when not."""
    words = f"首次登录 first login: {FIRST_USER} {password}\n"
    if sys.stdout.isatty():
        sys.stdout.write(words)
    else:
        try:
            with CONSOLE.open("w", encoding="utf-8") as console:
                console.write(words)
        except OSError:
            log.info("no console to show the first password on")
    log.warning("the first password of the page's user %s stands in %s until it is changed", FIRST_USER, kept)
