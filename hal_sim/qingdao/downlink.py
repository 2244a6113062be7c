"""The city's side of MQTT: accounts and bound projects, orders out, replies in and judged (B.1, B.2, B.4)."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from hal_sim.mqtt import Broker, Guest
from hal_sim.qingdao import replies
from hal_sim.qingdao.lists import meaning
from hal_sim.qingdao.session import Refusal, Session

CLIENT_ID, USER = "qd-box-1", "qd-mqtt-1"
CITY = "qd-platform"
"""The platform's own account at a broker outside."""
SERVER_SEND, CLIENT_SEND = f"thirdpark/server_send/{USER}", f"thirdpark/client_send/{USER}"

# What this simulated city calls its orders; the standard prints none.
CMD_TYPES = {
    16: "monthCardService", 17: "monthCardCancel", 18: "queryOrder", 19: "payNotice", 20: "signatoryNotice",
    21: "signatoryChange", 22: "staticCodeOrder", 23: "tempStandard", 24: "tempStandardDelete", 25: "monthStandard",
    26: "monthStandardDelete", 27: "blackWhiteList", 28: "blackWhiteListDelete",
}  # fmt: skip

FOUND_MAX = 1000


@dataclass(slots=True)
class Sent:
    """One order and what became of it. The same seq_id may be answered several times, always alike."""

    number: int
    seq_id: str
    items: list[dict[str, object]]
    payload: bytes
    replies: list[replies.Reply] = field(default_factory=list)


class Downlink:
    """`start` and `stop`; the rest is for any thread."""

    def __init__(self, project: str, password: str, broke: Callable[[BaseException], None]) -> None:
        self._project, self._password = project, password
        self._changed = threading.Condition()
        self._sent: dict[str, Sent] = {}
        self._broke = broke
        self.broker = Broker(self._may_enter, self._heard, broke)
        self._publish: Callable[[str, bytes], object] = self.broker.publish
        self.bound: set[str] = set()
        self.logins = 0
        self.ask_token = False
        """bindprojects wants cno and tn too (rule 3 of B.2, which its table forgot)."""
        self.violations: list[str] = []
        """What the box answered against the tables; bounded."""

    # --- HTTP: B.2 下行对接授权 --------------------------------------------------------------------------------------

    def login(self, session: Session, body: dict[str, object]) -> dict[str, object]:
        session.known(body)
        self.logins += 1
        return {
            "result_code": 0, "message": meaning(0), "client_id": CLIENT_ID, "client_user_name": USER,
            "client_password": self._password,
        }  # fmt: skip

    def bind(self, session: Session, body: dict[str, object]) -> dict[str, object]:
        allowed = {"user_name", "projects"} | ({"cno", "tn"} if "tn" in body else set())
        unknown = [name for name in body if name not in allowed]
        if unknown:
            raise Refusal(114, f"{unknown[0]}: 未知字段 unknown member")
        if self.ask_token or "tn" in body:
            session.asked_by(body)
        if body.get("user_name") != USER:
            raise Refusal(110, f"user_name {body.get('user_name')!r}")
        projects = body.get("projects")
        if not isinstance(projects, list) or not projects:
            raise Refusal(114, "projects 须为非空数组 must be an array that is not empty")
        for project in projects:
            if not isinstance(project, dict) or set(project) != {"code", "status"}:
                raise Refusal(114, "projects: code, status")
            code, status = project["code"], project["status"]
            if not isinstance(code, str) or not 1 <= len(code) <= 20 or type(status) is not int or status not in (1, 2):
                raise Refusal(119, f"projects: code {code!r}, status {status!r}")
            (self.bound.add if status == 1 else self.bound.discard)(code)
        return {"result_code": 0, "message": meaning(0)}

    # --- a broker that is not ours ------------------------------------------------------------------------------------

    def accounts(self) -> dict[str, str]:
        """Who may enter a broker outside: the box, and the platform itself."""
        return {USER: self._password, CITY: self._password}

    def move_to(self, port: int) -> Guest:
        """From now on orders go through the broker at `port`, which knows `accounts`; until the guest is stopped."""
        guest = Guest(USER, self._heard, self._broke)
        guest.start(port, CITY, self._password, CLIENT_SEND)
        self._publish = guest.publish
        return guest

    # --- MQTT --------------------------------------------------------------------------------------------------------

    def order(self, number: int, *items: dict[str, object], seq_id: str = "", cmd_type: str = "") -> Sent:
        """Send one order of interface `number`."""
        seq_id = seq_id or uuid.uuid4().hex
        top = {
            "seq_id": seq_id, "cmd_type": cmd_type or CMD_TYPES[number], "project_code": self._project,
            "data_items": list(items),
        }  # fmt: skip
        sent = Sent(number, seq_id, list(items), json.dumps(top, ensure_ascii=False).encode())
        with self._changed:
            self._sent[seq_id] = sent
        self._publish(SERVER_SEND, sent.payload)
        return sent

    def again(self, sent: Sent) -> None:
        """The same order once more, byte for byte."""
        self._publish(SERVER_SEND, sent.payload)

    def raw(self, payload: bytes) -> None:
        self._publish(SERVER_SEND, payload)

    def wait(self, sent: Sent, within_s: float, count: int = 1) -> replies.Reply:
        """The last of `count` replies to it. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(sent.replies) >= count, within_s):
                raise TimeoutError(f"指令 order {sent.number} {sent.seq_id}: {len(sent.replies)} 个应答 replies")
            return sent.replies[count - 1]

    def wait_unknown(self, within_s: float, seq_id: str = "") -> replies.Reply:
        """A reply to what was no order of ours. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: seq_id in self._sent and bool(self._sent[seq_id].replies), within_s):
                raise TimeoutError(f"{seq_id!r}: 没有应答 no reply")
            return self._sent[seq_id].replies[-1]

    def _may_enter(self, client_id: str, user: str, password: str) -> bool:
        return (client_id, user, password) == (CLIENT_ID, USER, self._password)

    def _heard(self, user: str, topic: str, payload: bytes) -> None:
        if topic != CLIENT_SEND:
            self._violation(f"topic {topic}")
            return
        try:
            reply = replies.read(payload)
        except (ValueError, replies.NoReply) as error:
            self._violation(f"reply {payload[:200]!r}: {error}")
            return
        with self._changed:
            sent = self._sent.setdefault(reply.seq_id, Sent(0, reply.seq_id, [], b""))
            if sent.number:
                for each in replies.wrong(sent.number, sent.items, reply):
                    self._violation(f"{sent.number} {reply.seq_id}: {each}")
            done = next((each for each in sent.replies if each.result_code == 0), None)
            if done is not None and done != reply and sent.number and reply.result_code == 0:
                self._violation(f"{sent.number} {reply.seq_id}: 重复指令应答不同 a repeat is answered otherwise")
            sent.replies.append(reply)
            self._changed.notify_all()

    def _violation(self, words: str) -> None:
        if len(self.violations) < FOUND_MAX:
            self.violations.append(words)
