"""What msgspec says of a bad input, in words: the decoder itself is asked, so that another wording of it is noticed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from edge.core.decoder_words import in_words


class Inner(msgspec.Struct, frozen=True):
    on: bool = False


class Body(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)] = 1
    name: Annotated[str, Meta(min_length=1, max_length=3)] = "x"
    pair: tuple[int, int] = (1, 2)
    kind: Literal["a", "b"] = "a"
    share: float | None = None
    inner: Inner = Inner()


class Needs(msgspec.Struct):
    t: int


def told(text: str | bytes, kind: type = Body) -> tuple[str, str, str]:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as error:
        msgspec.json.decode(text, type=kind)
    return in_words(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"count":"7"}', ("count", "须为整数, 不是文字", "must be a whole number, not text")),
        ('{"count":0}', ("count", "须为整数, 且 >= 1", "must be a whole number >= 1")),
        ('{"name":""}', ("name", "文字的长度须 >= 1", "must be text of length >= 1")),
        ('{"name":"abcd"}', ("name", "文字的长度须 <= 3", "must be text of length <= 3")),
        ('{"pair":[1]}', ("pair", "列表须有 2 项", "must be a list of 2")),
        ('{"kind":"c"}', ("kind", "'c' 不在允许值之内", "'c' is none of the allowed ones")),
        ('{"share":[]}', ("share", "须为数字或 null, 不是列表", "must be a number or null, not a list")),
        ('{"inner":{"on":"1"}}', ("inner.on", "须为 true 或 false, 不是文字", "must be true or false, not text")),
        ('{"cuont":1}', ("", "没有 cuont 这一项", "cuont is not known here")),
        ("[]", ("", "须为对象, 不是列表", "must be an object, not a list")),
        ("{", ("", "JSON 不完整", "the JSON is not whole")),
        ("{x", ("", "不是 JSON (第 1 字节)", "is no JSON (byte 1)")),
        (b'{"name":"\xff"}', ("", "不是 UTF-8 文字", "is no UTF-8 text")),
    ],
)
def test_each_wording(text: str | bytes, expected: tuple[str, str, str]) -> None:
    assert told(text) == expected


class Left(msgspec.Struct, tag_field="ev", tag="left"):
    lane: str = ""


class Came(msgspec.Struct, tag_field="ev", tag="came"):
    sizes: dict[str, list[Literal["large", "small", ""]]] = {}


@pytest.mark.parametrize(
    ("text", "where", "value", "allowed"),
    [
        ('{"ev":"lef"}', "ev", "'lef'", {"came", "left"}),
        ('{"ev":"came","sizes":{"x":["", "big"]}}', "sizes[...][1]", "'big'", {"large", "small", "''"}),
    ],
)
def test_a_choice_is_told_with_its_values_where_the_type_is_known(
    text: str, where: str, value: str, allowed: set[str]
) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.json.decode(text, type=Left | Came)
    place, zh, en = in_words(error.value, Left | Came)
    assert place == where
    for said, before in ((zh, f"{value} 不在允许值之内, 须为 "), (en, f"{value} is none of the allowed ones: ")):
        assert said.startswith(before)
        assert set(said.removeprefix(before).split(", ")) == allowed


def test_a_missing_member_is_named() -> None:
    assert told("{}", Needs) == ("", "缺少 t", "t is missing")


def test_a_wording_that_is_not_known_keeps_its_english() -> None:
    zh, en = in_words(msgspec.ValidationError("Something new - at `$.a`"))[1:]
    assert (zh, en) == ("不符合要求 (Something new)", "Something new")
