"""Message classes: how long each message of this box is kept, and when it is sent. The policy is this table.

    record   made from a fact, kept in the queue until the city accepts it or it is set aside; never dropped
    state    how things are now: sent at its cadence, whatever became of the last one; a failed one is dropped,
             because the next says it better (QC26: never repeated)
    master   what a thing is: at start, on change and at its cadence (QC30); the newest of each thing counts; repeated
             after `retry_s`, `retries` times, then a fault says so and it waits for its next turn

A box's things change only by its config, which is read at start: so "at start" is "on change".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.config.model import Qingdao

Policy = Literal["record", "state", "master"]


class MessageClass(msgspec.Struct, frozen=True):
    kind: str
    policy: Policy
    every: str = ""
    """The setting of `city.qingdao` with its cadence; "" for records, which go at once."""
    after: str = ""
    """QC32: the kind that the city must know before."""


# In the order of sending: the lot before its devices, both before what refers to them.
CLASSES = (
    MessageClass("parkininfo", "master", "lot_s"),
    MessageClass("equipinfo", "master", "devices_s", after="parkininfo"),
    MessageClass("standardinfo", "master", "tariff_s", after="parkininfo"),
    MessageClass("parkspace", "state", "counts_s", after="parkininfo"),
    MessageClass("equipstatus", "state", "states_s", after="equipinfo"),
    MessageClass("carIn", "record", after="parkininfo"),
    MessageClass("carcharge", "record", after="parkininfo"),
    MessageClass("carOut", "record", after="parkininfo"),
    MessageClass("picture", "record"),  # interface 5; beside its record, in a queue of its own (QC32, QC99)
)
PERIODIC = tuple(each for each in CLASSES if each.every)


def cadence_s(each: MessageClass, settings: Qingdao) -> float:
    return float(getattr(settings, each.every))
