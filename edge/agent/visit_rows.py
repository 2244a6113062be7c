"""A fact as a row of its visit's timeline. Every kind has words of its own: this is read where a fee is in dispute."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from edge.agent.fact_words import HOW_WORDS, paid_words
from edge.agent.money_story import told
from edge.agent.past import Clockwork
from edge.core import facts as f
from edge.core import facts_flow as flow
from edge.core import facts_money as money
from edge.core.rule_words import rule_words
from edge.core.tariff import yuan
from edge.web.api_views import TimelineRow

ARM = {"up": ("抬起", "up"), "down": ("落下", "down"), "stop": ("停止", "stop")}
STRATEGIES = {
    "no_entry": ("禁止入场", "no entry"), "no_exit": ("禁止出场", "no exit"),
    "no_entry_no_exit": ("禁止进出", "no entry, no exit"), "warn": ("向平台告警", "the city is told"),
    "free_pass": ("免费通行", "free pass"),
}  # fmt: skip
MODES = {"before": ("先扣后出", "before the exit"), "after": ("先出后扣", "after the exit")}


def row_of(fact: f.Fact, clockwork: Clockwork, has_picture: Callable[[str], bool]) -> TimelineRow | None:
    """None: of a kind that says nothing of a visit. One that has no words here does not pass the type checker."""
    at_ms, true = clockwork.at(fact.stamp)

    def row(kind: str, zh: str, en: str, **more: object) -> TimelineRow:
        return TimelineRow(at_ms, true, kind, fact.lane, zh, en, **more)  # type: ignore[arg-type]

    def by_rule(kind: str, code: str, zh: str, en: str, **more: object) -> TimelineRow:
        rule_zh, rule_en = rule_words(code)
        return row(kind, zh, en, rule=code, rule_zh=rule_zh, rule_en=rule_en, **more)

    match fact.body:
        case f.ReadTaken() as read:
            known = read.plate_width_px >= 0
            zh, en = (f", 车牌宽 {read.plate_width_px} 像素", f", {read.plate_width_px} px wide") if known else ("", "")
            history = ("补传", "sent later") if read.replay else ("", "")
            return row("read", f"{history[0]}识别 {read.plate or '无牌'} (相机 {read.camera}{zh})",
                       f"read {read.plate or 'no plate'} {history[1]}(camera {read.camera}{en})", read_id=fact.id,
                       picture=has_picture(fact.id))  # fmt: skip
        case f.Decided() as decided:
            return by_rule("decision", decided.rule, decided.zh, decided.en, ok=decided.decision != "refuse",
                           who=decided.who, why=decided.why, read_id=decided.read_id)  # fmt: skip
        case f.PictureKept() as picture:
            return row("picture", "图片已保存", "picture kept", read_id=picture.read_id,
                       picture=has_picture(picture.read_id))  # fmt: skip
        case f.Ordered() as order:
            return row("order", order.answer_zh, f"{order.action}: {order.answer_en}", ok=order.ok, who=order.who,
                       why=order.why)  # fmt: skip
        case f.ArmOrdered() as arm:
            zh, en = ARM[arm.direction]
            return row("arm", f"命令闸杆{zh}", f"arm ordered {en}", who=arm.who, why=arm.why)
        case f.Passed() as passed:
            zh, en = HOW_WORDS[passed.how]
            way_zh, way_en = ("入场", "in") if passed.direction == "in" else ("出场", "out")
            return by_rule("passage", passed.rule, f"{way_zh} ({zh})", f"{way_en} ({en})", ok=passed.admitted,
                           read_id=passed.read_id)  # fmt: skip
        case f.BackedOut():
            return row("backed_out", "倒车离开", "backed out")
        case f.PlateCorrected() as correction:
            return row("correction", f"车牌校正 {correction.old} → {correction.new}",
                       f"plate corrected {correction.old} → {correction.new}", who=correction.who)  # fmt: skip
        case f.Paid() as paid:
            return row("payment" if paid.paid_fen else "money", *paid_words(paid), who=paid.who, why=paid.why)
        case (
            money.Quoted(order_id=order_id) | money.PaymentNoticed(order_id=order_id)
            | money.DeductionAsked(order_id=order_id) | money.DeductionFailed(order_id=order_id)
            | money.Owed(order_id=order_id) | money.RefundDue(order_id=order_id) | money.Refunded(order_id=order_id)
        ):  # fmt: skip
            step = told(fact, order_id, clockwork)
            assert step is not None, f"no step for {type(fact.body).__name__}"
            zh, en = (f" {yuan(step.fen)} 元", f" {yuan(step.fen)} yuan") if step.fen >= 0 else ("", "")
            return row("money", step.zh + zh, step.en + en, ok=step.ok, who=step.who, why=step.why)
        case money.SeamlessSet() as seamless:
            zh, en = MODES[seamless.mode]
            return row("money", f"无感支付已签约 ({zh})" if seamless.signed else "无感支付未签约",
                       f"pays seamlessly ({en})" if seamless.signed else "does not pay seamlessly")  # fmt: skip
        case money.CredentialBound():
            return row("decision", "无牌车以扫码凭证入场", "without plate, goes by the code that was scanned")
        case flow.ControlSeen() as seen:
            zh, en = STRATEGIES[seen.strategy]
            return row("decision", f"在管控名单: {zh}", f"on a control list: {en}")
        case (
            f.BoxStarted() | f.ClockSet() | f.ClockStepped() | f.FaultRaised() | f.FaultCleared()
            | f.CountCorrected() | flow.BookingLocked() | flow.BookingChanged() | flow.BookingConfirmed()
            | flow.BookingCancelled() | flow.ControlPut() | flow.ControlRemoved() | flow.CouponGiven()
            | flow.PrioritySwitched() | flow.RoleSwitched() | money.TariffSet() | money.TariffDeleted()
            | money.PlanSet() | money.PlanDeleted() | money.CardSet() | money.CardCancelled() | money.CityLink()
        ):  # fmt: skip
            return None  # names no visit: the box's own, or known of a plate whether it is here or not
    assert_never(fact.body)
