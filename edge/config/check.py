"""A configuration in words: every error, or what will run. Opens no device, shows no secret."""

from __future__ import annotations

from edge.config.issues import ConfigError
from edge.config.line_times import limit_ms, worst_ms
from edge.config.model import Config, Lane, Web
from edge.config.shenzhen import Shenzhen

DIRECTIONS = {"in": ("入口", "entry"), "out": ("出口", "exit")}


def explain(error: ConfigError) -> str:
    """All issues, a line each, under one heading."""
    count = len(error.issues)
    heading = f"配置有 {count} 处错误 the configuration has {count} error(s):"
    return "\n".join([heading, *map("  {}".format, error.issues)])


def wiring(lane: Lane, language: int) -> str:
    """Where each contact of a lane is, pins by their BCM number and a board's by its id. `language`: 0 Chinese, else
    1."""
    barrier, loops = lane.barrier, lane.loops
    found: dict[str, list[str]] = {}
    for pair, section, name in (
        (("开", "open"), barrier, "open"), (("关", "close"), barrier, "close"), (("停", "stop"), barrier, "stop"),
        (("上限位", "up"), barrier, "limit_up"), (("下限位", "down"), barrier, "limit_down"),
        (("触发地感", "arrival"), loops, "arrival"), (("防砸地感", "safety"), loops, "safety"),
    ):
        words = pair[language]
        for kind in ("pin", "relay", "input"):
            number = getattr(section, f"{name}_{kind}", None)
            if number is not None:
                place = "BCM" if kind == "pin" else str(section.board)
                found.setdefault(place, []).append(f"{words} {number}")
    return "; ".join(f"{place} {', '.join(contacts)}" for place, contacts in found.items())


def _reaction(config: Config, lane: Lane) -> list[str]:
    """How late a lane on RS485 may hear of its safety loop, and be obeyed."""
    edge_ms, order_ms = worst_ms(config, lane)
    parts = ([("地感变化", "loop edge", edge_ms)] if lane.loops.board is not None else []) + (
        [("抬杆命令", "arm order", order_ms)] if lane.barrier.board is not None else [])
    if not parts:
        return []
    zh = ", ".join(f"{name} {ms:.0f} ms" for name, _, ms in parts)
    en = ", ".join(f"{name} {ms:.0f} ms" for _, name, ms in parts)
    found = [f"    485 最坏: {zh}  worst case: {en}"]
    both_ms, limit = edge_ms + order_ms, limit_ms(lane)
    if both_ms > limit:
        found += [(f"    ! 防砸太慢: {both_ms:.0f} ms, 至多 {limit:.0f} ms (move_s {lane.barrier.move_s:g})  "
                   f"too slow for the safety loop: at most {limit:.0f} ms"),
                  "      减小 answer_ms 或 poll_ms, 或另用总线  lower answer_ms or poll_ms, or use another line"]
    return found


def page_url(web: Web) -> str:
    scheme = "http" if web.tls == "off" else "https"
    host = f"[{web.host}]" if ":" in web.host else web.host
    why = f" ({web.plain_reason})" if web.plain_reason else ""
    return f"{scheme}://{host}:{web.port}/{why}"


