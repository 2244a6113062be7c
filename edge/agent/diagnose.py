"""The diagnostics bundle: one tar.gz with what somebody far away needs, and no secret in it.

Everything is bounded. Before a member goes in, every secret of the site that the box knows (the contents of the files
that the configuration names, password hashes, the first password, private keys) is looked for in it and blacked out.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from edge.agent.machine import Machine
from edge.config.model import Config
from edge.config_file import secrets_of
from edge.store.delivery_rows import DeliveriesFile
from edge.store.errors import StoreError
from edge.store.history import LedgerHistory
from edge.web.accounts import FIRST_FILE
from edge.web.desk import RefusedError

BUNDLE_MAX_BYTES = 10_000_000
MEMBER_MAX_BYTES = 3_000_000
FACTS = 2000
AUDIT_LINES = 500
SET_ASIDE = 50
SECRET_MIN_CHARS = 4
"""Shorter ones would black out half of every text; the check of the configuration warns of none so short."""
PRIVATE_KEYS = ("evidence.key", "page.key")
BLACK = "******"

Member = Callable[[], object]


def bundle(members: dict[str, Member], secrets: Iterable[str], made_s: float) -> bytes:
    """`made_s`: now, in seconds since 1970. `members` by file name: text as it is, everything else as JSON. One that
    fails is a line with its reason."""
    import tarfile  # noqa: PLC0415 - 0.4 MB for what is asked for once in a year

    black = sorted({one for one in secrets if len(one) >= SECRET_MIN_CHARS}, key=len, reverse=True)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
        for name, make in members.items():
            try:
                made = make()
            except (OSError, ValueError, StoreError, RefusedError) as error:  # a broken part is why it is asked for
                made = f"{type(error).__name__}: {error}\n"
            text = made if isinstance(made, str) else json.dumps(_plain(made), ensure_ascii=False, indent=1)
            for secret in black:
                text = text.replace(secret, BLACK)
            data = text.encode("utf-8", "replace")[-MEMBER_MAX_BYTES:]
            entry = tarfile.TarInfo(f"parkbox/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(made_s)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def box_members(config: Config, config_text: Callable[[], str]) -> dict[str, Member]:
    """What can be told from the files alone, with or without the programs."""
    data = Path(config.box.data_dir)
    ledger = LedgerHistory(data / "ledger.db")
    queue = DeliveriesFile(data / "deliveries.db")
    machine = Machine(data)

    def deliveries() -> object:
        aside = queue.search("", SET_ASIDE, 0, 1 << 62, "set_aside")
        return {"counts": queue.counts(), "set_aside": [_without_body(one) for one in aside]}

    def facts() -> str:
        try:
            found = ledger.read_last(FACTS)
        finally:
            ledger.close()
        return "".join(msgspec.json.encode(fact).decode() + "\n" for fact in found)

    return {
        "config.toml": config_text,
        "machine.json": lambda: {
            "versions": machine.versions(),
            "up_s": machine.up_s(),
            "load": machine.load(),
            "memory": machine.memory_bytes(),
            "temperature_c": machine.temperature_c(),
            "disk": machine.disk(),
        },
        "files.json": lambda: _files(data),
        "deliveries.json": deliveries,
        "facts.jsonl": facts,
    }


def site_secrets(config: Config, hashes: Iterable[str] = ()) -> list[str]:
    """Everything that must not leave the box, as far as it can be read."""
    data = Path(config.box.data_dir)
    found = [*secrets_of(config), *hashes]
    for name in PRIVATE_KEYS:
        found += [line for line in _text(data / name).splitlines() if line and not line.startswith("-----")]
    found += _text(data / FIRST_FILE).split()[1:]
    try:
        users = json.loads(_text(data / "accounts.json") or "{}").get("users", [])
    except ValueError:
        users = []
    found += [part for user in users for part in str(user.get("hash", "")).split(":")[4:]]
    return found


def _without_body(delivery: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(delivery)
    del found["body"]
    return found


def _files(data: Path) -> list[dict[str, object]]:
    """Names and sizes; of the pictures and the spool only how many."""
    found: list[dict[str, object]] = []
    for path in sorted(data.iterdir()) if data.is_dir() else []:
        if path.is_dir():
            sizes = [one.stat().st_size for one in path.rglob("*") if one.is_file()]
            found.append({"name": f"{path.name}/", "files": len(sizes), "bytes": sum(sizes)})
        else:
            found.append({"name": path.name, "bytes": path.stat().st_size})
    return found


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value, str_keys=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
