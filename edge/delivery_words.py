"""What became of a delivery, in words: reported, when, and if not, why. For the page and the command line."""

from __future__ import annotations

from edge.core.clock import china_datetime
from edge.ports import Delivery

KINDS = {
    "carIn": ("入场", "entry"),
    "carOut": ("出场", "exit"),
    "carcharge": ("缴费", "payment"),
}
STATES = {
    "waiting": ("待上传", "waiting"),
    "accepted": ("已接收", "accepted"),
    "set_aside": ("已搁置", "set aside"),
}


def outcome(delivery: Delivery, now_ms: int) -> tuple[str, str]:
    """Chinese and English. `now_ms`: the wall clock; what is due before it goes with the next round."""
    at = moment(delivery.answered_ms)
    if delivery.state == "accepted":
        return f"已上报, 平台 {at} 接收", f"reported, accepted {at}"
    answer_zh, answer_en = _both(delivery.last_answer)
    if delivery.state == "set_aside":
        return (
            f"未上报, {at} 起搁置: {answer_zh}; 可人工重传",
            f"not reported, set aside since {at}: {answer_en}; can be repeated by hand",
        )
    if not delivery.attempts:
        return "未上报, 等待上传 (网络或平台未通, 或排在同车更早的记录之后)", (
            "not reported yet: waits for the link, or behind an earlier record of the same car"
        )
    again = moment(delivery.due_ms)
    if delivery.due_ms <= now_ms:
        return (
            f"未上报, 试过 {delivery.attempts} 次: {answer_zh}; 即将重试",
            f"not reported after {delivery.attempts} tries: {answer_en}; tried again now",
        )
    return (
        f"未上报, 试过 {delivery.attempts} 次: {answer_zh}; {again} 重试",
        f"not reported after {delivery.attempts} tries: {answer_en}; again at {again}",
    )


def kind_words(kind: str) -> str:
    zh, en = KINDS.get(kind, (kind, kind))
    return f"{zh} {en}" if zh != en else zh


def moment(wall_ms: int) -> str:
    """Beijing time; "?" for rows of a version that did not note it."""
    return china_datetime(wall_ms) if wall_ms else "?"


def _both(answer: str) -> tuple[str, str]:
    """An answer is kept as `中文 / English`."""
    zh, _, en = answer.partition(" / ")
    return zh, en or zh
