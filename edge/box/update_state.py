"""What the page and the updating unit tell each other, in the folder of bundles: small files, each with one writer.

    upload.raucb.part   what the page has received so far (agent)
    upload.raucb        the whole bundle (agent)
    asked               JSON `Asked`: install it; systemd's path unit starts the updater (agent writes, updater removes)
    state.json          JSON `State`: how far it is, or how it ended (updater)

The page's program has no right to write a slot, and whoever takes it over gains none: RAUC installs what is signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from edge.config.durable import write_private
from edge.wall_clock import boot_id

FOLDER = Path("/data/bundles")
BUNDLE, PART, ASKED, STATE = "upload.raucb", "upload.raucb.part", "asked", "state.json"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    who: str
    at_ms: int


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phase: Literal["installing", "installed", "failed"]
    percent: int = 0
    text: str = ""
    at_ms: int = 0
    boot: str = ""
    """The kernel's id of the boot: an update that a power cut ended is not going on."""


def read_state(folder: Path) -> State | None:
    try:
        found = msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None  # none yet, or that of another version: the next one replaces it
    if found.phase == "failed" or found.boot == boot_id():
        return found
    if found.phase == "installed":
        return None  # the box has started since: the slots say into what
    return State("failed", found.percent, "写入中断, 现用系统不变 / cut off, the running system stays", found.at_ms)


def keep_state(folder: Path, state: State) -> None:
    """Raises `OSError`."""
    write_private(folder / STATE, msgspec.json.encode(state))
