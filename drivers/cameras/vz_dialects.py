"""What differs between VZ (臻识) cameras and those that speak like them: code tables, repairs, replies.

One parser reads all of them; the dialect is chosen by the config, never guessed: colour and type numbers overlap
with different meaning (type 11 is a Hong Kong plate at VZ and a small electric car at Qianyi).

The reply IS the gate command: `info: "ok"` closes the camera's relay 0 for 500 ms. So "ok" is written in one place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from drivers.cameras.reading import Damaged

# VZ manual, appendix colorType; Qianyi's colours are the same.
_COLOURS = {0: "unknown", 1: "blue", 2: "yellow", 3: "white", 4: "black", 5: "green", 6: "yellow_green"}
# VZ manual, appendix type: only those whose colour is fixed, used when colorType says unknown.
# 1 small blue, 2 small black, 3/4 yellow one/two lines, 5 police, 13 learner, 19 small / 20 large new energy.
_COMMON_TYPES = {1: "blue", 2: "black", 3: "yellow", 4: "yellow", 5: "white"}
_VZ_TYPES = {**_COMMON_TYPES, 13: "yellow", 19: "green", 20: "yellow_green"}
# Qianyi: 7 is two-line armed police (white), 11 small and 12 large new energy.
_QIANYI_TYPES = {**_COMMON_TYPES, 7: "white", 11: "green", 12: "yellow_green"}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    colour_of_type: dict[int, str]
    no_plate_type: int = -1
    """VZ: type 31 is a car without plate. Not known of Qianyi, whose type numbers are its own."""
    replays: bool = True
    """Sends what it recorded while we were away, with `isoffline: 1`. Qianyi's push has no such field."""
    repairs: bool = False
    """Sends JSON that lacks its last quote and brackets (measured at a Boyue one-piece machine)."""
    closed: dict[str, Any]
    opened: dict[str, Any]


_KEEP = {"info": "no"}
_OPEN = {"info": "ok"}

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(name="vz", colour_of_type=_VZ_TYPES, no_plate_type=31, closed=_KEEP, opened=_OPEN),
        Dialect(
            name="boyue", colour_of_type=_VZ_TYPES, no_plate_type=31, repairs=True,
            closed={"info": "notopen"}, opened=_OPEN,
        ),
        Dialect(name="qianyi", colour_of_type=_QIANYI_TYPES, replays=False, closed=_KEEP, opened=_OPEN),
        Dialect(
            # TCAM5130N without exactly this: marks the send failed, uses its backup, repeats for ever.
            name="alphadigi", colour_of_type=_VZ_TYPES, no_plate_type=31,
            closed={"info": "no", "content": "retransfer_stop", "is_pay": "false", "serialData": []},
            opened={"info": "ok", "content": "retransfer_stop", "is_pay": "true", "serialData": []},
        ),
    )
}  # fmt: skip

ALPHADIGI_HEARTBEAT = b'{"Response_Heartbeat":{"info":"no","serialData":[]}}'
NOTHING = b"{}"
"""Executed by a camera in comet mode like any reply: it asks for nothing."""
SERIAL_DATA = b'{"Response_SerialData":{"serialData":[]}}'


def dialect_of(vendor: str) -> Dialect:
    """Raises `Damaged`: a push that speaks like VZ came from a camera configured as something else."""
    dialect = DIALECTS.get(vendor)
    if dialect is None:
        raise Damaged(f"an AlarmInfoPlate push from a camera configured as {vendor}")
    return dialect


def odd_colour(colour_type: int) -> tuple[str, ...]:
    """A colorType that the table has not."""
    known = f"0 to {max(_COLOURS)}"
    return () if colour_type in _COLOURS else (f"colorType = {colour_type}, allowed are {known}",)


def colour(dialect: Dialect, colour_type: int, plate_type: int) -> str:
    known = _COLOURS.get(colour_type, "unknown")
    return dialect.colour_of_type.get(plate_type, "unknown") if known == "unknown" else known


def plate_reply(dialect: Dialect, plate_id: int | str | None, *, replay: bool, opened: bool) -> bytes:
    """The answer to a plate. A replayed record asks for the next one and can never open."""
    if replay and plate_id is not None:
        response: dict[str, Any] = {"ContinuePushOffline": {"plateid": plate_id, "continue": 1}}
    else:
        response = dict(dialect.opened if opened and not replay else dialect.closed)
        if plate_id is not None and dialect.name != "alphadigi":
            response["plateid"] = plate_id  # VZ manual: live replies should echo it; AlphaDigi's text is exact
    return msgspec.json.encode({"Response_AlarmInfoPlate": response})
