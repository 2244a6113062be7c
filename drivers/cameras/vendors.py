"""Which vendor's push is this? By the cameras' configuration; path and content type only where several could be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from drivers.cameras.http import Head
from drivers.cameras.identify import Known, Refused
from drivers.cameras.reading import Push
from drivers.cameras.vz_dialects import DIALECTS

DAHUA_PATH = "/NotificationInfo/"
GAT_PATH = "/VIID/"
VZ_HEARTBEAT_PATH = "receivedeviceinfo.php"


def family_of(vendor: str) -> str:
    return "vz" if vendor in DIALECTS else vendor


def load(vendors: Iterable[str]) -> None:
    """The readers of these makes, at the start and not while their first car waits; those of others never: each is some
    hundredths of the time from exec to ready."""
    for family in {family_of(vendor) for vendor in vendors}:
        import_module(f"drivers.cameras.{family}")


def _family(head: Head, candidates: Sequence[Known]) -> str:
    families = {family_of(known.camera.vendor) for known in candidates}
    if len(families) == 1:
        return families.pop()
    if DAHUA_PATH in head.path:
        return "dahua"
    if GAT_PATH in head.path and "gat1400" in families:
        return "gat1400"
    content_type = head.fields.get("content-type", "").lower()
    if VZ_HEARTBEAT_PATH not in head.path and ("xml" in content_type or "multipart" in content_type):
        return "hikvision"
    if "vz" in families or families <= {"dahua", "hikvision"}:
        return "vz"
    raise Refused(403, f"{', '.join(sorted(families))} at one address: end each one's push path with its camera id")


def push_for(head: Head, candidates: Sequence[Known]) -> tuple[Push, tuple[Known, ...]]:
    """A reader for this request, and the cameras of its family. Raises `Refused`."""
    family = _family(head, candidates)
    fitting = tuple(known for known in candidates if family_of(known.camera.vendor) == family)
    serial_needed = len(fitting) != 1 or fitting[0].camera.serial != ""
    if family == "hikvision":
        from drivers.cameras.hikvision import HikPush  # noqa: PLC0415 - and those below: see `load`

        return HikPush(head), fitting
    if family == "dahua":
        from drivers.cameras.dahua import DahuaPush  # noqa: PLC0415

        return DahuaPush(head, serial_needed=serial_needed), fitting
    if family == "gat1400":
        from drivers.cameras.gat1400 import GatPush  # noqa: PLC0415

        return GatPush(head, serial_needed=serial_needed), fitting
    if family == "huaxia":
        from drivers.cameras.huaxia import HuaxiaPush  # noqa: PLC0415

        return HuaxiaPush(serial_needed=serial_needed), fitting
    if family == "rk_v5":
        from drivers.cameras.rk_v5 import RkPush  # noqa: PLC0415

        return RkPush(serial_needed=serial_needed), fitting
    from drivers.cameras.vz import VzForm, VzPush, is_form  # noqa: PLC0415

    if is_form(head):
        return VzForm(head), fitting
    replays = any(DIALECTS[known.camera.vendor].replays for known in fitting)
    return VzPush(serial_needed=serial_needed, replays=replays), fitting
