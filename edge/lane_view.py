"""The live view of the lane program: what a person would want to see, in words (`ports.BoxView`)."""

from __future__ import annotations

from edge.config.model import Config
from edge.core.box import Box, LaneStatus
from edge.fault_view import fault_view
from edge.lane_clock import LaneClock
from edge.lane_runtime import LaneRuntime
from edge.ports import BoxView, LaneView


def box_view(config: Config, box: Box, runtime: LaneRuntime, clock: LaneClock) -> BoxView:
    names = {lane.id: lane.name for lane in config.lane}
    now = clock.now()
    return BoxView(
        box_id=config.box.id,
        lot_name=config.lot.name,
        total=config.lot.total_stalls,
        parked=box.lot.parked,
        lanes=tuple(_lane_view(names[status.id], status) for status in box.lane_states()),
        faults=tuple(fault_view(*fault) for fault in box.faults()),
        clock_synced=now.synced,
        wall_ms=now.wall_ms,
        ledger_seq=runtime.last_seq,
        counters=dict(runtime.counters),
    )


def _lane_view(name: str, status: LaneStatus) -> LaneView:
    return LaneView(
        id=status.id,
        name=name,
        direction=status.direction,
        state=status.state,
        state_zh=status.state_zh,
        state_en=status.state_en,
        arm=status.arm,
        arm_asked=status.arm_asked,
        arrival=status.arrival,
        safety=status.safety,
        plate=status.plate,
        last_read_id=status.last_read_id,
        last_plate=status.last_plate,
        last_read_wall_ms=status.last_read_wall_ms,
        why_zh=status.why_zh,
        why_en=status.why_en,
        due_fen=status.due_fen,
        passed=status.passed,
    )
