"""Open pages, for `bench.pages`: N event streams read as browsers do, until SIGTERM.

`python -m bench.page_clients PORT COOKIE N`: a program of its own with the lowest priority, since phones compute with
cores of their own.
"""

from __future__ import annotations

import asyncio
import signal
import sys

OPEN_WITHIN_S = 30.0
AGAIN_S = 0.2


async def one(port: int, cookie: str, opened: asyncio.Semaphore) -> None:
    status = b""
    while not status:  # the page takes some dozen new ones at once; a browser, too, comes back to a closed line
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        try:
            status = await reader.readline()
        except ConnectionResetError:
            status = b""
        if not status:
            writer.close()
            await asyncio.sleep(AGAIN_S)
    if b" 200 " not in status:
        raise RuntimeError(f"a stream was refused: {status!r}")
    opened.release()
    try:
        while await reader.read(65536):
            continue
    finally:
        writer.close()


async def main(port: int, cookie: str, count: int) -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    opened = asyncio.Semaphore(0)
    streams = [asyncio.create_task(one(port, cookie, opened)) for _ in range(count)]
    for _ in range(count):
        await asyncio.wait_for(opened.acquire(), OPEN_WITHIN_S)
    print("open", flush=True)
    await ending.wait()
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
