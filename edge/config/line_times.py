"""How long a loop's edge and an arm's order take on an RS485 line, at the worst: from the line's own wire time.

    edge   poll_ms + the longest foreign exchange + the board's own
    order  the longest foreign exchange + the off of the other contact + the pulse, each answered at the last moment

An exchange is question, answer_ms and rest. On a line that has a sign, the sign's longest text is the foreign one: put
loops on a line without signs.
"""

from __future__ import annotations

from edge.config.model import Config, Lane
from edge.config.rs485 import SIGN_LINE_BYTES, Line

REQUEST_BYTES = 8
"""Of every Modbus question to a board; its answer has as many or fewer."""
SIGN_HEAD_BYTES = 49
"""What a sign's frame has beside one row: an Onbon area; one with several rows has them all in one frame."""
LONGEST_GAP_CHARS = 3.5


def char_ms(line: Line) -> float:
    """One character on the wire: start bit, 8 data bits, parity, stop bits."""
    return 1000 * (9 + (line.parity != "N") + line.stop_bits) / line.baud


def exchange_ms(line: Line, request_bytes: int, answer_ms: float) -> float:
    rest_ms = max(line.gap_ms, LONGEST_GAP_CHARS * char_ms(line))
    return request_bytes * char_ms(line) + answer_ms + rest_ms


def foreign_ms(config: Config, line: Line, but: str) -> float:
    """The longest exchange of anybody else on the line than the board `but`; 0 when it has the line for itself."""
    boards = [exchange_ms(line, REQUEST_BYTES, board.answer_ms)
              for board in config.board if board.line == line.id and board.id != but]
    signs = [
        exchange_ms(
            line,
            SIGN_HEAD_BYTES + SIGN_LINE_BYTES * (sign.rows if sign.model == "onbon" else 1),
            sign.answer_ms if sign.answers or sign.model == "onbon" else 0,
        )
        for lane in config.lane for sign in lane.sign if sign.line == line.id
    ]  # fmt: skip
    return max([*boards, *signs], default=0.0)


def worst_ms(config: Config, lane: Lane) -> tuple[float, float]:
    """A loop's edge until the lane knows, and an order until the contact closes; 0 for what is not on a board."""
    lines = {line.id: line for line in config.line}
    boards = {board.id: board for board in config.board}
    edge = order = 0.0
    if lane.loops.board is not None:
        board = boards[lane.loops.board]
        line = lines[board.line]
        own = exchange_ms(line, REQUEST_BYTES, board.answer_ms)
        edge = board.poll_ms + foreign_ms(config, line, board.id) + own
    if lane.barrier.board is not None:
        board = boards[lane.barrier.board]
        line = lines[board.line]
        own = exchange_ms(line, REQUEST_BYTES, board.answer_ms)
        # Its own poll of the inputs may be on the wire.
        order = max(own, foreign_ms(config, line, board.id)) + 2 * own
    return edge, order
