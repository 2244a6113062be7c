"""The simulated cameras' payloads against the published samples, and a camera's manners on the network."""

from __future__ import annotations

import base64
import json
import queue
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hal_sim.cameras.dahua import Dahua
from hal_sim.cameras.event import CameraEvent, Push
from hal_sim.cameras.hikvision import Hikvision
from hal_sim.cameras.pictures import SCENES, Painter
from hal_sim.cameras.sender import CameraSpec, SimCamera, vendor_of
from hal_sim.cameras.vz import RESENDS_BEFORE_OFFLINE, Vz
from tests.camera_shape import shape

VECTORS = Path(__file__).parent / "vectors" / "cameras"
WITHIN_S = 10.0
AT_MS = 1_715_075_283_847  # 2024-05-07 17:48:03.847 in China, the samples' time


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(1)


def event(
    painter: Painter | None, number: int = 1, plate: str = "浙AX2P12", colour: str = "blue"
) -> CameraEvent:
    picture = painter.paint(plate, colour, number) if painter is not None else None
    return CameraEvent(number, "a0fe72d4-3652-464a-aebd-3f9190010236", plate, colour, AT_MS, picture)


# --- VZ ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
def test_vz_push_has_the_members_and_types_of_the_r5_sample(painter: Painter, number: int) -> None:
    sample = json.loads((VECTORS / "vz" / "push_AlarmInfoPlate_R5.json").read_text(encoding="utf-8"))
    ours = json.loads(Vz("fe71e106-57263272").plate_push(event(painter, number), 0).body)
    assert shape(ours) == shape(sample)
    assert ours["AlarmInfoPlate"]["serialno"] == "fe71e106-57263272"


def test_vz_both_orders_of_members_occur_and_plate_first_needs_no_picture(painter: Painter) -> None:
    plate_first = Vz("s").plate_push(event(painter, 2), 0)
    assert "浙AX2P12".encode() in plate_first.early
    assert b'"serialno"' in plate_first.early
    assert len(plate_first.early) < 2000
    assert len(plate_first.late) > 50_000
    picture_first = Vz("s").plate_push(event(painter, 1), 0)
    assert picture_first.late == b""
    assert picture_first.body.index(b'"imageFile"') < picture_first.body.index(b'"license"')


def test_vz_times_and_lengths_are_of_the_event(painter: Painter) -> None:
    result = json.loads(Vz("s").plate_push(event(painter), 0).body)["AlarmInfoPlate"]["result"]["PlateResult"]
    jpeg = base64.b64decode(result["imageFile"], validate=True)
    assert len(jpeg) == result["imageFileLen"]
    assert jpeg[:2] + jpeg[-2:] == b"\xff\xd8\xff\xd9"
    at = result["timeStamp"]["Timeval"]
    assert (at["sec"], at["usec"]) == (1_715_075_283, 847_000)
    assert (at["dechour"], at["decmin"], at["decsec"]) == (17, 48, 3)


def test_vz_no_plate_is_spelled_as_the_published_record_spells_it(painter: Painter) -> None:
    sample = json.loads(
        (VECTORS / "vz" / "push_AlarmInfoPlate_offline_noplate.json").read_text(encoding="utf-8")
    )
    ours = json.loads(Vz("s").plate_push(event(painter, plate=""), 0).body)
    results = [body["AlarmInfoPlate"]["result"]["PlateResult"] for body in (ours, sample)]
    assert results[0]["license"] == results[1]["license"]


def test_vz_a_record_that_could_not_be_delivered_becomes_an_offline_one() -> None:
    def offline(attempt: int) -> int:
        body = json.loads(Vz("s").plate_push(event(None), attempt).body)
        return int(body["AlarmInfoPlate"]["result"]["PlateResult"]["isoffline"])

    assert [offline(0), offline(RESENDS_BEFORE_OFFLINE), offline(RESENDS_BEFORE_OFFLINE + 1)] == [0, 0, 1]


def test_vz_heartbeat_is_the_published_one_but_for_the_names() -> None:
    sample = (VECTORS / "vz" / "push_heartbeat_multipart.http").read_bytes()
    body = sample.partition(b"\r\n\r\n")[2]
    ours = Vz("d85b1269-8f942256", ip="192.168.109.40").heartbeat(AT_MS)
    assert ours.body.strip() == body.strip()
    assert ours.content_type.encode() in sample


