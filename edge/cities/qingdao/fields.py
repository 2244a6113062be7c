"""Fields: the types of T/QME 0015-2024 (B.1 b), and the base that holds every message to them.

A message checks itself when it is made, so nothing that the standard forbids can reach the queue; the error
names message, field, value and what is allowed. Money is integer fen inside and becomes a JSON number with
two decimals (5.00) only on the wire: the tables print Decimal(12,2) yuan (QC18, QC70).
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Annotated, ClassVar, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

# B.1 type Guid: 32 characters without separators (line 364).
Guid = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{32}$", description="32 hex digits without separators")]

# A password: as Text20, and no error ever shows it.
Secret20 = Annotated[str, Meta(min_length=1, max_length=20, description="1 to 20 characters", extra={"secret": True})]

# Rows typed String with a length; the length counts characters.
Text10 = Annotated[str, Meta(min_length=1, max_length=10, description="1 to 10 characters")]
Text20 = Annotated[str, Meta(min_length=1, max_length=20, description="1 to 20 characters")]
Text30 = Annotated[str, Meta(min_length=1, max_length=30, description="1 to 30 characters")]
Text50 = Annotated[str, Meta(min_length=1, max_length=50, description="1 to 50 characters")]
Text200 = Annotated[str, Meta(min_length=1, max_length=200, description="1 to 200 characters")]
Text500 = Annotated[str, Meta(max_length=500, description="at most 500 characters")]

# A required String without a printed length.
Text = Annotated[str, Meta(min_length=1, max_length=2000, description="1 to 2000 characters")]

# B.1 type Int, of which no count can be negative; QC17: the printed upper bound is one too high.
Count = Annotated[int, Meta(ge=0, le=2_147_483_647, description="0..2147483647")]

# QC14: 13 digits, milliseconds since 1970 UTC. QC16: when the record changed, kept on a repetition.
StampMs = Annotated[int, Meta(ge=10**12, le=10**13 - 1, description="13 digits, ms since 1970 UTC")]

# QC68, QC106: yyyy-MM-dd HH:mm:ss, Beijing time.
ChinaTime = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) "
        r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
        description="yyyy-MM-dd HH:mm:ss",
    ),
]

# Decimal(12,2) yuan: twelve digits of which two are decimals, so at most 999,999,999,999 fen.
FEN_MAX = 10**12 - 1
YuanFen = Annotated[
    int,
    Meta(ge=0, le=FEN_MAX, description=f"0..{FEN_MAX} fen, Decimal(12,2) yuan", extra={"wire": "yuan"}),
]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CENT = Decimal("0.01")


class FieldError(ValueError):
    """A message was to be made with a value that the standard does not allow."""

    def __init__(self, message: str, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{message}.{field} = {value!r}: allowed is {allowed}")
        self.field = field


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `kind` is the last part of its path and its name in the delivery queue."""

    kind: ClassVar[str]
    path: ClassVar[str]
    nullable: ClassVar[frozenset[str]] = frozenset()
    """Members that are sent as null."""

    def __post_init__(self) -> None:
        try:
            msgspec.convert(self, _shape(type(self)), from_attributes=True)
        except msgspec.ValidationError:
            self._name_the_wrong_one()
            raise

    def _name_the_wrong_one(self) -> None:
        for field in _fields(type(self)):
            value = getattr(self, field.name)
            try:
                msgspec.convert(value, field.hint)
            except msgspec.ValidationError:
                shown = "(not shown)" if field.secret else value
                raise FieldError(self.kind, field.name, shown, field.allowed) from None

    def encode(self) -> bytes:
        """The record as JSON in the order of the standard's table; None stays out but for `nullable`."""
        members: dict[str, object] = {}
        for field in _fields(type(self)):
            value = getattr(self, field.name)
            if value is not None or field.name in self.nullable:
                members[field.name] = yuan(value) if field.money and value is not None else value
        return _ENCODER.encode(members)


def yuan(fen: int) -> Decimal:
    """Exact, always with two decimals: 500 fen are 5.00."""
    return Decimal(fen) * _CENT


def _metas(hint: object) -> list[Meta]:
    """The `Meta`s of `Annotated[...]` and of the members of a union such as `YuanFen | None`."""
    own = [item for item in getattr(hint, "__metadata__", ()) if isinstance(item, Meta)]
    parts = [getattr(hint, "__origin__", None), *getattr(hint, "__args__", ())]
    return own + [meta for part in parts if part is not None for meta in _metas(part)]


class _Field(msgspec.Struct, frozen=True):
    """What `Message` needs to know of one member, worked out once a class."""

    name: str
    hint: object
    allowed: str
    money: bool
    secret: bool


@cache
def _shape(message: type[Message]) -> type[msgspec.Struct]:
    """The same members under the same rules without a base that checks: all of them in one stroke, since a backlog is
    a hundred thousand messages."""
    return msgspec.defstruct(f"{message.__name__}Shape", [(field.name, field.hint) for field in _fields(message)])


@cache
def _fields(message: type[Message]) -> tuple[_Field, ...]:
    found = []
    for field in msgspec.structs.fields(message):
        metas = _metas(field.type)
        marks = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
        found.append(
            _Field(
                field.encode_name,
                field.type,
                ", ".join(meta.description for meta in metas if meta.description) or _named(field.type),
                marks.get("wire") == "yuan",
                bool(marks.get("secret")),
            )
        )
    return tuple(found)


def _named(hint: object) -> str:
    """What a hint without a description allows: the values of an enumeration, or its type."""
    if get_origin(hint) is Literal:
        return ", ".join(str(value) for value in get_args(hint))
    if parts := [part for part in get_args(hint) if part is not type(None)]:
        return " or ".join(_named(part) for part in parts)
    return getattr(hint, "__name__", str(hint))
