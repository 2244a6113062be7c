"""The lot's own card plans, told to the simulated city, which judges every member (interfaces 10 and 11)."""

from __future__ import annotations

import json

import msgspec

from edge.cities.qingdao.classes import classes_of
from edge.cities.qingdao.conversation import Conversation
from edge.cities.qingdao.envelope import Account
from edge.cities.qingdao.plan_makers import plan_makers
from edge.cities.qingdao.site import lot_maker
from edge.cities.verdict import Answer
from edge.config.qingdao_plans import QingdaoPlan
from hal_sim.qingdao import Account as SimAccount
from hal_sim.qingdao.platform import Platform
from tests.city_fakes import LOT, PARK_ID, SETTINGS, T0_MS

PLANS = tuple(
    msgspec.convert(each, QingdaoPlan)
    for each in (
        {"code": 50, "name": "月卡 A", "prices": [{"months": 1, "fen": 30_000}, {"months": 3, "fen": 85_050}]},
        {"code": 59, "name": "夜间共享", "start": "19:00", "end": "08:00", "days": ["mon", "sun"], "times": 30},
    )
)


def test_the_city_takes_plans_and_their_prices() -> None:
    platform = Platform(SimAccount("880001", "0000001", "parkbox", "Parkbox-1", "key"), now=lambda: T0_MS / 1000)
    talk = Conversation(Account("880001", "0000001", "parkbox", "Parkbox-1", "key"))
    request = talk.login()
    got = platform.handle(request.path, request.headers["Content-Type"], request.sn, request.body, None)
    talk.logged_in(request, Answer(got.status, got.body), 0.0)
    makers = {"parkininfo": lot_maker(LOT), **plan_makers(PARK_ID, PLANS)}
    for each in classes_of(SETTINGS):
        if each.kind not in makers:
            continue
        things = makers[each.kind](T0_MS)
        assert things is not None
        batch = talk.batch(each.kind, [(thing_id, message.encode()) for thing_id, message in things])
        got = platform.handle(batch.path, batch.headers["Content-Type"], batch.sn, batch.body, None)
        verdicts = talk.judged_each(batch, Answer(got.status, got.body))
        assert [verdict.meaning for verdict in verdicts] == ["accepted"] * len(things), each.kind
    night = next(one.item for one in platform.of_kind("cardtypeinfo") if one.item["tc_code"] == 59)
    week = night["week"]
    assert isinstance(week, dict)
    assert [name for name, on in week.items() if on] == ["day0", "day1"]  # Sunday is day0
    prices = [json.loads(message.encode()) for _, message in makers["monthstandardinfo"](T0_MS) or ()]
    assert [(one["month_period"], one["month_period_money"]) for one in prices] == [(1, 300.0), (3, 850.5)]


def test_plans_go_daily_after_the_lot_and_before_their_prices() -> None:
    classes = {each.kind: each for each in classes_of(SETTINGS)}
    assert (classes["cardtypeinfo"].every_s, classes["cardtypeinfo"].after) == (86_400.0, "parkininfo")
    assert (classes["monthstandardinfo"].every_s, classes["monthstandardinfo"].after) == (86_400.0, "cardtypeinfo")
    assert {classes[kind].policy for kind in ("cardtypeinfo", "monthstandardinfo")} == {"master"}
    assert plan_makers(PARK_ID, ()) == {}
