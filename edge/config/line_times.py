"""How long a loop's edge and an arm's order take on an RS485 line, at the worst: from the line's own wire time.

    edge   poll_ms + one text of a sign + every other poll of the line once + the board's own
    order  the longest foreign exchange + the off of the other contact + the pulse, each answered at the last moment

An exchange is question, answer_ms and rest: every answer comes at the last moment. Polls are a board's inputs and the
look at the relays of each barrier; one that is longer due goes first, and a text after a round of them. Arms that are
moved by the same line at the same moment come on top. Put loops on a line without signs.

How long is too long: a car that drives onto the safety loop when the arm begins to fall must be known, and the arm
ordered up, before the arm has come down to its roof. At 0.6 of the way up (54 of 90 degrees) the middle of an arm over
a 3 m lane is about 1.6 m high, a saloon's roof about 1.5 m: the first 0.4 of the fall are all the time there is.
"""

from __future__ import annotations

from edge.config.model import Config, Lane
from edge.config.rs485 import SIGN_LINE_BYTES, Line

REQUEST_BYTES = 8
"""Of every Modbus question to a board; its answer has as many or fewer."""
SIGN_HEAD_BYTES = 49
"""What a sign's frame has beside one row: an Onbon area; one with several rows has them all in one frame."""
LONGEST_GAP_CHARS = 3.5
ROOF_SHARE = 0.4
"""Of the fall, until the arm is as low as a saloon's roof."""
MOVE_MARGIN = 1.5
"""`barrier.move_s` is the data sheet's time, worst case, plus half: the arm itself falls so many times faster."""


def char_ms(line: Line) -> float:
    """One character on the wire: start bit, 8 data bits, parity, stop bits."""
    return 1000 * (9 + (line.parity != "N") + line.stop_bits) / line.baud


def exchange_ms(line: Line, request_bytes: int, answer_ms: float) -> float:
    rest_ms = max(line.gap_ms, LONGEST_GAP_CHARS * char_ms(line))
    return request_bytes * char_ms(line) + answer_ms + rest_ms


def text_ms(config: Config, line: Line) -> float:
    """The longest text that goes to a sign of the line; 0 without one."""
    return max((
        exchange_ms(
            line,
            SIGN_HEAD_BYTES + SIGN_LINE_BYTES * (sign.rows if sign.model == "onbon" else 1),
            sign.answer_ms if sign.answers or sign.model == "onbon" else 0,
        )
        for lane in config.lane for sign in lane.sign if sign.line == line.id
    ), default=0.0)  # fmt: skip


def polls_ms(config: Config, line: Line) -> dict[tuple[str, str], float]:
    """Each poll of the line: a board's inputs ("inputs", board), the relays of a lane's barrier ("relays", lane)."""
    boards = {board.id: exchange_ms(line, REQUEST_BYTES, board.answer_ms)
              for board in config.board if board.line == line.id}
    read = {lane.loops.board for lane in config.lane} | {
        lane.barrier.board for lane in config.lane
        if lane.barrier.limit_up_input is not None or lane.barrier.limit_down_input is not None
    }  # fmt: skip
    found = {("inputs", board): took for board, took in boards.items() if board in read}
    return found | {
        ("relays", lane.id): boards[lane.barrier.board] for lane in config.lane if lane.barrier.board in boards
    }


def limit_ms(lane: Lane) -> float:
    """Longest that edge and order together may take."""
    return 1000 * ROOF_SHARE * lane.barrier.move_s / MOVE_MARGIN


def worst_ms(config: Config, lane: Lane) -> tuple[float, float]:
    """A loop's edge until the lane knows, and an order until the contact closes; 0 for what is not on a board."""
    lines = {line.id: line for line in config.line}
    boards = {board.id: board for board in config.board}
    edge = order = 0.0
    if lane.loops.board is not None:
        board = boards[lane.loops.board]
        line = lines[board.line]
        edge = board.poll_ms + text_ms(config, line) + sum(polls_ms(config, line).values())
    if lane.barrier.board is not None:
        board = boards[lane.barrier.board]
        line = lines[board.line]
        own = exchange_ms(line, REQUEST_BYTES, board.answer_ms)
        order = max(text_ms(config, line), *polls_ms(config, line).values()) + 2 * own
    return edge, order
