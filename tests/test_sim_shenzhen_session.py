"""Who may speak to the simulated Shenzhen platform: envelope, signature, login, tokens, sizes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal_sim.shenzhen import Account, ShenzhenPlatform, SignRule
from tests.shenzhen_wire import (
    ACCOUNT,
    JSON_TYPE,
    KEY,
    LOT,
    PASSWORD,
    SEALED,
    USER,
    Sender,
    des,
    envelope,
    example,
    sha1,
    sorted_text,
)

SPACES = f'[{{"parkCode":"{LOT}","unusedStalls":60,"usedStalls":50}}]'


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[ShenzhenPlatform]:
    running = ShenzhenPlatform(ACCOUNT, tmp_path, seed=1, token_life_s=100)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


@pytest.fixture
def sender(platform: ShenzhenPlatform) -> Sender:
    sender = Sender(platform.start())
    sender.login()
    return sender


def fields(platform: ShenzhenPlatform) -> list[str]:
    return [violation.field for violation in platform.summary().violations]


# --- signature -------------------------------------------------------------------------------------------------


def test_the_worked_example_of_the_standard() -> None:
    data: list[object] = [
        {
            "userId": "cadre01",
            "password": "205af3fa28810be321ef49d0993fee24",
            "callbackServer": "http://www.cncadre.com/",
        }
    ]
    assert SignRule("sha1", "element").of(data) == "59f5688227e06ae8059cba5286a700c95103353b"


def test_the_signature_is_over_sorted_compact_text_with_numbers_as_written(
    platform: ShenzhenPlatform, sender: Sender
) -> None:
    sent = f'[ {{"usedStalls": 50, "unusedStalls":60, "parkCode": "{LOT}"}} ]'
    assert sender.send(5003, sent, sign=f'"{sha1(SPACES)}"')["data"][0]["code"] == 0
    assert sender.send(5003, sent)["resultCode"] == 3  # signed as it stands, with its blanks
    assert fields(platform) == ["sign"]


@pytest.mark.parametrize(
    ("sign", "right"),
    [
        (f'"{sha1(SPACES).upper()}"', False),
        (f'" {sha1(SPACES)}"', False),
        (f'"{sha1(SPACES[1:-1])}"', False),
        ('""', False),
        ("5", False),
        ("", False),
        (f'"{sha1(SPACES)}"', True),
    ],
)
def test_a_wrong_signature_is_result_code_3(platform: ShenzhenPlatform, sender: Sender, sign: str, right: bool) -> None:
    answer = sender.send(5003, SPACES, sign=sign)
    assert (answer["resultCode"], answer["data"] == []) == ((0, False) if right else (3, True))
    assert fields(platform) == ([] if right else ["sign"])


def test_md5_over_the_element_by_setting(tmp_path: Path) -> None:
    account = Account(USER, PASSWORD, KEY, (LOT,), sign=SignRule("md5", "element"))
    platform = ShenzhenPlatform(account, tmp_path)
    sender = Sender(platform.start())
    data = f'[{{"password":"{SEALED}","userId":"{USER}"}}]'
    by_md5sum = subprocess.run(["md5sum"], input=data[1:-1].encode(), capture_output=True, check=True)
    answer = sender.send(1001, data, sign=f'"{by_md5sum.stdout.decode().split()[0]}"')
    assert answer["data"][0]["code"] == 0
    assert sender.send(1001, data)["resultCode"] == 3
    platform.stop()


# --- envelope --------------------------------------------------------------------------------------------------

NOW = int(time.time())


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"timestamp": ""}, "timestamp", 3),
        ({"timestamp": f'"{NOW}"'}, "timestamp", 3),
        ({"timestamp": f"{NOW}000"}, "timestamp", 3),
        ({"timestamp": "125555556621"}, "timestamp", 3),
        ({"timestamp": str(NOW - 3600)}, "timestamp", 3),
        ({"extra": "1"}, "extra", 3),
        ({"data": "{}"}, "data", 3),
        ({"data": "[]", "sign": f'"{sha1("[]")}"'}, "data", 3),
        ({"data": "[1]"}, "data", 3),
        ({"data": ""}, "data", 3),
        ({"data": "[{]"}, "(body)", 2),
    ],
)
def test_a_wrong_envelope_is_named(
    platform: ShenzhenPlatform, sender: Sender, members: dict[str, str], field: str, code: int
) -> None:
    answer = sender.send(5003, SPACES, **members)
    assert (answer["resultCode"], answer["data"]) == (code, [])
    assert fields(platform) == [field]
    assert field in answer["resultMsg"] or code == 2


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe{}", b"[]", b'"x"', b'{"timestamp":NaN}', b'{"data":[],"data":[]}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(platform: ShenzhenPlatform, sender: Sender, body: bytes) -> None:
    answer = json.loads(sender.raw(5003, body)[2])
    assert answer["resultCode"] in (2, 3)
    assert fields(platform) == ["(body)"]


@pytest.mark.parametrize("path", ["/api/1.0/4001", "/api/1.0/9999", "/api/5003", "/api/1.1/5003", "/1.0/5003"])
def test_another_address_is_404(platform: ShenzhenPlatform, sender: Sender, path: str) -> None:
    status, _, body = sender.raw(path, envelope(SPACES))
    assert (status, json.loads(body)["resultCode"]) == (404, 5)
    assert fields(platform) == ["(url)"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/json;charset=GBK"])
def test_the_content_type_is_that_of_annex_b(platform: ShenzhenPlatform, sender: Sender, kind: str) -> None:
    headers = {"Content-Type": kind, "Authorization": f"bearer {sender.token}"}
    assert json.loads(sender.raw(5003, envelope(SPACES), headers)[2])["resultCode"] == 3
    assert fields(platform) == ["Content-Type"]


def test_more_than_ten_million_bytes_are_refused(platform: ShenzhenPlatform, sender: Sender) -> None:
    connection = sender.connect()
    connection.putrequest("POST", "/api/1.0/5003")
    connection.putheader("Content-Length", "10000001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert fields(platform) == ["Content-Length"]


def test_another_authority_is_not_the_citys(platform: ShenzhenPlatform, sender: Sender, tmp_path: Path) -> None:
    other = ShenzhenPlatform(ACCOUNT, tmp_path / "other")
    sender.addresses = type(sender.addresses)(sender.addresses.url, sender.addresses.tcp_port, other.authority.ca_file)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        sender.login()


# --- login and tokens ------------------------------------------------------------------------------------------


def login_data(user: str = USER, password: str = SEALED) -> str:
    return sorted_text([{"userId": user, "password": password}])


def test_login_answers_as_annex_b(sender: Sender) -> None:
    answer = sender.login("https://127.0.0.1:9443/api")
    printed = example(1001, "response")["data"][0]
    assert set(answer["data"][0]) == set(printed)
    assert (answer["data"][0]["tokenType"], answer["data"][0]["expiresIn"]) == ("bearer", 100)


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [
        ("nobody", SEALED, "userId"),
        (USER, des("another"), "password"),
        (USER, des(PASSWORD, b"otherkey", KEY), "password"),
        (USER, des(PASSWORD, KEY, b"\0" * 8), "password"),
        (USER, "UGFya2JveC0x", "password"),  # the clear password in Base64
        (USER, "", "password"),
        (USER, PASSWORD, "password"),
    ],
)
def test_a_wrong_login_is_3001_or_a_parameter_error(
    platform: ShenzhenPlatform, sender: Sender, user: str, password: str, said: str
) -> None:
    answer = sender.send(1001, login_data(user, password))
    if answer["resultCode"] == 0:
        (told,) = answer["data"]
        assert (told["code"], told["accessToken"]) == (3001, "")
        assert set(told) == set(example(1001, "response")["data"][0])
    else:
        assert (answer["resultCode"], answer["data"]) == (4, [])
    assert fields(platform) == [said]
    assert PASSWORD not in str(platform.summary().violations)


def test_the_initial_vector_by_setting(tmp_path: Path) -> None:
    account = Account(USER, PASSWORD, KEY, (LOT,), iv=b"\0" * 8)
    platform = ShenzhenPlatform(account, tmp_path)
    sender = Sender(platform.start())
    assert sender.send(1001, login_data(password=des(PASSWORD, KEY, b"\0" * 8)))["data"][0]["code"] == 0
    platform.stop()


def test_nothing_before_login(platform: ShenzhenPlatform, sender: Sender) -> None:
    answer = json.loads(sender.raw(5003, envelope(SPACES), {"Content-Type": JSON_TYPE})[2])
    assert [(one["code"], one["parkCode"]) for one in answer["data"]] == [(3002, LOT)]
    assert fields(platform) == ["Authorization"]
    assert platform.summary().accepted == {}


@pytest.mark.parametrize(
    ("form", "good"),
    [
        ("bearer {}", True),
        ("Bearer {}", True),
        ("bearer{}", True),
        ("{}", False),
        ("Basic {}", False),
        ("bearer", False),
    ],
)
def test_the_form_of_authorization(platform: ShenzhenPlatform, sender: Sender, form: str, good: bool) -> None:
    headers = {"Content-Type": JSON_TYPE, "Authorization": form.format(sender.token)}
    answer = json.loads(sender.raw(5003, envelope(SPACES), headers)[2])
    assert answer["data"][0]["code"] == (0 if good else 3002)
    assert fields(platform) == ([] if good else ["Authorization"])


def test_an_old_token_is_3002_and_no_violation(platform: ShenzhenPlatform, sender: Sender) -> None:
    clock = [time.time()]
    platform.session.now = lambda: clock[0]
    sender.login()
    clock[0] += 99
    assert sender.send(5003, SPACES)["data"][0]["code"] == 0
    clock[0] += 1.5
    assert sender.send(5003, SPACES)["data"][0]["code"] == 3002
    assert platform.summary().violations == ()
    assert platform.summary().refused == {"3002": 1}


def test_a_refresh_renews_the_token_and_ends_the_old_one(platform: ShenzhenPlatform, sender: Sender) -> None:
    old = sender.token
    data = sorted_text([{"userId": USER, "password": SEALED, "accessToken": old}])
    answer = sender.send(1002, data)
    assert set(answer["data"][0]) == set(example(1002, "response")["data"][0])
    assert len(answer["data"][0]["id"]) == 32
    assert sender.send(5003, SPACES)["data"][0]["code"] == 3002
    sender.token = answer["data"][0]["accessToken"]
    assert sender.send(5003, SPACES)["data"][0]["code"] == 0
    assert (platform.summary().refreshes, platform.summary().violations) == (1, ())


def test_a_refresh_names_the_token_of_its_header(platform: ShenzhenPlatform, sender: Sender) -> None:
    data = sorted_text([{"userId": USER, "password": SEALED, "accessToken": "another"}])
    assert sender.send(1002, data)["resultCode"] == 4
    assert fields(platform) == ["accessToken"]


def test_logout_ends_the_token(platform: ShenzhenPlatform, sender: Sender) -> None:
    answer = sender.send(1003, sorted_text([{"accessToken": sender.token}]))
    assert answer["data"] == [{"code": 0, "message": "成功"}]
    assert sender.send(5003, SPACES)["data"][0]["code"] == 3002
    assert platform.summary().violations == ()


def test_the_callback_address_must_be_https(platform: ShenzhenPlatform, sender: Sender) -> None:
    data = sorted_text([{"userId": USER, "password": SEALED, "callbackServer": "http://127.0.0.1/api"}])
    assert sender.send(1001, data)["resultCode"] == 4
    assert fields(platform) == ["callbackServer"]
