"""What the agent and its upload child say to each other, and what each outcome means for the picture. Pure.

    stored   OSS has it: the upload ends
    retry    OSS may or may not have it, or says so itself (5xx): again after `retry_s`, `retries` times (B.2, QC27)
    refused  OSS will never take this picture (4xx about the object): set aside at once
    gone     the file is not there any more
    link     our keys, clock, bucket or network are wrong: every picture would fare alike, so none is counted or blamed

`rests` says that the link must pause before the next picture. A repeat writes the same key, so it is always harmless.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Look(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Read an object that nobody has, to see whether bucket, keys and clock are right. Keys stay in their files."""

    key: str
    endpoint: str
    region: str
    bucket: str
    signature: str
    address: str
    key_id_file: str
    key_secret_file: str
    token_file: str
    ca_file: str
    timeout_s: float


class Put(Look, frozen=True, kw_only=True, tag=True):
    """One picture and how to reach the bucket."""

    path: str
    acl: str  # "default": the bucket's own


class Outcome(msgspec.Struct, frozen=True):
    """What happened, in the child's words. `status` and `code` are OSS's own when `result` is "answered"."""

    result: Literal["stored", "gone", "unreadable", "no_keys", "untrusted", "unreachable", "lost", "answered"]
    detail: str = ""
    status: int = 0
    code: str = ""
    etag: str = ""


Meaning = Literal["stored", "retry", "refused", "gone", "link"]


class Judged(msgspec.Struct, frozen=True):
    """`zh` and `en` are for people, `answer` is what the queue keeps. `ours`: keys or bucket, and not the network."""

    meaning: Meaning
    zh: str
    en: str
    rests: bool = False
    ours: bool = False

    @property
    def answer(self) -> str:
        return f"{self.zh} / {self.en}"


# Codes of OSS with status 4xx that pass by themselves: the bytes came late or damaged.
PASSING = frozenset({"RequestTimeout", "InvalidDigest", "BadDigest", "IncompleteBody"})

# Codes with status 400 or 404 that are about the account and not about the picture.
ACCOUNT = frozenset({
    "NoSuchBucket", "InvalidBucketName", "InvalidSecurityToken", "InvalidAccessKeyId", "SecurityTokenExpired",
    "SignatureDoesNotMatch", "UserDisable", "BucketDisabled", "InvalidAuthorization",
})  # fmt: skip


def judge(outcome: Outcome) -> Judged:
    said = outcome.detail
    match outcome.result:
        case "stored":
            return Judged("stored", "OSS 已接收", "stored")
        case "gone":
            return Judged("gone", "图片文件已不在", "the picture file is gone")
        case "unreadable":
            return Judged("link", f"图片文件读不出: {said}", f"the picture file cannot be read: {said}", True, True)
        case "no_keys":
            return Judged("link", f"密钥文件读不出: {said}", f"the key files cannot be read: {said}", True, True)
        case "untrusted":
            zh = f"OSS 的 TLS 证书不被认可: {said}; 核对 ca_file、endpoint 和盒子时钟"
            en = f"the TLS certificate of OSS is not believed: {said}; compare ca_file, endpoint and the clock"
            return Judged("link", zh, en, True, True)
        case "unreachable":
            return Judged("link", f"连接不上 OSS: {said}", f"OSS not reachable: {said}", True)
        case "lost":
            return Judged("retry", f"没有应答: {said}", f"no answer: {said}", True)
    return _answered(outcome)


def _answered(outcome: Outcome) -> Judged:
    status, code = outcome.status, outcome.code
    words = f"HTTP {status} {code}: {outcome.detail}"
    if status >= 500:
        return Judged("retry", f"OSS 内部错误 {words}", f"OSS failed, {words}", True)
    if not code:  # a login page of the network or a proxy: OSS names every error of its own
        return Judged("link", f"应答不是 OSS 的 {words}", f"not OSS that answers, {words}", True)
    if code in PASSING:
        return Judged("retry", f"传输有误 {words}", f"damaged on the way, {words}", True)
    if status in (301, 307, 401, 403) or code in ACCOUNT or "authorization" in (code + outcome.detail).lower():
        return Judged("link", f"OSS 拒绝本机 {words}", f"OSS refuses this box, {words}", True, True)
    return Judged("refused", f"OSS 拒绝图片 {words}", f"OSS refuses the picture, {words}")
