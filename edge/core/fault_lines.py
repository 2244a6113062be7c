"""Faults of RS485 lines and of what hangs on them. What the columns mean: `core.faults`."""

from __future__ import annotations

from edge.core.fault_spec import FaultSpec

LINES = (
    FaultSpec(
        code="line_down",
        effect="runs",
        clears="itself",
        cause_zh="485 总线的串口打不开",
        cause_en="the serial port of an RS485 line cannot be opened",
        effect_zh="该总线上的显示屏和板卡没有通讯; 道闸或地感接在其上时另有故障说明",
        effect_en="nothing on that line is talked to; a barrier or loop on it has a fault of its own",
        todo_zh="检查 USB 转 485 适配器是否插好, [[line]] 的 device 是否正确; 插回后自动恢复",
        todo_en="see that the USB adapter is plugged in and device of [[line]] is right; it comes back by itself",
    ),
    FaultSpec(
        code="sign_silent",
        effect="runs",
        clears="itself",
        cause_zh="显示屏没有应答",
        cause_en="a sign does not answer what it is sent",
        effect_zh="车主可能看不到提示; 车辆照常通行",
        effect_en="drivers may see no text; cars pass as always",
        todo_zh="检查显示屏电源、485 的 A/B 线、地址和波特率, 然后在页面试显示屏",
        todo_en="check the sign's power, the wires A and B, its address and the baud rate, then test it at the page",
    ),
)
