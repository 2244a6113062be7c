"""The live view of the lane program: what a person would want to see, in words (`ports.BoxView`)."""

from __future__ import annotations

from msgspec.structs import asdict

from edge.config.model import Config
from edge.core.box import Box
from edge.fault_view import fault_view
from edge.lane.flow_view import flow_view
from edge.lane.lines import LaneLines
from edge.lane.runtime import LaneRuntime
from edge.lane.signs import LaneSigns
from edge.ports import BoxView, LaneView
from edge.wall_clock import LaneClock


def box_view(  # noqa: PLR0917 - all that a view is made of
    config: Config, box: Box, runtime: LaneRuntime, clock: LaneClock, signs: LaneSigns, lines: LaneLines
) -> BoxView:
    names = {lane.id: lane.name for lane in config.lane}
    now = clock.now()
    return BoxView(
        box_id=config.box.id,
        lot_name=config.lot.name,
        total=config.lot.total_stalls,
        parked=box.lot.parked,
        lanes=tuple(LaneView(name=names[status.id], **asdict(status)) for status in box.lane_states()),
        faults=tuple(fault_view(*fault) for fault in box.faults()),
        clock_synced=now.synced,
        wall_ms=now.wall_ms,
        ledger_seq=runtime.last_seq,
        counters=dict(runtime.counters),
        flow=flow_view(box.flows, config.flow is not None, now),
        signs=signs.views(),
        lines=lines.views(),
        reactions=lines.reactions,
    )

