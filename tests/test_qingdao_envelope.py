"""Requests byte by byte, and every form of answer that the standard's contradictions allow (QC13, QC18 to QC22)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cities.qingdao.envelope import (
    Account,
    Item,
    ReplyError,
    batch_request,
    login_request,
    parse_reply,
    record_request,
    sign,
)

ACCOUNT = Account("0000001234", "P-77", "box", "geheim", "secret-key")
T0_MS = 1_795_392_000_000


# Both signatures were taken with other programs: printf '%s%s' BODY KEY | md5sum, and | openssl dgst -md5.
@pytest.mark.parametrize(
    ("body", "passkey", "sn"),
    [
        (
            b'{"cno":"0000001234","usr":"box","psw":"geheim"}',
            "secret-key",
            "D0CF3F7E6EA02340EC52AF75315CE27E",
        ),
        ('{"cno":"青岛","a":1}'.encode(), "密钥", "6E96E45E6113F7A1FD89BB08BB84E76F"),
    ],
)
def test_signature_is_upper_md5_of_the_bytes_and_the_passkey(body: bytes, passkey: str, sn: str) -> None:
    assert sign(body, passkey) == sn


def test_login_is_flat_and_signed() -> None:
    request = login_request(ACCOUNT)
    assert request.path == "/login"
    assert request.body == b'{"cno":"0000001234","usr":"box","psw":"geheim"}'
    assert request.headers == {
        "Content-Type": "application/json;charset=UTF-8",
        "sn": "D0CF3F7E6EA02340EC52AF75315CE27E",
    }


def test_a_record_travels_unchanged_in_the_printed_envelope() -> None:
    record = b'{"item_id":"abc","ys_money":5.00}'
    request = record_request(ACCOUNT, "token-1", "carOut", "abc", record)
    assert request.path == "/thirdAPI/carOut"
    head = b'{"cno":"0000001234","subCode":"P-77","tn":"token-1","seq_id":"' + request.seq_id.encode()
    assert request.body == head + b'","p":{"data_items":[' + record + b"]}}"


def test_seq_id_is_a_guid_new_for_each_request_and_kept_on_repetition() -> None:
    first = record_request(ACCOUNT, "token-1", "carIn", "a", b'{"item_id":"a"}')
    again = record_request(ACCOUNT, "token-2", "carIn", "a", b'{"item_id":"a"}')
    other_record = record_request(ACCOUNT, "token-1", "carIn", "b", b'{"item_id":"b"}')
    other_kind = record_request(ACCOUNT, "token-1", "carOut", "a", b'{"item_id":"a"}')
    assert first.seq_id == again.seq_id
    assert len({first.seq_id, other_record.seq_id, other_kind.seq_id}) == 3
    assert len(first.seq_id) == 32
    assert int(first.seq_id, 16) > 0


def test_a_seq_id_is_of_what_the_request_says_in_all_its_records() -> None:
    """Devices keep their ids while their states change: other content is another request, whichever record it is in."""

    def seq_id(*records: bytes) -> str:
        return batch_request(ACCOUNT, "token-1", "equipstatus", [(f"{n}", r) for n, r in enumerate(records)]).seq_id

    said = [b'{"equipment_id":"%d","timestamp":%d,"pad":"%s"}' % (n, T0_MS, b"x" * 3000) for n in range(3)]
    later = [each.replace(b"%d" % T0_MS, b"%d" % (T0_MS + 60_000)) for each in said]
    assert seq_id(*said) == seq_id(*said)
    told = [said, later, [*said[:2], later[2]], [later[0], *said[1:]], said[:2], said[1:], said[:1], said[::-1]]
    assert len({seq_id(*each) for each in told}) == len(told)


def test_an_account_shows_no_secret() -> None:
    assert "geheim" not in repr(ACCOUNT)
    assert "secret-key" not in repr(ACCOUNT)
    assert "0000001234" in repr(ACCOUNT)


ITEM = {"item_id": "AB", "error_code": 0, "error_message": ""}
AS_PRINTED = {"result_code": 0, "message": "成功", "seq_id": "S", "data_items": [ITEM]}
TAKEN, REFUSED = (Item("AB", 0, ""),), (Item("AB", 1, "重复"),)


@pytest.mark.parametrize(
    ("answer", "items"),
    [
        pytest.param(AS_PRINTED, TAKEN, id="as printed"),
        pytest.param({**AS_PRINTED, "data_items": ITEM}, TAKEN, id="QC19 single object"),
        pytest.param({**AS_PRINTED, "data_items": json.dumps([ITEM])}, TAKEN, id="QC19 text of an array"),
        pytest.param({**AS_PRINTED, "data_items": json.dumps(ITEM)}, TAKEN, id="QC19 text of an object"),
        pytest.param({**AS_PRINTED, "data_items": None}, (), id="QC19 null"),
        pytest.param({**AS_PRINTED, "data_items": ""}, (), id="QC19 empty text"),
        pytest.param({**AS_PRINTED, "data_items": []}, (), id="empty array"),
        pytest.param({"result_code": 0, **ITEM}, TAKEN, id="QC21 flat"),
        pytest.param({"result_code": 0, "item_id": "AB"}, (), id="QC21 flat without error_code"),
        pytest.param({"result_code": "0", "data_items": [{**ITEM, "error_code": "0"}]}, TAKEN, id="QC18 text"),
        pytest.param({"result_code": 0.0, "data_items": [ITEM]}, TAKEN, id="0.0"),
        pytest.param({"result_code": 0, "data_items": [{"item_id": "AB"}]}, TAKEN, id="QC21 no error_code"),
        pytest.param({"result_code": 0, "data_items": [{**ITEM, "error_code": ""}]}, TAKEN, id="QC22 empty"),
        pytest.param({"result_code": 0, "data_items": [{**ITEM, "error_code": None}]}, TAKEN, id="QC22 null"),
        pytest.param({"result_code": 0, "data_items": [{"parkId": "AB", "error_code": 0}]}, TAKEN, id="QC34"),
        pytest.param(
            {"result_code": 0, "data_items": [{"item_id": "AB", "code": 1, "error_message": "重复"}]},
            REFUSED,
            id="QC22 code",
        ),
        pytest.param(
            {"result_code": 0, "data_items": [{"item_id": "AB", "error_code": "1", "error_message": "重复"}]},
            REFUSED,
            id="refused, as text",
        ),
    ],
)
def test_each_form_of_an_answer_is_understood(answer: dict[str, Any], items: tuple[Item, ...]) -> None:
    for text in (
        json.dumps(answer),
        json.dumps(answer, ensure_ascii=False),
        json.dumps(json.dumps(answer)),  # encoded twice
        "\ufeff" + json.dumps(answer),  # with a byte order mark
    ):
        reply = parse_reply(text.encode())
        assert (reply.result_code, reply.items) == (0, items)


def test_a_login_answer_has_token_and_life_in_either_place() -> None:
    flat = parse_reply(b'{"result_code":0,"message":"ok","token":"T","timeOut":7200}')
    nested = parse_reply(b'{"result_code":0,"data_items":[{"token":"T","timeOut":"7200"}]}')
    endless = parse_reply(b'{"result_code":0,"token":"T","timeOut":-1}')
    unknown = parse_reply(b'{"result_code":0,"token":"T"}')
    assert [(each.token, each.life_s) for each in (flat, nested)] == [("T", 7200)] * 2
    assert (endless.life_s, unknown.life_s) == (-1, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'{"result_code":null}',
        b'{"result_code":true}',
        b'{"result_code":"ok"}',
        b'{"result_code":"1-0"}',
        b'{"result_code":0.5}',
        b'{"result_code":[0]}',
        b'{"result_code":0,"data_items":"no json"}',
        b'{"result_code":0,"data_items":[1]}',
        b'{"result_code":0,"data_items":[{"error_code":"?"}]}',
        b'{"result_code":0,"seq_id":{}}',
        b'{"result_code":0,"data_items":[{"item_id":[]}]}'.replace(b"[]", b"[1]"),
        b'{"result_code":0,"message":"cut o',
        b'{"result_code":"' + "０".encode() + b'"}',  # a full-width nought
        b'{"result_code":' + b"9" * 5000 + b"}",
        b'{"result_code":0,"seq_id":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"result_code":0,"data_items":"' + b"[" * 100_000 + b'"}',
    ],
)
def test_what_is_no_answer_is_our_error_and_no_other(body: bytes) -> None:
    with pytest.raises(ReplyError):
        parse_reply(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["result_code", "message", "seq_id", "data_items", "item_id", "error_code", "code", "token", "timeOut"]


@given(st.binary() | st.dictionaries(st.sampled_from(NAMES), JSON).map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_an_answer_or_our_error(body: bytes) -> None:
    try:
        reply = parse_reply(body)
    except ReplyError:
        return
    assert isinstance(reply.result_code, int)
    assert len(reply.message) <= 200
    assert reply.message.isprintable()
