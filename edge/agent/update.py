"""The page's hand in updates: takes a bundle in piece by piece, asks for its installation, shows slots and progress.

This program has no right to write a slot: it leaves the bundle and a request in a folder (`edge.box.update_state`),
which a unit of root sees; what is not signed for this kind of box is refused there by RAUC, whoever asked.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.box.backup_names import nightly_backups
from edge.box.update_rauc import UpdateError, slots
from edge.box.update_state import ASKED, BUNDLE, FOLDER, PART, Asked, read_state
from edge.config.durable import sync_folder, write_private
from edge.config.model import Config
from edge.version import VERSION
from edge.web.api import ActionResult
from edge.web.api_update import BUNDLE_MAX_BYTES, SlotRow, UpdateView
from edge.web.desk import RefusedError

LEFT_FREE_BYTES = 100_000_000


class AgentUpdate:
    """Any thread."""

    def __init__(self, config: Config, now_ms: Callable[[], int], folder: Path = FOLDER) -> None:
        self._config, self._now_ms, self._folder = config, now_ms, folder
        self._lock = threading.Lock()

    def view(self) -> UpdateView:
        if not self._folder.is_dir():
            zh, en = f"本机不能更新: 没有 {self._folder}", f"this machine takes no updates: there is no {self._folder}"
            return UpdateView(False, zh, en, VERSION)
        state = read_state(self._folder)
        taken = self._taken()
        if state is not None and state.phase == "installing":
            zh, en = f"正在写入 {state.percent}%: {state.text}", f"writing, {state.percent}%: {state.text}"
            return UpdateView(True, zh, en, VERSION, (), state.phase, state.percent, taken)
        zh, en = "", ""
        try:
            rows = tuple(SlotRow(one.bootname, one.version, one.running, one.next, one.good) for one in slots())
        except UpdateError as error:
            zh, en = (part.strip() for part in str(error).partition(" / ")[::2])
            return UpdateView(False, zh, en or zh, VERSION)
        if state is not None:
            done = state.phase == "installed"
            zh = "已写入, 重启后试用" if done else state.text.partition(" / ")[0]
            en = "written; the next start tries it" if done else state.text.partition(" / ")[2] or state.text
            return UpdateView(True, zh, en, VERSION, rows, state.phase, state.percent, taken)
        return UpdateView(True, zh, en, VERSION, rows, taken_bytes=taken)

    def piece(self, at: int, data: bytes) -> ActionResult:
        """A piece out of order is refused with the place where to go on. Durable is the whole (`install`)."""
        with self._lock:
            self._judge()
            part = self._folder / PART
            if at == 0:
                part.unlink(missing_ok=True)
                # Of an update that a power cut ended: on a small card there is no room for two.
                (self._folder / BUNDLE).unlink(missing_ok=True)
            taken = self._taken()
            if at != taken:
                return ActionResult(False, f"须从 {taken} 字节继续", f"go on at byte {taken}")
            if at + len(data) > BUNDLE_MAX_BYTES:
                most = BUNDLE_MAX_BYTES
                raise RefusedError("bad_request", f"最多 {most} 字节", f"at most {most} bytes")
            if shutil.disk_usage(self._folder).free < len(data) + LEFT_FREE_BYTES:
                part.unlink(missing_ok=True)
                raise RefusedError("storage", "磁盘空间不足", "the disk has no room for it")
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                left = memoryview(data)
                while left:
                    left = left[os.write(fd, left):]
            finally:
                os.close(fd)
        return ActionResult(True, f"已收到 {at + len(data)} 字节", f"{at + len(data)} bytes are here")

    def install(self, size: int, who: str) -> ActionResult:
        with self._lock:
            self._judge()
            part = self._folder / PART
            if (taken := self._taken()) != size:
                return ActionResult(False, f"更新包不完整: {taken}/{size} 字节", f"not whole: {taken} of {size} bytes")
            fd = os.open(part, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            part.rename(self._folder / BUNDLE)
            sync_folder(self._folder)
            write_private(self._folder / ASKED, msgspec.json.encode(Asked(who, self._now_ms())))
        return ActionResult(True, "正在验证并写入, 成功后重启", "it is checked and written; then the box restarts")

    def newest_backup(self) -> Path:
        wanted = self._config.backup
        own = Path(self._config.box.data_dir) / "backups"
        folder = Path(wanted.folder) if wanted is not None and wanted.folder else own
        found = nightly_backups(folder, self._config.box.id, self._now_ms())
        if not found:
            raise RefusedError("not_found", "还没有备份: 见配置 [backup]", "no backup yet: see [backup] of the box")
        return found[-1]

    def _taken(self) -> int:
        try:
            return (self._folder / PART).stat().st_size
        except FileNotFoundError:
            return 0

    def _judge(self) -> None:
        if not self._folder.is_dir():
            raise RefusedError("refused", "本机不能更新", "this machine takes no updates")
        state = read_state(self._folder)
        if (self._folder / ASKED).exists() or (state is not None and state.phase == "installing"):
            raise RefusedError("busy", "正在写入更新, 请稍候", "an update is being written, please wait", 10)
