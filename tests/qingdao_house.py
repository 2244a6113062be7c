"""A Qingdao platform with its broker, a lane program's door, and the agent's links to them, for tests."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from edge.agent.cities import SystemClock
from edge.agent.qingdao import QingdaoLink
from edge.cities.qingdao.envelope import Account
from edge.config.model import Box, Cities, Config
from edge.config.qingdao_mqtt import QingdaoMqtt
from hal_sim.qingdao import Account as SimAccount
from hal_sim.qingdao import QingdaoPlatform
from tests.city_fakes import LANES, LOT, SETTINGS

SOON_S = 10.0
ACCOUNT = Account("880001", "0000001", "parkbox", "Parkbox-1", "key")


class LaneDoor:
    """The lane program's socket: does each order once by its id, and answers a repeat alike."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self.asked: list[dict[str, Any]] = []
        self.done: dict[str, int] = {}
        self.before_answer: Callable[[], None] = lambda: None
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self._open.append(line)
                self._threads.append(threading.Thread(target=self._serve, args=(line,)))
                self._threads[-1].start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rb") as lines:
            for text in lines:
                asked = json.loads(text)
                self.asked.append(asked)
                number = self.done.setdefault(asked["order"]["command_id"], len(self.done))
                self.before_answer()
                answer = {"ok": True, "zh": f"完成 {number}", "en": f"done {number}", "reason": ""}
                line.sendall(json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        for line in (self._listener, *self._open):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


class House:
    """A platform with its broker, a lane program's door, and agents that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platform = QingdaoPlatform(SimAccount("880001", "0000001", "parkbox", "Parkbox-1", "key"))
        self.url = self.platform.start()
        self.port = self.platform.start_broker()
        self.door = LaneDoor(folder / "lane.sock")
        self.failed: list[BaseException] = []
        self.changed = threading.Condition()
        self.token = "t" * 32
        self._links: list[QingdaoLink] = []

    def config(self, **changes: Any) -> Config:
        """`changes`: settings of [city.qingdao.mqtt]."""
        mqtt = msgspec.convert(
            {"host": "127.0.0.1", "port": self.port, "keepalive_s": 5, "reconnect_max_s": 0.2, **changes}, QingdaoMqtt
        )
        qingdao = msgspec.structs.replace(SETTINGS, url=self.url, sub_code="0000001", mqtt=mqtt, timeout_s=3.0)
        box = Box(id="box1", data_dir=str(self.folder), socket=str(self.folder / "lane.sock"))
        return Config(box=box, lot=LOT, lane=LANES, city=Cities(qingdao=qingdao))

    def link(self, **changes: Any) -> QingdaoLink:
        config = self.config(**changes)
        qingdao = config.city.qingdao
        assert qingdao is not None
        assert qingdao.mqtt is not None
        link = QingdaoLink(
            config,
            qingdao,
            qingdao.mqtt,
            ACCOUNT,
            lambda: self.token,
            SystemClock(True),
            random.Random(1),
            died=self.failed.append,
            changed=self._tell,
        )
        self._links.append(link)
        link.start()
        return link

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def until(self, what: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(what, SOON_S)

    def online(self, **changes: Any) -> QingdaoLink:
        link = self.link(**changes)
        self.until(lambda: link.view().online)
        return link

    def close(self) -> None:
        for link in self._links:
            link.stop()
        self.door.close()
        self.platform.stop()
        assert self.failed == []
        assert self.platform.downlink.violations == []
        assert self.platform.downlink.broker.violations == []
        assert self.platform.summary().internal_errors == ()
