"""What goes over the JSON interface about updates: a bundle in pieces, the slots, how far it is."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.web.api import Body, Why

PIECE_MAX_BYTES = 240_000
"""As base64 with its frame under the page's limit of a large body (512 KB): a bundle never is in memory whole."""
BUNDLE_MAX_BYTES = 1_000_000_000


class UpdatePiece(Body, frozen=True, kw_only=True):
    """One piece of a bundle. `at` 0 begins anew; each next one begins where the one before ended."""

    at: Annotated[int, Meta(ge=0, le=BUNDLE_MAX_BYTES)]
    data: Annotated[bytes, Meta(min_length=1, max_length=PIECE_MAX_BYTES)]
    """Base64."""


class InstallUpdate(Body, frozen=True, kw_only=True):
    """The bundle is whole: have it installed. The box restarts into it when its signature is right."""

    size: Annotated[int, Meta(ge=1, le=BUNDLE_MAX_BYTES)]
    why: Why


class SlotRow(msgspec.Struct, frozen=True):
    name: str
    version: str
    running: bool
    next: bool
    good: bool


class UpdateView(msgspec.Struct, frozen=True):
    possible: bool
    zh: str
    """Why not, or how far."""
    en: str
    version: str
    slots: tuple[SlotRow, ...] = ()
    phase: Literal["", "installing", "installed", "failed"] = ""
    percent: int = 0
    taken_bytes: int = 0
