"""Message classes of Qingdao: what is sent when (B.2, B.3; QC26: a state is never repeated; QC30: masters at start).

What the policies mean: `edge.cities.classes`.
"""

from __future__ import annotations

from edge.cities.classes import MessageClass
from edge.config.model import Qingdao


def classes_of(settings: Qingdao) -> tuple[MessageClass, ...]:
    """In the order of sending: the lot before its devices, both before what refers to them (QC32)."""
    return (
        MessageClass("parkininfo", "master", settings.lot_s),
        MessageClass("equipinfo", "master", settings.devices_s, after="parkininfo"),
        MessageClass("standardinfo", "master", settings.tariff_s, after="parkininfo"),
        MessageClass("cardtypeinfo", "master", settings.plans_s, after="parkininfo"),
        MessageClass("monthstandardinfo", "master", settings.plans_s, after="cardtypeinfo"),
        MessageClass("parkspace", "state", settings.counts_s, after="parkininfo"),
        MessageClass("equipstatus", "state", settings.states_s, after="equipinfo", of_told=True),
        MessageClass("carIn", "record", after="parkininfo"),
        MessageClass("carcharge", "record", after="parkininfo"),
        MessageClass("carOut", "record", after="parkininfo"),
        MessageClass("picture", "record"),  # interface 5; beside its record, in a queue of its own (QC32, QC99)
    )
