"""Envelope: the bytes of one request with their signature, and what an answer says (T/QME 0015-2024 B.1).

A request is serialised once; those bytes are signed and those bytes are sent (QC06: sn = upper-case MD5 of
body followed by the passkey, in the header `sn`, QC07). An answer is read generously: the standard prints its
members in two places and types, and every reading that QC13 and QC18 to QC22 list is understood here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from edge.cities.qingdao.messages import Login, Logout
from edge.cities.qingdao.paths import PATHS

CONTENT_TYPE = "application/json;charset=UTF-8"  # QC04: raw JSON body

# An answer's own words are shown to people and kept in the queue: not more than this of them.
WORDS_MAX = 200

# An answer may be JSON text in a JSON string (double-encoded); nobody has seen it deeper than once.
_WRAPPED_MAX = 2

# hashlib gives Python's lock away for more than 2047 bytes. To get it back took longer than to hash a batch.
_PIECE_BYTES = 2047


class Account(msgspec.Struct, frozen=True):
    """What the city hands out (6.3). Never shown: `repr` leaves the secrets out."""

    cno: str
    sub_code: str
    user: str
    password: str
    passkey: str

    def __repr__(self) -> str:
        return f"Account(cno={self.cno!r}, sub_code={self.sub_code!r}, user={self.user!r})"


class Request(msgspec.Struct, frozen=True):
    """Ready to be sent as it is. `token` is the one inside the body, "" for a login."""

    kind: str
    path: str
    body: bytes
    sn: str
    token: str = ""
    seq_id: str = ""
    record_id: str = ""
    """The first record's."""
    more_ids: tuple[str, ...] = ()
    """Those of the others, in a request with several records."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": CONTENT_TYPE, "sn": self.sn}


class Item(msgspec.Struct, frozen=True):
    """What the answer says about one record. `code` 0 is success; `record_id` "": it names none (QC35)."""

    record_id: str
    code: int
    message: str


class Reply(msgspec.Struct, frozen=True):
    result_code: int
    message: str
    seq_id: str
    items: tuple[Item, ...]
    token: str
    life_s: int
    """Login: `timeOut`; -1 for ever, 0 when missing: nobody knows (QC12)."""


class ReplyError(ValueError):
    """An answer that is none: not JSON, no object, no result_code, a member of the wrong type."""


class _Envelope(msgspec.Struct):
    """All but `p`, which holds the records as they stand in the queue."""

    cno: str
    subCode: str
    tn: str
    seq_id: str


def sign(body: bytes, passkey: str) -> str:
    """QC06: the exact bytes sent, followed by the passkey, no separator; upper case.

    MD5 is what the standard asks for; it proves nothing to us and guards nothing of ours.
    """
    digest = hashlib.md5(usedforsecurity=False)
    _update(digest, body)
    digest.update(passkey.encode())
    return digest.hexdigest().upper()


def _update(digest: hashlib._Hash | hashlib.blake2b, said: bytes) -> None:
    for at in range(0, len(said), _PIECE_BYTES):
        digest.update(said[at : at + _PIECE_BYTES])


def login_request(account: Account) -> Request:
    """QC08: flat members, and the signature over them (harmless where it is not asked for)."""
    body = Login(cno=account.cno, usr=account.user, psw=account.password).encode()
    return Request("login", PATHS["login"], body, sign(body, account.passkey))


def logout_request(account: Account, token: str) -> Request:
    """As the login: flat members and a signature over them (QC08)."""
    body = Logout(cno=account.cno, tn=token).encode()
    return Request("logout", PATHS["logout"], body, sign(body, account.passkey), token)


def record_request(account: Account, token: str, kind: str, record_id: str, record: bytes) -> Request:
    return batch_request(account, token, kind, [(record_id, record)])


def batch_request(account: Account, token: str, kind: str, records: Sequence[tuple[str, bytes]]) -> Request:
    """Records of one kind, each with its id, in one request (QC31). The seq_id is of the kind and of all that is said
    of it: the same on every repetition, after a restart and with a new token too, and another as soon as one byte
    differs (QC13). The ids alone would not do: a device keeps its id while its state changes."""
    items = b",".join([record for _, record in records])
    digest = hashlib.blake2b(kind.encode() + b"\0", digest_size=16)
    _update(digest, items)
    head = msgspec.json.encode(_Envelope(account.cno, account.sub_code, token, seq_id := digest.hexdigest()))
    body = b'%b,"p":{"data_items":[%b]}}' % (head[:-1], items)
    first_id, *more_ids = [record_id for record_id, _ in records]
    return Request(
        kind, PATHS[kind], body, sign(body, account.passkey), token, seq_id, first_id, tuple(more_ids)
    )


def parse_reply(body: bytes) -> Reply:
    """Raises `ReplyError`, and nothing else, for what is no answer."""
    top = _object(_decoded(body), "answer")
    if top.get("result_code") is None:
        raise ReplyError("result_code is missing")
    items = tuple(_item(entry) for entry in _entries(top.get("data_items")))
    if not items and any(name in top for name in ("error_code", "code")):
        items = (_item(top),)  # QC21: the tables of 1 to 11 print the record's members beside result_code
    first = _first_object(top.get("data_items"))
    return Reply(
        result_code=_integer(top["result_code"], "result_code"),
        message=_words(top.get("message")),
        seq_id=_text(top.get("seq_id")),
        items=items,
        token=_text(top.get("token") or first.get("token")),
        life_s=_integer(top.get("timeOut", first.get("timeOut")) or 0, "timeOut"),
    )


def _decoded(body: bytes) -> object:
    """JSON of any Content-Type (QC04), a byte order mark and double encoding included."""
    value: object = body.removeprefix(b"\xef\xbb\xbf")
    for _ in range(1 + _WRAPPED_MAX):
        if not isinstance(value, str | bytes):
            break
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ReplyError(f"not JSON: {error}") from None
    return value


def _object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ReplyError(f"{name} is {type(value).__name__}, a JSON object is expected")
    return value


def _entries(value: object) -> list[dict[str, object]]:
    """QC19: data_items as array, single object, JSON text of either, null, empty text or missing."""
    if isinstance(value, str) and value.strip():
        value = _decoded(value.encode())
    if value is None or value == "":
        return []
    entries = value if isinstance(value, list) else [value]
    return [_object(entry, "data_items entry") for entry in entries]


def _first_object(value: object) -> dict[str, object]:
    """Login members that a platform put into data_items (QC20)."""
    entries = _entries(value)
    return entries[0] if entries else {}


def _item(entry: dict[str, object]) -> Item:
    """QC22: error_code, else code; 0, "0", empty, missing is success. QC34: 2 names its parkId."""
    record_id = next((entry[name] for name in ("item_id", "equipment_id", "parkId", "park_id") if entry.get(name)), "")
    code = entry.get("error_code")
    if code is None or code == "":
        code = entry.get("code")
    return Item(
        _text(record_id),
        0 if code is None or code == "" else _integer(code, "error_code"),
        _words(entry.get("error_message")),
    )


def _integer(value: object, name: str) -> int:
    """QC18: number or string, both everywhere."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= 20 and text.lstrip("-").isdecimal() and text.isascii() and text.count("-") <= 1:
            return int(text)
    raise ReplyError(f"{name} = {str(value)[:40]!r}: a number is expected")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int):
        return str(value).strip()
    raise ReplyError(f"{type(value).__name__} where text is expected")


def _words(value: object) -> str:
    """The city's own words for people: any type, one line, bounded."""
    text = "" if value is None else str(value)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:WORDS_MAX]
