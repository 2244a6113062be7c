"""Paths: where each message goes, by its kind: every HTTP interface of T/QME 0015-2024 that the box calls."""

from __future__ import annotations

from edge.cities.qingdao.calls import Deduct, QueryOrder, QuerySignatory
from edge.cities.qingdao.messages import (
    CarCharge,
    CarIn,
    CarOut,
    EquipInfo,
    EquipStatus,
    Login,
    Logout,
    ParkInfo,
    ParkSpace,
    StandardInfo,
)
from edge.cities.qingdao.plans import CardTypeInfo, MonthStandardInfo, PlaceStatus

PATHS: dict[str, str] = {
    message.kind: message.path
    for message in (
        Login, Logout, ParkInfo, ParkSpace, CarIn, CarOut, CarCharge, StandardInfo, EquipInfo, EquipStatus,
        CardTypeInfo, MonthStandardInfo, QuerySignatory, Deduct, QueryOrder, PlaceStatus,
    )
}  # fmt: skip
