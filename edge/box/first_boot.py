"""`parkbox first-boot`: at every boot, before everything else of the box. At the first it makes what is missing; later
it only looks. A power cut anywhere is no harm: each thing is made whole or not at all, and made if it is not there.

1. A restore that was cut off is carried out; a backup on the boot partition is taken by a box that is not in use.
2. The configuration, its secrets and the network file of this box are taken from the boot partition when they are new
   there (since they were last taken: what the page changed meanwhile stays), and only when they are right.
3. Network and clock servers are told to systemd-networkd and chronyd.
4. The page's first user, the page's certificate and the key of the evidence pictures are made.
5. The console and a label sheet say who the box is and how it is opened, until the first password was changed.

What is wrong is said on the console and in `parkbox-error.txt` on the boot partition; everything else goes on.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.box.backup_names import BackupError
from edge.box.boot_files import LABEL, RESTORE_PASSPHRASE, TROUBLE, BootWishes, leave
from edge.box.kit import (
    BOXES_FOLDER,
    CONFIG_FILE,
    SECRET_PREFIX,
    SECRETS_FOLDER,
    Judged,
    Kit,
    as_credentials,
    judge_kit,
    read_kit,
)  # fmt: skip
from edge.box.label import LABEL_FILE, Label, label_of, sheet
from edge.box.restore_place import Places, finish, put_config, read_note
from edge.config.check import explain
from edge.config.durable import write_private
from edge.config.issues import ConfigError
from edge.config.load import load
from edge.config.model import Config
from edge.config.network import NETWORK_FILE, Network, chrony_text, load_network, networkd_text, own_address
from edge.page_certificate import CERTIFICATE, KEY, fingerprint, make
from edge.web.accounts import FILE, FIRST_FILE, FIRST_USER, Accounts
from edge.web.passwords import SCRYPT_N, SCRYPT_P

TAKEN = "boot-taken.json"
RESTORE_FILE = "restore.parkbox"
OWNED = (FILE, FIRST_FILE, CERTIFICATE, KEY, "evidence.key", "evidence.pub", NETWORK_FILE, TAKEN)
"""Made here by root, used by the programs' user."""


class Taken(msgspec.Struct, frozen=True):
    """SHA-256 of the files on the boot partition that were taken last."""

    config: str = ""
    network: str = ""
    label: str = ""
    """Of what stands on the label that was drawn last."""


class Ground(msgspec.Struct, frozen=True):
    """Where everything is; the tests have their own."""

    boot: Path
    places: Places
    networkd: Path
    chrony: Path
    run: Path
    serial: str


