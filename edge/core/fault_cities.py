"""The faults of a city's orders on their way to the box: rows of the catalogue (`core.faults`)."""

from __future__ import annotations

from edge.core.fault_spec import FaultSpec

CITIES = (
    FaultSpec(
        code="orders_unreachable",
        effect="none",
        clears="itself",
        cause_zh="接收平台指令的回调服务器不能工作",
        cause_en="the server for the platform's orders does not work",
        effect_zh="通行和上报照常; 平台的预约、名单和优惠到不了盒子",
        effect_en="cars and reports go on; bookings, lists and coupons of the platform do not reach the box",
        todo_zh="查看详细原因: 端口是否被占用, 证书和私钥文件是否可用",
        todo_en="read the detail: is the port taken, can certificate and key be used",
    ),
    FaultSpec(
        code="certificate_ending",
        effect="none",
        clears="itself",
        cause_zh="回调服务器的证书即将到期或已过期",
        cause_en="the certificate of the server for orders ends soon or has ended",
        effect_zh="到期后平台将拒绝连接, 预约和优惠到不了盒子",
        effect_en="when it has ended the platform refuses to connect; bookings and coupons do not reach the box",
        todo_zh="换上新证书文件, 无需重启",
        todo_en="put the new certificate in its place; no restart is needed",
    ),
)
