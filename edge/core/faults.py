"""Faults: one row for each, as a technician needs it: what it is, what the lane does meanwhile, what to do.

`effect` is the lane's, and the lane machine obeys it:
- none: no lane notices.
- runs: cars pass as always, something beside it is worse than it should be.
- no_auto_close: the arm stays up once it is up, cars pass and are recorded.
- asks: no car is admitted by itself, a person decides at the page.
- stops: the box moves nothing at this lane, the barrier is worked by hand.

`clears` says when it ends: "itself" when its cause is gone, "acknowledged" when a person has seen to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge.core.fault_cities import CITIES
from edge.core.fault_lines import LINES
from edge.core.fault_page import PAGE
from edge.core.fault_pictures import PICTURES
from edge.core.fault_spec import Clears, Effect, FaultSpec

__all__ = ["CATALOGUE", "Clears", "Effect", "FaultSpec"]

_LOOPS = (
    FaultSpec(
        code="loop_stuck",
        effect="no_auto_close",
        clears="itself",
        cause_zh="地感长时间有车信号",
        cause_en="a loop has been occupied far too long",
        effect_zh="闸杆不自动落下, 车辆照常通行并记录",
        effect_en="the arm does not close by itself; cars pass and are recorded",
        todo_zh="查看线圈上是否有车或金属物; 没有则检查车检器, 降低灵敏度后复位",
        todo_en="look for a car or metal on the loop; if none, reset the detector with less sensitivity",
    ),
    FaultSpec(
        code="loop_silent",
        effect="no_auto_close",
        clears="itself",
        cause_zh="地感无信号, 状态未知",
        cause_en="a loop does not report, its state is unknown",
        effect_zh="按有车处理: 闸杆不自动落下",
        effect_en="treated as occupied: the arm does not close by itself",
        todo_zh="检查车检器电源和到盒子的接线",
        todo_en="check the detector's power and its wires to the box",
    ),
    FaultSpec(
        code="safety_unproven",
        effect="no_auto_close",
        clears="itself",
        cause_zh="连续有车通过, 防砸地感却没有动作",
        cause_en="cars went through and the safety loop never saw them",
        effect_zh="闸杆保持抬起, 直到防砸地感再次检测到车",
        effect_en="the arm stays up until the safety loop sees a car again",
        todo_zh="用车或金属板测试防砸地感; 检查线圈、车检器和接线",
        todo_en="test the safety loop with a car or a metal sheet; check loop, detector and wires",
    ),
    FaultSpec(
        code="loops_down",
        effect="asks",
        clears="itself",
        cause_zh="地感输入无法打开",
        cause_en="the loop inputs cannot be opened",
        effect_zh="来车须人工放行; 闸杆抬起后不落下",
        effect_en="a person lets cars pass; the arm stays up once it is up",
        todo_zh="检查配置中的地感引脚和 GPIO 权限, 然后重启 lane 程序",
        todo_en="check the loop pins in the config and the GPIO permissions, restart the lane program",
    ),
)

_BARRIER = (
    FaultSpec(
        code="arm_no_up",
        effect="asks",
        clears="itself",
        cause_zh="已发抬杆命令, 闸杆未到上限位",
        cause_en="asked up, the arm did not reach its upper end",
        effect_zh="来车须人工处理; 已放行的车等待抬杆",
        effect_en="a person must see to the cars; the admitted one waits for the arm",
        todo_zh="检查道闸电源、锁定开关、开闸继电器接线和上限位开关",
        todo_en="check the barrier's power and lock switch, the OPEN wires and the upper limit switch",
    ),
    FaultSpec(
        code="arm_no_down",
        effect="runs",
        clears="itself",
        cause_zh="已发落杆命令, 闸杆未到下限位",
        cause_en="asked down, the arm did not reach its lower end",
        effect_zh="闸杆可能未落, 后车可能直接通过, 通行照常记录",
        effect_en="the arm may be up and cars may follow through; passages are recorded",
        todo_zh="查看闸杆是否被挡; 检查关闸继电器接线和下限位开关",
        todo_en="look what blocks the arm; check the CLOSE relay's wires and the lower limit switch",
    ),
    FaultSpec(
        code="arm_uncommanded",
        effect="runs",
        clears="acknowledged",
        cause_zh="盒子未发命令, 闸杆自行抬起",
        cause_en="the arm went up and the box had not asked",
        effect_zh="期间通过的车按未放行记录",
        effect_en="cars that pass meanwhile are recorded as not admitted",
        todo_zh="查问是否有人用遥控器、手动或摄像机继电器开闸; 否则检查限位开关",
        todo_en="ask who used a remote, the hand crank or a camera's relay; else check the limit switches",
    ),
    FaultSpec(
        code="barrier_down",
        effect="stops",
        clears="itself",
        cause_zh="道闸输出无法打开",
        cause_en="the barrier outputs cannot be opened",
        effect_zh="盒子不控制道闸, 请现场手动操作",
        effect_en="the box does not move the barrier; work it by hand",
        todo_zh="检查道闸引脚和 GPIO 权限, 或板卡、相机的连接, 然后重启 lane 程序",
        todo_en="check the barrier's pins and GPIO permissions, or its board or camera; restart the lane program",
    ),
    FaultSpec(
        code="emergency",
        effect="no_auto_close",
        clears="itself",
        cause_zh="消防联动 (紧急输入) 动作",
        cause_en="the emergency input (fire alarm) is active",
        effect_zh="全部闸杆抬起并保持, 车辆自由通行",
        effect_en="all arms are up and stay up; cars pass freely",
        todo_zh="先按消防预案处置; 误报时检查消防模块和接线",
        todo_en="follow the fire plan first; if it is a false alarm, check the fire module and its wires",
    ),
)

_CAMERAS = (
    FaultSpec(
        code="camera_silent",
        effect="asks",
        clears="itself",
        cause_zh="摄像机无心跳也无识别",
        cause_en="a camera sends neither heartbeats nor reads",
        effect_zh="来车读不到车牌, 须人工放行",
        effect_en="no plate is read; a person lets cars pass",
        todo_zh="检查摄像机电源、网线和 IP; 检查其服务器地址和端口是否指向盒子",
        todo_en="check the camera's power, cable and IP, and that its server address and port are the box's",
    ),
    FaultSpec(
        code="camera_refused",
        effect="runs",
        clears="acknowledged",
        cause_zh="拒绝了未登记摄像机的数据 (序列号或地址不符)",
        cause_en="data of a camera that is not registered was refused (serial number or address)",
        effect_zh="其识别一律不用; 已登记的摄像机不受影响",
        effect_en="none of its reads are used; registered cameras are not affected",
        todo_zh="换过摄像机则更新配置中的 serial 和 addresses; 否则查明该设备来源",
        todo_en="if a camera was replaced, set serial and addresses in the config; else find out what it is",
    ),
    FaultSpec(
        code="listener_down",
        effect="asks",
        clears="itself",
        cause_zh="摄像机接收端口无法打开",
        cause_en="the port that cameras push to cannot be opened",
        effect_zh="收不到任何识别, 来车须人工放行",
        effect_en="no read arrives; a person lets cars pass",
        todo_zh="检查 listener 的地址和端口: 网卡是否有此地址, 端口是否被占用",
        todo_en="check the listener's host and port: does a network card have it, is the port taken",
    ),
    FaultSpec(
        code="socket_down",
        effect="runs",
        clears="itself",
        cause_zh="车道程序的套接字无法打开",
        cause_en="the lane program's socket cannot be opened",
        effect_zh="车道照常; 网页看不到车道, 不能下达命令, 不上报车位数",
        effect_en="lanes go on; the page sees no lane, no order can be given, counts are not reported",
        todo_zh="检查 box.socket 的目录是否存在、可写",
        todo_en="check that the folder of box.socket exists and can be written",
    ),
    FaultSpec(
        code="picture_lost",
        effect="runs",
        clears="acknowledged",
        cause_zh="抓拍图片未能保存",
        cause_en="a picture could not be kept",
        effect_zh="该次通行没有图片, 通行照常",
        effect_en="that passage has no picture; cars pass as always",
        todo_zh="检查磁盘空间和摄像机图片大小; 频繁出现时检查网络",
        todo_en="check the disk space and the camera's picture size; if it comes often, the network",
    ),
)

_STORAGE = (
    FaultSpec(
        code="storage_failing",
        effect="runs",
        clears="itself",
        cause_zh="记录不能及时写入磁盘",
        cause_en="records do not reach the disk in time",
        effect_zh="车辆照常通行, 记录暂存内存, 断电会丢失",
        effect_en="cars pass; records wait in memory and a power cut would lose them",
        todo_zh="不要断电; 检查磁盘是否已满或损坏, 必要时更换存储卡",
        todo_en="do not cut the power; check whether the disk is full or worn out, replace the card if so",
    ),
    FaultSpec(
        code="disk_full",
        effect="runs",
        clears="itself",
        cause_zh="磁盘空间不足",
        cause_en="the disk is nearly full",
        effect_zh="先删除最早已上传的图片, 再停止保存图片; 车辆照常通行",
        effect_en="the oldest delivered pictures go first, then no more are kept; cars pass",
        todo_zh="清理磁盘上的其他文件, 或更换更大的存储; 检查城市平台是否长期离线",
        todo_en="remove other files or fit a larger disk; check whether the city has been offline for long",
    ),
    FaultSpec(
        code="disk_read_only",
        effect="runs",
        clears="itself",
        cause_zh="磁盘变为只读, 存储卡可能已损坏",
        cause_en="the disk has turned read-only, the card is probably worn out",
        effect_zh="车辆照常通行, 新记录只在内存, 断电会丢失",
        effect_en="cars pass; new records are in memory only and a power cut would lose them",
        todo_zh="先导出记录, 再断电更换存储卡",
        todo_en="export the records first, then cut the power and replace the card",
    ),
    FaultSpec(
        code="ledger_damaged",
        effect="runs",
        clears="acknowledged",
        cause_zh="账本数据库损坏, 已移到一旁, 使用新账本",
        cause_en="the ledger was damaged; it was moved aside and a new one begun",
        effect_zh="车辆照常通行; 此前入场的车出场时须人工确认, 余位须重新盘点",
        effect_en="cars pass; those that entered before need a person at the exit; count the lot anew",
        todo_zh="保留移到一旁的文件并联系厂家; 盘点后在页面更正车数; 更换存储卡",
        todo_en="keep the file moved aside, call support; correct the count; replace the card",
    ),
    FaultSpec(
        code="deliveries_damaged",
        effect="none",
        clears="acknowledged",
        cause_zh="上传队列损坏, 已移到一旁, 按账本重建",
        cause_en="the delivery queue was damaged; it was moved aside and is rebuilt from the ledger",
        effect_zh="通行不受影响; 部分记录会用原编号再次上传",
        effect_en="no lane notices; some records go to the city again under their old ids",
        todo_zh="等待重建完成; 再次出现时更换存储卡",
        todo_en="wait for the rebuild; if it comes again, replace the card",
    ),
)

_CLOCK_AND_PROGRAMS = (
    FaultSpec(
        code="clock_unset",
        effect="runs",
        clears="itself",
        cause_zh="开机后时钟未校准",
        cause_en="the clock has not been set since the box started",
        effect_zh="车辆照常入场; 重启前入场的车出场时须人工确认; 记录校时后再上传",
        effect_en="cars enter; those from before the restart need a person at the exit; the city waits",
        todo_zh="检查网络和校时服务器 (NTP)",
        todo_en="check the network and the time server (NTP)",
    ),
    FaultSpec(
        code="clock_jumped",
        effect="runs",
        clears="acknowledged",
        cause_zh="时钟发生跳变",
        cause_en="the clock has jumped",
        effect_zh="停车时长和费用不受影响; 记录上的时间可能不连续",
        effect_en="time parked and fees are not affected; times on records may not be continuous",
        todo_zh="检查校时服务器 (NTP) 是否正确, 是否有人手动改过时间",
        todo_en="check that the time server (NTP) is right and that nobody set the time by hand",
    ),
    FaultSpec(
        code="lane_silent",
        effect="stops",
        clears="itself",
        cause_zh="车道程序 (lane) 无应答",
        cause_en="the lane program does not answer",
        effect_zh="道闸不由盒子控制, 页面状态已过时; 系统会自动重启该程序",
        effect_en="the box moves no barrier, the page is out of date; the system restarts the program",
        todo_zh="一分钟内未恢复则手动操作道闸, 重启盒子并导出日志",
        todo_en="not back within a minute: work the barriers by hand, restart the box, export the log",
    ),
)

_CITY = (
    FaultSpec(
        code="city_offline",
        effect="none",
        clears="itself",
        cause_zh="城市平台连接不上或不应答",
        cause_en="the city platform cannot be reached or does not answer",
        effect_zh="通行不受影响; 记录排队, 恢复后自动上传",
        effect_en="no lane notices; records wait and are sent when it is back",
        todo_zh="检查外网和平台地址; 网络正常则联系平台",
        todo_en="check the uplink and the platform's address; if both are right, call the platform",
    ),
    FaultSpec(
        code="city_refused_login",
        effect="none",
        clears="itself",
        cause_zh="城市平台拒绝登录",
        cause_en="the city platform refuses the login",
        effect_zh="通行不受影响; 记录排队, 登录成功后自动上传",
        effect_en="no lane notices; records wait until a login succeeds",
        todo_zh="核对平台给的账号、密码文件、密钥文件和车场编号",
        todo_en="compare user, password file, passkey file and lot numbers with what the city gave",
    ),
    FaultSpec(
        code="delivery_set_aside",
        effect="none",
        clears="acknowledged",
        cause_zh="有记录被城市平台拒收, 已搁置",
        cause_en="the city refused a record; it was set aside",
        effect_zh="其他记录照常上传, 搁置的记录不再自动重试",
        effect_en="other records are sent as always; the one set aside is not tried again by itself",
        todo_zh="在页面查看拒收原因, 改正后手动重传",
        todo_en="read the reason on the page, put it right, send it again by hand",
    ),
)

CATALOGUE: Mapping[str, FaultSpec] = MappingProxyType(
    {
        spec.code: spec
        for spec in (
            *_LOOPS, *_BARRIER, *LINES, *_CAMERAS, *PICTURES, *PAGE, *_STORAGE, *_CLOCK_AND_PROGRAMS, *_CITY, *CITIES,
        )
    }
)
