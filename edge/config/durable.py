"""Files that are there whole or not at all, whatever happens to the power (DESIGN 9): the one way to write them.

It stands here, in the innermost room that touches the disk, because page, evidence, store, both programs and the
box's own commands write such files (DESIGN 3).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


def write_durably(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Beside, synced, renamed, folder synced. Raises `OSError`, and then `path` is as it was."""
    beside = path.with_name(path.name + ".new")
    write_synced(beside, content, mode)
    beside.rename(path)
    sync_folder(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """The same for what nobody else may read; the folder is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, content, 0o600)


def write_synced(path: Path, content: bytes, mode: int) -> None:
    """A new file, of this mode from its first moment, synced but for its name. Raises `OSError`, and then it is not
    there."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        left = memoryview(content)
        while left:
            written = os.write(fd, left)
            if written <= 0:
                raise OSError(errno.EIO, "the disk took no byte", str(path))
            left = left[written:]
        os.fsync(fd)
    except BaseException:
        os.close(fd)
        path.unlink(missing_ok=True)
        raise
    os.close(fd)


def sync_folder(folder: Path) -> None:
    """A new or renamed name is durable only when its folder is (forgetting that lost 16 of 60 power cuts).

    A folder of a read-only file system is: squashfs, the image's root below /var/lib/parkbox, answers EINVAL.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL or not os.fstatvfs(fd).f_flag & os.ST_RDONLY:
            raise
    finally:
        os.close(fd)
