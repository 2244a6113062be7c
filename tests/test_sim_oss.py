"""The simulated storage judges rightly: Alibaba's published signatures, and every rule that the city prints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from hal_sim.oss import OssBucket, Rules
from hal_sim.oss.jpeg import NoJpegError, read_head
from hal_sim.oss.rules import place_of, wrong_headers, wrong_picture, wrong_place
from hal_sim.oss.signature import (
    Keys,
    Refused,
    Signed,
    check,
    v1_signature,
    v1_text,
    v4_key,
    v4_request,
    v4_signature,
    v4_text,
)
from tests.evidence_tools import jpeg, scene
from tests.oss_tools import DAY, KEYS, PASSED_MS, PROJECT, key, picture

VECTORS = Path(__file__).parent / "vectors" / "evidence"

# --- the examples that Alibaba prints -----------------------------------------------------------------------------

# "Include a V1 signature in the header", section "Example": its request, keys and result.
V1 = Signed(
    "PUT", "oss-example", "nelson", (),
    {
        "content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
        "content-type": "text/html",
        "date": "Thu, 17 Nov 2005 18:49:58 GMT",
        "host": "oss-example.oss-cn-hangzhou.aliyuncs.com",
        "x-oss-meta-author": "foo@bar.com",
        "x-oss-magic": "abracadabra",
        "authorization": "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=",
    },
)  # fmt: skip
V1_KEYS = Keys("44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV")
V1_NOW_S = datetime(2005, 11, 17, 18, 49, 58, tzinfo=UTC).timestamp()

# "Include a V4 signature in the Authorization header", section "Signature calculation example".
V4 = Signed(
    "PUT", "examplebucket", "exampleobject", (),
    {
        "content-disposition": "attachment",
        "content-length": "3",
        "content-md5": "ICy5YqxZB1uWSwcVLSNLcA==",
        "content-type": "text/plain",
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-date": "20250411T064124Z",
    },
)  # fmt: skip
V4_SIGNING_KEY = "3543b7686e65eda71e5e5ca19d548d78423c37e8ddba4dc9d83f90228b457c76"


def test_the_published_v1_example_is_signed_as_printed_and_taken() -> None:
    assert v1_text(V1).split("\n")[-3:] == ["x-oss-magic:abracadabra", "x-oss-meta-author:foo@bar.com",
                                            "/oss-example/nelson"]  # fmt: skip
    assert v1_signature(V1_KEYS.secret, v1_text(V1)) == "26NBxoKdsyly4EDv6inkoDft/yA="
    check(V1, V1_KEYS, "cn-hangzhou", ("v1",), V1_NOW_S)


def test_the_published_v4_example_gives_each_printed_step() -> None:
    canonical = v4_request(V4, ["content-length", "content-disposition"])
    assert hashlib.sha256(canonical.encode()).hexdigest() == (
        "c46d96390bdbc2d739ac9363293ae9d710b14e48081fcb22cd8ad54b63136eca"
    )
    text = v4_text("20250411T064124Z", "20250411/cn-hangzhou/oss/aliyun_v4_request", canonical)
    signature = v4_signature(bytes.fromhex(V4_SIGNING_KEY), text)  # its secret is not printed, the key is
    assert signature == "053edbf550ebd239b32a9cdfd93b0b2b3f2d223083aa61f75e9ac16856d61f23"


def signed_v4(day: str = "20250411", region: str = "cn-hangzhou", secret: str = "s", **more: str) -> Signed:
    headers = {**V4.headers, **more}
    bare = Signed("PUT", V4.bucket, V4.key, (), headers)
    text = v4_text(headers["x-oss-date"], f"{day}/{region}/oss/aliyun_v4_request", v4_request(bare, []))
    written = f"OSS4-HMAC-SHA256 Credential=id/{day}/{region}/oss/aliyun_v4_request,Signature="
    headers["authorization"] = written + v4_signature(v4_key(secret, day, region), text)
    return Signed("PUT", V4.bucket, V4.key, (), headers)


V4_NOW_S = datetime(2025, 4, 11, 6, 41, 24, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("request_", "now_s", "code"),
    [
        (signed_v4(), V4_NOW_S + 899, ""),
        (signed_v4(), V4_NOW_S + 901, "RequestTimeTooSkewed"),
        (signed_v4(), V4_NOW_S - 901, "RequestTimeTooSkewed"),
        (signed_v4(secret="other"), V4_NOW_S, "SignatureDoesNotMatch"),
        (signed_v4(region="cn-beijing"), V4_NOW_S, "InvalidArgument"),
        (signed_v4(day="20250410"), V4_NOW_S, "InvalidArgument"),
        (signed_v4(**{"x-oss-security-token": "t"}), V4_NOW_S, "InvalidSecurityToken"),
        (signed_v4(**{"x-oss-date": "yesterday"}), V4_NOW_S, "AccessDenied"),
        (V4, V4_NOW_S, "AccessDenied"),
        (V1, V4_NOW_S, "AccessDenied"),
        (Signed("GET", V4.bucket, V4.key, (), signed_v4().headers), V4_NOW_S, "SignatureDoesNotMatch"),
        (Signed("PUT", V4.bucket, "another", (), signed_v4().headers), V4_NOW_S, "SignatureDoesNotMatch"),
        (Signed("PUT", V4.bucket, V4.key, (("acl", ""),), signed_v4().headers), V4_NOW_S, "SignatureDoesNotMatch"),
        (Signed("PUT", V4.bucket, V4.key, (), {**signed_v4().headers, "x-oss-object-acl": "private"}), V4_NOW_S,
         "SignatureDoesNotMatch"),
    ],
)  # fmt: skip
def test_a_signature_that_is_not_right_is_refused_as_oss_does(request_: Signed, now_s: float, code: str) -> None:
    said = ""
    try:
        check(request_, Keys("id", "s"), "cn-hangzhou", ("v4",), now_s)
    except Refused as refused:
        said = refused.code
    assert said == code


# --- pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progressive", [False, True])
def test_the_head_of_a_jpeg_agrees_with_a_decoder(progressive: bool) -> None:
    head = read_head(jpeg(scene(333, 217), progressive=progressive))
    assert (head.width, head.height, head.bits) == (333, 217, 24)


def test_the_head_of_other_peoples_jpegs() -> None:
    assert read_head((VECTORS / "cmyk.jpg").read_bytes()).bits == 32
    assert read_head((VECTORS / "turned.jpg").read_bytes()).bits == 24


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"\x89PNG" + data,
        lambda data: data[:-2],
        lambda data: data[:20] + b"\xff\xd9",
        lambda data: data[:2] + b"\x00" + data[2:],
        lambda data: data[:4] + b"\xff\xff" + data[6:],
    ],
)
def test_what_is_no_jpeg_is_said(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(NoJpegError):
        read_head(spoil(jpeg(scene(64, 64))))


def grey() -> bytes:
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(scene(1280, 720), cv2.COLOR_BGR2GRAY))
    assert ok
    return data.tobytes()


def changed_pixel() -> bytes:
    data = bytearray(picture())
    data[-300] ^= 0x10
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (picture(), ""),
        (picture(2), "另 another passage or day"[2:]),
        (picture(direction="out"), "another passage or day"),
        (picture(passed_ms=PASSED_MS + 11 * 3_600_000), "another passage or day"),  # after midnight in Beijing
        (picture(base=jpeg(scene(1279, 720), 75)), "1279x720"),
        (picture(base=jpeg(scene(1280, 719), 75)), "1280x719"),
        (picture(base=grey()), "颜色 8 位"),
        (picture(base=jpeg(scene(1280, 720, noise=0, light=0.01), 10)), "大小 size"),
        (picture(base=jpeg(scene(1920, 1080, noise=25), 95)), "大小 size"),
        (jpeg(scene(1280, 720), 70), "seals: 0"),
        (changed_pixel(), "not the one that was sealed"),
        (picture().replace("鲁A12345".encode(), "鲁A54321".encode()), "not genuine"),
    ],
)
def test_every_rule_of_a_picture(data: bytes, says: str) -> None:
    wrong = wrong_picture(data, place_of(key()))
    assert says in "; ".join(wrong)
    assert bool(wrong) == bool(says)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        (key(), True),
        (key(folder="NISSP_IMG_PARK_OUT"), True),
        ("0000003109/NISSP_IMG_PARK_IN/20171118/66E6318F11C06ACC338B63647FC35111", False),  # another project
        (key(folder="NISSP_IMG_PARK_CAR"), False),
        (key(day="20261131"), False),
        (key(day="2026-11-22"), False),
        (key() + ".jpg", False),
        (f"/{key()}", False),
        (f"{PROJECT}/{DAY}/NISSP_IMG_PARK_IN/{1:032x}", False),
    ],
)
def test_every_rule_of_a_path(path: str, right: bool) -> None:
    assert (wrong_place(path, PROJECT) == []) is right


def test_type_and_access_must_be_named() -> None:
    right = {"content-type": "image/jpeg", "x-oss-object-acl": "public-read-write"}
    assert wrong_headers(right, "public-read-write") == []
    assert len(wrong_headers({}, "public-read-write")) == 2
    assert len(wrong_headers({**right, "x-oss-object-acl": "private"}, "public-read-write")) == 1
    assert len(wrong_headers({**right, "content-type": "application/octet-stream"}, "public-read-write")) == 1


def test_an_unsigned_put_and_another_bucket_are_refused() -> None:
    oss = OssBucket(Rules(PROJECT), KEYS)
    assert b"AccessDenied" in oss.handle("PUT", f"/park-pictures/{key()}", {}, picture(), None).body
    assert b"NoSuchBucket" in oss.handle("PUT", f"/other/{key()}", {}, picture(), None).body
    assert b"MethodNotAllowed" in oss.handle("DELETE", f"/park-pictures/{key()}", {}, b"", None).body
    assert b"NoSuchKey" in oss.handle("GET", f"/park-pictures/{key()}", {}, b"", None).body
    assert oss.objects() == {}
