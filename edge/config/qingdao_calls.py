"""Settings of what the box asks Qingdao while a car waits (interfaces 12, 13, 14). QC29: the standard's 5 min are
useless there."""

from typing import Annotated

from msgspec import Meta

from edge.config.base import Section


class QingdaoCalls(Section, frozen=True, kw_only=True):
    poll_s: Annotated[float, Meta(ge=0.01, le=60)] = 2.0
    """14 while a car waits to pay, and the pause between two tries of 12 and 13 (QC29)."""
    wait_s: Annotated[float, Meta(ge=1, le=3600)] = 600.0
    """14 is asked no longer than this for one coming of a car to the arm."""
    deduct_s: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """A car waits no longer for 13; then it pays as any other."""
    later_s: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    """13 for a car that was let out: again after 5 min (B.2 rule 5)..."""
    later_times: Annotated[int, Meta(ge=0, le=1000)] = 50
    """...50 times."""
    signatory_after_min: Annotated[float, Meta(ge=0, le=1440)] = 15.0
    """12 for a visit of which no notice (20) has told: at the end of the free time (line 963)."""
    timeout_s: Annotated[float, Meta(ge=0.01, le=20)] = 5.0
    """For one of these calls; the 20 s of B.2 are a long time at the arm."""
