"""A confidence or a colour that no table has: the car is read, the value is unknown, and somebody hears of it.

The answer stays 200: a camera that got 400 would push the same car for ever, and the car would stand.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.rk_v5 import RkV5
from tests.camera_rig import Rig, camera, play, post, quiet, vector, vz_push


def dahua() -> bytes:
    push = json.loads(vector("dahua/itsapi_TollgateInfo_minimal_published.json"))
    push["Picture"]["Plate"]["Confidence"] = 256
    return post(json.dumps(push).encode(), "/NotificationInfo/TollgateInfo")


def hikvision() -> bytes:
    xml = vector("hikvision/anpr_cn_colour_prefix.xml")
    assert b"<confidenceLevel>" in xml
    before, _, rest = xml.partition(b"<confidenceLevel>")
    body = before + b"<confidenceLevel>101</confidenceLevel>" + rest.partition(b"</confidenceLevel>")[2]
    return post(body, "/", "Content-Type: application/xml")


def rk_v5() -> bytes:
    push = RkV5("rk").plate_push(CameraEvent(1, "", "鲁B12345", "blue", 1_715_075_283_847, None), 0)
    body = push.early + push.late
    assert b'"confidence":' in body
    text = body.replace(b'"confidence":', b'"confidence":-7, "was":', 1)
    return post(text, push.path)


@pytest.mark.parametrize(
    ("vendor", "request_", "odd"),
    [
        ("vz", post(vz_push(confidence=101)), "confidence = 101, allowed are 0 to 100"),
        ("vz", post(vz_push(confidence=-3)), "confidence = -3, allowed are 0 to 100"),
        ("vz", post(vz_push(colorType=77, type=0)), "colorType = 77, allowed are 0 to 6"),
        ("boyue", post(vz_push(colorType=-2, type=0)), "colorType = -2, allowed are 0 to 6"),
        ("dahua", dahua(), "Confidence = 256, allowed are 0 to 255"),
        ("hikvision", hikvision(), "confidenceLevel = 101, allowed are 0 to 100"),
        ("rk_v5", rk_v5(), "confidence = -7, allowed are 0 to 100"),
    ],
)
def test_an_odd_value_is_counted_with_its_name_and_the_car_is_read_once(
    vendor: str, request_: bytes, odd: str
) -> None:
    async def story() -> None:
        rig = Rig(camera(vendor))
        for _ in range(2):
            assert (await rig.push(request_)).status == 200
        (read,) = rig.sink.reads
        told: list[Any] = [line for line in rig.sink.counts if "odd_value" in line]
        assert len(told) == 1  # the second push is a repeat
        assert odd in told[0]
        assert read.confidence_pct == -1 or "colorType" in odd
        assert read.colour == "unknown" or "onfidence" in odd
        await quiet()

    play(story)


def test_a_value_that_is_not_there_is_not_odd() -> None:
    async def story() -> None:
        push = json.loads(vz_push())
        for name in ("confidence", "colorType"):
            del push["AlarmInfoPlate"]["result"]["PlateResult"][name]
        rig = Rig(camera())
        assert (await rig.push(post(json.dumps(push).encode()))).status == 200
        assert (rig.sink.reads[0].confidence_pct, rig.sink.counts) == (-1, [])
        await quiet()

    play(story)
