"""A fault that a person has seen to is shown no more, until it is another one or comes again."""

from __future__ import annotations

from edge.agent.acknowledged import Acknowledged
from edge.fault_view import fault_view
from edge.ports import FaultView

ASIDE = fault_view("delivery_set_aside", "qingdao", "3 条已搁置 / set aside", 1)
OFFLINE = fault_view("city_offline", "qingdao", "", 1)


def codes(faults: list[FaultView]) -> list[str]:
    return [fault.code for fault in faults]


def test_it_is_shown_no_more_and_the_others_are() -> None:
    seen = Acknowledged()
    assert seen.see_to([ASIDE, OFFLINE], "delivery_set_aside", "qingdao")[0] is True
    assert codes(seen.shown([ASIDE, OFFLINE])) == ["city_offline"]
    assert seen.see_to([ASIDE, OFFLINE], "delivery_set_aside", "qingdao")[0] is False  # nobody sees it any more


def test_one_more_is_news() -> None:
    seen = Acknowledged()
    seen.see_to([ASIDE], "delivery_set_aside", "qingdao")
    more = fault_view("delivery_set_aside", "qingdao", "4 条已搁置 / set aside", 1)
    assert codes(seen.shown([more])) == ["delivery_set_aside"]


def test_one_that_was_gone_and_comes_again_is_news() -> None:
    seen = Acknowledged()
    seen.see_to([ASIDE], "delivery_set_aside", "qingdao")
    assert seen.shown([]) == []
    assert codes(seen.shown([ASIDE])) == ["delivery_set_aside"]


def test_what_ends_by_itself_cannot_be_acknowledged_away() -> None:
    ok, zh, en = Acknowledged().see_to([OFFLINE], "city_offline", "qingdao")
    assert (ok, "自动恢复" in zh, "cause is gone" in en) == (False, True, True)


def test_another_device_is_another_fault() -> None:
    seen = Acknowledged()
    other = fault_view("delivery_set_aside", "shenzhen", ASIDE.detail, 1)
    assert seen.see_to([ASIDE], "delivery_set_aside", "shenzhen")[0] is False
    seen.see_to([ASIDE, other], "delivery_set_aside", "shenzhen")
    assert [fault.device for fault in seen.shown([ASIDE, other])] == ["qingdao"]
