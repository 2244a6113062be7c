"""Which barrier a lane has, for whoever asks: `[lane.barrier] driver` says it, and nothing else."""

from __future__ import annotations

from edge.config.model import Camera, Lane


def barrier_camera(lane: Lane) -> Camera | None:
    """The camera whose relay is this lane's barrier."""
    if lane.barrier.driver != "camera":
        return None
    return next((camera for camera in lane.camera if camera.relay_is_barrier), None)


def closes(lane: Lane) -> bool:
    """Whether the box can order this arm down; else it comes down by itself."""
    camera = barrier_camera(lane)
    by_camera = camera is not None and camera.client is not None and camera.client.closes
    return by_camera or lane.barrier.close_pin is not None or lane.barrier.close_relay is not None
