"""What the lanes of a configuration are wired to: header pins, boards and the lines to them, a camera.

Each lane's barrier is one port, whatever moves it; the lane machine does not know which. A driver that the
configuration names and that cannot open is a fault of its lane, never something else in its place (DESIGN 5, 9).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.cameras.barrier import ByReply, CameraBarrier, Mover
from drivers.cameras.serial_port import PortOfCamera, SerialThroughCameras
from drivers.gpio import LIMIT_DEBOUNCE_MS, GpioBoard
from edge.config.barriers import barrier_camera, closes
from edge.config.model import Config, Lane
from edge.config.rs485 import Board, Line
from edge.core.events import AnyEvent, DeviceDown, LimitChanged, LoopChanged
from edge.ports import BarrierPort, DeviceError, Emit

if TYPE_CHECKING:  # loaded where a line or board is, see `_line`, `_on_board` and `_board_inputs`
    from drivers.boards.inputs import BoardInputs, Wire
    from drivers.boards.relays import BoardBarrier
    from drivers.rs485.line import SerialLine
    from drivers.rs485.port import Port

log = logging.getLogger("parkbox.lane")


class LaneDevices:
    """`barriers` by lane; `lines` by id, for signs too."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ports: dict[str, Callable[[], Port]] = {}  # of lines that hang on a camera, from `plug_serial` on
        self.lines = {line.id: self._line(line) for line in config.line}
        boards = {board.id: board for board in config.board}
        on_pins = [lane for lane in config.lane if _has_pins(lane)]
        wanted = bool(on_pins) or config.gpio.emergency_pin is not None
        self._gpio = GpioBoard(config.gpio, on_pins) if wanted else None
        self._barriers = {
            lane.id: _on_board(lane, boards[lane.barrier.board or ""], self.lines)
            for lane in config.lane
            if lane.barrier.driver == "board"
        }
        self._by_camera = {
            lane.id: (camera, CameraBarrier(lane.id, camera.id, closes=closes(lane)))
            for lane in config.lane
            if (camera := barrier_camera(lane)) is not None
        }
        self._inputs = [
            inputs for board in config.board if (inputs := _board_inputs(config, board, self.lines)) is not None
        ]
        self.barriers: dict[str, BarrierPort] = dict(self._barriers)
        self.barriers |= {lane: barrier for lane, (_, barrier) in self._by_camera.items()}
        if self._gpio is not None:
            self.barriers |= {
                lane.id: self._gpio.barrier(lane.id) for lane in on_pins if lane.barrier.driver == "gpio"
            }

    def _line(self, line: Line) -> SerialLine:
        from drivers.rs485.line import SerialLine  # noqa: PLC0415 - a line's are 5 % of the time from exec to ready

        return SerialLine(line, open_port=self._through_camera if line.camera else None)

    def plug_cameras(self, client: Callable[[str], Mover], answer: Callable[[str], bool]) -> None:
        """Before `open`. `client` of a camera's id; `answer(lane)` opens by the reply that waits."""
        for lane, (camera, barrier) in self._by_camera.items():
            by_order = camera.client is not None and camera.client.opens
            barrier.mover = client(camera.id) if by_order else ByReply(lane, answer)

    def plug_serial(self, through: SerialThroughCameras) -> None:
        """Before `open`, on the lane's event loop."""
        loop = asyncio.get_running_loop()
        self._ports = {
            line.id: PortOfCamera(loop, through, line.camera, line.channel) for line in self._config.line if line.camera
        }

    def _through_camera(self, line: Line) -> Port:
        return self._ports[line.id]()

    def check_cameras(self) -> None:
        """About once a second."""
        for _, barrier in self._by_camera.values():
            barrier.check()

    def open(self, emit: Emit, fed: Callable[[AnyEvent], None]) -> None:
        """`emit` from any thread; `fed` on this one."""
        if self._gpio is not None:
            try:
                self._gpio.open(emit)
            except DeviceError as error:
                # Nothing can be seen or moved; the programs still run, so that the page can say so (invariant 9).
                log.error("%s", error)  # noqa: TRY400 - the reason is the message
                for lane in self._config.lane:
                    if lane.barrier.driver == "gpio" or lane.loops.driver == "gpio":
                        device, detail = error.device, error.detail
                        fed(DeviceDown(lane=lane.id, code="barrier_down", device=device, detail=detail))
        for barrier in self._barriers.values():
            barrier.open(emit)
        for _, by_camera in self._by_camera.values():
            by_camera.open(emit)
        for inputs in self._inputs:
            inputs.open(emit)
        for line in self.lines.values():
            line.open(emit)

    def dead(self) -> list[str]:
        """Lines whose thread has ended by itself."""
        return [line.id for line in self.lines.values() if not line.alive]

    def close(self) -> None:
        """Every relay off."""
        if self._gpio is not None:
            self._gpio.close()
        for inputs in self._inputs:
            inputs.close()
        for barrier in self._barriers.values():
            barrier.close()
        for _, by_camera in self._by_camera.values():
            by_camera.close()
        for line in self.lines.values():
            line.close()


def _has_pins(lane: Lane) -> bool:
    barrier = lane.barrier
    limits = barrier.limit_up_pin is not None or barrier.limit_down_pin is not None
    return "gpio" in {barrier.driver, lane.loops.driver} or limits


def _on_board(lane: Lane, board: Board, lines: dict[str, SerialLine]) -> BoardBarrier:
    from drivers.boards.relays import BoardBarrier  # noqa: PLC0415 - as for the lines

    barrier = lane.barrier
    assert barrier.open_relay is not None, "judged by the configuration's rules"
    return BoardBarrier(
        lane.id, board, lines[board.line], barrier.open_relay, barrier.close_relay, barrier.stop_relay,
        barrier.pulse_ms,
    )  # fmt: skip


def _board_inputs(config: Config, board: Board, lines: dict[str, SerialLine]) -> BoardInputs | None:
    """None: nothing is wired to them."""
    from drivers.boards.inputs import BoardInputs  # noqa: PLC0415 - as for the lines

    wires = [wire for lane in config.lane for wire in _wires(lane, board.id)]
    return BoardInputs(board, lines[board.line], wires) if wires else None


def _wires(lane: Lane, board: str) -> list[Wire]:
    """A closed contact reads on: a low-active input is active then."""
    from drivers.boards.inputs import Wire  # noqa: PLC0415

    loops, barrier = lane.loops, lane.barrier
    found: list[Wire] = []
    if loops.board == board:
        on = loops.active == "low"
        if loops.arrival_input is not None:
            found.append(Wire(loops.arrival_input, on, loops.debounce_ms,
                              lambda seen: LoopChanged(lane=lane.id, loop="arrival", occupied=seen)))
        if loops.safety_input is not None:
            found.append(Wire(loops.safety_input, on, loops.debounce_ms,
                              lambda seen: LoopChanged(lane=lane.id, loop="safety", occupied=seen)))
    if barrier.board == board:
        on = barrier.limit_active == "low"
        if barrier.limit_up_input is not None:
            found.append(Wire(barrier.limit_up_input, on, LIMIT_DEBOUNCE_MS,
                              lambda seen: LimitChanged(lane=lane.id, end="up", active=seen)))
        if barrier.limit_down_input is not None:
            found.append(Wire(barrier.limit_down_input, on, LIMIT_DEBOUNCE_MS,
                              lambda seen: LimitChanged(lane=lane.id, end="down", active=seen)))
    return found
