"""Fields: the types of T/SZPIA 001-2020 (table 1), and the base that holds every message to them. Pure.

A message checks itself when it is made: a wrong type or a value outside an enumeration cannot reach the queue, and the
error names message, field, value and what is allowed. Lengths are another matter: the standard's own examples break
them (SC29, SC30), so `settle_lengths` keeps, cuts or refuses as the config says. Money is integer fen inside and a
number with two decimals (5.00) on the wire (7.1.2 a 1).
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from edge.cities.shenzhen.sign import sorted_json

LengthPolicy = Literal["keep", "cut", "refuse"]

# Table 1: Uuid, 32 characters. Both cases stand in the examples; lower is sent (SC27).
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{32}$", description="32 hex digits")]

# Table 1: DateTime, Beijing time without zone (SC25, SC26).
DateTime = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
        description="yyyy-MM-dd HH:mm:ss",
    ),
]

# Table 1: Int, 4 bytes; no count of the interfaces can be negative.
Count = Annotated[int, Meta(ge=0, le=2_147_483_647, description="0..2147483647")]

# Table 1: Decimal of yuan, two decimals. 16 bytes are not filled by any fee.
Money = Annotated[Decimal, Meta(extra={"decimals": 2}, description="yuan with two decimals, 0 or more")]

Longitude = Annotated[float, Meta(ge=-180, le=180, description="-180..180")]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="-90..90")]


def _text(length: int) -> Any:
    """A required String of the printed length, in characters (SC30)."""
    return Meta(min_length=1, max_length=10_000, description=f"1 to {length} characters", extra={"length": length})


def _text_or_empty(length: int) -> Any:
    return Meta(max_length=10_000, description=f"at most {length} characters", extra={"length": length})


PlateText = Annotated[str, _text(10)]
ColourText = Annotated[str, _text(3)]
Text5 = Annotated[str, _text(5)]
Text6 = Annotated[str, _text(6)]
Text10 = Annotated[str, _text(10)]
Text18 = Annotated[str, _text(18)]
Text20 = Annotated[str, _text(20)]
Text28 = Annotated[str, _text(28)]
Text50 = Annotated[str, _text(50)]
Text100 = Annotated[str, _text(100)]
Text200 = Annotated[str, _text(200)]
Text255 = Annotated[str, _text(255)]
Text500 = Annotated[str, _text_or_empty(500)]
Image = Annotated[str, Meta(max_length=8_000_000, description="base64")]

CarModel = Literal[1, 2, 3]
Status = Literal[1, 2]

_CENT = Decimal("0.01")

SomeMessage = TypeVar("SomeMessage", bound="Message")


class FieldError(ValueError):
    """A message was to be made with a value that the standard does not allow."""

    def __init__(self, message: str, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{message}.{field} = {str(value)[:100]!r}: allowed is {allowed}")
        self.field = field


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message or a part of one. A member that is None stays out."""

    def __post_init__(self) -> None:
        for field in _fields(type(self)):
            value = getattr(self, field.name)
            try:
                msgspec.convert(value, field.hint)
            except msgspec.ValidationError:
                raise FieldError(type(self).__name__, field.wire, value, field.allowed) from None
            if field.money and value is not None and (value < 0 or value != value.quantize(_CENT)):
                raise FieldError(type(self).__name__, field.wire, value, field.allowed)


    def encode(self) -> bytes:
        """Sorted JSON: what is signed and sent."""
        return sorted_json(self)


def settle_lengths(message: SomeMessage, policy: LengthPolicy) -> SomeMessage:
    """The message with its texts kept, cut or refused (`FieldError`) when over the printed length (SC29, SC30)."""
    if policy == "keep":
        return message
    changed: dict[str, Any] = {}
    for field in _fields(type(message)):
        value = getattr(message, field.name)
        if isinstance(value, Message):
            settled = settle_lengths(value, policy)
            if settled is not value:
                changed[field.name] = settled
        elif isinstance(value, tuple) and any(isinstance(item, Message) for item in value):
            changed[field.name] = tuple(settle_lengths(item, policy) for item in value)
        elif field.length and isinstance(value, str) and len(value) > field.length:
            if policy == "refuse":
                raise FieldError(type(message).__name__, field.wire, value, f"at most {field.length} characters")
            changed[field.name] = value[: field.length]
    return msgspec.structs.replace(message, **changed) if changed else message


def too_long(message: Message) -> list[str]:
    """Wire names of texts over their printed length, for whoever warns of them (SC30)."""
    found = []
    for field in _fields(type(message)):
        value = getattr(message, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Message):
                found += too_long(part)
        if field.length and isinstance(value, str) and len(value) > field.length:
            found.append(field.wire)
    return found


def yuan(fen: int) -> Decimal:
    """Exact, always with two decimals: 500 fen are 5.00."""
    return Decimal(fen) * _CENT


class _Field(msgspec.Struct, frozen=True):
    """What `Message` needs to know of one member, worked out once a class."""

    name: str
    wire: str
    hint: object
    allowed: str
    money: bool
    length: int


def _metas(hint: object) -> list[Meta]:
    """The `Meta`s of `Annotated[...]` and of the members of a union such as `Money | None`."""
    own = [item for item in getattr(hint, "__metadata__", ()) if isinstance(item, Meta)]
    parts = [getattr(hint, "__origin__", None), *getattr(hint, "__args__", ())]
    return own + [meta for part in parts if part is not None for meta in _metas(part)]


@cache
def _fields(message: type[Message]) -> tuple[_Field, ...]:
    found = []
    for field in msgspec.structs.fields(message):
        metas = _metas(field.type)
        marks = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
        allowed = ", ".join(meta.description for meta in metas if meta.description) or str(field.type)
        found.append(
            _Field(
                field.name, field.encode_name, field.type, allowed, "decimals" in marks, int(marks.get("length", 0))
            )
        )
    return tuple(found)
