"""Tariffs, starts and stays of every kind, for what must hold of all of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from edge.core.tariff_engine import DAY_MS
from edge.core.tariff_plan import ClassPrice, Rate, TariffPlan

MIN = 60_000
HOUR = 60 * MIN
CHINA = timezone(timedelta(hours=8))


def at(text: str) -> int:
    """UTC ms of a China time on a Monday, or of a whole date."""
    text = text if " " in text else f"2026-11-23 {text}"
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


fen = st.integers(0, 5_000)


@st.composite
def prices(draw: st.DrawFn) -> ClassPrice:
    cuts = sorted(draw(st.sets(st.integers(0, 1439), max_size=3)))
    spans = list(zip(cuts, cuts[1:] + cuts[:1], strict=True)) or [(0, 0)]
    rates = tuple(
        Rate(draw(st.integers(1, 300)), draw(fen), begin, end, draw(st.one_of(st.just(0), fen))) for begin, end in spans
    )
    return ClassPrice(rates, draw(st.integers(0, 300)), draw(fen), draw(st.one_of(st.just(0), fen)),
                      draw(st.one_of(st.just(0), fen)))  # fmt: skip


plans = st.builds(
    TariffPlan, price=prices(), free_min=st.integers(0, 300), free_mode=st.sampled_from(["all", "rest"]),
    day=st.sampled_from(["entry", "calendar"]), first_each=st.sampled_from(["day", "visit"]),
    classes=st.dictionaries(st.sampled_from(["large", "small"]), prices(), max_size=1),
)  # fmt: skip
starts = st.integers(at("2026-01-01 00:00"), at("2027-01-01 00:00"))
stays = st.integers(0, 40 * DAY_MS)
vehicles = st.sampled_from(["", "large", "small"])
