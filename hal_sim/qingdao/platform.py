"""The simulated Qingdao platform without its sockets: a request's bytes in, an answer out, everything kept.

Order of judgement: signature, envelope, token; then every record by its table, then by rules between records.
How a refusal is told (B.1.1.3 and the reply tables, which call result_code 业务接收返回码 and error_code
业务处理返回码): when every record is malformed, result_code 119; otherwise the request was received,
result_code 0, and every record has its own error_code.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from hal_sim.city_http import Answer, Post, weathered
from hal_sim.qingdao.downlink import Downlink
from hal_sim.qingdao.lists import meaning
from hal_sim.qingdao.purse import Purse
from hal_sim.qingdao.records import Record, Records, Summary, different
from hal_sim.qingdao.rules import broken
from hal_sim.qingdao.session import Account, Refusal, Request, Session, check_sign, read_body
from hal_sim.qingdao.tables import BY_PATH, CALL_BY_PATH, Interface
from hal_sim.qingdao.values import faults
from hal_sim.qingdao.weather import KINDS, Kind, Weather

INTERNAL_KEPT = 100

@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record."""

    item_id: str
    error: str = ""
    malformed: bool = False


class Platform:
    """Everything but the sockets. Safe for every thread."""

    answer_kinds = KINDS

    def __init__(
        self,
        account: Account,
        *,
        seed: int = 0,
        token_life_s: int = 7200,
        now: Callable[[], float] = time.time,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        if token_life_s != -1 and token_life_s < 1:
            raise ValueError(f"token_life_s: {token_life_s} 须为 -1 或不小于 1, must be -1 or at least 1")
        self.account = account
        self.weather = Weather(random.Random(f"weather {seed}"))
        self._records = Records()
        self._now = now
        self._session = Session(account, random.Random(f"tokens {seed}"), token_life_s, now)
        self._listener = listener
        self._lock = threading.Lock()
        self._requests = 0
        self._logins = 0
        self._internal: list[str] = []
        self.purse = Purse(now)
        self.downlink = Downlink(account.sub_code, f"mqtt {seed}", self.broke)

    def summary(self) -> Summary:
        """Everything received so far."""
        weather = self.weather.struck()
        with self._lock:
            return self._records.summary(self._requests, self._logins, weather, self._internal)

    def by_id(self, item_id: str) -> tuple[Record, ...]:
        """All records of that id, of whatever kind; a sound sender makes one."""
        with self._lock:
            return self._records.by_id(item_id)

    def by_plate(self, plate: str) -> tuple[Record, ...]:
        """All records of a plate as it is on the wire (鲁-B12345), in order of arrival."""
        with self._lock:
            return self._records.by_plate(plate)

    def of_kind(self, kind: str) -> tuple[Record, ...]:
        """All records of a kind (carIn, carOut, carcharge, ...), in order of arrival."""
        with self._lock:
            return self._records.of_kind(kind)

    def expire_tokens(self) -> None:
        """Every token that was given out ends now."""
        with self._lock:
            self._session.ends_s.clear()

    def broke(self, error: BaseException) -> None:
        """A mistake of the simulator itself: the summary shows it, so that no run hides one."""
        with self._lock:
            if len(self._internal) < INTERNAL_KEPT:
                self._internal.append(repr(error))

    def answer(self, post: Post, weather: Kind | None) -> Answer:
        """Answer one POST under this weather (which the server has drawn; it does `hang` itself)."""
        return self.handle(
            post.path, post.headers.get("content-type", ""), post.headers.get("sn"), post.body, weather
        )

    def handle(self, path: str, content_type: str, sn: str | None, raw: bytes, weather: Kind | None) -> Answer:
        """The same, of the parts that count."""
        if weather == "http_500":
            with self._lock:
                self._requests += 1
            self._tell(path, "500 (天气 weather http_500)")
            return Answer(500, b"Internal Server Error", "text/plain")
        with self._lock:
            self._requests += 1
            status, reply, said = self._reply(path, content_type, sn, raw, weather)
        self._tell(path, said if weather is None else f"{said} (天气 weather {weather})")
        body = json.dumps(reply, ensure_ascii=False).encode()
        return weathered(status, body, weather)

    def _reply(
        self, path: str, content_type: str, sn: str | None, raw: bytes, weather: Kind | None
    ) -> tuple[int, dict[str, object], str]:
        """Status, reply and one line for the log. Called under the lock."""
        seq_id: object = None
        try:
            interface = BY_PATH.get(path) or CALL_BY_PATH.get(path)
            if interface is None and path not in ("/login", "/logout", "/mqtt/login", "/mqtt/bindprojects"):
                said = "无此接口 no such interface"
                return 404, _refused(1, f"{path} {said}"), said
            body = read_body(raw, content_type)
            seq_id = body.get("seq_id")
            if interface is None:
                return 200, *self._account_call(path, body, raw, sn, weather)
            if weather == "expire_token":
                self._session.expire(body.get("tn"))
            if weather == "token_storm":
                self._session.ends_s.clear()
            check_sign(raw, sn, self.account.passkey)
            request = self._session.check(path, body)
            if weather == "refuse":
                return 200, _refused(1, "天气 weather", seq_id), "1 拒绝 refused"
            if path in CALL_BY_PATH:
                return 200, *self._call(interface, request)
            return 200, *self._business(interface, request, weather)
        except Refusal as refusal:
            if weather not in ("expire_token", "token_storm") or refusal.code != 113:
                self._records.refuse(path.removeprefix("/thirdAPI/"), "", refusal.message, str(refusal.code))
            return 200, _refused(refusal.code, refusal.message, seq_id), f"{refusal.code} {refusal.message}"

    def _account_call(
        self, path: str, body: dict[str, object], raw: bytes, sn: str | None, weather: Kind | None
    ) -> tuple[dict[str, object], str]:
        """Login and logout: flat members; a signature is not asked for, but a wrong one is refused."""
        if sn is not None:
            check_sign(raw, sn, self.account.passkey)
        if path.startswith("/mqtt/"):
            if weather == "refuse":
                return _refused(1, "天气 weather"), "1 拒绝 refused"
            call = self.downlink.login if path == "/mqtt/login" else self.downlink.bind
            return call(self._session, body), "0"
        if weather == "refuse":
            return {**_refused(1, "天气 weather"), "timeOut": 0}, "1 拒绝 refused"
        if path == "/logout":
            return self._session.logout(body), "0 已注销 logged out"
        try:
            reply = self._session.login(body)
        except Refusal as refusal:
            self._records.refuse("login", "", refusal.message, str(refusal.code))
            # B.2: timeOut is required in every reply, message at most 100 characters
            return {**_refused(refusal.code, refusal.message[:100]), "timeOut": 0}, refusal.message
        self._logins += 1
        return reply, "0 已登录 logged in"

    def _call(self, call: Interface, request: Request) -> tuple[dict[str, object], str]:
        """12, 13, 14: one question; the answer's members stand at the top, as their tables print them."""
        item = request.items[0]
        wrong = faults(call.fields, item) if len(request.items) == 1 else ["data_items: 须为一项 must be one"]
        if wrong:
            self._refuse(call, _id_of(call, item), wrong, malformed=True)
            return _refused(119, "; ".join(wrong), request.seq_id), f"119 {call.zh} {wrong[0]}"
        answer = self.purse.answer(call, item)
        top = {"result_code": 0, "message": meaning(0), "seq_id": request.seq_id}
        return {**top, **answer}, f"{call.zh} {answer.get('status', answer.get('is_signatory'))}"

    def _business(self, interface: Interface, request: Request, weather: Kind | None) -> tuple[dict[str, object], str]:
        verdicts = [
            Verdict(_id_of(interface, item), "天气 refused by weather")
            if weather == "refuse_item" or (weather == "refuse_some" and place % 2)
            else self._judge(interface, item, request.seq_id)
            for place, item in enumerate(request.items)
        ]
        failed = [verdict for verdict in verdicts if verdict.error]
        code = 119 if all(verdict.malformed for verdict in verdicts) else 0
        first = f": {failed[0].error}" if failed else ""
        reply = {
            "result_code": code,
            "message": f"{meaning(code)}{first}",
            "seq_id": request.seq_id,
            "data_items": [
                {
                    interface.reply_key: verdict.item_id,
                    interface.reply_code: 1 if verdict.error else 0,
                    "error_message": verdict.error,
                }
                for verdict in verdicts * (2 if weather == "twice_each" else 1)
            ],
        }
        plates = " ".join(str(item["car_no"]) for item in request.items if "car_no" in item)
        outcome = f"{code} 收 accepted {len(verdicts) - len(failed)}, 拒 refused {len(failed)}{first}"
        return reply, f"{interface.zh} {plates} → {outcome}"

    def _judge(self, interface: Interface, item: dict[str, object], seq_id: str) -> Verdict:
        item_id = _id_of(interface, item)
        wrong = faults(interface.fields, item)
        if wrong:
            return self._refuse(interface, item_id, wrong, malformed=True)
        known = self._records.get(interface.kind, item_id)
        if known is None or not interface.once:  # what was accepted once needs no second look
            wrong = broken(interface, item, self._records)
            if wrong:
                return self._refuse(interface, item_id, wrong, malformed=False)
        names = "" if known is None else ", ".join(different(known.item, item))
        if self._records.take(interface, item, seq_id, self._now()) == "changed":
            return Verdict(item_id, f"item_id: {item_id} 已上传且内容不同 was sent before with other {names}")
        return Verdict(item_id)

    def _refuse(self, interface: Interface, item_id: str, wrong: list[str], *, malformed: bool) -> Verdict:
        reason = "; ".join(wrong)
        fields = ", ".join(fault.partition(":")[0] for fault in wrong)
        self._records.refuse(interface.kind, item_id, reason, f"{interface.kind} {fields}")
        return Verdict(item_id, reason, malformed)

    def _tell(self, path: str, said: str) -> None:
        if self._listener is not None:
            self._listener(f"{path} {said}")


def _id_of(interface: Interface, item: dict[str, object]) -> str:
    """The record's id as the sender wrote it, "" if it wrote none that is text."""
    item_id = item.get(interface.key)
    return item_id if isinstance(item_id, str) else ""


def _refused(code: int, message: str, seq_id: object = None) -> dict[str, object]:
    reply: dict[str, object] = {"result_code": code, "message": message}
    if isinstance(seq_id, str):  # 如果请求数据有，返回数据与请求数据须相同
        reply["seq_id"] = seq_id
    return reply
