"""Rules between settings: what each is right alone and wrong together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from edge.config.issues import ConfigIssue
from edge.config.model import Config, Tariff, Web
from edge.config.rules_boards import judge_boards
from edge.config.rules_files import authorities
from edge.config.rules_hosts import judge_hosts
from edge.config.rules_rs485 import judge_rs485
from edge.config.secrets import secret
from edge.core.plates import normalise, plausible
from edge.core.tariff_error import TariffError
from edge.core.tariff_param import read_param

AGENT_SOCKET_SUFFIX = ".agent"
"""The agent's own socket stands beside the lane program's, under its name with this suffix."""

SOCKET_PATH_BYTES = 107 - len(AGENT_SOCKET_SUFFIX)
"""sun_path of unix(7) is 108 bytes with its closing NUL, and the longer of the two names must fit."""


CLIENT_VENDORS = ("vz", "hikvision", "dahua")
"""Makes that the box can connect to by itself."""


def judge(config: Config) -> list[ConfigIssue]:
    """All issues between settings."""
    issues = [*_pins(config), *_names(config), *_cameras(config), *_clients(config), *_files(config),
              *_plates(config), *_flow(config), *judge_boards(config), *judge_rs485(config), *_cities(config),
              *judge_hosts(config), *_web(config.web)]
    if config.web.port and config.web.port == config.listener.port and config.web.host == config.listener.host:
        issues.append(ConfigIssue("web.port", str(config.web.port), "与 listener.port 相同", "same as listener.port"))
    tariff = config.tariff
    if 0 < tariff.daily_cap_fen < tariff.first_fen:
        issues.append(ConfigIssue(
            "tariff.daily_cap_fen", str(tariff.daily_cap_fen),
            f"小于 first_fen {tariff.first_fen}; 0 为不封顶", f"below first_fen {tariff.first_fen}; 0 = no cap",
        ))
    issues += _tariff_param(config)
    return issues


def _cities(config: Config) -> Iterator[ConfigIssue]:
    """Each city's rules are loaded where that city is: every start of the lane program waits for what is loaded."""
    if config.city.qingdao is not None:
        from edge.config.rules_qingdao import judge_qingdao  # noqa: PLC0415

        yield from judge_qingdao(config)
    if config.city.shenzhen is not None:
        from edge.config.rules_shenzhen import judge_shenzhen  # noqa: PLC0415

        yield from judge_shenzhen(config)


def _tariff_param(config: Config) -> Iterator[ConfigIssue]:
    tariff = config.tariff
    if not tariff.param:
        return
    try:
        read_param(tariff.param)
    except TariffError as error:
        yield ConfigIssue("tariff.param", tariff.param[:40], error.zh, str(error))
    simple = Tariff()
    for name in ("free_min", "first_period_min", "first_fen", "unit_min", "unit_fen", "daily_cap_fen"):
        value = getattr(tariff, name)
        if value != getattr(simple, name):
            yield ConfigIssue(f"tariff.{name}", str(value), "已有 tariff.param", "not beside tariff.param")


def _flow(config: Config) -> Iterator[ConfigIssue]:
    flow = config.flow
    for number, lane in enumerate(config.lane):
        for name, default in (("role", "mixed"), ("ordinary", "rules")):
            value, path = getattr(lane, name), f"lane[{number}].{name}"
            if value != default and flow is None:
                yield ConfigIssue(path, value, "需要 [flow] 一节", "needs the section [flow]")
            elif value != default and lane.direction == "out":
                yield ConfigIssue(path, value, "只用于入口", "is for entries only")
    if flow is None:
        return
    low, high = flow.bands
    if low > high:
        yield ConfigIssue("flow.bands", f"{low:g}, {high:g}", "饱和须不大于满位", "saturated must be full or less")
    if flow.schedule and (len(flow.schedule) != 2 or flow.schedule[0] == flow.schedule[1]):
        yield ConfigIssue("flow.schedule", ", ".join(flow.schedule), "须为两个不同时刻", "two different times of day")


def _pins(config: Config) -> Iterator[ConfigIssue]:
    owners: dict[int, str] = {}
    for path, pin in _all_pins(config):
        if pin is None:
            continue
        if pin in owners:
            yield ConfigIssue(path, str(pin), f"该引脚已用于 {owners[pin]}", f"pin already used by {owners[pin]}")
        else:
            owners[pin] = path


def _all_pins(config: Config) -> Iterator[tuple[str, int | None]]:
    yield "gpio.emergency_pin", config.gpio.emergency_pin
    for number, lane in enumerate(config.lane):
        for section, names in (
            (lane.barrier, ("open_pin", "close_pin", "stop_pin", "limit_up_pin", "limit_down_pin")),
            (lane.loops, ("arrival_pin", "safety_pin")),
        ):
            place = "barrier" if section is lane.barrier else "loops"
            for name in names:
                yield f"lane[{number}].{place}.{name}", getattr(section, name)


def _names(config: Config) -> Iterator[ConfigIssue]:
    lanes = [(f"lane[{n}]", lane) for n, lane in enumerate(config.lane)]
    yield from _twice((f"{path}.id", lane.id) for path, lane in lanes)
    yield from _twice((f"{path}.number", str(lane.number)) for path, lane in lanes)
    yield from _twice(
        (f"{path}.camera[{m}].id", camera.id) for path, lane in lanes for m, camera in enumerate(lane.camera)
    )


def _twice(named: Iterable[tuple[str, str]]) -> Iterator[ConfigIssue]:
    seen: dict[str, str] = {}
    for path, value in named:
        if value in seen:
            yield ConfigIssue(path, value, f"与 {seen[value]} 重复", f"same as {seen[value]}")
        else:
            seen[value] = path


