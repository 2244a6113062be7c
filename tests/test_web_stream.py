"""The live state: what is told, when, how often, and to how many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.web.stream import STREAMS_MAX
from tests.web_fakes import (
    NOON_MS,
    READ_ID,
    TINY_JPEG,
    FakeSource,
    StreamClient,
    box,
    delivery,
    lane,
    quiet_agent,
)
from tests.web_house import Client, House

DEADLINE_S = 20.0


@pytest.fixture
def source() -> FakeSource:
    return FakeSource(box())


@pytest.fixture
def house(source: FakeSource, tmp_path: Path) -> House:
    return House(tmp_path, source)


@pytest.fixture
def port(house: House) -> Iterator[int]:
    yield house.server.start()
    house.server.stop()


@pytest.fixture
def client(port: int) -> Client:
    client = Client(port)
    assert client.log_in("vera") == 200
    return client


@pytest.fixture
def stream(port: int, client: Client) -> Iterator[StreamClient]:
    opened = StreamClient(port, cookie=client.cookie)
    yield opened
    opened.close()


def test_begins_with_the_whole_state_and_is_an_event_stream(stream: StreamClient, client: Client) -> None:
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    event, told = stream.next_event()
    assert event == "state"
    assert told["box"]["parked"] == 196
    assert [row["id"] for row in told["box"]["lanes"]] == ["in1", "out1"]
    assert client.get("/api/state") == told


def test_tells_a_change_and_the_death_of_the_lane_program(stream: StreamClient, source: FakeSource) -> None:
    stream.next_event("state")
    source.show(box(lane(arm="up"), parked=197))
    told = stream.next_event("state")[1]
    assert (told["box"]["parked"], told["box"]["lanes"][0]["arm"]) == (197, "up")
    source.show(None)
    assert stream.next_event("state")[1]["box"] is None


def test_beats_while_nothing_changes(stream: StreamClient) -> None:
    stream.next_event("state")
    began_s = time.monotonic()
    beats = [stream.next_event() for _ in range(2)]
    assert beats == [("beat", {"now_ms": NOON_MS})] * 2
    assert time.monotonic() - began_s < 5  # the page calls 2.2 s of silence a broken line


def test_at_most_ten_states_a_second(stream: StreamClient, source: FakeSource) -> None:
    stream.next_event("state")
    source.show(box(parked=0))
    stream.next_event("state")
    began_s = time.monotonic()
    for parked in range(1, 11):
        source.show(box(parked=parked))
        stream.next_event("state")
    assert time.monotonic() - began_s > 0.9


def test_who_reads_late_gets_the_newest_state_and_no_backlog(stream: StreamClient, source: FakeSource) -> None:
    stream.next_event("state")
    for parked in range(500):
        source.show(box(parked=parked))
    told: list[int] = []
    while not told or told[-1] != 499:
        told.append(stream.next_event("state")[1]["box"]["parked"])
    assert len(told) < 50


def test_a_picture_that_comes_after_its_read_is_told(stream: StreamClient, source: FakeSource) -> None:
    source.show(box(lane(last_read_id=READ_ID, last_plate="鲁B12345", last_read_wall_ms=NOON_MS)))
    while (told := stream.next_event("state")[1])["box"]["lanes"][0]["last_read_id"] != READ_ID:
        continue
    assert told["pictures"] == []
    source.pictures[READ_ID] = TINY_JPEG
    told = stream.next_event("state")[1]
    assert (told["pictures"], told["sealed"]) == ([READ_ID], [])
    source.pictures[READ_ID] = TINY_JPEG + b"evidence"
    source.evidence.add(READ_ID)
    source.show_agent(quiet_agent())
    assert stream.next_event("state")[1]["sealed"] == [READ_ID]


def test_deliveries_are_cut_to_what_the_page_shows(source: FakeSource, client: Client) -> None:
    rows = tuple(delivery(number, last_answer="长" * 5000) for number in range(1, 31))
    source.show_agent(quiet_agent(recent=rows))
    told = client.get("/api/state")["agent"]["recent"]
    assert [row["id"] for row in told] == list(range(1, 21))
    assert {len(row["last_answer"]) for row in told} == {300}
    assert "body" not in told[0]


def test_sixty_four_streams_and_no_more_until_one_leaves(port: int, client: Client) -> None:
    streams = [StreamClient(port, cookie=client.cookie) for _ in range(STREAMS_MAX)]
    assert {one.status for one in streams} == {200}
    refused = StreamClient(port, cookie=client.cookie)
    assert refused.status == 503
    refused.close()
    assert client.ask("GET", "/api/state")[0] == 200

    streams.pop().close()
    ends_s = time.monotonic() + DEADLINE_S
    status = 503
    while status == 503 and time.monotonic() < ends_s:
        late = StreamClient(port, cookie=client.cookie)
        status = late.status
        late.close()
    assert status == 200
    for one in streams:
        one.close()


def test_a_stream_ends_with_its_session_and_a_new_one_needs_a_login(port: int, client: Client) -> None:
    stream = StreamClient(port, cookie=client.cookie)
    stream.next_event("state")
    old = client.cookie
    assert client.post("/api/logout")[0] == 200
    assert stream.next_event("ended")[1]["zh"].startswith("会话已结束")
    with pytest.raises((EOFError, ConnectionError)):
        stream.next_event("none of this name")
    stream.close()
    again = StreamClient(port, cookie=old)
    assert again.status == 401
    again.close()
