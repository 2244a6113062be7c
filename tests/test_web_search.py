"""The page's search: was this car reported, with picture, when, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from edge.ports import DeliveryFound
from edge.web.asked import FOR_EVER_MS
from tests.program_rig import until
from tests.web_fakes import NOON_MS, READ_ID, FakeSource, box, delivery
from tests.web_house import Client, House
from tests.web_look import Open, wait_text

pytest_plugins = ("tests.web_browser",)

FOUND = [
    DeliveryFound(
        delivery(2, kind="carOut", state="set_aside", plate='<img src=x onerror="x">'), False, "未上报, 搁置", "no"
    ),
    DeliveryFound(delivery(1, read_id=READ_ID, answered_ms=NOON_MS), True, "已上报, 平台 12:00:00 接收", "reported"),
]


@pytest.fixture
def source() -> FakeSource:
    return FakeSource(box())


@pytest.fixture
def client(source: FakeSource, tmp_path: Path) -> Iterator[Client]:
    server = House(tmp_path, source).server
    client = Client(server.start())
    assert client.log_in("vera") == 200
    yield client
    server.stop()


def test_the_question_reaches_the_source_and_the_rows_come_back(client: Client, source: FakeSource) -> None:
    source.found = FOUND
    rows = client.get(f"/api/deliveries?plate={quote('鲁B1')}&from_ms=5&to_ms=9")
    assert source.searches == [("鲁B1", 5, 9)]
    assert [(row["id"], row["read_id"], row["zh"]) for row in rows] == [
        (2, "", "未上报, 搁置"), (1, READ_ID, "已上报, 平台 12:00:00 接收"),
    ]  # fmt: skip
    assert "body" not in rows[0]
    client.get("/api/deliveries")
    assert source.searches[-1] == ("", 0, FOR_EVER_MS)


@pytest.mark.parametrize("query", ["from_ms=-1", "to_ms=soon", "from_ms=9999999999999999", "plate=" + "B" * 21])
def test_a_wrong_question_is_refused(client: Client, source: FakeSource, query: str) -> None:
    assert client.ask("GET", f"/api/deliveries?{query}")[0] == 400
    assert source.searches == []


def test_a_technician_searches_and_sees_why_and_the_picture(
    open_page: Open, page_source: FakeSource, troubles: list[str]
) -> None:
    page_source.found = FOUND
    page = open_page()
    page.click("#tabs [data-part=records]")
    page.click("#view-records a[href='#records/deliveries']")
    wait_text(page, "#found", "未上报, 搁置")
    page.fill("#search-plate", "鲁B")
    page.fill("#search-day", "2026-11-21")
    page.press("#search-plate", "Enter")
    day_ms = NOON_MS - 12 * 3_600_000
    until(lambda: page_source.searches[-1] == ("鲁B", day_ms, day_ms + 86_400_000), "asked for that day")
    page.wait_for_selector("#found li")
    rows = page.locator("#found li").all_inner_texts()
    assert "已上报, 平台 12:00:00 接收" in rows[1]
    assert "<img src=x" in rows[0]  # text, not markup
    assert page.locator("#found .found-picture").count() == 1
    page.click("#found .found-picture")
    page.wait_for_function("() => document.getElementById('viewer-image').naturalWidth === 16")
    page.keyboard.press("Escape")
    page_source.found = []
    page.press("#search-plate", "Enter")
    wait_text(page, "#found", "没有上传记录")
    page.click("#language")
    wait_text(page, "#found", "No delivery")
    assert troubles == []
