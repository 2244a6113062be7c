"""What happened to an order, fact by fact, in words: quoted, paid, in grace, overtime, refund due."""

from __future__ import annotations

from edge.agent.fact_words import HOW_WORDS, PAID_WORDS, less_words
from edge.agent.past import Clockwork
from edge.core.facts import BackedOut, Decided, Fact, Paid, Passed
from edge.core.facts_money import (
    DeductionAsked,
    DeductionFailed,
    Owed,
    PaymentNoticed,
    Quoted,
    RefundDue,
    Refunded,
)
from edge.core.tariff import yuan
from edge.web.api_views import StoryStep

OUTCOMES = {
    "settled": ("结清订单", "settles the order"),
    "late": ("车已驶出后补缴", "late: the car had gone unpaid"),
    "again": ("重复支付, 待退款", "paid again, to be given back"),
    "short": ("金额不足, 待退款", "too little, to be given back"),
    "unknown": ("无此订单, 待退款", "no such order, to be given back"),
}
WAYS = {
    "notice": ("支付通知", "payment notice"),
    "poll": ("主动查询到支付", "payment found by asking"),
    "deduction": ("无感扣款", "seamless payment"),
}
MODES = {"before": ("先扣后出", "before the exit"), "after": ("先出后扣", "after the exit")}
CAUSES = {
    "again": ("重复支付", "paid twice"),
    "short": ("金额不足", "too little was paid"),
    "over": ("多付", "more was paid than due"),
    "unknown": ("无此订单", "for no known order"),
}
OWED_BY = {
    "city_away": ("平台不可用, 先放行后追缴", "the city is away: let out, charged later"),
    "seamless_after": ("无感支付, 先出后扣", "seamless, charged after the exit"),
}


def told(fact: Fact, order_id: str, clockwork: Clockwork) -> StoryStep | None:
    """None: it says nothing of this order."""
    at_ms, true = clockwork.at(fact.stamp)

    def step(kind: str, zh: str, en: str, **more: object) -> StoryStep:
        return StoryStep(at_ms, true, kind, fact.lane, zh, en, **more)  # type: ignore[arg-type]

    match fact.body:
        case Quoted() as quoted if quoted.order_id != order_id:
            return step("overtime", "超时, 另有订单", "overtime: a further order", fen=quoted.pay_fen) if (
                quoted.overtime) else None
        case Quoted() as quoted:
            where_zh, where_en = ("闸前出账", "made out at the arm") if quoted.at == "arm" else (
                "手机查询出账", "made out for a phone")
            off = quoted.discount_fen
            zh, en = (f", 已减 {yuan(off)} 元", f", less {yuan(off)} yuan") if off else ("", "")
            over_zh, over_en = ("超时: ", "overtime: ") if quoted.overtime else ("", "")
            return step("quoted", f"{over_zh}{where_zh}, 停 {quoted.parked_ms // 60_000} 分钟{zh}",
                        f"{over_en}{where_en}, {quoted.parked_ms // 60_000} min parked{en}", fen=quoted.pay_fen)
        case Decided() as decided:
            return step("decided", decided.zh, decided.en, ok=decided.decision != "refuse", who=decided.who,
                        why=decided.why)
        case Paid() as paid:
            (zh, en), (less_zh, less_en) = PAID_WORDS[paid.method], less_words(paid)
            return step("paid", f"{zh}{less_zh}", f"{en}{less_en}", fen=paid.paid_fen, who=paid.who, why=paid.why)
        case PaymentNoticed() as noticed:
            (way_zh, way_en), (zh, en) = WAYS[noticed.how], OUTCOMES[noticed.outcome]
            return step("noticed", f"{way_zh}: {zh}", f"{way_en}: {en}", fen=noticed.amount_fen,
                        ok=noticed.outcome in {"settled", "late"})
        case DeductionAsked() as asked:
            zh, en = MODES[asked.mode]
            return step("deduction", f"发起无感扣款 ({zh})", f"seamless payment asked for ({en})", fen=asked.pay_fen)
        case DeductionFailed() as failed:
            return step("deduction", f"无感扣款失败 {failed.detail}".rstrip(),
                        f"seamless payment failed {failed.detail}".rstrip(), ok=False)
        case Owed() as owed:
            zh, en = OWED_BY[owed.cause]
            return step("owed", f"欠费驶出: {zh}", f"left unpaid: {en}", fen=owed.pay_fen, ok=False)
        case RefundDue() as due:
            zh, en = CAUSES[due.cause]
            return step("refund_due", f"待退款: {zh}", f"to be given back: {en}", fen=due.amount_fen, ok=False)
        case Refunded() as back:
            return step("refunded", "已退款", "given back", fen=back.amount_fen, who=back.who, why=back.why)
        case Passed() as passed:
            zh, en = HOW_WORDS[passed.how]
            way_zh, way_en = ("入场", "in") if passed.direction == "in" else ("出场", "out")
            return step("passed", f"{way_zh} ({zh})", f"{way_en} ({en})", ok=passed.admitted)
        case BackedOut():
            return step("backed_out", "倒车离开闸前", "backed out from the arm")
    return None
