"""The simulated Qingdao platform: login, token, signature, envelope, and what it keeps and counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from hal_sim.qingdao import Account, Changed, QingdaoPlatform
from tests.qingdao_wire import (
    CNO,
    GOOD,
    JSON_TYPE,
    LOT,
    PASSKEY,
    PASSWORD,
    PROJECT,
    USER,
    WAIT_S,
    Sender,
    accepted,
    complaint,
    guid,
    sign,
)

ACCOUNT = Account(CNO, PROJECT, USER, PASSWORD, PASSKEY)
CAR_IN, CAR_OUT, CHARGE = "/thirdAPI/carIn", "/thirdAPI/carOut", "/thirdAPI/carcharge"
LOGIN = b'{"cno":"880001","usr":"parkbox","psw":"Parkbox-1"}'
# printf '%s' '{"cno":"880001","usr":"parkbox","psw":"Parkbox-1"}test-pass-key' | md5sum, upper case
LOGIN_SN = "7DE3866C5986B999B0EDC1F14B35D208"


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now_s = 1_795_305_600.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(clock: Clock) -> Iterator[QingdaoPlatform]:
    running = QingdaoPlatform(ACCOUNT, seed=1, token_life_s=7200, now=clock)
    yield running
    running.stop()
    assert running.summary().internal_errors == ()


@pytest.fixture
def sender(platform: QingdaoPlatform) -> Sender:
    return Sender(platform.start())


def test_login_gives_a_token_of_32_and_its_life(platform: QingdaoPlatform, sender: Sender) -> None:
    status, kind, answer = sender.raw("/login", LOGIN, {"Content-Type": JSON_TYPE})
    reply = json.loads(answer)
    assert (status, kind, reply["result_code"], reply["timeOut"], len(reply["token"])) == (
        200,
        JSON_TYPE,
        0,
        7200,
        32,
    )
    assert platform.summary().logins == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 100),
        (b"{", 114),
        (b"\xff{}", 114),
        (b"[]", 114),
        (b"[" * 100_000, 114),
        (b'{"cno":"880001","usr":"parkbox","psw":NaN}', 114),
        (b'{"cno":"\\ud800","usr":"parkbox","psw":"Parkbox-1"}', 114),
        (b'{"usr":"parkbox","psw":"Parkbox-1"}', 101),
        (b'{"cno":"","usr":"parkbox","psw":"Parkbox-1"}', 101),
        (b'{"cno":"880001","psw":"Parkbox-1"}', 102),
        (b'{"cno":"880001","usr":"parkbox"}', 103),
        (b'{"cno":880001,"usr":"parkbox","psw":"Parkbox-1"}', 114),
        (b'{"cno":"880002","usr":"parkbox","psw":"Parkbox-1"}', 115),
        (b'{"cno":"880001","usr":"nobody","psw":"Parkbox-1"}', 117),
        (b'{"cno":"880001","usr":"123456789012345678901","psw":"Parkbox-1"}', 119),
        (b'{"cno":"880001","usr":"parkbox","psw":"wrong"}', 111),
        (b'{"cno":"880001","usr":"parkbox","psw":"Parkbox-1","tn":""}', 114),
    ],
)
def test_a_bad_login_is_told_what_the_code_tables_say(sender: Sender, body: bytes, code: int) -> None:
    reply = json.loads(sender.raw("/login", body, {"Content-Type": JSON_TYPE})[2])
    assert reply["result_code"] == code
    assert "token" not in reply


def test_a_login_may_be_signed_but_not_wrongly(sender: Sender) -> None:
    codes = [
        json.loads(sender.raw("/login", LOGIN, {"Content-Type": JSON_TYPE, "sn": sn})[2])["result_code"]
        for sn in (LOGIN_SN, LOGIN_SN.lower(), "0" * 32)
    ]
    assert codes == [0, 112, 112]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"cno": ""}, 101),
        ({"cno": '"880002"'}, 115),
        ({"subCode": ""}, 102),
        ({"subCode": '"9999999"'}, 102),
        ({"tn": ""}, 105),
        ({"tn": '""'}, 105),
        ({"tn": f'"{"0" * 32}"'}, 113),
        ({"tn": f'"{"0" * 33}"'}, 119),
        ({"seq_id": ""}, 100),
        ({"seq_id": '"short"'}, 119),
        ({"seq_id": f'"{"0" * 33}"'}, 119),
        ({"seq_id": "12"}, 114),
        ({"p": ""}, 106),
        ({"p": '"{}"'}, 114),
        ({"p": "{}"}, 106),
        ({"p": '{"data_items":[]}'}, 107),
        ({"p": '{"data_items":{}}'}, 114),
        ({"p": '{"data_items":[1]}'}, 114),
        ({"p": '{"data_items":[{}],"more":1}'}, 114),
        ({"sn": '"in the body"'}, 114),
    ],
)
def test_a_bad_envelope_is_refused_whole(
    platform: QingdaoPlatform, sender: Sender, members: dict[str, str], code: int
) -> None:
    sender.prepare(CAR_IN)
    reply = sender.send(CAR_IN, GOOD[CAR_IN], **members)
    assert reply["result_code"] == code, reply
    assert "carIn" not in platform.summary().accepted
    assert platform.summary().refused == {str(code): 1}


def test_the_signature_covers_the_bytes_as_sent(sender: Sender) -> None:
    sender.prepare(CAR_IN)
    raw = sender.body([GOOD[CAR_IN]])
    right = sign(raw)
    codes = []
    for body, sn in ((raw, ""), (raw, right.lower()), (raw.replace(b",", b", "), right), (raw, right)):
        reply = sender.raw(CAR_IN, body, {"Content-Type": JSON_TYPE, "sn": sn})[2]
        codes.append(json.loads(reply)["result_code"])
    assert codes == [104, 112, 112, 0]


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", 0),
        ("application/json; charset=utf-8", 0),
        ("application/json;charset=GBK", 114),
        ("application/x-www-form-urlencoded", 114),
        ("text/plain", 114),
    ],
)
def test_the_content_type_must_be_json_in_utf8(sender: Sender, content_type: str, code: int) -> None:
    sender.prepare(CAR_IN)
    raw = sender.body([GOOD[CAR_IN]])
    reply = sender.raw(CAR_IN, raw, {"Content-Type": content_type, "sn": sign(raw)})[2]
    assert json.loads(reply)["result_code"] == code


def test_a_token_ends_after_its_life(sender: Sender, clock: Clock) -> None:
    sender.prepare(CAR_IN)
    clock.now_s += 7199.9
    assert accepted(sender.send(CAR_IN, GOOD[CAR_IN]))
    clock.now_s += 0.1
    assert sender.send(CAR_IN, GOOD[CAR_IN])["result_code"] == 113
    sender.login()
    assert accepted(sender.send(CAR_IN, GOOD[CAR_IN]))


def test_a_token_may_live_for_ever(clock: Clock) -> None:
    platform = QingdaoPlatform(ACCOUNT, token_life_s=-1, now=clock)
    sender = Sender(platform.start())
    try:
        sender.prepare(CAR_IN)
        clock.now_s += 1e9
        assert accepted(sender.send(CAR_IN, GOOD[CAR_IN]))
    finally:
        platform.stop()


def test_logout_ends_the_token(sender: Sender) -> None:
    sender.prepare(CAR_IN)
    body = f'{{"cno":"{CNO}","tn":"{sender.token}"}}'.encode()
    codes = [json.loads(sender.raw("/logout", body, {"Content-Type": JSON_TYPE})[2])["result_code"] for _ in "12"]
    assert codes == [0, 113]
    assert sender.send(CAR_IN, GOOD[CAR_IN])["result_code"] == 113


def test_wrong_paths_and_methods_are_told_so(sender: Sender) -> None:
    sender.login()
    headers = {"Content-Type": JSON_TYPE}
    assert sender.raw("/thirdAPI/parkInfo", b"{}", headers)[0] == 404
    assert sender.raw(CAR_IN, b"", {}, method="GET")[0] == 405
    assert sender.raw("/thirdAPI/cloud/dkOrder", b"{}", headers)[0] == 404


def test_an_oversized_body_is_refused_unread(sender: Sender) -> None:
    connection = sender.connect()
    connection.putrequest("POST", CAR_IN)
    connection.putheader("Content-Length", "4000001")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


# --- records ---------------------------------------------------------------------------------------------------


def test_a_repeated_record_is_accepted_again_and_counted(
    platform: QingdaoPlatform, sender: Sender, clock: Clock
) -> None:
    sender.prepare(CAR_IN)
    seq_id = guid()
    assert accepted(sender.send(CAR_IN, GOOD[CAR_IN], seq=seq_id))
    clock.now_s += 300
    assert accepted(sender.send(CAR_IN, GOOD[CAR_IN], seq=seq_id))
    (record,) = platform.by_id(GOOD[CAR_IN]["item_id"].strip('"'))
    assert (record.times_seen, record.last_s - record.first_s) == (2, 300)
    summary = platform.summary()
    assert (summary.accepted["carIn"], summary.repeats, summary.changed, summary.notes) == (
        1,
        {"carIn": 1},
        (),
        {"equipment_unknown": 1},
    )


def test_a_repetition_keeps_its_seq_id(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_IN)
    assert [accepted(sender.send(CAR_IN, GOOD[CAR_IN])) for _ in range(2)] == [True, True]
    assert platform.summary().notes["repeat_with_new_seq_id"] == 1


def test_a_seq_id_is_not_used_for_another_request(sender: Sender) -> None:
    sender.prepare(CAR_IN)
    seq_id = guid()
    sender.send(CAR_IN, GOOD[CAR_IN], seq=seq_id)
    reply = sender.send(CAR_IN, GOOD[CAR_IN] | {"item_id": f'"{guid()}"'}, seq=seq_id)
    assert reply["result_code"] == 119
    assert "seq_id" in reply["message"]


def test_a_passage_sent_again_with_other_content_is_a_violation(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_IN)
    sender.send(CAR_IN, GOOD[CAR_IN])
    reply = sender.send(CAR_IN, GOOD[CAR_IN] | {"car_color": '"GREEN"'})
    assert complaint(reply).startswith("item_id")
    item_id = GOOD[CAR_IN]["item_id"].strip('"')
    assert platform.summary().changed == (Changed("carIn", item_id, ("car_color",)),)
    assert [record.item["car_color"] for record in platform.by_id(item_id)] == ["BLUE"]


def test_lot_data_may_change_with_a_new_timestamp_only(platform: QingdaoPlatform, sender: Sender) -> None:
    path = "/thirdAPI/parkininfo"
    sender.login()
    sender.send(path, GOOD[path])
    changed = GOOD[path] | {"total_count": "121"}
    assert complaint(sender.send(path, changed)).startswith("timestamp")
    assert accepted(sender.send(path, changed | {"timestamp": "1795392000000"}))
    (lot,) = platform.by_id(LOT)
    assert (lot.item["total_count"], platform.summary().accepted) == (121, {"parkininfo": 1})


def test_a_deleted_lot_takes_no_cars(sender: Sender) -> None:
    path = "/thirdAPI/parkininfo"
    sender.login()
    sender.send(path, GOOD[path] | {"delete_flag": "true"})
    assert complaint(sender.send(CAR_IN, GOOD[CAR_IN])).startswith("park_id")


def test_what_was_accepted_once_is_accepted_again_whatever_came_between(sender: Sender) -> None:
    sender.prepare(CAR_IN)
    sender.send(CAR_IN, GOOD[CAR_IN])
    gone = {"delete_flag": "true", "timestamp": "1795392000000"}
    assert accepted(sender.send("/thirdAPI/parkininfo", GOOD["/thirdAPI/parkininfo"] | gone))
    assert accepted(sender.send(CAR_IN, GOOD[CAR_IN]))
    assert complaint(sender.send(CAR_IN, GOOD[CAR_IN] | {"item_id": f'"{guid()}"'})).startswith("park_id")


def test_one_entry_has_one_exit(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_OUT)
    assert accepted(sender.send(CAR_OUT, GOOD[CAR_OUT]))
    assert accepted(sender.send(CAR_OUT, GOOD[CAR_OUT]))
    reply = sender.send(CAR_OUT, GOOD[CAR_OUT] | {"item_id": f'"{guid()}"'})
    assert complaint(reply).startswith("park_in_id")
    summary = platform.summary()
    assert (summary.vehicles_in, summary.vehicles_out, summary.vehicles_inside) == (1, 1, 0)


def test_oddities_are_noted_not_refused(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_OUT)
    second = GOOD[CAR_IN] | {"item_id": f'"{guid()}"'}
    assert accepted(sender.send(CAR_IN, second))
    assert accepted(sender.send(CAR_OUT, GOOD[CAR_OUT] | {"car_no": '"鲁-B12346"'}))
    count = GOOD["/thirdAPI/parkspace"]
    assert [accepted(sender.send("/thirdAPI/parkspace", count)) for _ in range(2)] == [True, True]
    assert platform.summary().notes == {
        "equipment_unknown": 3,
        "entered_twice": 1,
        "plate_differs": 1,
        "count_sent_again": 1,
    }


def test_payments_of_a_visit_must_sum_up_to_its_exit(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_OUT)
    sender.send(CAR_OUT, GOOD[CAR_OUT])
    assert platform.summary().charge_differs == (GOOD[CAR_OUT]["item_id"].strip('"'),)
    part = {"ys_money": "6.00", "ss_money": "6.00", "yh_money": "0.00"}
    sender.send(CHARGE, GOOD[CHARGE] | part)
    rest = {"item_id": f'"{guid()}"', "ys_money": "6.00", "ss_money": "4.50", "yh_money": "1.50"}
    sender.send(CHARGE, GOOD[CHARGE] | rest)
    assert platform.summary().charge_differs == ()


def test_records_are_found_by_plate(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CHARGE)
    sender.send(CHARGE, GOOD[CHARGE])
    sender.send(CAR_OUT, GOOD[CAR_OUT])
    assert [record.kind for record in platform.by_plate("鲁-B12345")] == [
        "carIn",
        "carcharge",
        "carOut",
    ]
    assert platform.by_plate("鲁-B00000") == ()


def test_many_lots_at_once_lose_and_double_nothing(platform: QingdaoPlatform, sender: Sender) -> None:
    sender.prepare(CAR_IN)
    senders, cars = 8, 15
    start = threading.Barrier(senders)
    outcomes: list[bool] = []

    def drive() -> None:
        start.wait(WAIT_S)
        for _ in range(cars):
            entry, leaving, payment = (f'"{guid()}"' for _ in range(3))
            visit = {"park_in_id": entry}
            for path, item in (
                (CAR_IN, GOOD[CAR_IN] | {"item_id": entry}),
                (CAR_IN, GOOD[CAR_IN] | {"item_id": entry}),
                (CHARGE, GOOD[CHARGE] | visit | {"item_id": payment}),
                (CAR_OUT, GOOD[CAR_OUT] | visit | {"item_id": leaving}),
            ):
                outcomes.append(accepted(sender.send(path, item)))

    threads = [threading.Thread(target=drive) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S * 3)
    summary = platform.summary()
    assert outcomes == [True] * (senders * cars * 4)
    assert (summary.vehicles_in, summary.vehicles_out, summary.accepted["carcharge"]) == (120, 120, 120)
    assert (summary.repeats, summary.changed, summary.refused) == ({"carIn": 120}, (), {})
    assert platform.summary().charge_differs == ()
