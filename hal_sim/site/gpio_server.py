"""The simulator's end of the simulated `RPi.GPIO`: pins of one box over a UNIX socket.

One client at a time holds a pin. When its connection ends, however the program ended, its outputs are
released, as relays fall back when a board loses its master. The frame is told in
`hal_sim/rpi/RPi/GPIO.py`, which must stay alone in its folder and therefore says it again.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

from hal_sim.site.pins import PinBank

_FRAME = struct.Struct("<BBBxq")
_OP_OUT, _OP_IN, _OP_WRITE, _OP_RELEASE = 1, 2, 3, 4
_LEVEL = 1


class _Client:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.outputs: set[int] = set()
        self.inputs: set[int] = set()
        self.lock = threading.Lock()

    def tell(self, pin: int, level: int) -> None:
        """A client that went away is noticed by its reader; here there is nobody left to tell."""
        try:
            with self.lock:
                self.sock.sendall(_FRAME.pack(_LEVEL, pin, level, time.monotonic_ns()))
        except OSError:
            self.inputs.discard(pin)


class GpioServer:
    """`start()` listens at `path`; `connected` says whether a program holds pins now."""

    def __init__(self, path: Path, pins: PinBank) -> None:
        self._path, self._pins = path, pins
        self._clients: set[_Client] = set()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        pins.input_watchers.append(self._on_input)

    @property
    def connected(self) -> bool:
        return bool(self._clients)

    def wait_connected(self, wanted: bool, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.connected == wanted, timeout_s)

    def start(self) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._path))
        listener.listen()
        self._listener = listener
        thread = threading.Thread(target=self._accept, args=(listener,), name="gpio-accept", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # shutdown wakes the accepting thread; close alone would leave it waiting on Linux.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._path.unlink(missing_ok=True)
        for client in tuple(self._clients):
            try:
                client.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it hung up first; its reader ends by itself
        for thread in self._threads:
            thread.join(timeout=5)

    def _on_input(self, pin: int, level: int) -> None:
        for client in tuple(self._clients):
            if pin in client.inputs:
                client.tell(pin, level)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return  # stop() closed it
            client = _Client(sock)
            with self._changed:
                self._clients.add(client)
                self._changed.notify_all()
            thread = threading.Thread(target=self._serve, args=(client,), name="gpio-client", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, client: _Client) -> None:
        data = b""
        try:
            while more := client.sock.recv(4096):
                data += more
                whole = len(data) - len(data) % _FRAME.size
                for op, pin, value, t_ns in _FRAME.iter_unpack(data[:whole]):
                    self._one(client, op, pin, value, t_ns)
                data = data[whole:]
        except OSError:
            pass  # why: a killed program resets the connection; the release below is the answer to it
        finally:
            with self._changed:
                self._clients.discard(client)
                self._changed.notify_all()
            for pin in sorted(client.outputs):
                self._pins.release(pin, time.monotonic_ns())
            client.sock.close()

    def _one(self, client: _Client, op: int, pin: int, value: int, t_ns: int) -> None:
        if op == _OP_WRITE:
            self._pins.write(pin, value, t_ns)
        elif op == _OP_OUT:
            client.inputs.discard(pin)
            client.outputs.add(pin)
            self._pins.write(pin, value, t_ns)
        elif op in (_OP_IN, _OP_RELEASE):
            if pin in client.outputs:
                client.outputs.discard(pin)
                self._pins.release(pin, t_ns)
            client.inputs.discard(pin)
            if op == _OP_IN:
                self._pins.set_pull(pin, value)
                client.inputs.add(pin)
                client.tell(pin, self._pins.level(pin))
        else:
            raise ValueError(f"simulated GPIO: unknown op {op}, allowed 1 to 4")
