"""Roles of the page: a viewer looks, a technician works at the lane, an admin also changes who may and how."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "technician", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""In rising order: each may all that those before it may."""

ROLE_WORDS: dict[Role, tuple[str, str]] = {
    "viewer": ("查看", "viewer"),
    "technician": ("技术员", "technician"),
    "admin": ("管理员", "administrator"),
}


def may(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)
