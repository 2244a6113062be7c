"""RS485 on the page: counts of every device, and the worst case of a lane with a warning where it is too long."""

from __future__ import annotations

from pathlib import Path

from drivers.rs485.exchange import Counts
from edge.config.load import load
from edge.core.line_status import LineDevice, LineStatus, Reaction
from edge.core.sign_status import DeviceCounts
from edge.lane.lines import FRESH_S, LaneLines
from tests.config_board_text import one_lane
from tests.web_fakes import FakeSource, box
from tests.web_look import Open, wait_text

pytest_plugins = ("tests.web_browser",)

LINE = LineStatus("bus", "/dev/ttyUSB0", 9600, "", (LineDevice("relays.inputs", DeviceCounts(1200, 1190, 7, 3, 0)),))


class FakeLine:
    def __init__(self) -> None:
        self.down = ""
        self.made = {"relays.inputs": Counts(), "relays": Counts()}

    def counts(self) -> dict[str, Counts]:
        return self.made


def test_faults_of_a_line_are_told_at_once_and_mere_counting_every_five_seconds(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(one_lane(), encoding="utf-8")
    now, line = [0.0], FakeLine()
    lines = LaneLines(load(path), {"bus": line}, mono_s=lambda: now[0])
    assert [one.lane for one in lines.reactions] == ["in1"]
    assert lines.tick()
    line.made["relays.inputs"].add("answered")
    now[0] += FRESH_S / 2
    assert not lines.tick()
    now[0] += FRESH_S / 2
    assert lines.tick()
    for change in ("silent", "damaged"):
        line.made["relays.inputs"].add(change)
        assert lines.tick()
        assert not lines.tick()
    line.down = "no such device"
    assert lines.tick()
    (view,) = lines.views()
    assert (view.id, view.baud, view.down) == ("bus", 115200, "no such device")
    assert view.devices == (
        LineDevice("relays", DeviceCounts(0, 0, 0, 0, 0)), LineDevice("relays.inputs", DeviceCounts(3, 1, 1, 1, 0)),
    )  # fmt: skip


def test_the_page_shows_counts_and_a_worst_case_that_is_too_long(open_page: Open, page_source: FakeSource) -> None:
    page = open_page()
    page.click("#tabs [data-part=box]")
    page_source.show(box(lines=(LINE,), reactions=(Reaction("in1", 196, 219, 1600),)))
    wait_text(page, "#line-list", "询问 1200 · 应答 1190 · 无应答 7 · 损坏 3")
    wait_text(page, "#reaction-list", "最坏: 地感变化 196 ms, 抬杆命令 219 ms; 至多 1600 ms")
    assert page.get_attribute("#reaction-list li", "data-slow") == "false"
    page_source.show(box(lines=(LINE,), reactions=(Reaction("in1", 2267, 0, 1600),)))
    wait_text(page, "#reaction-list", "防砸太慢: 地感变化 2267 ms")
    assert page.get_attribute("#reaction-list li", "data-slow") == "true"
    page.click("#language")
    wait_text(page, "#reaction-list", "Too slow for the safety loop")
