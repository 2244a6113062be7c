"""Whatever comes over the wire: one HTTP answer or a close, never an exception, never an opened arm.

Every sample is fed whole, byte by byte, in random pieces, cut off and mutated.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.cameras.cut import closed
from drivers.cameras.reading import Damaged, decode_text
from edge.config.model import Listener
from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Picture
from hal_sim.cameras.rk_v5 import RkV5
from tests.camera_rig import JPEG, Answer, Rig, camera, parse_answers, play, post, quiet, vector, vz_push

DAHUA = "/NotificationInfo/TollgateInfo"
DAHUA_DEVICE = "/NotificationInfo/DeviceInfo"
XML = "Content-Type: text/xml"
VIID = "Content-Type: application/VIID+JSON"
GAT_BEAT, GAT_BEGIN = "/VIID/System/Keepalive", "/VIID/System/Register"
RK = RkV5("0123456789").plate_push(
    CameraEvent(1, "", "浙A12345", "blue", 1_715_075_283_000, Picture(JPEG, JPEG, 1280, 720, (1, 2, 3, 4))), 0
).body
"""No push of it is published: what its firmware source would write."""

# name: vendor, request, reads, pictures
SAMPLES: dict[str, tuple[str, bytes, int, int]] = {
    "vz r5": ("vz", post(vector("vz/push_AlarmInfoPlate_R5.json")), 1, 0),
    "vz r5 with picture": ("vz", post(vz_push(picture=JPEG)), 1, 1),
    "vz offline": ("vz", post(vector("vz/push_AlarmInfoPlate_offline_noplate.json")), 1, 0),
    "vz gio": ("vz", post(vector("vz/push_AlarmGioIn.json")), 0, 0),
    "vz serial": ("vz", post(vector("vz/push_SerialData.json")), 0, 0),
    "vz image": ("vz", post(vector("vz/push_TriggerImage.json")), 0, 0),
    "vz heartbeat": ("vz", vector("vz/push_heartbeat_multipart.http"), 0, 0),
    "boyue picture last": ("boyue", post(vz_push(picture=JPEG, picture_last=True)), 1, 1),
    "alphadigi gb2312": ("alphadigi", post(vz_push("gb18030", license="鲁B12345", picture=JPEG)), 1, 1),
    "qianyi": ("qianyi", post(vector("qianyi/push_AlarmInfoPlate.json")), 1, 0),
    "hik three parts": ("hikvision", vector("hikvision/post_multipart_three_parts.http"), 1, 1),
    "hik octet": ("hikvision", vector("hikvision/post_multipart_dash_boundary_octet.http"), 1, 1),
    "hik xml": ("hikvision", post(vector("hikvision/anpr_old_ver10_ns.xml"), "/anpr", XML), 1, 0),
    "hik other": ("hikvision", post(vector("hikvision/other_event_same_url_fielddetection.xml"), "/", XML), 0, 0),
    "dahua all fields": ("dahua", post(vector("dahua/itsapi_TollgateInfo_allfields.json"), DAHUA), 1, 1),
    "dahua minimal": ("dahua", post(vector("dahua/itsapi_TollgateInfo_minimal_published.json"), DAHUA), 1, 1),
    "dahua alive": ("dahua", post(vector("dahua/itsapi_KeepAlive_spec.json"), "/NotificationInfo/KeepAlive"), 0, 0),
    "huaxia": ("huaxia", post(vector("huaxia/mode5_online.form"), "/camera"), 1, 1),
    "huaxia beat": ("huaxia", post(vector("huaxia/mode5_heartbeat.form"), "/camera"), 0, 0),
    "gat1400": ("gat1400", post(vector("gat1400/POST_VIID_MotorVehicles.json"), "/VIID/MotorVehicles", VIID), 1, 0),
    "gat1400 beat": ("gat1400", post(vector("gat1400/POST_VIID_System_Keepalive.json"), GAT_BEAT, VIID), 0, 0),
    "gat1400 begin": ("gat1400", post(vector("gat1400/POST_VIID_System_Register.json"), GAT_BEGIN, VIID), 0, 0),
    "rk_v5": ("rk_v5", post(RK, "/cgi-bin/HTTP_Test1.cgi"), 1, 1),
    "rk_v5 beat": ("rk_v5", post(vector("rk_v5/keepalive.json"), "/cgi-bin/HTTP_Test1.cgi"), 0, 0),
    "dahua device": ("dahua", post(vector("dahua/itsapi_DeviceInfo_intelbras.json"), DAHUA_DEVICE), 0, 0),
}
OPENS = (b'"ok"', b'"OpenStrobe":true', b'"open"', b"gpio_data")


def fresh(vendor: str, **settings: Any) -> Rig:
    return Rig(camera(vendor, **settings), listener=Listener(port=0, body_limit_bytes=100_000))


def feed(vendor: str, request: bytes, sizes: list[int], **settings: Any) -> tuple[Rig, list[Answer]]:
    """What came of a request in pieces: with the sender gone afterwards, as after a cut."""
    rig = fresh(vendor, **settings)
    rig.sink.admits = not settings.get("relay_is_barrier", False)  # admitted, but not by its own relay
    answers: list[Answer] = []

    async def story() -> None:
        wire = rig.wire()
        wire.feed(request, sizes)
        await quiet()
        wire.hang_up()
        sent = re.sub(rb'"LocalTime":"\d{14}"', b'"LocalTime":"20261122134208"', bytes(wire.sent))  # the second it is
        answers.extend(parse_answers(sent))
        for word in OPENS:
            assert word not in wire.sent

    play(story)
    return rig, answers


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_read_the_same_however_they_are_cut(name: str) -> None:
    vendor, request, reads, pictures = SAMPLES[name]
    dice = random.Random(name)
    cuts = [[1] * len(request)] + [[dice.randint(1, 600) for _ in range(200)] for _ in range(20)]
    whole, (answer,) = feed(vendor, request, [])
    assert answer.status == 200
    assert (len(whole.sink.reads), len(whole.sink.pictures)) == (reads, pictures)
    for sizes in cuts:
        rig, answers = feed(vendor, request, sizes)
        assert answers == [answer]
        assert rig.sink.reads == whole.sink.reads
        assert rig.sink.pictures == whole.sink.pictures
        assert rig.sink.counts == whole.sink.counts


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_cut_off_anywhere_are_counted_or_silent(name: str) -> None:
    vendor, request, *_ = SAMPLES[name]
    whole, _ = feed(vendor, request, [])
    for end in range(0, len(request) - 1, 97):
        rig, answers = feed(vendor, request[:end], [end // 2])
        assert answers == []
        assert rig.sink.pictures == {}
        assert rig.sink.reads in ([], whole.sink.reads)
        assert rig.sink.counted("cut_off") == (1 if end else 0)
        assert rig.sink.counted("damaged_after_read") == len(rig.sink.reads)


@pytest.mark.parametrize("name", SAMPLES)
def test_bodies_cut_off_with_a_length_that_fits(name: str) -> None:
    """The camera itself sends less: the HTTP request is whole, its content is not."""
    vendor, request, *_ = SAMPLES[name]
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ")[1].decode()
    kind = [line.decode() for line in head.split(b"\r\n") if line.lower().startswith(b"content-type")]
    whole, _ = feed(vendor, request, [])
    plates = [read.plate_raw for read in whole.sink.reads]
    for end in range(0, len(body) - 1, 97):
        rig, (answer,) = feed(vendor, post(body[:end], path, *kind), [])
        assert answer.status in (200, 400)
        assert [read.plate_raw for read in rig.sink.reads] in ([], plates)
        assert answer.status == 200 or rig.sink.counted("damaged") == 1


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=6),
    sizes=st.lists(st.integers(1, 900), max_size=30),
)
def test_mutated_samples_never_open_and_always_end(
    name: str, edits: list[tuple[float, bytes, int]], sizes: list[int]
) -> None:
    vendor, request, *_ = SAMPLES[name]
    raw = bytearray(request)
    for place, insert, drop in edits:
        at = int(place * len(raw))
        raw[at : at + drop] = insert
    for relay in (False, True):
        _, answers = feed(vendor, bytes(raw), sizes, relay_is_barrier=relay)
        assert all(answer.status in range(200, 506) for answer in answers)


@settings(max_examples=200, deadline=None)
@given(
    vendor=st.sampled_from(["vz", "boyue", "qianyi", "alphadigi", "hikvision", "dahua", "huaxia", "rk_v5", "gat1400"]),
    body=st.binary(max_size=600),
    kind=st.sampled_from(["text/xml", "application/json", "multipart/form-data; boundary=a", "multipart/x", ""]),
)
def test_random_bodies_are_refused(vendor: str, body: bytes, kind: str) -> None:
    rig, (answer,) = feed(vendor, post(body, "/", f"Content-Type: {kind}"), [])
    assert answer.status in (200, 400)
    assert rig.sink.reads == []


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=600), sizes=st.lists(st.integers(1, 100), max_size=10))
def test_random_bytes_are_no_request(raw: bytes, sizes: list[int]) -> None:
    rig, answers = feed("vz", raw, sizes)
    assert all(answer.status >= 400 and answer.close for answer in answers)
    assert rig.sink.reads == []


def test_strangers_reach_nothing_with_any_sample() -> None:
    async def story() -> None:
        for vendor, request, *_ in SAMPLES.values():
            rig = fresh(vendor, relay_is_barrier=True)
            rig.sink.admits = True
            wire = rig.wire("198.51.100.7")
            wire.feed(request)
            assert [answer.status for answer in parse_answers(bytes(wire.sent))] == [403]
            assert (rig.sink.reads, rig.sink.alive, rig.sink.asked) == ([], [], [])

    play(story)


def test_samples_out_of_order_on_one_connection() -> None:
    async def story() -> None:
        requests = [request for vendor, request, *_ in SAMPLES.values() if vendor == "vz"]
        rig = fresh("vz")
        wire = rig.wire()
        order = [*reversed(requests), *requests]
        wire.feed(b"".join(request for request in order if request is not SAMPLES["vz heartbeat"][1]))
        answers = await wire.answers(12)
        assert [answer.status for answer in answers] == [200] * 12
        assert len(rig.sink.reads) == 2  # the R5 sample with and without picture is one event
        assert rig.sink.counted("repeat") == 4
        wire.hang_up()

    play(story)


@given(st.text(max_size=100))
def test_closing_leaves_a_whole_text_alone_and_grows_a_part(text: str) -> None:
    assert closed(text).startswith(text)
    assert closed('{"a":[1,{"b":"x\\"y"}]}') == '{"a":[1,{"b":"x\\"y"}]}'


@given(st.binary(max_size=100))
def test_any_bytes_are_text_or_damaged(raw: bytes) -> None:
    try:
        text = decode_text(raw)
    except Damaged:
        text = ""
    assert len(text) <= len(raw)
