"""The faults of the technician's page: rows of the catalogue (`core.faults`)."""

from __future__ import annotations

from edge.core.fault_spec import FaultSpec

PAGE = (
    FaultSpec(
        code="audit_failing",
        effect="none",
        clears="itself",
        cause_zh="操作记录无法写入",
        cause_en="the audit cannot be written",
        effect_zh="操作照常执行, 记录暂存在内存, 断电会丢失",
        effect_en="orders are carried out; their audit waits in memory and is lost with the power",
        todo_zh="检查磁盘空间和存储卡",
        todo_en="check the disk's space and the card",
    ),
    FaultSpec(
        code="audit_damaged",
        effect="none",
        clears="acknowledged",
        cause_zh="操作记录文件损坏, 已移开并重新开始",
        cause_en="the audit's file was damaged; it was moved aside and begun anew",
        effect_zh="以前的操作记录在移开的文件中",
        effect_en="earlier lines are in the file that was moved aside",
        todo_zh="保存移开的文件; 检查存储卡",
        todo_en="keep the file that was moved aside; check the card",
    ),
    FaultSpec(
        code="restored",
        effect="none",
        clears="acknowledged",
        cause_zh="盒子由备份恢复, 备份之后的通行没有记录",
        cause_en="the box was restored from a backup; what passed after it is not on record here",
        effect_zh="场内车辆数可能不准; 之后进场的车出场时查不到进场记录",
        effect_en="the count of cars inside may be wrong; cars that came in later have no entry on record",
        todo_zh="核对并更正场内车辆数, 补录月卡和名单的改动, 然后确认; 旧盒子不可再上线",
        todo_en="correct the count, make later changes of cards and lists anew, then acknowledge; keep the old box off",
    ),
    FaultSpec(
        code="accounts_damaged",
        effect="none",
        clears="acknowledged",
        cause_zh="用户文件损坏, 已移开",
        cause_en="the file of users was damaged; it was moved aside",
        effect_zh="用户须重新建立; 新的初始密码在盒子的 first-password 文件中",
        effect_en="users must be made anew; a new first password stands in the box's file first-password",
        todo_zh="在盒子上读取初始密码, 登录后重建用户; 检查存储卡",
        todo_en="read the first password on the box, log in and make the users anew; check the card",
    ),
)
