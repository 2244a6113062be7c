"""Which camera is this? By address first, then by what the path or the push says.

1. The peer's address must stand in the `addresses` of at least one camera.
2. A path that ends with the camera's id, or begins with `/cam/<id>`, names it: several cameras behind one address
   (a laptop, a NAT router) are told apart by setting each one's URL to, say, `/cam/in1`.
3. Otherwise the serial number in the push decides among the cameras of that address.
A configured serial number must be the push's own; a camera without one takes any.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

from edge.config.model import Camera


class Known(NamedTuple):
    """A camera and the lane it looks at."""

    lane: str
    camera: Camera


class Refused(Exception):
    """Nobody we know: HTTP status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Registry:
    """All cameras of the box by address. Raises `ValueError` for an address that is none."""

    def __init__(self, cameras: Sequence[tuple[str, Camera]]) -> None:
        self._by_address: dict[str, list[Known]] = {}
        self._ids = {camera.id for _, camera in cameras}
        for lane, camera in cameras:
            for address in camera.addresses:
                try:
                    canonical = canonical_address(address)
                except ValueError:
                    raise ValueError(f"camera {camera.id}: addresses: {address!r} is not an IP address") from None
                self._by_address.setdefault(canonical, []).append(Known(lane, camera))

    def at(self, address: str) -> tuple[Known, ...]:
        return tuple(self._by_address.get(canonical_address(address), ()))

    def cameras_at(self) -> dict[str, int]:
        """How many cameras have each address."""
        return {address: len(known) for address, known in self._by_address.items()}

    def named_by(self, path: str, candidates: Sequence[Known]) -> tuple[Known, ...]:
        """The candidates that the path allows. Raises `Refused`."""
        segments = path.partition("?")[0].strip("/").split("/")
        explicit = segments[0] == "cam"
        name = segments[1] if explicit and len(segments) > 1 else segments[-1]
        if not explicit and name not in self._ids:
            return tuple(candidates)
        named = tuple(known for known in candidates if known.camera.id == name)
        if not named:
            status = 403 if name in self._ids else 404
            raise Refused(status, f"path names camera {name[:40]!r}, which has no such address")
        return named


def canonical_address(address: str) -> str:
    """One spelling for one address: `::ffff:192.0.2.1` is 192.0.2.1, zone ids do not count."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def by_serial(candidates: Sequence[Known], serial: str) -> Known:
    """Raises `Refused`."""
    fitting = [known for known in candidates if serial and known.camera.serial == serial]
    if not fitting:
        fitting = [known for known in candidates if known.camera.serial == ""]
    if len(fitting) == 1:
        return fitting[0]
    named = ", ".join(known.camera.id for known in candidates)
    why = "fits none of" if not fitting else "does not tell apart"
    raise Refused(403, f"serial {serial[:60]!r} {why} {named}")