# --- Dahua ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
def test_dahua_push_has_the_members_and_types_of_the_sample(painter: Painter, number: int) -> None:
    sample = json.loads(
        (VECTORS / "dahua" / "itsapi_TollgateInfo_allfields.json").read_text(encoding="utf-8")
    )
    push = Dahua("1c11c9c4-8dbc-4391-0dd7-56764ba18dbc").plate_push(event(painter, number), 0)
    assert shape(json.loads(push.body)) == shape(sample)
    assert push.path == "/NotificationInfo/TollgateInfo"


def test_dahua_no_plate_and_exact_time(painter: Painter) -> None:
    picture = json.loads(Dahua("id").plate_push(event(painter, plate=""), 0).body)["Picture"]
    assert (picture["Plate"]["IsExist"], picture["Plate"]["PlateNumber"]) == (False, "")
    assert picture["SnapInfo"]["AccurateTime"] == "2024-05-07 17:48:03.847"


def test_dahua_keepalive_is_the_specs() -> None:
    sample = json.loads((VECTORS / "dahua" / "itsapi_KeepAlive_spec.json").read_text(encoding="utf-8"))
    assert json.loads(Dahua("1c11c9c4-8dbc-4391-0dd7-56764ba18dbc").heartbeat(AT_MS).body) == sample


# --- Hikvision -----------------------------------------------------------------------------------------------


def paths(element: ET.Element, above: str = "") -> list[str]:
    name = f"{above}/{element.tag}"
    return [name] + [path for child in element for path in paths(child, name)]


def xml_part(push: Push) -> bytes:
    return push.body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--boundary", 1)[0]


def test_hikvision_xml_has_the_elements_of_the_sample_in_its_order(painter: Painter) -> None:
    sample = ET.parse(VECTORS / "hikvision" / "anpr_cn_colour_prefix.xml").getroot()
    ours = ET.fromstring(xml_part(Hikvision("20220323AIJ67694167").plate_push(event(painter), 0)))
    assert paths(ours) == paths(sample)
    ns = {"h": "http://www.isapi.org/ver20/XMLSchema"}
    for name in ("h:ANPR/h:licensePlate", "h:ANPR/h:plateColor", "h:UUID", "h:deviceUUID", "h:eventType"):
        assert ours.findtext(name, namespaces=ns) == sample.findtext(name, namespaces=ns)


def test_hikvision_parts_are_framed_as_the_camera_frames_them(painter: Painter) -> None:
    sample = (VECTORS / "hikvision" / "post_multipart_three_parts.http").read_bytes()
    push = Hikvision("x").plate_push(event(painter), 0)

    def heads(body: bytes) -> list[list[bytes]]:
        """Every part's header names and its disposition."""
        found = []
        for part in body.split(b"--boundary\r\n")[1:]:
            lines = part.partition(b"\r\n\r\n")[0].split(b"\r\n")
            found.append([lines[0], *(line.partition(b":")[0] for line in lines[1:])])
        return found

    assert heads(push.body) == heads(sample.partition(b"\r\n\r\n")[2])
    assert push.body.endswith(b"\r\n--boundary--\r\n")
    assert push.content_type.encode() in sample
    assert dict(push.headers)["Connection"] == "close"


def test_hikvision_part_lengths_are_true(painter: Painter) -> None:
    push = Hikvision("x").plate_push(event(painter), 0)
    checked = 0
    for part in push.body.split(b"--boundary\r\n")[1:]:
        head, _, rest = part.partition(b"\r\n\r\n")
        length = int(head.rpartition(b"Content-Length: ")[2])
        assert rest[length : length + 2] == b"\r\n"
        checked += 1
    assert checked == 3


def test_hikvision_no_plate_and_repost_counter(painter: Painter) -> None:
    ns = {"h": "http://www.isapi.org/ver20/XMLSchema"}
    sample = ET.parse(VECTORS / "hikvision" / "anpr_noPlate.xml").getroot()
    ours = ET.fromstring(xml_part(Hikvision("x").plate_push(event(painter, plate=""), 2)))
    name = "h:ANPR/h:licensePlate"
    assert ours.findtext(name, namespaces=ns) == sample.findtext(name, namespaces=ns)
    assert ours.findtext("h:activePostCount", namespaces=ns) == "3"


def test_an_unknown_vendor_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="camera c1: vendor 'acme'"):
        vendor_of(CameraSpec("c1", "acme", "1"))


