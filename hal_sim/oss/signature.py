"""Whether a request is signed by the holder of the keys: OSS signatures V1 and V4 in the Authorization header.

From Alibaba's documents "Include a V1 signature in the header" and "Include a V4 signature in the Authorization
header": what is signed, and that a request more than 15 minutes off is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

SKEW_MAX_S = 15 * 60

_V1 = re.compile(r"OSS ([^:\s]+):(\S+)")
_V4 = re.compile(
    r"OSS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/([^/,\s]+)"
    r"(?:,\s*AdditionalHeaders=([^,\s]*))?,\s*Signature=([0-9a-f]{64})"
)


class Refused(Exception):
    """The error that OSS answers: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Keys:
    """What the city hands out: AccessKey ID and secret, and the token of STS keys ("" = none)."""

    key_id: str
    secret: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request is signed. Header names in lower case."""

    method: str
    bucket: str
    key: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


def check(request: Signed, keys: Keys, region: str, versions: Sequence[str], now_s: float) -> None:
    """Raises `Refused` unless the request is signed rightly, now, by one of `versions` (v1, v4)."""
    written = request.headers.get("authorization", "")
    if not written:
        raise Refused(403, "AccessDenied", "Anonymous access is forbidden for this operation.")
    if (found := _V1.fullmatch(written)) is not None:
        version, key_id, signature = "v1", found[1], found[2]
    elif (found := _V4.fullmatch(written)) is not None:
        version, key_id, signature = "v4", found[1], found[7]
    else:
        raise Refused(400, "InvalidArgument", f"Authorization header is invalid: {written[:40]}")
    if version not in versions:
        raise Refused(403, "AccessDenied", f"signature {version} is not taken here, only {', '.join(versions)}")
    if key_id != keys.key_id:
        raise Refused(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
    if request.headers.get("x-oss-security-token", "") != keys.token:
        raise Refused(403, "InvalidSecurityToken", "The security token you provided is invalid.")
    if version == "v1":
        _in_time(_http_date(request.headers.get("x-oss-date") or request.headers.get("date", "")), now_s)
        right = v1_signature(keys.secret, v1_text(request))
    else:
        moment = request.headers.get("x-oss-date", "")
        _in_time(_iso_date(moment), now_s)
        day, asked_region, product, kind = found[2], found[3], found[4], found[5]
        if (day, product, kind) != (moment[:8], "oss", "aliyun_v4_request"):
            raise Refused(400, "InvalidArgument", "Invalid credential scope in Authorization header.")
        if asked_region != region:
            raise Refused(400, "InvalidArgument", f"Invalid signing region in Authorization header, needed {region}.")
        additional = (found[6] or "").split(";") if found[6] else []
        text = v4_text(moment, f"{day}/{region}/oss/aliyun_v4_request", v4_request(request, additional))
        right = v4_signature(v4_key(keys.secret, day, region), text)
    if not hmac.compare_digest(right, signature):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


# --- V1 ----------------------------------------------------------------------------------------------------------


def v1_text(request: Signed) -> str:
    headers = request.headers
    ours = sorted((name, value.strip()) for name, value in headers.items() if name.startswith("x-oss-"))
    return "\n".join(
        [
            request.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            headers.get("x-oss-date") or headers.get("date", ""),
            "".join(f"{name}:{value}\n" for name, value in ours) + f"/{request.bucket}/{request.key}",
        ]
    )


def v1_signature(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


# --- V4 ----------------------------------------------------------------------------------------------------------


def v4_request(request: Signed, additional: Sequence[str]) -> str:
    """The canonical request."""
    extra = sorted(name.lower() for name in additional)
    taken = {
        name: value.strip()
        for name, value in request.headers.items()
        if name.startswith("x-oss-") or name in ("content-type", "content-md5") or name in extra
    }
    payload = request.headers.get("x-oss-content-sha256", "")
    if payload != "UNSIGNED-PAYLOAD":
        raise Refused(400, "InvalidArgument", f"x-oss-content-sha256 {payload!r}: only UNSIGNED-PAYLOAD is known")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query)
    return "\n".join(
        [
            request.method,
            quote(f"/{request.bucket}/{request.key}", safe="/-_.~"),
            "&".join(f"{name}={value}" if value else name for name, value in pairs),
            "".join(f"{name}:{taken[name]}\n" for name in sorted(taken)),
            ";".join(extra),
            payload,
        ]
    )


def v4_text(moment: str, scope: str, canonical: str) -> str:
    """The string to sign."""
    return "\n".join(["OSS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])


def v4_key(secret: str, day: str, region: str) -> bytes:
    key = ("aliyun_v4" + secret).encode()
    for part in (day, region, "oss", "aliyun_v4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def v4_signature(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


# --- time --------------------------------------------------------------------------------------------------------


def _in_time(moment: datetime | None, now_s: float) -> None:
    if moment is None:
        raise Refused(403, "AccessDenied", "OSS authentication requires a valid Date.")
    if abs(moment.timestamp() - now_s) > SKEW_MAX_S:
        raise Refused(403, "RequestTimeTooSkewed", "The request time and the current time differ too much.")


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _iso_date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
