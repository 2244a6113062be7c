"""The signs of the simulated site: one at every lane, each on a line of its own, and what they show in the terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from hal_sim.board_run import BoardRun
from hal_sim.rs485.bus import Bus
from hal_sim.rs485.signs import OlmSign

LOOK_EVERY_S = 0.3
BAUD = 9600
SECTION = """
[[line]]
id = "rs485-{lane}"
device = "{device}"
baud = {baud}
"""


class SignRun:
    """`say` None: nobody looks (headless), the signs are there all the same."""

    def __init__(
        self, data_dir: Path, lanes: Sequence[tuple[str, str]], say: Callable[[str], None] | None,
        board: BoardRun | None = None,
    ) -> None:  # fmt: skip
        """`lanes`: id and name of each. `board`: hangs on the line of its lane, which takes a wire's time then."""
        self._names = dict(lanes)
        self.signs = {lane: OlmSign() for lane, _ in lanes}
        self._board = board
        self._buses = {
            lane: Bus(data_dir / f"tty-{lane}", [board.device, sign], board.baud)
            if board is not None and board.lane == lane
            else Bus(data_dir / f"tty-{lane}", [sign])
            for lane, sign in self.signs.items()
        }
        self._say = say
        self._shown: dict[str, tuple[str, ...]] = {lane: tuple(sign.rows) for lane, sign in self.signs.items()}
        self._said: dict[str, int] = dict.fromkeys(self.signs, 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="signs", daemon=True)

    def section(self) -> str:
        """The lines, for the box's configuration, and the board on one of them."""
        board = self._board
        on_board = "" if board is None else board.lane
        bauds = {lane: BAUD if board is None or lane != on_board else board.baud for lane in self._buses}
        lines = [SECTION.format(lane=lane, device=bus.path, baud=bauds[lane]) for lane, bus in self._buses.items()]
        return "".join(lines) + ("" if board is None else board.section())

    def start(self) -> None:
        for bus in self._buses.values():
            bus.plug()

    def watch(self) -> None:
        """From now on tell what they show."""
        if self._say is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        for bus in self._buses.values():
            bus.unplug()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """One line for each sign that shows or says something new."""
        for lane, sign in self.signs.items():
            rows = tuple(sign.rows)
            spoken = sign.said[self._said[lane] :]
            if self._say is not None and (rows != self._shown[lane] or spoken):
                voice = "".join(f"  语音 voice: {text}" for text in spoken)
                self._say(f"    ▤ 显示屏 sign {self._names[lane]}: {' | '.join(rows)}{voice}")
            self._shown[lane] = rows
            self._said[lane] += len(spoken)
