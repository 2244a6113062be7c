"""One bucket without its sockets: a request in, an answer out, every object kept.

Order of judgement as OSS does it: bucket, signature, body; then what the city demands (`rules`), which real OSS
would not look at: a picture that breaks a rule is answered `InvalidPicture`, so that no mistake stays unseen.
"""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from hal_sim.oss.rules import place_of, wrong_headers, wrong_picture, wrong_place
from hal_sim.oss.signature import Keys, Refused, Signed, check
from hal_sim.qingdao.weather import Kind, Weather

WEATHER: tuple[Kind, ...] = ("refuse", "hang", "http_500", "cut_off", "drop_answer", "slow_drip", "garbage")
"""The kinds of bad weather that a storage has."""

Cut = Literal["none", "half", "all", "drip"]
REFUSALS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """What the city hands out and demands."""

    project: str
    bucket: str = "park-pictures"
    region: str = "cn-qingdao"
    acl: str = "public-read-write"
    signatures: tuple[str, ...] = ("v4", "v1")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: Cut = "none"


@dataclass(slots=True)
class Stored:
    """One object as it is now, and how often it was put."""

    data: bytes
    acl: str
    puts: int = 1
    changed: int = 0


@dataclass(frozen=True, slots=True)
class OssSummary:
    pictures: int
    repeats: int
    changed: int
    """Pictures that came again with other bytes: none may."""
    refused: tuple[str, ...]
    """What was wrong with each refused picture; weather not counted."""
    requests: int
    weather: Mapping[str, int]
    internal_errors: tuple[str, ...]


class OssBucket:
    """Safe for every thread."""

    def __init__(
        self,
        rules: Rules,
        keys: Keys,
        *,
        seed: int = 0,
        now: Callable[[], float] = time.time,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        self.rules, self.keys = rules, keys
        self.weather = Weather(random.Random(f"oss {seed}"))
        self._now, self._listener = now, listener
        self._lock = threading.Lock()
        self._objects: dict[str, Stored] = {}
        self._refused: list[str] = []
        self._internal: list[str] = []
        self._requests = 0

    def objects(self) -> dict[str, bytes]:
        """All pictures by their key, in the order in which they came first."""
        with self._lock:
            return {key: stored.data for key, stored in self._objects.items()}

    def summary(self) -> OssSummary:
        weather = self.weather.struck()
        with self._lock:
            return OssSummary(
                pictures=len(self._objects),
                repeats=sum(one.puts - 1 for one in self._objects.values()),
                changed=sum(one.changed for one in self._objects.values()),
                refused=tuple(self._refused),
                requests=self._requests,
                weather=weather,
                internal_errors=tuple(self._internal),
            )

    def broke(self, error: BaseException) -> None:
        """A mistake of the simulator itself: the summary shows it."""
        with self._lock:
            self._internal.append(repr(error))

    def handle(self, method: str, target: str, headers: Mapping[str, str], data: bytes, weather: Kind | None) -> Answer:
        """One request; header names in lower case. `weather`: drawn by the server, which does `hang` itself."""
        with self._lock:
            self._requests += 1
            number = self._requests
        try:
            if weather == "http_500":
                raise Refused(500, "InternalError", "We encountered an internal error. Please try again.")
            bucket, key, query = self._address(target, headers.get("host", ""))
            if method == "GET":
                if "authorization" in headers:
                    self._signed(Signed(method, bucket, key, query, headers))
                answer = self._get(bucket, key)
            elif method != "PUT":
                raise Refused(405, "MethodNotAllowed", f"{method} is not allowed against this resource.")
            else:
                answer = self._put(Signed(method, bucket, key, query, headers), data, weather)
        except Refused as refused:
            answer = _error(refused, number)
        self._tell(f"{method} {unquote(target)} {answer.status}" + (f" (天气 weather {weather})" if weather else ""))
        answer = Answer(answer.status, answer.body, {**answer.headers, "x-oss-request-id": f"{number:024X}"})
        match weather:
            case "cut_off":
                return Answer(answer.status, b"<" * 100, answer.headers, "half")
            case "drop_answer":
                return Answer(answer.status, cut="all")
            case "slow_drip":
                return Answer(answer.status, answer.body, answer.headers, "drip")
            case "garbage":
                return Answer(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
        return answer

    def _address(self, target: str, host: str) -> tuple[str, str, list[tuple[str, str]]]:
        """Bucket and key, whether the bucket stands in the path or in the host name."""
        path, _, query = target.partition("?")
        key = unquote(path).lstrip("/")
        name = host.partition(":")[0]
        bucket = self.rules.bucket
        if name.startswith(bucket + "."):
            return bucket, key, parse_qsl(query, keep_blank_values=True)
        bucket, _, key = key.partition("/")
        return bucket, key, parse_qsl(query, keep_blank_values=True)

    def _get(self, bucket: str, key: str) -> Answer:
        """Anybody reads what is public."""
        with self._lock:
            stored = self._objects.get(key) if bucket == self.rules.bucket else None
        if stored is None:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        if not stored.acl.startswith("public-read"):
            raise Refused(403, "AccessDenied", "You have no right to access this object because of bucket acl.")
        return Answer(200, stored.data, {"Content-Type": "image/jpeg"})

    def _signed(self, request: Signed) -> None:
        """Who shows keys is judged by them, also where none are needed."""
        rules = self.rules
        if request.bucket != rules.bucket:
            raise Refused(404, "NoSuchBucket", f"The specified bucket does not exist: {request.bucket}")
        check(request, self.keys, rules.region, rules.signatures, self._now())

    def _put(self, request: Signed, data: bytes, weather: Kind | None) -> Answer:
        rules, headers = self.rules, request.headers
        try:
            self._signed(request)
        except Refused as refused:
            if refused.code != "NoSuchBucket":
                self._refuse(f"{request.key}: {refused}")
            raise
        digest = hashlib.md5(data, usedforsecurity=False)
        if "content-md5" in headers and headers["content-md5"] != base64.b64encode(digest.digest()).decode():
            raise Refused(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        if weather == "refuse":
            raise Refused(503, "ServiceUnavailable", "Please reduce your request rate. 天气 weather")
        wrong = [
            *wrong_place(request.key, rules.project),
            *wrong_headers(headers, rules.acl),
            *wrong_picture(data, place_of(request.key)),
        ]
        if wrong:
            self._refuse(f"{request.key}: {'; '.join(wrong)}")
            raise Refused(400, "InvalidPicture", "; ".join(wrong))
        with self._lock:
            stored = self._objects.get(request.key)
            if stored is None:
                self._objects[request.key] = Stored(data, headers.get("x-oss-object-acl", "default"))
            else:
                stored.puts += 1
                stored.changed += stored.data != data
                stored.data = data
        return Answer(200, headers={"ETag": f'"{digest.hexdigest().upper()}"'})

    def _refuse(self, text: str) -> None:
        with self._lock:
            if len(self._refused) < REFUSALS_KEPT:
                self._refused.append(text)

    def _tell(self, line: str) -> None:
        if self._listener is not None:
            self._listener(line)


def _error(refused: Refused, number: int) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error>'
        f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        f"<RequestId>{number:024X}</RequestId></Error>"
    )
    return Answer(refused.status, body.encode(), {"Content-Type": "application/xml"})
