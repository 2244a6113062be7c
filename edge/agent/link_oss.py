"""The picture storage tried step by step: address, name, TCP, TLS, and one signed read of an object that nobody has.

"There is no such object" is the answer hoped for: OSS looks at bucket, keys, clock and signature before it looks for
the object. Nothing is written: the standard's pictures may never be replaced (B.1 picture rule 11).
"""

from __future__ import annotations

import uuid
from ipaddress import ip_address
from urllib.parse import urlsplit

from edge.agent.link_place import place_of, plain_noted, trusted
from edge.agent.link_steps import STEP_S, Failed, Halt, StepName, Words, run
from edge.config.model import Oss
from edge.evidence.child import ChildDiedError, ChildUnusableError
from edge.evidence.upload_jobs import Look, Outcome, judge
from edge.evidence.uploads import UploadChild
from edge.web.api import ActionResult

WORDS: dict[StepName, Words] = {"call": ("签名试读", "one signed harmless read")}
ADVICE: dict[StepName, Words] = {
    "address": ("核对 [city.qingdao.oss] 的 endpoint", "compare endpoint in [city.qingdao.oss]"),
    "name": (
        "检查网线/4G 和 DNS 设置; 核对 endpoint、bucket 和 address",
        "check cable, 4G and DNS; compare endpoint, bucket and address",
    ),
    "tcp": ("检查防火墙; 核对 endpoint 的端口", "check the firewall; compare the endpoint's port"),
    "tls": (
        "校对盒子时钟; endpoint 须与存储的证书一致 (address 选错也会如此)",
        "set the clock; the endpoint must be the certificate's (a wrong address key looks like this too)",
    ),
    "call": (
        "核对 bucket、region、signature 和密钥文件; 校对盒子时钟 (相差超过 15 分钟会被拒)",
        "compare bucket, region, signature and the key files; set the clock (OSS refuses 15 minutes off)",
    ),
}


def check_oss(settings: Oss, project: str, halt: Halt) -> ActionResult:
    """`project`: the folder of the pictures' keys."""
    place = place_of(settings.endpoint, lambda: trusted(settings.ca_file), host_of(settings))
    child = UploadChild()
    halt.by(child.abort)

    def call() -> Words:
        return _told(_ask(child, settings, f"{project}/parkbox-link-check/{uuid.uuid4().hex}"))

    try:
        return plain_noted(run([*place.steps(), ("call", call)], halt, WORDS, ADVICE), settings.endpoint)
    finally:
        child.end()


def host_of(settings: Oss) -> str:
    """The host that is really asked: with the bucket before it, unless the config says otherwise or it is an IP."""
    host = urlsplit(settings.endpoint).hostname or ""
    if settings.address != "virtual":
        return host
    try:
        ip_address(host)
    except ValueError:
        return f"{settings.bucket}.{host}"
    return host


def _ask(child: UploadChild, settings: Oss, key: str) -> Outcome:
    job = Look(
        key=key,
        endpoint=settings.endpoint,
        region=settings.region,
        bucket=settings.bucket,
        signature=settings.signature,
        address=settings.address,
        key_id_file=settings.key_id_file,
        key_secret_file=settings.key_secret_file,
        token_file=settings.token_file,
        ca_file=settings.ca_file,
        timeout_s=STEP_S,
    )
    try:
        return child.put(job)
    except (ChildDiedError, ChildUnusableError) as error:
        raise Failed(f"上传进程没有应答: {error}", f"the upload process does not answer: {error}") from error


def _told(outcome: Outcome) -> Words:
    """Raises `Failed`."""
    if (outcome.status, outcome.code) == (404, "NoSuchKey"):
        return "存储空间、密钥和签名均被认可", "bucket, keys and signature are accepted"
    if (outcome.status, outcome.code) == (403, "AccessDenied"):  # keys and signature are looked at before it
        return (
            "密钥和签名被认可, 但无读取权限; 能否上传要看第一张图片",
            "keys and signature are accepted, reading is not allowed: whether it may write shows the first picture",
        )
    if outcome.result == "stored":
        raise Failed("应答不是 OSS 的", "not OSS that answers")
    judged = judge(outcome)
    raise Failed(judged.zh, judged.en)
