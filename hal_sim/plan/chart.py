"""Curves as SVG: no script, no outside resource, readable in the dark and without colours (dashes differ too)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH_PX, HEIGHT_PX = 860, 260
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 52, 12, 10, 26
DASHES = ("", "8 4", "2 4", "12 4 2 4", "5 5", "1 3", "14 3", "8 2 2 2")


class Line(NamedTuple):
    """`points`: (seconds since midnight, value). `name` is what the legend says."""

    name: str
    points: Sequence[tuple[float, float]]


class Band(NamedTuple):
    low: float
    high: float
    css: str
    name: str


def curves(lines: Sequence[Line], *, title: str, unit: str, top: float, bands: Sequence[Band] = ()) -> str:
    """One chart. `top` is the highest value of its axis; every line keeps its number's colour and dash."""
    begin_s = min(line.points[0][0] for line in lines)
    end_s = max(line.points[-1][0] for line in lines)
    inner_px, height_px = WIDTH_PX - LEFT_PX - RIGHT_PX, HEIGHT_PX - TOP_PX - BOTTOM_PX

    def x(t_s: float) -> float:
        return LEFT_PX + (t_s - begin_s) / max(1.0, end_s - begin_s) * inner_px

    def y(value: float) -> float:
        return TOP_PX + (1 - min(value, top) / top) * height_px

    parts = [f'<svg viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" aria-label="{escape(title)}">']
    for band in bands:
        low, high = y(band.low), y(min(band.high, top))
        size = f'width="{inner_px}" height="{low - high:.1f}"'
        parts.append(f'<rect class="{band.css}" x="{LEFT_PX}" y="{high:.1f}" {size}/>')
        parts.append(f'<text class="band" x="{LEFT_PX + 6}" y="{high + 14:.1f}">{escape(band.name)}</text>')
    for step in range(5):
        value = top * step / 4
        at = y(value)
        right_px = WIDTH_PX - RIGHT_PX
        parts.append(f'<line class="grid" x1="{LEFT_PX}" x2="{right_px}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="axis end" x="{LEFT_PX - 6}" y="{at + 4:.1f}">{value:g}{unit}</text>')
    hour = -(-begin_s // 3600) * 3600
    every_s = 3600.0 if end_s - begin_s <= 13 * 3600 else 7200.0
    while hour <= end_s:
        parts.append(f'<text class="axis middle" x="{x(hour):.1f}" y="{HEIGHT_PX - 8}">{clock(hour)}</text>')
        hour += every_s
    for number, line in enumerate(lines):
        path = " ".join(f"{x(t_s):.1f},{y(value):.1f}" for t_s, value in line.points)
        dash = DASHES[number % len(DASHES)]
        parts.append(
            f'<polyline class="line c{number}" stroke-dasharray="{dash}" points="{path}">'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    parts.append("</svg>")
    return "\n".join(parts)


class Bar(NamedTuple):
    """A row of waits: half of the cars waited no longer than `half_min`, 95 of 100 no longer than `most_min`."""

    name: str
    number: int
    half_min: float
    most_min: float


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Waits in minutes: a wide bar to the median, a thin one on to the 95th of a hundred."""
    row_px, left_px = 26, 300
    top_min = max(1.0, *(row.most_min for row in rows))
    scale = (WIDTH_PX - left_px - 60) / top_min
    height_px = row_px * len(rows) + 4
    parts = [f'<svg viewBox="0 0 {WIDTH_PX} {height_px}" role="img" aria-label="{escape(title)}">']
    for index, row in enumerate(rows):
        y = index * row_px + 4
        half_px, most_px = row.half_min * scale, row.most_min * scale
        parts.append(f'<text class="axis end" x="{left_px - 8}" y="{y + 15}">{escape(row.name)}</text>')
        for css, length_px in (("line", most_px), ("thick", half_px)):
            ends = f'x1="{left_px}" x2="{left_px + length_px:.1f}" y1="{y + 10}" y2="{y + 10}"'
            parts.append(f'<line class="{css} c{row.number}" {ends}/>')
        words = f"{row.half_min:.1f} / {row.most_min:.1f}"
        parts.append(f'<text class="axis" x="{left_px + most_px + 6:.1f}" y="{y + 15}">{words}</text>')
    parts.append("</svg>")
    return "\n".join(parts)


def legend(names: Sequence[str]) -> str:
    """What each colour and dash stands for."""
    items = []
    for number, name in enumerate(names):
        dash = DASHES[number % len(DASHES)]
        mark = (
            '<svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true">'
            f'<line class="line c{number}" stroke-dasharray="{dash}" x1="0" x2="34" y1="5" y2="5"/></svg>'
        )
        items.append(f"<li>{mark} {escape(name)}</li>")
    return f'<ul class="legend">{"".join(items)}</ul>'


def clock(t_s: float) -> str:
    return f"{int(t_s) // 3600:02d}:{int(t_s) % 3600 // 60:02d}"
