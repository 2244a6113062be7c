"""Rules between settings of `[city.qingdao.mqtt]` and `[[city.qingdao.plan]]`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from edge.config.issues import ConfigIssue
from edge.config.model import Config
from edge.config.rules_files import authorities
from edge.core.orders_money import MONEY_REASONS

NO_PLANS = (48, 49)
"""The only numbers between 46 and 76 that B.6.1.31 does not have."""

PLACE = "city.qingdao.mqtt"


def judge_qingdao(config: Config) -> Iterator[ConfigIssue]:
    qingdao = config.city.qingdao
    if qingdao is None:
        return
    for number, plan in enumerate(qingdao.plan):
        path = f"city.qingdao.plan[{number}]"
        if plan.code in NO_PLANS:
            yield ConfigIssue(f"{path}.code", str(plan.code), "不在 B.6.1.31 中", "not in B.6.1.31")
        if plan.code in [other.code for other in qingdao.plan[:number]]:
            yield ConfigIssue(f"{path}.code", str(plan.code), "重复", "used twice")
        if (plan.start is None) != (plan.end is None):
            yield ConfigIssue(f"{path}.end", str(plan.end), "start 与 end 须同时有", "start and end go together")
        months = [price.months for price in plan.prices]
        if len(set(months)) != len(months):
            yield ConfigIssue(f"{path}.prices", str(months), "月数重复", "the same number of months twice")
    if qingdao.mqtt is None:
        return
    mqtt = qingdao.mqtt
    meaning: dict[str, str] = {}
    for kind, names in msgspec.structs.asdict(mqtt.cmd_types).items():
        for name in names:
            if name in meaning:
                yield ConfigIssue(
                    f"{PLACE}.cmd_types.{kind}", name, f"已用于 {meaning[name]}", f"already stands for {meaning[name]}"
                )
            meaning.setdefault(name, kind)
    for name, codes in (("quote_codes", mqtt.quote_codes), ("scan_codes", mqtt.scan_codes)):
        for place, each in enumerate(codes):
            if each.reason not in MONEY_REASONS:
                known = ", ".join(filter(None, MONEY_REASONS))
                path = f"{PLACE}.{name}[{place}].reason"
                yield ConfigIssue(path, each.reason, f"未知原因, 可用: {known}", f"no such reason, of: {known}")
    if qingdao.sub_code in mqtt.projects:
        yield ConfigIssue(f"{PLACE}.projects", qingdao.sub_code, "即 sub_code, 无需再写", "is sub_code")
    if mqtt.receive_topic == mqtt.reply_topic:
        yield ConfigIssue(f"{PLACE}.reply_topic", mqtt.reply_topic, "与 receive_topic 相同", "same as receive_topic")
    if mqtt.ca_file and mqtt.tls == "off":
        yield ConfigIssue(f"{PLACE}.ca_file", mqtt.ca_file, '仅与 tls = "on" 同用', 'is for tls = "on"')
    else:
        yield from authorities(f"{PLACE}.ca_file", mqtt.ca_file)