def summary(config: Config) -> list[str]:
    lines = [
        f"配置可用 fit to run: {config.box.id}, {config.lot.name}, {config.lot.total_stalls} 车位 stalls",
        f"  数据 data: {config.box.data_dir}",
        f"  相机上报 cameras push to: {config.listener.host}:{config.listener.port}",
        f"  网页 page: {page_url(config.web)}",
    ]
    if config.flow is not None:
        flow = config.flow
        low, high = flow.bands
        ratio = f"{flow.saturated.reserved}:{flow.saturated.ordinary}"
        lines.append(f"  流量管控: 饱和 {low:.0%}, {ratio}; 满位 {high:.0%}, 出 {flow.full.out} 进 1  "
                     f"flow control: saturated {low:.0%}, {ratio}; full {high:.0%}, {flow.full.out} out 1 in")
    for line in config.line:
        port = line.device or f"相机 camera {line.camera} RS485-{line.channel}"
        lines.append(f"  485 总线 line {line.id}: {port} {line.baud} 8{line.parity}{line.stop_bits}")
        used = {section.board for lane in config.lane for section in (lane.barrier, lane.loops)}
        lines += [f"    板卡 board {board.id}: {board.model} @ {board.address}"
                  + ("" if board.id in used else "; ! 没有车道使用 no lane uses it")
                  for board in config.board if board.line == line.id]
    for lane in config.lane:
        zh, en = DIRECTIONS[lane.direction]
        lines += [f"  {lane.number} {lane.name} ({lane.id}, {zh}): {wiring(lane, 0)}", f"    {en}: {wiring(lane, 1)}"]
        lines += _reaction(config, lane)
        lines += [f"    显示屏 sign {sign.id}: {sign.model} @ {sign.line}" for sign in lane.sign]
        for camera in lane.camera:
            relay = "; 继电器即道闸 its relay is the barrier" if camera.relay_is_barrier else ""
            lines.append(f"    相机 camera {camera.id}: {camera.vendor} {camera.serial or '*'} "
                         f"@ {', '.join(camera.addresses)}{relay}")
            if (client := camera.client) is not None:
                does = [("触发", "trigger")] + [("识别", "reads")] * client.reads
                does += [("开闸", "opens")] * client.opens + [("落杆", "closes")] * client.closes
                lines.append(f"      盒子连接相机: {', '.join(zh for zh, _ in does)}  "
                             f"the box connects: {', '.join(en for _, en in does)}")
    qingdao = config.city.qingdao
    if qingdao is None and config.city.shenzhen is None:
        lines.append("  没有配置城市平台 no city platform")
    elif qingdao is not None:
        lines.append(f"  青岛平台 Qingdao: {qingdao.url}")
    if qingdao is not None and (mqtt := qingdao.mqtt) is not None:
        safe = "TLS" if mqtt.tls == "on" else "无 TLS without TLS"
        lines.append(f"    指令 orders: MQTT {mqtt.host}:{mqtt.port}, {safe}")
    elif qingdao is not None:
        lines.append("    不接收指令 takes no orders: no [city.qingdao.mqtt]")
    if qingdao is not None and (oss := qingdao.oss) is not None:
        lines.append(f"    图片 pictures: {oss.endpoint} {oss.bucket}, {oss.acl}, {oss.signature}")
        if oss.acl == "public-read-write":
            lines.append("    ! 公共读写: 任何人可读、改、删图片 anybody can read, replace, delete (B.1 rule 11)")
    elif qingdao is not None:
        lines.append("    图片不上传 pictures are not uploaded: no [city.qingdao.oss]")
    if config.city.shenzhen is not None:
        lines += _shenzhen(config, config.city.shenzhen)
    return lines


def _shenzhen(config: Config, city: Shenzhen) -> list[str]:
    lines = [f"  深圳平台 Shenzhen: {city.url}, {city.park_code}, {city.sign}"]
    callback, tcp = city.callback, city.tcp
    if callback is not None and city.downlink != "tcp":
        lines.append(f"    指令 orders: {callback.url} -> {callback.host}:{callback.port}")
    if tcp is not None and (city.downlink in {"tcp", "both"} or callback is None):
        lines.append(f"    指令 orders: TCP {tcp.host}:{tcp.port}, {'TLS' if tcp.tls else '! 无 TLS no TLS'}")
    lines += [
        f"    ! {name} 超过规定的 {length} 个字符 is over the printed length ({city.too_long})"
        for name, text, length in _lengths(config, city)
        if len(text) > length
    ]
    return lines


def _lengths(config: Config, city: Shenzhen) -> list[tuple[str, str, int]]:
    """SC29, SC30: what the tables print; real values are longer, so it is a warning and no error."""
    site = city.site
    return [
        ("site.operator_id", site.operator_id, 10),
        ("site.permit_no", site.permit_no, 6),
        ("site.complaint_tel", site.complaint_tel, 5),
        ("site.road_name", site.road_name, 10),
        ("no_plate", city.no_plate, 10),
        *((f"lane {lane.id} name", lane.name, 10) for lane in config.lane),
    ]
