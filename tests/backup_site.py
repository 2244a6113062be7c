"""A data folder with everything that a backup takes."""

from __future__ import annotations

import threading
from pathlib import Path

from edge.box.backup_make import make_backup
from edge.box.kit import as_credentials
from edge.config.load import load
from edge.config.model import Config
from edge.ports import Delivery
from edge.store.deliveries import Deliveries
from edge.store.ledger import Ledger
from edge.web.accounts import Accounts
from tests.boot_tools import CONFIG, COST, SECRETS
from tests.store_tools import passed

PASSPHRASE = "correct horse battery"
QUICK = 16


class Site:
    """A box that works in `folder`: its ledger has `facts`, its queue as many deliveries."""

    def __init__(self, folder: Path, facts: int = 5) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir(parents=True)
        self.config_path = folder / "box.toml"
        self.config_path.write_text(CONFIG.replace("/var/lib/parkbox", str(self.data)), "utf-8")
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for name, text in SECRETS.items():
            (self.secrets / name).write_text(text)
        with as_credentials(folder / "credentials", {name: text.encode() for name, text in SECRETS.items()}):
            self.config: Config = load(self.config_path)
        accounts = Accounts(self.data, lambda: 7, COST)
        accounts.open()
        (self.data / "evidence.key").write_text("a key")
        self.ledger = Ledger(self.data / "ledger.db")
        self.ledger.open()
        self.queue = Deliveries(self.data / "deliveries.db")
        self.queue.open()
        self.queue.begin(["qingdao"])
        self._made = 0
        self.add(facts)

    def add(self, count: int) -> None:
        """Each is durable in the ledger before its delivery is made, as in the programs."""
        for _ in range(count):
            self._made += 1
            fact, durable = passed(self._made), threading.Event()
            seq = self.ledger.submit([fact], True, lambda _result, durable=durable: durable.set())  # type: ignore[misc]
            assert durable.wait(30)
            self.queue.add(seq, [Delivery(0, "qingdao", "carIn", fact.id, fact.id, b"{}", "A", seq)])

    def backup(self, name: str = "b.parkbox", passphrase: str = PASSPHRASE) -> Path:
        out = self.folder / name
        secrets = {path.name: path for path in self.secrets.iterdir()}
        make_backup(self.config, self.config_path, secrets, out, passphrase, 1_700_000_000_000, scrypt_n=QUICK)
        return out

    def close(self) -> None:
        self.ledger.close()
        self.queue.close()
