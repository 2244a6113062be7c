"""The lot's own card plans as Qingdao is told of them (interfaces 10 and 11): monthly cards and shared parking."""

from typing import Annotated, Literal

from msgspec import Meta

from edge.config.base import Fen, Section

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:mm")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class QingdaoPrice(Section, frozen=True, kw_only=True):
    """One price of a plan: 3 months for a quarter's card, 6 for half a year's (line 930)."""

    months: Annotated[int, Meta(ge=1, le=120)]
    fen: Fen


class QingdaoPlan(Section, frozen=True, kw_only=True):
    code: Annotated[int, Meta(ge=46, le=76)]
    """套餐编号 of B.6.1.31: 50 月卡 A, 59 月卡 B, 60 月卡 C, ... each once in a lot."""
    name: Annotated[str, Meta(min_length=1, max_length=50)]
    seal_type: Literal[1, 2, 3, 4] = 1
    """1 月租车, 2 临时车, 3 免费车, 4 预付费车."""
    tc_type: Literal["STORE_CARD", "MONTH_CARD", "TEMP_CARD", "FREE_CARD", "SPECIAL_CARD"] = "MONTH_CARD"
    """B.6.1.22."""
    prices: tuple[QingdaoPrice, ...] = ()
    start: ClockTime | None = None
    """Shared parking: from this time of day..."""
    end: ClockTime | None = None
    """...until this one."""
    days: tuple[Day, ...] = ()
    """Shared parking: on these days; [] = it is no shared parking, or every day."""
    times: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    """Shared parking by the time: so many passages."""