def _cameras(config: Config) -> Iterator[ConfigIssue]:
    known: dict[tuple[str, str], str] = {}
    for n, lane in enumerate(config.lane):
        for m, camera in enumerate(lane.camera):
            path = f"lane[{n}].camera[{m}]"
            for address in camera.addresses:
                try:
                    ip_address(address)
                except ValueError:
                    yield ConfigIssue(f"{path}.addresses", address, "须为 IP 地址", "must be an IP address")
                    continue
                other = known.setdefault((address, camera.serial), path)
                if other != path and not camera.serial:
                    yield ConfigIssue(
                        f"{path}.serial", "", f"与 {other} 同一地址, 须填 serial 才能区分",
                        f"shares {address} with {other}: set serial to tell them apart",
                    )
                elif other != path:
                    yield ConfigIssue(f"{path}.serial", camera.serial, f"与 {other} 重复", f"same as {other}")


def _clients(config: Config) -> Iterator[ConfigIssue]:
    for n, lane in enumerate(config.lane):
        for m, camera in enumerate(lane.camera):
            client, path = camera.client, f"lane[{n}].camera[{m}].client"
            if client is None:
                continue
            if camera.vendor not in CLIENT_VENDORS:
                yield ConfigIssue(path, camera.vendor, f"仅用于 {', '.join(CLIENT_VENDORS)}",
                                  f"is for {', '.join(CLIENT_VENDORS)} only")
            elif camera.vendor != "vz":
                yield from secret(f"{path}.password_file", client.password_file)
                if client.reads and camera.vendor != "hikvision":
                    yield ConfigIssue(f"{path}.reads", "true", "仅用于 vz, hikvision", "is for vz and hikvision only")
            if client.opens and not camera.relay_is_barrier:
                yield ConfigIssue(f"{path}.opens", "true", "须 relay_is_barrier = true",
                                  "needs relay_is_barrier = true")
            if client.reads and camera.relay_is_barrier and not client.opens:
                yield ConfigIssue(f"{path}.reads", "true", "识别不经上报, 无应答可开闸: 须 opens = true",
                                  "no push, so no reply that could open: needs opens = true")


def _files(config: Config) -> Iterator[ConfigIssue]:
    socket_bytes = len(config.box.socket.encode())
    if socket_bytes > SOCKET_PATH_BYTES:
        yield ConfigIssue("box.socket", config.box.socket, f"路径最长 {SOCKET_PATH_BYTES} 字节",
                          f"at most {SOCKET_PATH_BYTES} bytes as a full path, this has {socket_bytes}")
    if not Path(config.box.data_dir).parent.is_dir():
        yield ConfigIssue("box.data_dir", config.box.data_dir, "上级目录不存在", "its parent folder does not exist")
    if config.backup is not None:
        yield from secret("backup.passphrase_file", config.backup.passphrase_file)
    qingdao = config.city.qingdao
    if qingdao is not None:
        yield from secret("city.qingdao.password_file", qingdao.password_file)
        yield from secret("city.qingdao.passkey_file", qingdao.passkey_file)
        if (oss := qingdao.oss) is not None:
            for name in ("key_id_file", "key_secret_file", *(["token_file"] if oss.token_file else [])):
                yield from secret(f"city.qingdao.oss.{name}", getattr(oss, name))
            yield from authorities("city.qingdao.oss.ca_file", oss.ca_file)
            if oss.token_file and oss.signature == "v1":
                # alibabacloud-oss-v2 1.4 names the token's header wrongly under V1, so OSS would refuse every picture.
                yield ConfigIssue("city.qingdao.oss.token_file", oss.token_file, "仅可与 signature = \"v4\" 同用",
                                  "works with signature = \"v4\" only")


def _web(web: Web) -> Iterator[ConfigIssue]:
    """DESIGN 10: TLS, or loopback, or a reason."""
    try:
        address = ip_address(web.host)
    except ValueError:
        yield ConfigIssue("web.host", web.host, "须为 IP 地址", "must be an IP address")
        return
    if not address.is_loopback and web.tls == "off" and not web.plain_reason:
        yield ConfigIssue(
            "web.tls", "off", f"在 {web.host} 上须用 own 或 given, 或填写 plain_reason",
            f'on {web.host} it must be "own" or "given", or plain_reason must say why not',
        )
    if web.plain_reason and (web.tls != "off" or address.is_loopback):
        yield ConfigIssue(
            "web.plain_reason", web.plain_reason, "只用于非本机地址且 tls = off",
            "only for another address than loopback with tls off",
        )
    if web.tls == "given":
        if not web.certificate_file:
            yield ConfigIssue("web.certificate_file", "", "缺少", "missing: tls is given")
        elif not Path(web.certificate_file).is_file():
            yield ConfigIssue("web.certificate_file", web.certificate_file, "无法读取", "cannot be read")
        yield from secret("web.key_file", web.key_file, lines=True)
    elif web.certificate_file or web.key_file:
        yield ConfigIssue("web.tls", web.tls, "有证书文件时须为 given", 'must be "given" when files are named')



def _plates(config: Config) -> Iterator[ConfigIssue]:
    allow = {normalise(plate) for plate in config.lot.allow_plates}
    for name, plates in (("allow_plates", config.lot.allow_plates), ("deny_plates", config.lot.deny_plates)):
        for number, plate in enumerate(plates):
            path = f"lot.{name}[{number}]"
            if not plausible(plate):
                yield ConfigIssue(path, repr(plate), "不是车牌", "is no plate")
            elif normalise(plate) in map(normalise, plates[:number]):
                yield ConfigIssue(path, plate, "重复", "stands here twice")
            elif name == "deny_plates" and normalise(plate) in allow:
                yield ConfigIssue(path, plate, "同时在 allow_plates 中", "stands in allow_plates too")
