"""Plate colours as Chinese cameras write them in words: 蓝色, 蓝, 蓝牌, 黄绿, 渐变绿."""

from __future__ import annotations

# GA 36-2018: blue small, yellow large, white police, black embassy; GA 36 amendment: green small and yellow-green
# large new-energy plates. 渐变绿 is the small one (its green fades to white).
_WORDS = {
    "蓝": "blue", "黄": "yellow", "白": "white", "黑": "black", "绿": "green", "渐变绿": "green",
    "黄绿": "yellow_green", "黄绿双拼": "yellow_green",
}  # fmt: skip


def colour_of_word(word: str) -> str:
    """"unknown" for a word that names no plate colour."""
    return _WORDS.get(word.strip().removesuffix("牌").removesuffix("色"), "unknown")
