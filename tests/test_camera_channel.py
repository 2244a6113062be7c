"""A camera's socket on the loop: all bytes in order, the end told once, nothing kept open."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from drivers.cameras.channel import Channel
from tests.camera_rig import WAIT_S, Rig, camera, post, vector

BIG = bytes(range(256)) * 20_000  # 5 MB: more than any socket buffer takes at once


class Told(asyncio.BufferedProtocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.channel: asyncio.Transport
        self.got = bytearray()
        self.ends: list[Exception | None] = []
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()
        self.keep_after_eof = False
        self._room = bytearray(1000)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.channel = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self.got += self._room[:nbytes]
        self.changed.set()

    def eof_received(self) -> bool:
        return self.keep_after_eof

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends.append(exc)
        self.ended.set()


def play(story: Callable[[Told, socket.socket, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
    """A story between a channel and a peer over real TCP; at its end the channel's socket is closed."""

    async def whole() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            reader, writer = await asyncio.open_connection(*server.getsockname())
            sock, peer = server.accept()
        sock.setblocking(False)
        told = Told()
        channel = Channel(asyncio.get_running_loop(), sock, peer, told)
        assert channel.get_extra_info("peername") == peer
        await story(told, sock, reader, writer)
        channel.abort()
        await asyncio.wait_for(told.ended.wait(), WAIT_S)
        assert sock.fileno() == -1
        assert len(told.ends) == 1
        writer.close()

    asyncio.run(whole())


def test_an_answer_larger_than_the_sockets_buffer_arrives_whole_and_then_ends() -> None:
    async def story(told: Told, _: socket.socket, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        told.channel.write(BIG)
        told.channel.write(b"end")
        told.channel.close()
        assert told.channel.is_closing()
        told.channel.write(b"too late")
        assert await asyncio.wait_for(reader.read(), WAIT_S) == BIG + b"end"
        assert told.ends == [None]

    play(story)


def test_half_close_comes_after_what_was_written_and_reading_goes_on() -> None:
    async def story(told: Told, _: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.channel.write(BIG)
        told.channel.write_eof()
        assert await asyncio.wait_for(reader.read(), WAIT_S) == BIG
        writer.write(b"rest")
        await asyncio.wait_for(told.changed.wait(), WAIT_S)
        assert bytes(told.got) == b"rest"
        assert told.ends == []
        with pytest.raises(RuntimeError, match="write_eof"):
            told.channel.write(b"x")

    play(story)


def test_nothing_is_received_while_reading_is_paused() -> None:
    async def story(told: Told, sock: socket.socket, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.channel.pause_reading()
        writer.write(b"push")
        await writer.drain()
        assert select.select([sock], [], [], WAIT_S)[0] == [sock]  # it is there
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert told.got == b""
        told.channel.resume_reading()
        await asyncio.wait_for(told.changed.wait(), WAIT_S)
        assert told.got == b"push"

    play(story)


@pytest.mark.parametrize("keep", [False, True])
def test_the_peers_end_closes_unless_an_answer_is_owed(keep: bool) -> None:
    async def story(told: Told, _: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.keep_after_eof = keep
        writer.write_eof()
        if keep:
            told.channel.write(b"owed")
            assert await asyncio.wait_for(reader.readexactly(4), WAIT_S) == b"owed"
            assert told.ends == []
        else:
            await asyncio.wait_for(told.ended.wait(), WAIT_S)
            assert told.ends == [None]

    play(story)


def test_a_reset_is_told_with_its_reason() -> None:
    async def story(told: Told, _: socket.socket, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.wait_for(told.ended.wait(), WAIT_S)
        assert isinstance(told.ends[0], ConnectionResetError)

    play(story)


def test_without_a_free_file_number_those_who_come_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listening socket rests for AGAIN_S instead of turning the loop without end, then takes who waited."""
    monkeypatch.setattr("drivers.cameras.listener.AGAIN_S", 0.01)
    used_up = True
    real = socket.socket.accept

    def accept(listening: socket.socket) -> tuple[socket.socket, object]:
        nonlocal used_up
        if used_up:
            used_up = False
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return real(listening)

    monkeypatch.setattr(socket.socket, "accept", accept)

    async def story() -> None:
        rig = Rig(camera())
        port = await rig.listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(vector("vz/push_AlarmInfoPlate_R5.json")))
        assert (await asyncio.wait_for(reader.readline(), WAIT_S)).startswith(b"HTTP/1.1 200")
        assert [what for _, what, _ in rig.sink.counts] == ["too_many_connections"]
        writer.close()
        await rig.listener.stop()

    asyncio.run(story())
