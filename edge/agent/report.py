"""The commissioning report as one HTML page to hand over: what was checked, by whom, and the application form.

One file without scripts; its style is allowed by hash. Every text from people or devices is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from edge.config.model import Config
from edge.core.clock import china_datetime
from edge.web.api import CommissionForm
from edge.web.api_views import CheckItem, Commissioning
from edge.web.desk import Paper

STYLE = """
body { font: 15px/1.5 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; color: #111; margin: 2rem auto;
  max-width: 50rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #777; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #eee; font-weight: 600; }
.ok { color: #075; } .open { color: #850; } .failed { color: #a00; font-weight: 600; }
.sign td { height: 3rem; } small { color: #444; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""

STAGES = {
    "first_boot": ("首次启动", "First boot"),
    "lane": ("车道", "Lanes"),
    "pictures": ("图片", "Pictures"),
    "city": ("城市平台", "City"),
    "handover": ("交付", "Handover"),
}
STATES = {"ok": ("合格", "ok"), "open": ("未完成", "open"), "failed": ("不合格", "failed")}

# T/QME 0015-2024 table A.1, row by row, in its order and its words.
FORM: tuple[tuple[str, str], ...] = (
    ("项目名称", "=项目名称"),
    ("项目地址", "address"),
    ("项目高德坐标", "gaode"),
    ("车位数量", "=车位数量"),
    ("建筑类型", "building"),
    ("所在区", "district"),
    ("建设/产权/运营单位", "owner"),
    ("设备品牌", "brand"),
    ("联系人及电话", "contact"),
    ("是否政府定价", "government_price"),
    ("是否备案", "filed"),
    ("备案日期", "filed_on"),
    ("备注", "remarks"),
    ("填表人", "filled_by"),
    ("填表时间", "=填表时间"),
)


def report(found: Commissioning, config: Config, version: str, now_ms: int, lang: str) -> Paper:
    """`lang` "zh" or "en"; the application form is in the standard's own language."""
    zh = lang != "en"
    title = "车场盒子调试报告" if zh else "Parking box commissioning report"
    count = len(found.items)
    facts = (
        ("车场" if zh else "Lot", config.lot.name),
        ("盒子" if zh else "Box", config.box.id),
        ("版本" if zh else "Version", version),
        ("时间" if zh else "Time", f"{china_datetime(now_ms)} (UTC+8)"),
        ("结果" if zh else "Result", f"{found.done} / {count}" + ("" if found.done < count else " ✓")),
    )
    parts = [
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><head><meta charset="utf-8">',
        f"<title>{escape(title)} {escape(config.box.id)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        _table([(name, escape(value)) for name, value in facts]),
        *(_stage(stage, found, zh) for stage in STAGES),
        "<h2>青岛智慧停车一体化平台接入申请表 (T/QME 0015-2024 附录 A.1)</h2>",
        _form(found, now_ms),
        f"<h2>{'签字' if zh else 'Signatures'}</h2>",
        _signatures(zh),
        "</body></html>",
    ]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return Paper("".join(parts).encode(), f"sha256-{digest}")


def _stage(stage: str, found: Commissioning, zh: bool) -> str:
    heads = ("项目", "结果", "说明", "人/时间") if zh else ("Item", "Result", "What was seen", "Who, when")
    rows = "".join(_item(item, zh) for item in found.items if item.stage == stage)
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    return f"<h2>{STAGES[stage][0 if zh else 1]}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _item(item: CheckItem, zh: bool) -> str:
    words = STATES[item.state][0 if zh else 1]
    detail = escape(item.detail_zh if zh else item.detail_en)
    note = f"<br><small>{escape(item.note)}</small>" if item.note else ""
    by = escape(item.who) if item.by == "hand" else ("盒子" if zh else "the box")
    when = f"<br><small>{china_datetime(item.at_ms)}</small>" if item.at_ms else ""
    name = escape(item.zh if zh else item.en)
    return f'<tr><td>{name}</td><td class="{item.state}">{words}</td><td>{detail}{note}</td><td>{by}{when}</td></tr>'


def _form(found: Commissioning, now_ms: int) -> str:
    known = found.known | {"填表时间": china_datetime(now_ms).partition(" ")[0]}
    form: CommissionForm = found.form
    rows = []
    for name, source in FORM:
        value = known.get(source[1:], "") if source.startswith("=") else str(getattr(form, source))
        if source == "brand" and not value:
            value = known.get("相机品牌", "")
        rows.append((name, escape(value) or "&nbsp;"))
    return _table(rows)


def _table(rows: list[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{value}</td></tr>' for name, value in rows)
    return f"<table><tbody>{body}</tbody></table>"


def _signatures(zh: bool) -> str:
    names = ("安装方", "车场方") if zh else ("Installer", "Lot")
    cells = "".join(f'<tr><th scope="row">{name}</th><td></td></tr>' for name in names)
    return f'<table class="sign"><tbody>{cells}</tbody></table>'
