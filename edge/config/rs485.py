"""RS485 lines and the signs on them: what a section may say. What a template may name stands in `SIGN_NAMES`."""

from string import Formatter
from typing import Annotated, Literal

from msgspec import Meta

from edge.config.base import Ident, Section

SIGN_LINES_MAX = 4
SIGN_LINE_BYTES = 100
"""Most that one row takes, in GBK: a 0x64 frame holds 255 bytes, and a longer one would hold the line up."""

SIGN_WIDTH_PX = 64
"""The usual lane sign: four 16 px characters."""

SIGN_NAMES = ("plate", "fee", "free", "reason", "lot", "lane")
"""{plate} 车牌, {fee} 应缴金额 in yuan, {free} 剩余车位, {reason} what the lane says 等待原因, {lot} {lane} names."""

Row = Annotated[str, Meta(max_length=60)]
Rows = Annotated[tuple[Row, ...], Meta(max_length=SIGN_LINES_MAX)]


class Line(Section, frozen=True, kw_only=True):
    """One RS485 line: a serial port of the box, and how it is talked to. Several devices may hang on it."""

    id: Ident
    device: Annotated[str, Meta(pattern=r"^(/[^\s]{1,199})?$", description="a path like /dev/serial/by-id/…")] = ""
    """Best a name below /dev/serial/by-id: it stays when adapters are plugged in another order."""
    camera: Annotated[str, Meta(max_length=32)] = ""
    """In place of `device`: signs hang on this VZ camera's RS485. With its client (TCP 8131) they show at once;
    without, bytes go with the reply to the next plate, or at once in comet mode. Nothing comes back, so no boards and
    no answers. Set the baud rate in the camera to the one here."""
    channel: Literal[1, 2] = 1
    """Of the camera: its first or second pair of terminals."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    gap_ms: Annotated[float, Meta(ge=0, le=200)] = 5.0
    """Rest between two exchanges; never less than Modbus' 3.5 characters."""
    echo: bool = False
    """The adapter hears its own bytes. Without this a write's echo would pass for the board's answer."""


class Board(Section, frozen=True, kw_only=True):
    """A relay and input board on a line. A barrier and loops name it by `board`."""

    id: Ident
    line: Ident
    model: Literal["waveshare_relay", "waveshare_relay_d"]
    """Waveshare Modbus RTU Relay: 8 relays; Relay (D): 8 inputs beside them. Both end a pulse by themselves."""
    address: Annotated[int, Meta(ge=1, le=247)] = 1
    poll_ms: Annotated[int, Meta(ge=20, le=1000)] = 50
    """How often its inputs are read. An edge is known after this, a foreign exchange and its own, at the latest."""
    answer_ms: Annotated[int, Meta(ge=10, le=1000)] = 60
    """It has so long to answer."""


class SignRows(Section, frozen=True, kw_only=True):
    """What a sign shows when, a row each; say: what it speaks. A moment without rows keeps the sign as it is."""

    idle: Rows = ("{lot}", "余位{free}")
    payment: Rows = ("{plate}", "请缴费{fee}元")
    wait: Rows = ("{plate}", "{reason}")
    welcome: Rows = ("{plate}", "欢迎光临")
    """An entrance admits."""
    goodbye: Rows = ("{plate}", "一路平安")
    """An exit lets out."""
    notice: Rows = ("{lot}", "{reason}")
    """Locked, held open, emergency."""
    say_payment: Row = "{plate},请缴费{fee}元"
    say_wait: Row = "{reason}"
    say_welcome: Row = "{plate},欢迎光临"
    say_goodbye: Row = "{plate},一路平安"


class Sign(Section, frozen=True, kw_only=True):
    """One sign of a lane. Only what lies in its memory is written: nothing here wears its flash."""

    id: Ident
    line: Ident
    model: Literal["olm", "aa55", "onbon"]
    """olm: 方控/科发 cards that speak 0x64 frames; aa55: the AA 55 board; onbon: 仰邦 BX-6K."""
    address: Annotated[int, Meta(ge=0, le=65535)] | None = None
    """Its address on the line; not set: the maker's for "the only one here" (olm 0, onbon 0xFFFE). aa55 has none."""
    rows: Annotated[int, Meta(ge=1, le=SIGN_LINES_MAX)] = 2
    """Rows that it has."""
    width_px: Annotated[int, Meta(ge=16, le=1024)] = SIGN_WIDTH_PX
    """Of onbon only: its dynamic area."""
    voice: bool = False
    """It speaks (olm only)."""
    colour: Literal["red", "green", "yellow"] = "red"
    answers: bool = False
    """It answers what it is sent. No published document of olm and aa55 shows an answer, so the box does not wait for
    one; set it when a test at the lane shows one, and a silent sign becomes a fault. onbon always answers."""
    answer_ms: Annotated[int, Meta(ge=10, le=1000)] = 100
    """It has so long for it. A relay on the same line waits behind a sign that keeps silent for as long."""
    show: SignRows = SignRows()


def template_issue(template: str) -> tuple[str, str] | None:
    """What is wrong with a template, in Chinese and English."""
    try:
        names = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        return f"花括号有误: {error}", f"braces: {error}"
    allowed = ", ".join(f"{{{name}}}" for name in SIGN_NAMES)
    for name, spec, conversion in names:
        if name in SIGN_NAMES and (spec or conversion):
            return f"{{{name}}} 后不可带格式", f"{{{name}}} takes no format"
        if name not in SIGN_NAMES:
            return f"未知的 {{{name}}}; 可用 {allowed}", f"{{{name}}} is not known; allowed are {allowed}"
    plain = template.format_map(dict.fromkeys(SIGN_NAMES, ""))
    try:
        plain.encode("gbk")
    except UnicodeEncodeError as error:
        char = plain[error.start]
        return f"GBK 无此字: {char}", f"{char!r} is not in GBK, which signs speak"
    return None
