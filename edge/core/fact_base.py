"""What every fact stands on: its stamp in time and the base of all bodies (see `edge.core.facts`)."""

import msgspec


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """When, as the box knew it at that moment (DESIGN 4).

    `mono_ms` counts from boot; `wall_ms` is UTC since 1970 and true only if `synced`. The true wall time of a
    fact stamped before the first clock set of its boot is `mono_ms + ClockSet.offset_ms` of that boot.
    """

    boot_id: str
    mono_ms: int
    wall_ms: int
    synced: bool


class Body(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """Base of all bodies; the tag is the class name and is the `kind` column of the ledger."""