class FirstBoot:
    """One boot. `say`: a line on the console."""

    def __init__(
        self, ground: Ground, say: Callable[[str], None], cost: tuple[int, int] = (SCRYPT_N, SCRYPT_P)
    ) -> None:
        """`cost`: as for `Accounts`."""
        self._cost = cost
        self._ground, self._say = ground, say
        self._places, self._data = ground.places, ground.places.data
        self._troubles: list[str] = []
        self._remove: list[str] = []
        self.wishes_left = True
        """The boot partition is not as it shall be yet (or nobody has looked)."""
        own = ground.boot / BOXES_FOLDER / ground.serial
        self._folder = own if ground.serial and own.is_dir() else ground.boot

    def run(self) -> int:
        """Exit code: 1 when something is wrong with what was found; the programs start all the same."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._step(self._restore)
        self._step(self._take)
        network = self._network()
        self._step(lambda: self._tell_network(network))
        config = self._config()
        self._step(lambda: self._keys(config, network))
        label = self._label(config, network)
        self._speak(label, config)
        self._step(lambda: self._leave(label))
        return 1 if self._troubles else 0

    def _step(self, step: Callable[[], None]) -> None:
        """One that fails stops no other."""
        try:
            step()
        except ConfigError as error:
            self._trouble(explain(error))
        except (OSError, BackupError, sqlite3.Error, ValueError) as error:
            self._trouble(f"{type(error).__name__}: {error}")

    def _trouble(self, text: str) -> None:
        self._troubles.append(text)
        self._say(text)

    # --- a backup ----------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        done = finish(self._places)
        file = self._ground.boot / RESTORE_FILE
        passphrase = self._ground.boot / RESTORE_PASSPHRASE
        if file.exists() and passphrase.exists():
            from edge.box.backup_seal import read_head  # noqa: PLC0415
            from edge.box.restore_open import open_backup  # noqa: PLC0415

            with file.open("rb") as source:
                head, note = read_head(source)[0], read_note(self._data)
                if note is None or (note.box, note.made_ms) != (head.box, head.made_ms):
                    source.seek(0)
                    open_backup(source, passphrase.read_text("utf-8-sig").strip(), self._places)
                    done = finish(self._places)
            self._note_taken(config=self._digest(CONFIG_FILE))  # the backup's configuration is the newer one
            self._remove.append(RESTORE_PASSPHRASE)
        if done is not None:
            self._say(f"已从备份恢复 restored from the backup of {done.box}, "
                      f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(done.made_ms / 1000))}")  # fmt: skip

    # --- what the boot partition brings ------------------------------------------------------------------------

    def _digest(self, name: str) -> str:
        try:
            return hashlib.sha256((self._folder / name).read_bytes()).hexdigest()
        except OSError:
            return ""

    def _taken(self) -> Taken:
        try:
            return msgspec.json.decode((self._data / TAKEN).read_bytes(), type=Taken)
        except (FileNotFoundError, msgspec.DecodeError):
            return Taken()  # then it is taken again: the same file in the same place

    def _note_taken(self, **what: str) -> None:
        now = msgspec.structs.replace(self._taken(), **{name: text for name, text in what.items() if text})
        if now != self._taken():
            write_private(self._data / TAKEN, msgspec.json.encode(now))

    def _take(self) -> None:
        kit = read_kit(self._folder)
        taken = self._taken()
        new_config = kit.config is not None and self._digest(CONFIG_FILE) != taken.config
        new_network = kit.network is not None and self._digest(NETWORK_FILE) != taken.network
        if new_network:
            judged = judge_kit(Kit(network=kit.network))
            self._refused(judged)
            if not judged.issues and kit.network is not None:
                write_private(self._data / NETWORK_FILE, kit.network)
                self._note_taken(network=self._digest(NETWORK_FILE))
        if new_config and kit.config is not None:
            secrets = self._secrets() | kit.secrets
            judged = judge_kit(Kit(config=kit.config, secrets=secrets))
            self._refused(judged)
            if judged.issues:
                return
            for name, text in kit.secrets.items():
                write_private(self._places.secrets / name, text)
            put_config(self._places, kit.config)
            self._note_taken(config=self._digest(CONFIG_FILE))
        below = self._folder.relative_to(self._ground.boot)
        kept = self._secrets()
        for name, text in kit.secrets.items():
            if kept.get(name) == text:  # it is in the box: nobody shall read it off the card's open partition
                self._remove.append(str(below / SECRETS_FOLDER / name))

    def _refused(self, judged: Judged) -> None:
        if judged.issues:
            self._trouble(f"{self._folder}: 未采用 not taken\n" + explain(ConfigError(judged.issues)))

    def _secrets(self) -> dict[str, bytes]:
        folder = self._places.secrets
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}

    # --- network and keys --------------------------------------------------------------------------------------

    def _network(self) -> Network:
        path = self._data / NETWORK_FILE
        if path.exists():
            try:
                return load_network(path)
            except ConfigError as error:  # a newer program refuses what an older one took
                self._trouble(f"{path}: DHCP\n{explain(error)}")
        return Network()

    def _tell_network(self, network: Network) -> None:
        self._ground.networkd.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_private(self._ground.networkd, networkd_text(network).encode())
        self._ground.networkd.chmod(0o644)  # networkd runs as a user of its own
        if network.ntp:
            self._ground.chrony.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_private(self._ground.chrony, chrony_text(network).encode())
            self._ground.chrony.chmod(0o644)

    def _config(self) -> Config | None:
        if not self._places.config.exists():
            own = f"{BOXES_FOLDER}/{self._ground.serial or 'SERIAL'}"
            self._trouble(f"没有配置: 请将 {CONFIG_FILE} 放到启动分区的 {own}/ / no configuration: put {CONFIG_FILE} "
                          f"into {own}/ on the boot partition")  # fmt: skip
            return None
        scratch = self._ground.run / "judge"
        try:
            with as_credentials(scratch, self._secrets()):
                return load(self._places.config)
        except ConfigError as error:
            self._trouble(explain(error))
        finally:
            for left in scratch.glob(f"{SECRET_PREFIX}*"):
                left.unlink()
        return None

    def _keys(self, config: Config | None, network: Network) -> None:
        if not (self._data / FILE).exists():
            Accounts(self._data, lambda: time.time_ns() // 1_000_000, self._cost).open()
        if not (self._data / "evidence.key").exists():
            from edge.evidence.keys import load_or_make  # noqa: PLC0415 - 12 MB that most boots do not need

            load_or_make(self._data)
        if config is not None and config.web.tls == "own" and not self._has_certificate():
            host = [] if config.web.host in ("0.0.0.0", "::") else [config.web.host]
            address = own_address(network)
            make(self._data, config.box.id, [*config.web.names, *host, *([address] if address else [])])
        if self._places.owner is not None:
            for name in OWNED:
                if (self._data / name).exists():
                    os.chown(self._data / name, *self._places.owner)

    def _has_certificate(self) -> bool:
        return (self._data / CERTIFICATE).exists() and (self._data / KEY).exists()

    # --- words -------------------------------------------------------------------------------------------------

    def _label(self, config: Config | None, network: Network) -> Label:
        serial = self._ground.serial or "?"
        label = Label(serial=serial) if config is None else label_of(serial, config, network)
        words = self._text(FIRST_FILE).split()
        if len(words) == 2 and words[0] == FIRST_USER:
            label = msgspec.structs.replace(label, user=FIRST_USER, password=words[1])
        if config is not None and config.web.tls == "own" and self._has_certificate():
            label = msgspec.structs.replace(label, certificate=fingerprint(self._data / CERTIFICATE))
        if (self._data / "evidence.pub").exists():
            label = msgspec.structs.replace(label, evidence=_key_fingerprint(self._text("evidence.pub")))
        return label

    def _text(self, name: str) -> str:
        try:
            return (self._data / name).read_text("utf-8")
        except OSError:
            return ""

    def _speak(self, label: Label, config: Config | None) -> None:
        place = f"{label.box_id} {label.lot}" if config is not None else "未配置 not configured"
        self._say(f"车场盒子 parkbox {label.serial}: {place}")
        if label.url or label.network:
            self._say(f"  网页 page: {label.url or label.network}")
        if label.password:  # until it is changed: whoever stands before the console can open the case, too
            self._say(f"  首次登录 first login: {label.user} {label.password}")

    def _leave(self, label: Label) -> None:
        """To draw a label takes longer than all else here: only when something on it is new."""
        boot = self._ground.boot
        write = {TROUBLE: "\n\n".join(self._troubles)}
        drawn = hashlib.sha256(msgspec.json.encode(label)).hexdigest()
        if self._taken().label != drawn or not (self._data / LABEL_FILE).exists():
            write_private(self._data / LABEL_FILE, sheet(label))
            self._note_taken(label=drawn)
        write[LABEL] = self._text(LABEL_FILE)
        self.wishes_left = leave(self._ground.run, boot, BootWishes(write, tuple(self._remove)))


def _key_fingerprint(pem: str) -> str:
    """As `edge.evidence.keys.fingerprint`, without loading 12 MB for it: the key is the last 32 bytes of its DER form
    (RFC 8410 section 4)."""
    der = base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))
    return hashlib.sha256(der[-32:]).hexdigest()[:16]
