"""What became of a delivery, in words: reported, when, and if not, why. For the page and the command line."""

from __future__ import annotations

from edge.core.clock import china_datetime
from edge.ports import Delivery, PictureStory

KINDS = {
    "carIn": ("入场", "entry"),
    "carOut": ("出场", "exit"),
    "carcharge": ("缴费", "payment"),
    "5004": ("入场", "entry"),
    "5005": ("出场", "exit"),
    "5006": ("校正", "correction"),
    "5008": ("缴费", "payment"),
    "7001": ("预约优先切换", "priority switched"),
}
CITIES = {"qingdao": ("青岛", "Qingdao"), "shenzhen": ("深圳", "Shenzhen")}
LINKS = CITIES | {
    "shenzhen-callback": ("深圳下发 (回调)", "Shenzhen's orders (callback)"),
    "shenzhen-tcp": ("深圳下发 (TCP)", "Shenzhen's orders (TCP)"),
    "qingdao-mqtt": ("青岛下发 (MQTT)", "Qingdao's orders (MQTT)"),
    "oss": ("图片存储", "Picture storage"),
}
"""Names of `ports.LinkView.city`."""
STATES = {
    "waiting": ("待上传", "waiting"),
    "accepted": ("已接收", "accepted"),
    "set_aside": ("已搁置", "set aside"),
}


def link_words(name: str) -> tuple[str, str]:
    """A link's name in Chinese and English; one that is not known stands for itself."""
    return LINKS.get(name, (name, name))


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


MISSING = {
    "no_read": ("无图片: 没有识别", "no picture: no read"),
    "no_picture": ("无图片: 摄像机没有发送", "no picture: the camera sent none"),
}


def picture_outcome(story: PictureStory | None, now_ms: int) -> tuple[str, str]:
    """With picture, uploaded when, and if not, why: Chinese and English. None: the picture is not settled yet."""
    if story is None:
        return "无图片或尚未生成", "no picture, or not made yet"
    if story.state == "missing":
        return MISSING.get(story.why, (f"无图片: {story.why}", f"no picture: {story.why}"))
    if story.state == "failed":
        return f"图片不可用: {story.why}", f"picture not usable: {story.why}"
    at = moment(story.answered_ms)
    answer_zh, answer_en = _both(story.answer)
    have_zh, have_en = ("有图片", "picture") if story.state == "made" else ("图片已过保存期", "picture past its days")
    if story.upload == "stored":
        return f"{have_zh}, {at} 已上传", f"{have_en}, uploaded {at}"
    if story.upload == "gone" or (story.state == "deleted" and story.upload):
        return f"图片未上传: {answer_zh}", f"picture not uploaded: {answer_en}"
    if not story.upload:
        return f"{have_zh}, 未配置上传", f"{have_en}, no upload configured"
    if story.upload == "set_aside":
        return (
            f"{have_zh}, 未上传, {at} 起搁置: {answer_zh}; 可人工重传",
            f"{have_en}, not uploaded, set aside since {at}: {answer_en}; can be repeated by hand",
        )
    if not story.attempts:
        return f"{have_zh}, 等待上传", f"{have_en}, waits for its upload"
    again = moment(story.due_ms)
    zh, en = ("即将重试", "tried again now") if story.due_ms <= now_ms else (f"{again} 重试", f"again at {again}")
    return (
        f"{have_zh}, 未上传, 试过 {story.attempts} 次: {answer_zh}; {zh}",
        f"{have_en}, not uploaded after {story.attempts} tries: {answer_en}; {en}",
    )


def city_words(city: str) -> str:
    zh, en = CITIES.get(city, (city, city))
    return f"{zh} {en}" if zh != en else zh


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
