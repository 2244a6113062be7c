"""Words for what facts carry, wherever a person reads of them: how a vehicle passed, how money was settled."""

from __future__ import annotations

from edge.core.facts import Paid
from edge.core.tariff import yuan

HOW_WORDS = {
    "admitted": ("放行", "admitted"),
    "tailgate": ("跟车", "tailgated"),
    "operator": ("人工放行", "by an operator"),
    "city": ("平台放行", "by the city"),
    "emergency": ("消防联动", "emergency"),
    "uncommanded": ("未经命令抬杆", "the arm was up without an order"),
    "restart": ("重启期间", "during a restart"),
}
"""Of `Passed.how`."""

PAID_WORDS = {
    "cash": ("现金", "cash"),
    "free": ("免费放行", "let out free"),
    "coupon": ("优惠抵扣", "covered by coupons"),
    "online": ("线上支付", "online"),
    "seamless": ("无感支付", "seamless"),
}
"""Of `Paid.method`."""


def paid_words(paid: Paid) -> tuple[str, str]:
    """What was settled and how: money that was waived is never said to have been paid."""
    zh, en = PAID_WORDS[paid.method]
    if paid.paid_fen:
        zh, en = f"{zh} {yuan(paid.paid_fen)} 元", f"{en} {yuan(paid.paid_fen)} yuan"
    less_zh, less_en = less_words(paid)
    return f"{zh}{less_zh}", f"{en}{less_en}"


def less_words(paid: Paid) -> tuple[str, str]:
    """What was taken off: by coupons, and by the person who took the rest or none. "" and "" when nothing was."""
    zh = en = ""
    by_hand_fen = paid.let_go_fen
    by_coupons_fen = paid.discount_fen - by_hand_fen
    if by_coupons_fen:
        zh, en = f", 优惠 {yuan(by_coupons_fen)} 元", f", discount {yuan(by_coupons_fen)} yuan"
    if by_hand_fen:
        zh, en = f"{zh}, 现场减免 {yuan(by_hand_fen)} 元", f"{en}, let go at the arm {yuan(by_hand_fen)} yuan"
    return zh, en
