"""The agent's picture uploads: whether the config asks for them, and what retention and page may know of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.agent.cities import SystemClock
from edge.cities.qingdao.pictures import object_key
from edge.config.model import Config
from edge.evidence.uploads import PictureUploads, UploadChild
from edge.fault_view import fault_view
from edge.ports import FaultView, LinkView, PictureStory, Upload
from edge.store.errors import StoreError
from edge.store.pictures import Pictures
from edge.store.uploads import Uploads

DEVICE = "oss"


def wanted(config: Config) -> bool:
    return config.city.qingdao is not None and config.city.qingdao.oss is not None


class CityPictures:
    """Without `[city.qingdao.oss]` it does nothing and nobody waits for it."""

    def __init__(
        self,
        config: Config,
        shelf: Pictures,
        undelivered: Callable[[Sequence[str]], set[str]],
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        """`undelivered`: of these records, those that a city is still to get."""
        self._undelivered = undelivered
        self._queue = Uploads(shelf)
        self._uploads: PictureUploads | None = None
        qingdao = config.city.qingdao
        if qingdao is None or qingdao.oss is None:
            return
        oss, sub_code = qingdao.oss, qingdao.sub_code

        def key_of(upload: Upload) -> str:
            return object_key(sub_code, upload.direction, upload.passed_ms, upload.record_id, oss.suffix)

        self._uploads = PictureUploads(
            oss,
            self._queue,
            Path(config.box.data_dir) / "pictures",
            key_of,
            UploadChild(),
            clock=SystemClock(config.box.clock == "trusted"),
            random=random.SystemRandom(),
            storage_errors=(StoreError,),
            died=died,
            changed=changed,
        )

    def start(self) -> None:
        if self._uploads is not None:
            self._uploads.start()

    def stop(self) -> None:
        if self._uploads is not None:
            self._uploads.stop()

    def kick(self) -> None:
        if self._uploads is not None:
            self._uploads.kick()

    def still_needed(self, record_ids: Sequence[str]) -> set[str]:
        """Of these, whose picture must stay: a city lacks the record, or its storage the picture."""
        needed = self._undelivered(record_ids)
        return needed | self._queue.lacking(record_ids) if self._uploads is not None else needed

    def repeat(self) -> int:
        """Put all that were set aside back into the queue. How many there were."""
        count = self._queue.repeat()
        self.kick()
        return count

    def story(self, record_id: str) -> PictureStory | None:
        return self._queue.story(record_id)

    def links(self) -> list[LinkView]:
        return self._uploads.links() if self._uploads is not None else []

    def faults(self) -> list[FaultView]:
        found = self._uploads.faults() if self._uploads is not None else []
        return [fault_view(fault.code, DEVICE, fault.detail, fault.since_wall_ms) for fault in found]
