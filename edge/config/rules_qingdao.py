"""Rules between settings of `[city.qingdao.mqtt]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.config.issues import ConfigIssue
from edge.config.model import Config

PLACE = "city.qingdao.mqtt"


def judge_qingdao(config: Config) -> Iterator[ConfigIssue]:
    qingdao = config.city.qingdao
    if qingdao is None or qingdao.mqtt is None:
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
    if qingdao.sub_code in mqtt.projects:
        yield ConfigIssue(f"{PLACE}.projects", qingdao.sub_code, "即 sub_code, 无需再写", "is sub_code")
    if mqtt.receive_topic == mqtt.reply_topic:
        yield ConfigIssue(f"{PLACE}.reply_topic", mqtt.reply_topic, "与 receive_topic 相同", "same as receive_topic")
    if mqtt.ca_file and mqtt.tls == "off":
        yield ConfigIssue(f"{PLACE}.ca_file", mqtt.ca_file, '仅与 tls = "on" 同用', 'is for tls = "on"')
    elif mqtt.ca_file and not Path(mqtt.ca_file).is_file():
        yield ConfigIssue(f"{PLACE}.ca_file", mqtt.ca_file, "无法读取", "cannot be read")
