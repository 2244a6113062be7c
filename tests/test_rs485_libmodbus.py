"""Our RS485 drivers against libmodbus' own test server with its misbehaving registers, and mbpoll against our board.

Debian: apt-get install libmodbus-dev gcc socat mbpoll. The server is the example of that package, built here with
another serial port in it; socat makes the pair of pseudo terminals. What is missing is said, and its tests are skipped.
"""

from __future__ import annotations

import queue
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.boards.inputs import BoardInputs, Wire
from drivers.boards.relays import BoardBarrier
from drivers.rs485 import modbus
from drivers.rs485.exchange import Exchange, Outcome, Urgency
from drivers.rs485.line import SerialLine
from edge.config.rs485 import Board, Line
from edge.core.events import AnyEvent, DeviceDown, LoopChanged
from hal_sim.rs485.boards import RelayBoard
from hal_sim.rs485.bus import Bus

SOURCE = Path("/usr/share/doc/libmodbus-dev/examples/unit-test-server.c")
TTY = '"/dev/ttyUSB0"'
WITHIN_S = 20.0
STARTS_WITHIN = 60
"""Questions of half a second."""
SERVER = 17
BITS, INPUT_BITS, REGISTERS = 0x130, 0x1C4, 0x160
INPUTS = (0xAC, 0xDB, 0x35)
BUSY, WRONG_SLAVE, LATE, DRIBBLE = 0x170, 0x171, 0x172, 0x173
"""Registers that answer with an exception, with another slave's frame, after 500 ms, and byte by byte (TCP only)."""
SLAVE_BUSY, ILLEGAL_ADDRESS = 6, 2


