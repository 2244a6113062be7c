"""Site: the lot, its entrances, its tariff and its stalls as the platform is told of them (3001, 3002, 3005, 5003).

Pure but for the two pictures, which are read once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edge.cities.city import Counts, Maker, Things
from edge.cities.shenzhen.fields import Message, settle_lengths
from edge.cities.shenzhen.mapping import device_id
from edge.cities.shenzhen.messages import (
    ENTRANCE,
    PARK,
    STALLS,
    TARIFF,
    ChargeItem,
    Charging,
    Entrance,
    EntranceReport,
    ParkInfo,
    ParkReport,
    Stalls,
)
from edge.config.model import Config, Lane, Lot, Tariff
from edge.config.shenzhen import Shenzhen
from edge.core.tariff import yuan
from edge.core.tariff_param import read_param
from edge.core.tariff_words import plan_zh

NORMAL: Literal[1] = 1  # tables 23, 25: status 1 正常

# SC36: what a browser shows; the first bytes say so.
PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class Site:
    """Made once at start: a box's things change only by its config."""

    def __init__(self, config: Config, settings: Shenzhen, image: Callable[[str], str | None]) -> None:
        """`image`: base64 of a picture file, None for none (`picture`)."""
        self._settings = settings
        self.charging = self._charging(config.tariff, image(settings.site.price_sign_file))
        self.park = self._park(config.lot, image(settings.site.map_file))
        self.entrances = [self._entrance(place, lane) for place, lane in enumerate(config.lane)]

    def makers(self, counts: Callable[[], Counts | None]) -> dict[str, Maker]:
        """By interface. `counts`: total, parked, booked; None while nobody knows them."""
        park_code = self._settings.park_code

        def stalls(_: int) -> Things | None:
            known = counts()
            return None if known is None else [(park_code, self._settled(self.stalls(*known)))]

        return {
            PARK: lambda _: [(park_code, self._settled(self.park))],
            ENTRANCE: lambda _: [(each.entrance.id, self._settled(each)) for each in self.entrances],
            TARIFF: lambda _: [(self.charging.permit_no, self._settled(self.charging))],
            STALLS: stalls,
        }

    def stalls(self, total: int, parked: int, booked: int) -> Stalls:
        """Table 11. SC79: unused is what a car without booking may still take, as on the display."""
        held = booked if self._settings.unused_less_reserved else 0
        return Stalls(
            park_code=self._settings.park_code, used=parked, unused=max(0, total - parked - held), reserved=booked
        )

    def _settled(self, message: Message) -> Message:
        return settle_lengths(message, self._settings.too_long)

    def _charging(self, tariff: Tariff, sign: str | None) -> Charging:
        site = self._settings.site
        return Charging(
            park_code=self._settings.park_code,
            permit_no=site.permit_no,
            charger=site.charger,
            pricing=site.pricing,  # type: ignore[arg-type]  # 1 to 3 by the config
            region=site.region,  # type: ignore[arg-type]
            complaint_tel=site.complaint_tel,
            remark=site.charge_remark or None,
            price_sign=sign,
            items=(ChargeItem(charge_item=site.charge_item, charge_desc=tariff_words(tariff)),),
        )

    def _park(self, lot: Lot, plan: str | None) -> ParkReport:
        settings, site = self._settings, self._settings.site
        return ParkReport(
            park_info=ParkInfo(
                park_code=settings.park_code,
                park_name=lot.name,
                charging=self.charging,
                road_name=site.road_name or None,
                address=site.address or None,
                reservable_stalls=lot.total_stalls if site.reservable_stalls is None else site.reservable_stalls,
                total_stalls=lot.total_stalls if settings.total_stalls_sent else None,
                longitude=site.longitude,
                latitude=site.latitude,
                shenzhen_x=site.shenzhen_x,
                shenzhen_y=site.shenzhen_y,
                shenzhen_h=site.shenzhen_h,
                operator_id=site.operator_id,
                service_type=site.service_type,  # type: ignore[arg-type]  # 1 to 8 by the config
                committee=site.committee or None,
                public_info=site.public_info,
                map_image=plan,
            ),
            status=NORMAL,
        )

    def _entrance(self, place: int, lane: Lane) -> EntranceReport:
        settings = self._settings
        own = settings.entrance_ids[place] if settings.entrance_ids else ""
        return EntranceReport(
            entrance=Entrance(
                id=own or device_id(settings.park_code, f"entrance {lane.id}"),
                name=lane.name,
                park_code=settings.park_code,
                road_name=settings.site.road_name or None,
                type=1 if lane.direction == "in" else 2,
                longitude=settings.site.longitude,
                latitude=settings.site.latitude,
            ),
            status=NORMAL,
        )


def tariff_words(tariff: Tariff) -> str:
    """chargeDesc, at most 100 characters, in the manner of table 4's example."""
    if tariff.param:
        return plan_zh(read_param(tariff.param))[:100]
    parts = [f"{tariff.free_min}分钟内免费"] if tariff.free_min else []
    if tariff.first_period_min:
        parts.append(f"首{tariff.first_period_min}分钟{yuan(tariff.first_fen)}元")
        parts.append(f"之后每{tariff.unit_min}分钟{yuan(tariff.unit_fen)}元")
    else:
        parts.append(f"每{tariff.unit_min}分钟{yuan(tariff.unit_fen)}元")
    if tariff.daily_cap_fen:
        parts.append(f"每24小时最高收费{yuan(tariff.daily_cap_fen)}元")
    return ", ".join(parts)


def picture(name: str, max_bytes: int) -> str | None:
    """Base64 of a JPEG or PNG. None for "" and for one over the limit (SC36: it is left out). Raises `ValueError` for
    another kind of file and `OSError` for none."""
    if not name:
        return None
    data = Path(name).read_bytes()
    if not data.startswith(PICTURE_STARTS):
        raise ValueError(f"{name}: is no JPEG and no PNG")
    return base64.b64encode(data).decode() if len(data) <= max_bytes else None
