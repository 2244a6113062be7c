"""Every shipped config starts both real programs, answers, and stops with every relay off."""

from __future__ import annotations

import http.client
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hal_sim.free_ports import free_ports
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank
from tests.page_reader import state_of
from tests.program_rig import Box, box_in, until
from tests.program_site import Bay
from tests.shipped_files import furnish, toml

CONFIGS = sorted((Path(__file__).resolve().parent.parent / "configs").glob("*.toml"))


def test_configs_are_found() -> None:
    assert len(CONFIGS) >= 3


class Relays:
    """Every write to an output pin, as the simulated header sees it."""

    def __init__(self, bank: PinBank) -> None:
        self.last: dict[int, int] = {}
        self.released: set[int] = set()
        bank.output_watchers.append(self._seen)

    def _seen(self, pin: int, level: int | None, t_ns: int) -> None:
        if level is None:
            self.released.add(pin)
        else:
            self.last[pin] = level


def on_this_machine(config: Path, folder: Path) -> tuple[dict[str, Any], Box, Relays]:
    """The config with other places and ports and nothing else."""
    raw = tomllib.loads(config.read_text("utf-8"))
    listener_port, web_port = free_ports(2)
    raw["box"] |= {"data_dir": str(folder / "data"), "socket": str(folder / "lane.sock")}
    raw.setdefault("listener", {})["port"] = listener_port
    raw.setdefault("web", {})["port"] = web_port
    furnish(raw, folder)
    callback = raw.get("city", {}).get("shenzhen", {}).get("callback")
    if callback is not None:
        callback |= {"host": "127.0.0.1", "port": free_ports(1)[0]}
    cameras = [camera for lane in raw["lane"] for camera in lane["camera"]]
    for number, camera in enumerate(cameras):
        camera |= {"addresses": ["127.0.0.1"], "serial": camera.get("serial", "") or f"serial-{number:08d}"}
    path = folder / config.name
    path.write_text("\n".join(toml(raw)), encoding="utf-8")
    bank = PinBank()
    bays: list[Bay] = []
    return raw, Box(folder, path, bays, bank, (listener_port, web_port)), Relays(bank)


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def on_page(box: Box) -> dict[str, Any] | None:
    """What the page shows once it shows the lane program too."""
    state = state_of(box.web_port, box.data)
    return state if state["box"] else None


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_shipped_config_boots_both_programs(config: Path, tmp_path: Path) -> None:
    raw, box, relays = on_this_machine(config, tmp_path)
    server = GpioServer(box.gpio, box.bank)
    server.start()
    try:
        with box.lane() as lane, box.agent() as agent:
            lane.await_ready()
            agent.await_ready()
            view = until(lambda: (v := box.view())["ledger_seq"] > 0 and v, "first facts durable")
            assert [one["id"] for one in view["lanes"]] == [one["id"] for one in raw["lane"]]
            assert [one["safety"] for one in view["lanes"]] == [False] * len(raw["lane"])
            assert get(box.web_port, "/")[0] == 200
            state = until(lambda: on_page(box), "lane on the page")
            assert state["box"]["box_id"] == raw["box"]["id"]
            assert agent.stop() == 0
            assert lane.stop() == 0
        assert server.wait_connected(False, 5.0)
    finally:
        server.stop()
    for one in raw["lane"]:
        barrier = one["barrier"]
        outputs = {barrier[key] for key in ("open_pin", "close_pin", "stop_pin") if key in barrier}
        off = 1 if barrier.get("active", "high") == "low" else 0
        assert {pin: relays.last[pin] for pin in outputs} == dict.fromkeys(outputs, off)
        assert outputs <= relays.released


def test_without_gpio_module_the_lane_runs_and_says_so(tmp_path: Path) -> None:
    with box_in(tmp_path) as box, box.lane(pins=False) as lane:
        lane.await_ready()
        down = [fault for fault in box.view()["faults"] if fault["code"] == "barrier_down"]
        assert {fault["device"] for fault in down} == {"in1/gpio", "out2/gpio"}
        assert "RPi.GPIO" in down[0]["detail"]
        refused = box.command("a1", "in1", "open", why="test")
        assert (refused["ok"], "barrier_down" in refused["en"]) == (False, True)
        status, _ = box.push(box.bays["in1"].camera.read("鲁B10001"))
        assert status == 200
        assert lane.stop() == 0


def test_second_lane_program_on_one_ledger_is_refused(tmp_path: Path) -> None:
    with box_in(tmp_path) as box, box.lane() as first:
        first.await_ready()
        with box.lane() as second:
            assert second.end() == 1
            assert "another lane program writes this ledger" in second.log.read_text("utf-8")
        assert box.view()["box_id"] == "TEST"
        assert first.stop() == 0
