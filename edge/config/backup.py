"""The nightly backup, `[backup]`."""

from typing import Annotated

from msgspec import Meta

from edge.config.base import Section


class Backup(Section, frozen=True, kw_only=True):
    """Without this section no backup is made by itself."""

    passphrase_file: str
    """Of mode 0600, 12 characters or more. Keep it elsewhere, too: without it the backup is worth nothing."""
    folder: Annotated[str, Meta(max_length=200)] = ""
    """Where to, such as a USB stick's /media/backup; "": `backups` in the data folder, lost with the card."""
    keep: Annotated[int, Meta(ge=1, le=60)] = 7
    """So many stay, the newest; older ones go."""
    pictures: bool = False
    """Pictures too: gigabytes."""
