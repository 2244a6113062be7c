"""Qingdao as the delivery engine knows it (`edge.cities.city`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge.cities.city import City, Counts, Maker, Poster, Things
from edge.cities.classes import Sending
from edge.cities.http import HttpTransport
from edge.cities.qingdao.classes import classes_of
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.mapping import CITY, Mapper
from edge.cities.qingdao.messages import ParkSpace
from edge.cities.qingdao.plan_makers import plan_makers
from edge.cities.qingdao.site import lot_maker
from edge.config.model import Lane, Lot, Qingdao


def qingdao(
    settings: Qingdao,
    lot: Lot,
    lanes: Sequence[Lane],
    account: Account,
    *,
    counts: Callable[[], Counts | None],
    makers: Mapping[str, Maker] | None = None,
    transport: Poster | None = None,
) -> City:
    """`counts` gives None while nobody knows them; `makers`: what else is told of the site (`site.makers`)."""

    def spaces(wall_ms: int) -> Things | None:
        """Interface 2: QC80, a lot that is fuller than full has no stall free."""
        known = counts()
        if known is None:
            return None
        message = ParkSpace(
            park_id=lot.park_id,
            in_space_count=known.parked,
            book_space_count=known.booked,
            remain_space_count=max(0, known.total - known.parked - known.booked),
            timestamp=wall_ms,
        )
        return [(lot.park_id, message)]

    return City(
        name=CITY,
        talk=Conversation(account),
        transport=transport or HttpTransport(settings.url, settings.timeout_s),
        mapper=Mapper(lot, lanes),
        classes=classes_of(settings),
        makers={
            "parkininfo": lot_maker(lot),
            "parkspace": spaces,
            **plan_makers(lot.park_id, settings.plan),
            **(makers or {}),
        },
        sending=Sending(settings.batch, settings.batch_bytes, settings.retry_s, settings.retries),
        records_after=("parkininfo",),  # QC32: the lot first
        rest_max_s=settings.retry_s,
        live_s=3 * settings.counts_s,
    )
