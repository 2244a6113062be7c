"""Ports of 127.0.0.1 for what a run starts."""

from __future__ import annotations

import errno
import random
import socket

OWN_PORTS = range(15_000, 32_000)
"""Below those that Linux gives away by itself (32768 on): no connection of a stranger takes one of them in between."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now, all different."""
    found: list[int] = []
    for port in random.SystemRandom().sample(OWN_PORTS, len(OWN_PORTS)):
        if len(found) == count:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED:
                found.append(port)
    return found
