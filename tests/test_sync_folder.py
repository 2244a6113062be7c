"""A folder above the data that cannot be written, as on the image, is no reason to doubt what was written below it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.config.durable import sync_folder


def refuse(monkeypatch: pytest.MonkeyPatch, number: int, flags: int) -> None:
    def fsync(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "fstatvfs", lambda fd: SimpleNamespace(f_flag=flags))


def test_a_read_only_folder_needs_no_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.EINVAL, os.ST_RDONLY)
    sync_folder(tmp_path)


@pytest.mark.parametrize(("number", "flags"), [(errno.EINVAL, 0), (errno.EIO, os.ST_RDONLY), (errno.EIO, 0)])
def test_every_other_refusal_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, flags: int) -> None:
    refuse(monkeypatch, number, flags)
    with pytest.raises(OSError) as raised:
        sync_folder(tmp_path)
    assert raised.value.errno == number
