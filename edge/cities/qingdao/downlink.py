"""Downlink: one message of the city in, its reply out (T/QME 0015-2024 B.1 下行通用接口规范, B.4).

The envelope is judged here, each entry by `orders_cards`, `orders_lists` and `orders_pay`; what is an order goes to the
lane program through `ask`, which answers after its facts are durable. Every message is answered: what cannot be read
with result_code 1 and the reason, and with the seq_id and cmd_type that could still be found in it.

A repeated seq_id gets the first reply again (QC87). The lane program is asked under an id made from the seq_id, so a
repeat acts once after a restart of the agent too: the lane's facts decide. A reply that says "not now" is not kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from edge.cities.clock import Clock
from edge.cities.qingdao.learned import LearnedNames
from edge.cities.qingdao.orders import TITLES, Base, Kind, Reading, Site, names_of, recognised
from edge.cities.qingdao.orders_cards import read_card, read_card_cancel, read_plan, read_plan_delete
from edge.cities.qingdao.orders_lists import read_list, read_list_delete, read_tariff, read_tariff_delete
from edge.cities.qingdao.orders_pay import (
    read_payment,
    read_quote,
    read_scan,
    read_seamless,
    read_seamless_change,
)
from edge.cities.qingdao.reading import BadMember, Members, decode, unwrapped
from edge.cities.qingdao.replies import Entry, LaneTold, entry_of, reply_body
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.core.orders_money import AnyMoneyOrder

log = logging.getLogger("parkbox.qingdao.orders")

# QC87: a reply within 3 s; this much of it is ours, the rest is the network's.
ANSWER_S = 2.5

# Replies kept for repeats: more than a platform has under way.
KEPT_MAX = 1000

# Entries of one message: the largest list of a lot's cards in one go.
ENTRIES_MAX = 500

# QC85: where the entries stand; else the members stand at the top.
CONTENT = ("data_items", "content", "Content")

# QC62: the replies that are printed without indentation, with their members beside result_code.
FLAT_KINDS = frozenset({"quote", "scan"})

Ask = Callable[[AnyMoneyOrder, float], LaneTold | None]
"""An order and the seconds it may take; None: the lane program did not answer."""

READERS: dict[Kind, Callable[[Members, Base, Site], Reading]] = {
    "card": read_card,
    "card_cancel": read_card_cancel,
    "quote": read_quote,
    "payment": read_payment,
    "seamless": read_seamless,
    "seamless_change": read_seamless_change,
    "scan": read_scan,
    "tariff": read_tariff,
    "tariff_delete": read_tariff_delete,
    "plan": read_plan,
    "plan_delete": read_plan_delete,
    "list": read_list,
    "list_delete": read_list_delete,
}

_FOUND = {
    name: re.compile(rf'"{name}"\s*:\s*"([^"\\\x00-\x1f]{{1,64}})"'.encode()) for name in ("seq_id", "cmd_type")
}


class Refused(ValueError):
    """The message as a whole cannot be taken."""


class Downlink:
    """For one thread."""

    def __init__(
        self,
        settings: QingdaoMqtt,
        site: Site,
        ask: Ask,
        clock: Clock,
        *,
        learned: LearnedNames | None = None,
        on_learned: Callable[[dict[str, str]], None] = lambda names: None,
    ) -> None:
        """`learned`: the names of before; `on_learned` is told all of them when there is a new one."""
        self.learned, self._on_learned = learned or LearnedNames(), on_learned
        self._settings, self._site, self._ask, self._clock = settings, site, ask, clock
        self._kinds = names_of(settings.cmd_types)
        self._kept: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()
        self.taken = self.refused = self.repeated = 0
        self.unknown: Counter[str] = Counter()
        """cmd_type values that mean no order here: what to ask the city about."""

    def handle(self, message: bytes) -> bytes:
        """The reply. Never raises for what the city sends."""
        started_s = self._clock.mono_s()
        seq_id, cmd_type = _salvaged(message, "seq_id"), _salvaged(message, "cmd_type")
        try:
            top, seq_id, cmd_type = self._envelope(message)
        except (Refused, BadMember) as refused:
            return self._refusal(str(refused), cmd_type, seq_id)
        try:
            kind, readings = self._read(top, seq_id, cmd_type)
        except (Refused, BadMember) as refused:
            return self._refusal(str(refused), cmd_type, seq_id)
        meant = _meant(kind, readings)
        kept = self._kept.get(seq_id.lower())
        if kept is not None:
            if kept[0] != meant:
                return self._refusal("seq_id 已用于另一条指令 was used for another order", cmd_type, seq_id)
            self.repeated += 1
            return kept[1]
        entries = self._carried_out(kind, readings, started_s + ANSWER_S)
        reply = self._reply(kind, entries, cmd_type, seq_id, top)
        if all(entry.settled for entry in entries):
            self._kept[seq_id.lower()] = (meant, reply)
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return reply

    # --- what came -----------------------------------------------------------------------------------------------

    def _envelope(self, message: bytes) -> tuple[Members, str, str]:
        most = self._settings.message_bytes
        if len(message) > most:
            raise Refused(f"指令有 {len(message)} 字节, 最多 {most} / {len(message)} bytes, at most {most} are taken")
        try:
            value = decode(message.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(f"不是 JSON / not JSON: {error}") from None
        top = Members(unwrapped(value, "指令 order"), "")
        seq_id = top.text("seq_id", 64)
        cmd_type = top.text("cmd_type", 64)
        project = top.text("project_code", 64)
        if project not in self._site.projects:
            ours = ", ".join(sorted(self._site.projects))
            raise Refused(f"project_code = {project!r}: 不是本车场的项目, 只有 {ours} / not a project of this lot")
        return top, seq_id, cmd_type

    def _read(self, top: Members, seq_id: str, cmd_type: str) -> tuple[Kind, list[Reading]]:
        inside = next((name for name in CONTENT if top.has(name)), None)
        entries = [top] if inside is None else top.parts(inside, ENTRIES_MAX)
        if not entries:
            raise Refused("data_items: 缺少 is missing")
        kind = self._kinds.get(cmd_type)
        if kind is None:
            self.unknown[cmd_type] += 1
            kind = self._kind_of(entries[0], cmd_type)
        if kind is None:
            log.warning("unknown cmd_type %r, seq_id %s: see city.qingdao.mqtt.cmd_types", cmd_type, seq_id)
            raise Refused(f"cmd_type = {cmd_type!r}: 未知业务类型 unknown")
        found = []
        for place, entry in enumerate(entries):
            base = Base(command_id(seq_id, place), TITLES[kind])
            try:
                found.append(READERS[kind](entry, base, self._site))
            except BadMember as bad:
                named: dict[str, object] = {}
                if entry.has("item_id"):
                    named["item_id"] = str(entry.value_of("item_id"))[:64]
                found.append(Reading(named, None, str(bad)))
        return kind, found

    def _kind_of(self, entry: Members, cmd_type: str) -> Kind | None:
        """Of an order whose name stands nowhere: by its members, else by what its name meant before."""
        if not self._settings.recognise:
            return None
        kind = recognised(entry)
        if kind is None:
            return self.learned.kind_of(cmd_type) if self._settings.learn else None
        if self._settings.learn and self.learned.note(cmd_type, kind):
            log.info("learned: cmd_type %r is %s", cmd_type, self.learned.names[cmd_type])
            self._on_learned(self.learned.names)
        return kind

    # --- what comes of it ----------------------------------------------------------------------------------------

    def _carried_out(self, kind: Kind, readings: Sequence[Reading], until_s: float) -> list[Entry]:
        found = []
        for reading in readings:
            told = None
            left_s = until_s - self._clock.mono_s()
            if reading.order is not None and left_s > 0:
                told = self._ask(reading.order, left_s)
            found.append(entry_of(kind, reading, told, self._site, self._settings))
        return found

    def _reply(self, kind: Kind, entries: Sequence[Entry], cmd_type: str, seq_id: str, top: Members) -> bytes:
        """QR061: result_code 1 says that all of it failed."""
        failed = not any(entry.ok for entry in entries)
        wrong = next((entry.words for entry in entries if not entry.ok), "")
        if failed:
            self.refused += 1
            log.warning("%s, seq_id %s: not carried out: %s", TITLES[kind], seq_id, wrong)
        else:
            self.taken += 1
        words = wrong or (entries[0].words if len(entries) == 1 else "成功")
        members = None if kind == "payment" else [entry.members for entry in entries]
        flat = entries[0].members if kind in FLAT_KINDS and self._settings.reply_flat and len(entries) == 1 else {}
        like = next((top.value_of(name) for name in CONTENT if top.has(name)), None)
        project = top.text("project_code", 64)
        code = 1 if failed else 0
        return reply_body(code, words, cmd_type, seq_id, members, self._settings, project, flat=flat, like=like)

    def _refusal(self, words: str, cmd_type: str, seq_id: str) -> bytes:
        self.refused += 1
        log.warning("order refused, seq_id %s, cmd_type %s: %s", seq_id or "?", cmd_type or "?", words)
        return reply_body(1, words, cmd_type, seq_id, [], self._settings)


def command_id(seq_id: str, place: int) -> str:
    """The same for every coming of the same entry of the same message, whoever asks and whenever (QC13: a seq_id is
    compared without regard to case)."""
    return hashlib.blake2b(f"{seq_id.lower()} {place}".encode(), digest_size=16, person=b"qingdao-order").hexdigest()


def _meant(kind: Kind, readings: Sequence[Reading]) -> bytes:
    """What a message orders, whenever it says that it was made."""
    orders = [each.order and msgspec.structs.replace(each.order, city_ms=0) for each in readings]
    content = msgspec.json.encode([kind, orders, [(each.answer, each.words) for each in readings]])
    return hashlib.blake2b(content, digest_size=16).digest()


def _salvaged(message: bytes, name: str) -> str:
    """What a message that cannot be read says of itself in its first kilobytes; "" when it says nothing."""
    found = _FOUND[name].search(message[:4096])
    return found[1].decode("utf-8", "replace") if found else ""