# --- pictures ------------------------------------------------------------------------------------------------


def test_pictures_are_of_a_cameras_size(painter: Painter) -> None:
    for variant in range(SCENES):
        picture = painter.paint("鲁B12345", "blue", variant)
        image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape == (picture.height, picture.width, 3)
        assert picture.width >= 1280
        assert picture.height >= 720
        assert 60_000 <= len(picture.jpeg) <= 400_000


def test_the_plate_is_where_the_event_says_and_differs_by_plate(painter: Painter) -> None:
    def region(plate: str) -> Any:
        picture = painter.paint(plate, "blue", 0)
        left, top, right, bottom = picture.plate_box
        assert right - left >= 150
        image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return image[top:bottom, left:right].astype(int)

    one, other, bare = region("鲁B12345"), region("京A99999"), region("")
    assert np.abs(one - other).mean() > 5
    assert np.abs(one - bare).mean() > 30


# --- the sender ----------------------------------------------------------------------------------------------


class Listener:
    """Takes pushes and answers as told: one (status, body) after the other, the last one for ever."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        self.answers = answers
        self.pushes: queue.Queue[tuple[str, bytes, int]] = queue.Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.pushes.put((self.path, body, time.monotonic_ns()))
                status, answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


Running = Callable[[str, list[tuple[int, bytes]]], tuple[SimCamera, Listener]]


@pytest.fixture
def running(painter: Painter) -> Iterator[Running]:
    opened: list[tuple[SimCamera, Listener]] = []

    def start(vendor: str, answers: list[tuple[int, bytes]]) -> tuple[SimCamera, Listener]:
        listener = Listener(answers)
        address = ("127.0.0.1", int(listener.server.server_address[1]))
        camera = SimCamera(CameraSpec("cam1", vendor, "serial-1"), address, painter, seed=1, heartbeat_s=0)
        camera.start()
        opened.append((camera, listener))
        return camera, listener

    yield start
    for camera, listener in opened:
        camera.stop()
        listener.close()


VZ_NO = (200, b'{"Response_AlarmInfoPlate":{"info":"no"}}')
DAHUA_OK = (200, b'{"Result":true}')


@pytest.mark.parametrize(
    ("vendor", "improper", "proper"),
    [
        ("vz", [(500, b""), (200, b"ok"), (200, b"{}")], VZ_NO),
        ("dahua", [(200, b'{"Result":false}'), (200, b"")], DAHUA_OK),
        ("hikvision", [(503, b"")], (200, b"")),
    ],
)
def test_an_event_is_pushed_again_until_the_proper_reply(
    running: Running, vendor: str, improper: list[tuple[int, bytes]], proper: tuple[int, bytes]
) -> None:
    camera, listener = running(vendor, [*improper, proper])
    camera.see("鲁B12345", "blue", variant=0)
    assert camera.wait_idle(WITHIN_S)
    assert camera.counts["accepted"] == 1
    assert camera.counts["pushed_again"] == len(improper)
    assert listener.pushes.qsize() == len(improper) + 1


def test_repeats_have_ids_of_their_own_and_a_resent_event_keeps_its_id(running: Running) -> None:
    camera, listener = running("vz", [VZ_NO])
    camera.see("鲁B12345", "blue", variant=0, again=1, resent=True)
    assert camera.wait_idle(WITHIN_S)
    ids = []
    while not listener.pushes.empty():
        path, body, _ = listener.pushes.get()
        assert path == "/devicemanagement/php/plateresult.php"
        ids.append(json.loads(body)["AlarmInfoPlate"]["result"]["PlateResult"]["plateid"])
    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_the_needed_moment_is_before_the_listener_has_the_push(running: Running) -> None:
    camera, listener = running("dahua", [DAHUA_OK])
    told: list[int] = []
    asked_ns = time.monotonic_ns()
    camera.see("鲁B12345", "blue", variant=0, delay_s=0.05, told=told.append)
    assert camera.wait_idle(WITHIN_S)
    _, _, taken_ns = listener.pushes.get()
    assert asked_ns + 50_000_000 <= told[0] < taken_ns
    assert len(told) == 1


def test_a_hikvision_cameras_url_names_it(running: Running) -> None:
    camera, listener = running("hikvision", [(200, b"")])
    camera.see("鲁B12345", "blue", variant=0)
    assert camera.wait_idle(WITHIN_S)
    assert listener.pushes.get()[0] == "/cam/cam1"
