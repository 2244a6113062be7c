"""The lane's states in words, for sign, page and answers: Chinese first."""

from __future__ import annotations

from collections.abc import Mapping

from edge.core.lane_table import Desk as D
from edge.core.lane_table import Gate as G

WORDS: Mapping[D | G, tuple[str, str]] = {
    D.VACANT: ("无车", "no car"),
    D.WAIT_READ: ("等待识别", "waiting for the plate"),
    D.STORING: ("正在记录", "recording"),
    D.WAIT_PAYMENT: ("等待缴费", "waiting for payment"),
    D.WAIT_STALL: ("等待车位", "waiting for a stall"),
    D.WAIT_CONFIRM: ("等待人工确认", "waiting for the attendant"),
    D.REFUSED: ("未放行", "refused"),
    D.ADMITTED: ("已放行", "admitted"),
    D.LOCKED: ("车道锁定", "lane locked"),
    G.STARTING: ("启动中", "starting"),
    G.DOWN: ("闸杆落下", "arm down"),
    G.RAISING: ("正在抬杆", "raising"),
    G.OPEN: ("已抬杆", "arm up"),
    G.PASSING: ("车辆通过中", "car passing"),
    G.CLEARING: ("等待落杆", "waiting to lower"),
    G.LOWERING: ("正在落杆", "lowering"),
    G.HELD_OPEN: ("常开", "held open"),
}
