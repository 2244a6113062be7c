"""Where the city looks for a passage's picture: the object key of interface 5 (文件接口协议, lines 732 to 738)."""

from __future__ import annotations

from edge.core.clock import china_datetime

# B.6.1.28 picture types; nothing else is uploaded (QC103: no path is given for others).
FOLDERS = {"in": "NISSP_IMG_PARK_IN", "out": "NISSP_IMG_PARK_OUT"}


def object_key(sub_code: str, direction: str, passed_ms: int, record_id: str, suffix: str = "") -> str:
    """`<project>/<type>/<yyyyMMdd>/<item_id of carIn or carOut>`; `passed_ms`: true wall time of the passage.

    QC98: the date is that of in_time or out_time in Beijing, not that of the upload. QC97: no extension unless the
    city asks for one. Raises `ValueError` for a direction that has no folder.
    """
    if direction not in FOLDERS:
        raise ValueError(f"direction: {direction!r}, allowed are {', '.join(FOLDERS)}")
    day = china_datetime(passed_ms)[:10].replace("-", "")
    return f"{sub_code}/{FOLDERS[direction]}/{day}/{record_id}{suffix}"
