"""The file of the `cmd_type` names that the agent has learned of Qingdao: small, written whole, beside the ledger."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

log = logging.getLogger("parkbox.agent.qingdao")

FILE = "qingdao-cmd-types.json"


def read_names(data: Path) -> dict[str, str]:
    """Empty when nothing was learned yet, or, with a warning, when the file is damaged: the names come again."""
    path = data / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        log.warning("%s cannot be read, its names are learned again: %s", path, error)
        return {}


def keep_names(data: Path, names: dict[str, str]) -> None:
    """In place of the old file, whole or not at all. A disk that does not take it costs the names after a restart."""
    path, new = data / FILE, data / f"{FILE}.new"
    try:
        with new.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(names)))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error)
