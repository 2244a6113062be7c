"""Orders over HTTP: the digest of the RFC's own example, the published barrier order, refusals and lost orders."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from drivers.cameras.clients import CameraClients
from drivers.cameras.digest import Login, LoginRefused, Request, answer_to
from drivers.cameras.http_orders import MAKES
from drivers.cameras.listener import CameraListener
from edge.config.model import Camera, CameraClient, Listener
from hal_sim.cameras.http_gate import HttpGateCamera
from tests.camera_rig import Sink, vector

PASSWORD = "pa:ss wörd"


def test_digest_of_rfc_2617_section_3_5() -> None:
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    login = Login("Mufasa", "Circle Of Life")
    field = answer_to(challenge, Request("GET", "/dir/index.html"), login, cnonce="0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in field
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in field
    assert "qop=auth, nc=00000001" in field


@pytest.mark.parametrize("challenge", ["", 'Basic realm="x"', 'Digest realm="x", nonce="y", algorithm=SHA-256'])
def test_other_logins_are_named(challenge: str) -> None:
    with pytest.raises(LoginRefused, match="allowed is Digest with MD5"):
        answer_to(challenge, Request("GET", "/"), Login("u", "p"))


def test_hikvision_s_order_is_the_published_one() -> None:
    assert MAKES["hikvision"].open.body == vector("hikvision/req_barrierGate_open.xml").strip()


@pytest.fixture(params=["hikvision", "dahua"])
def http_gate(request: pytest.FixtureRequest) -> Iterator[HttpGateCamera]:
    sim = HttpGateCamera(request.param, "box", PASSWORD)
    yield sim
    sim.stop()


def opening(clients: CameraClients) -> None:
    clients.of("in1").open_barrier()


def carry_out(
    sim: HttpGateCamera,
    folder: Path,
    *orders: Callable[[CameraClients], object],
    password: str = PASSWORD,
    port: int = 0,
) -> Sink:
    """One order after the other, each carried out before the next."""
    file = folder / "password"
    file.write_text(password + "\n", encoding="utf-8")
    client = CameraClient(port=port or sim.port, user="box", password_file=str(file), opens=True)
    vendor: Literal["hikvision", "dahua"] = "hikvision" if sim.vendor == "hikvision" else "dahua"
    camera = Camera(id="in1", vendor=vendor, addresses=("127.0.0.1",), relay_is_barrier=True, client=client)
    sink = Sink()

    async def whole() -> None:
        listener = CameraListener(Listener(port=0), [("lane1", camera)], sink, lambda: "r", lambda: 0)
        clients = CameraClients(listener.desk, [("lane1", camera)])
        for order in orders:
            order(clients)
            if others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
        await listener.desk.close()

    asyncio.run(whole())
    return sink


def test_opens_for_the_right_login_once_an_order(http_gate: HttpGateCamera, tmp_path: Path) -> None:
    sink = carry_out(http_gate, tmp_path, opening)
    assert (http_gate.opened, http_gate.wrong_logins, http_gate.other) == (1, 0, 0)
    assert sink.counts == []


def test_only_dahua_can_be_asked_for_a_picture(http_gate: HttpGateCamera, tmp_path: Path) -> None:
    asked: list[bool] = []
    carry_out(http_gate, tmp_path, lambda clients: asked.append(clients.trigger("lane1")))
    able = http_gate.vendor == "dahua"
    assert asked == [able]
    assert (http_gate.snapped, http_gate.opened) == (int(able), 0)


def test_a_wrong_password_is_tried_once(http_gate: HttpGateCamera, tmp_path: Path) -> None:
    sink = carry_out(http_gate, tmp_path, opening, opening, password="wrong")
    assert (http_gate.opened, http_gate.wrong_logins) == (0, 1)
    assert [what for _, what, _ in sink.counts] == ["login_refused", "order_not_sent"]
    assert "wrong" not in sink.counts[0][2]


def test_a_camera_that_says_no_is_counted(http_gate: HttpGateCamera, tmp_path: Path) -> None:
    http_gate.refuses = True
    sink = carry_out(http_gate, tmp_path, opening)
    assert [what for _, what, _ in sink.counts] == ["order_refused"]
    assert "open: 403" in sink.counts[0][2]


def test_nobody_there_is_an_order_lost(http_gate: HttpGateCamera, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # bound and not listening
        sink = carry_out(http_gate, tmp_path, opening, port=port)
    assert [what for _, what, _ in sink.counts] == ["order_lost"]
    assert http_gate.opened == 0
