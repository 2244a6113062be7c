"""What every section of the settings is made of: the base that refuses unknown keys, and the types used twice."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=50)]
Ident = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$", description="letters, digits, - and _, at most 20")
]
Guid = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$", description="32 lower-case hex digits")]
Port = Annotated[int, Meta(ge=0, le=65535)]
"""Where the box listens; 0: any free one, which is printed at start."""
PeerPort = Annotated[int, Meta(ge=1, le=65535)]
"""Where somebody else does."""
Seconds = Annotated[float, Meta(ge=0, le=86400)]
Fen = Annotated[int, Meta(ge=0, le=10_000_000)]
Channel = Annotated[int, Meta(ge=0, le=7, description="number of a relay or input of a board, 0..7")]
HostName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$", description="a host name, without http:// and port")
]
BcmPin = Annotated[int, Meta(ge=2, le=27, description="BCM number of a GPIO on the 40-pin header, 2..27")]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: an unknown key is an error."""
