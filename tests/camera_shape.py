"""The shape of a message: its members without their values."""

from __future__ import annotations

from typing import Any


def shape(value: Any) -> Any:
    """Names and types of a JSON value, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