def needed(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="module")
def server_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once; the port it opens is `server.tty` in its working folder."""
    needed("gcc", "socat")
    if not SOURCE.exists():
        pytest.skip(f"{SOURCE} is not there: apt-get install libmodbus-dev")
    folder = tmp_path_factory.mktemp("libmodbus")
    text = SOURCE.read_text("utf-8")
    assert TTY in text
    source = folder / "server.c"
    source.write_text(text.replace(TTY, '"server.tty"'), "utf-8")
    built = subprocess.run(
        ["gcc", "-w", "-I/usr/include/modbus", f"-I{SOURCE.parent}", str(source), "-o", str(folder / "server"),
         "-lmodbus"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder / "server"


@contextmanager
def running(command: list[str], folder: Path, word: str = "") -> Iterator[None]:
    """Until it is ended here. With `word` it has said that inside; without, nobody hears what it says."""
    heard = subprocess.PIPE if word else subprocess.DEVNULL
    child = subprocess.Popen(command, cwd=folder, stdout=heard, stderr=subprocess.STDOUT, text=True)
    try:
        said = ""
        while word not in said:
            assert child.stdout is not None
            line = child.stdout.readline()
            assert line, f"{command[0]} ended: {said}"
            said += line
        yield
    finally:
        child.kill()
        child.communicate()


class Asker:
    """A line to the server, and what came of each question."""

    def __init__(self, device: Path) -> None:
        self.line = SerialLine(Line(id="bus", device=str(device), baud=115200, gap_ms=0))
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self._told: queue.Queue[tuple[Outcome, bytes]] = queue.Queue()

    def ask(self, function: int, first: int, value: int, wait_s: float = WITHIN_S) -> tuple[Outcome, bytes]:
        question = modbus.request(SERVER, function, first, value)
        self.line.submit(Exchange(
            "server", question, modbus.judge_of(question), Urgency.NOW, wait_s,
            lambda outcome, reply: self._told.put((outcome, reply)),
        ))  # fmt: skip
        return self._told.get(timeout=3 * WITHIN_S)

    def right(self) -> None:
        """What it was asked last does not show in this answer."""
        outcome, reply = self.ask(modbus.READ_INPUTS, INPUT_BITS, 22)
        assert outcome == "answered"
        assert reply[3:6] == bytes(INPUTS)

    def fault(self, code: str) -> DeviceDown:
        while True:
            event = self.events.get(timeout=WITHIN_S)
            if isinstance(event, DeviceDown) and event.code == code:
                return event


@pytest.fixture
def server(server_program: Path, tmp_path: Path) -> Iterator[Asker]:
    ends = [f"pty,raw,echo=0,link={tmp_path / name}" for name in ("server.tty", "box.tty")]
    with (
        running(["socat", "-d", "-d", *ends], tmp_path, "starting data transfer loop"),
        running([str(server_program), "rtu"], tmp_path),
    ):
        asker = Asker(tmp_path / "box.tty")
        asker.line.open(asker.events.put)
        # It keeps what it says in a buffer, and throws away what came before it opened its port.
        tries = (asker.ask(modbus.READ_INPUTS, INPUT_BITS, 22, 0.5)[0] for _ in range(STARTS_WITHIN))
        assert "answered" in tries
        yield asker
        asker.line.close()


def test_inputs_coils_and_registers_are_read_and_written(server: Asker) -> None:
    outcome, reply = server.ask(modbus.READ_INPUTS, INPUT_BITS, 22)
    assert outcome == "answered"
    packed = sum(byte << 8 * number for number, byte in enumerate(INPUTS))
    assert modbus.bits(reply, 22) == tuple(bool(packed >> number & 1) for number in range(22))
    assert server.ask(modbus.WRITE_COIL, BITS + 5, 0xFF00)[0] == "answered"
    outcome, reply = server.ask(modbus.READ_COILS, BITS, 8)
    assert modbus.bits(reply, 8) == (False, False, False, False, False, True, False, False)
    assert server.ask(modbus.WRITE_REGISTER, REGISTERS + 1, 0xBEEF)[0] == "answered"
    outcome, reply = server.ask(modbus.READ_REGISTERS, REGISTERS, 3)
    assert modbus.words(reply) == (0, 0xBEEF, 0)


def test_a_busy_server_and_a_wrong_address_are_refusals(server: Asker) -> None:
    for first, code in ((BUSY, SLAVE_BUSY), (0x9000, ILLEGAL_ADDRESS)):
        outcome, reply = server.ask(modbus.READ_REGISTERS, first, 1)
        assert (outcome, modbus.refused(reply)) == ("answered", code)
        server.right()


def test_another_slaves_answer_and_a_short_one_are_damage(server: Asker) -> None:
    assert server.ask(modbus.READ_REGISTERS, WRONG_SLAVE, 1, 2.0)[0] == "damaged"
    server.right()
    # Asked for two registers this server answers with one.
    assert server.ask(modbus.READ_REGISTERS, REGISTERS, 2, 2.0)[0] == "damaged"
    server.right()


def test_an_answer_after_half_a_second_is_silence_and_not_the_next_ones_answer(server: Asker) -> None:
    assert server.ask(modbus.READ_REGISTERS, LATE, 1, 0.1)[0] == "silent"
    server.right()
    outcome, _ = server.ask(modbus.READ_REGISTERS, LATE, 1)
    assert outcome == "answered"  # who waits long enough gets it


def test_a_register_that_sends_nothing_on_a_serial_line_is_silence(server: Asker) -> None:
    assert server.ask(modbus.READ_REGISTERS, DRIBBLE, 1, 0.2)[0] == "silent"
    server.right()


def test_a_board_that_refuses_everything_is_a_fault_and_says_nothing_of_its_loops(server: Asker) -> None:
    """The server has nothing at a board's addresses: each question is answered with exception 2."""
    board = Board(id="board", line="bus", model="waveshare_relay_d", address=SERVER, poll_ms=20, answer_ms=1000)
    wire = Wire(0, True, 0, lambda seen: LoopChanged(lane="in1", loop="safety", occupied=seen))
    inputs = BoardInputs(board, server.line, [wire])
    barrier = BoardBarrier("in1", board, server.line, 0, 1, None, 500)
    inputs.open(server.events.put)
    assert server.fault("loops_down").device == "board"
    assert not [event for event in server.events.queue if isinstance(event, LoopChanged)]  # nothing is claimed
    barrier.open(server.events.put)
    assert "11 85 02" in server.fault("barrier_down").detail
    inputs.close()
    barrier.close()


@pytest.mark.parametrize(("kind", "wanted"), [("1", [0, 1, 0, 0, 0, 0, 0, 1]), ("0", [0, 0, 1, 0, 0, 0, 0, 0])])
def test_mbpoll_reads_our_simulated_board(tmp_path: Path, kind: str, wanted: list[int]) -> None:
    """What our drivers are tested against speaks Modbus to somebody else too."""
    needed("mbpoll")
    board = RelayBoard(1, now_s=lambda: 0.0)
    board.inputs[1] = board.inputs[7] = True
    assert board.hear(modbus.request(1, modbus.WRITE_COIL, 0x0202, 5)) is not None
    bus = Bus(tmp_path / "tty", [board], 9600)
    bus.plug()
    try:
        done = subprocess.run(
            ["mbpoll", "-m", "rtu", "-a", "1", "-b", "9600", "-P", "none", "-t", kind, "-0", "-r", "0", "-c", "8", "-1",
             "-o", "10", str(bus.path)], capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        bus.unplug()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [int(bit) for _, bit in re.findall(r"^\[(\d+)\]:\s+(\d)", done.stdout, re.MULTILINE)] == wanted
