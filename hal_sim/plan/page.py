"""The page of `parkbox plan`: one HTML file that needs nothing else, Chinese first with English beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from hal_sim.plan.chart import Band, Bar, Line, bars, clock, curves, legend
from hal_sim.plan.measure import Kind, Log
from hal_sim.plan.scenario import RuleSet, Scenario

STYLE = """
:root{color-scheme:light dark;--ink:#16202a;--paper:#fff;--soft:#5b6773;--grid:#d5dbe1;
--free:#e4f3e6;--saturated:#fdf1d3;--full:#fbe0dc;
--c0:#0b5cad;--c1:#b3450b;--c2:#2b7a3d;--c3:#7a3aa0;--c4:#a3164f;--c5:#5a5a00;--c6:#006d77;--c7:#444}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--paper:#12181e;--soft:#9aa7b4;--grid:#33404c;
--free:#17311c;--saturated:#3a2f10;--full:#40201c;
--c0:#6cb2ff;--c1:#ff9a57;--c2:#7fd694;--c3:#cf9bf0;--c4:#ff8db8;--c5:#d8d860;--c6:#63d3dd;--c7:#c4c4c4}}
body{font:16px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.15rem;margin:1.6em 0 .3em}
small,.soft{color:var(--soft)}svg{width:100%;height:auto}.legend svg{width:34px;height:10px}
.axis,.band{font-size:12px;fill:var(--soft)}.grid{stroke:var(--grid)}
.free{fill:var(--free)}.saturated{fill:var(--saturated)}.full{fill:var(--full)}
.end{text-anchor:end}.middle{text-anchor:middle}.thick{stroke-width:12}.line{fill:none;stroke-width:2.2}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.3rem 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--grid);text-align:right}
th:first-child,td:first-child{text-align:left}thead th{font-weight:600;vertical-align:bottom}
.scroll{overflow-x:auto}td:first-child{min-width:11rem}
"""


NOTE = (
    "同一批车、同一种子, 每组规则各跑一天; 由车场盒子的流量管控程序本身判定 (T/SZPIA 001-2020 第6章)。"
    "等待从加入队列算起, 到放行为止。 "
    "The same cars under each rule set, decided by the box's own flow control (T/SZPIA 001-2020 clause 6). "
    "Waits count from joining the queue to admission."
)


class Outcome(NamedTuple):
    rules: RuleSet
    log: Log


def render(scenario: Scenario, outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    names = [f"{outcome.rules.name_zh} {outcome.rules.name_en}" for outcome in outcomes]
    colours = "".join(f".c{number}{{stroke:var(--c{number % 8})}}" for number in range(len(outcomes)))
    first = outcomes[0].rules
    saturation = [
        Line(name, [(point.t_s, 100 * point.inside / scenario.lot.total) for point in outcome.log.points])
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    bands = (
        Band(0, 100 * first.saturated_from, "free", "空闲 free"),
        Band(100 * first.saturated_from, 100 * first.full_from, "saturated", "饱和 saturated"),
        Band(100 * first.full_from, 100, "full", "满位 full"),
    )
    queue_top = _round_up(max(outcome.log.queue_max for outcome in outcomes))
    body = [
        f"<h1>{escape(scenario.name_zh)} <small>{escape(scenario.name_en)}</small></h1>",
        f'<p class="soft">{_facts(scenario)}</p>',
        legend(names),
        "<h2>饱和度 <small>saturation over the day</small></h2>",
        curves(saturation, title="饱和度 saturation", unit="%", top=100, bands=bands),
        "<h2>非预约车排队 <small>ordinary cars waiting</small></h2>",
        _queue(names, outcomes, queue_top, reserved=False),
        "<h2>预约车排队 <small>reserved cars waiting</small></h2>",
        _queue(names, outcomes, queue_top, reserved=True),
        "<h2>等待, 分钟 <small>waits in minutes: median / 95 of 100</small></h2>",
        bars(_waits(outcomes), title="等待 waits"),
        "<h2>比较 <small>side by side</small></h2>",
        f'<div class="scroll">{_table(outcomes)}</div>',
        "<h2>规则 <small>the rule sets</small></h2>",
        "".join(_rules(outcome.rules) for outcome in outcomes),
        f'<p class="soft">{NOTE}</p>',
    ]
    title = escape(f"{scenario.name_zh} {scenario.name_en}")
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}{colours}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _facts(scenario: Scenario) -> str:
    reserved = 100 * scenario.reserved.share
    entrances = "、".join(escape(entrance.name) for entrance in scenario.entrance)
    return (
        f"{scenario.open} 至 {scenario.close}, 车位 {scenario.lot.total}, 开场时已停 {scenario.lot.parked}, "
        f"预约车占 {reserved:.0f}%, 入口 {entrances}. "
        f"<small>{scenario.lot.total} stalls, {scenario.lot.parked} taken at opening, {reserved:.0f} % of the cars "
        f"have booked, {len(scenario.entrance)} entrance(s), seed {scenario.seed}</small>"
    )


def _queue(names: Sequence[str], outcomes: Sequence[Outcome], top: float, *, reserved: bool) -> str:
    lines = [
        Line(
            name,
            [(point.t_s, point.reserved_queue if reserved else point.ordinary_queue) for point in outcome.log.points],
        )
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    kind = "预约车排队 reserved cars waiting" if reserved else "非预约车排队 ordinary cars waiting"
    return curves(lines, title=kind, unit="", top=top)


def _waits(outcomes: Sequence[Outcome]) -> list[Bar]:
    rows = []
    for zh, reserved in (("预约车", True), ("非预约车", False)):
        for number, (rules, log) in enumerate(outcomes):
            kind = log.reserved if reserved else log.ordinary
            rows.append(Bar(f"{zh} · {rules.name_zh}", number, kind.wait_s(0.5) / 60, kind.wait_s(0.95) / 60))
    return rows


def _table(outcomes: Sequence[Outcome]) -> str:
    head = (
        "<tr><th rowspan=2>规则<br><small>rule set</small></th>"
        "<th colspan=5>预约车 <small>reserved</small></th><th colspan=5>非预约车 <small>ordinary</small></th>"
        "<th rowspan=2>未订到<br><small>bookings refused</small></th>"
        "<th rowspan=2>最高饱和度<br><small>peak saturation</small></th>"
        "<th rowspan=2>最长排队<br><small>longest queue</small></th></tr><tr>"
        + 2
        * (
            "<th>入场<br><small>admitted</small></th><th>平均等待<br><small>mean wait</small></th>"
            "<th>中位<br><small>p50</small></th><th>95%<br><small>p95</small></th>"
            "<th>未入场<br><small>turned away, still waiting</small></th>"
        )
        + "</tr>"
    )
    rows = []
    for rules, log in outcomes:
        cells = "".join(f"<td>{cell}</td>" for kind in (log.reserved, log.ordinary) for cell in _cells(kind))
        rows.append(
            f"<tr><td>{escape(rules.name_zh)}<br><small>{escape(rules.name_en)}</small></td>{cells}"
            f"<td>{log.bookings_refused}</td><td>{100 * log.saturation_max:.0f}%</td><td>{log.queue_max}</td></tr>"
        )
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _cells(kind: Kind) -> tuple[str, ...]:
    return (
        str(kind.admitted),
        minutes(kind.mean_s),
        minutes(kind.wait_s(0.5)),
        minutes(kind.wait_s(0.95)),
        f"{kind.turned_away} + {kind.still_waiting}",
    )


def minutes(wait_s: float) -> str:
    """m:ss, as people say a wait."""
    whole_s = round(wait_s)
    return f"{whole_s // 60}:{whole_s % 60:02d}"


def _rules(rules: RuleSet) -> str:
    if rules.priority:
        zh = f"饱和: {rules.saturated.reserved}进预约 {rules.saturated.ordinary}进非预约, "
        zh += "严格等待" if rules.saturated.strict else f"无预约车 {rules.saturated.idle_s:g} 秒后放行"
        zh += f"; 满位: 出{rules.full.out}进1"
        en = f"saturated: {rules.saturated.reserved} reserved, then {rules.saturated.ordinary} ordinary, "
        en += "strict" if rules.saturated.strict else f"or after {rules.saturated.idle_s:g} s without a reserved car"
        en += f"; full: {rules.full.out} out, 1 in"
    else:
        zh, en = "优先通行关闭: 先到先进", "priority off: first come, first served"
    roles = {"reserved": "预约专用", "ordinary": "非预约", "mixed": "混合"}
    places = "; ".join(f"{place.entrance} {roles[place.role]} {place.role}/{place.ordinary}" for place in rules.place)
    return (
        f"<p><b>{escape(rules.name_zh)}</b> {escape(zh)}. <small>{escape(rules.name_en)}: {escape(en)}</small>"
        + (f"<br><small>{escape(places)}</small>" if places else "")
        + "</p>"
    )


def _round_up(value: int) -> float:
    """The top of an axis that divides by four."""
    return max(4.0, -(-value // 4) * 4.0)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The table for the terminal."""
    lines = []
    for rules, log in outcomes:
        lines.append(f"{rules.name_zh}  {rules.name_en}")
        for name, kind in (("预约车 reserved ", log.reserved), ("非预约 ordinary ", log.ordinary)):
            admitted, mean, half, most, lost = _cells(kind)
            lines.append(
                f"  {name} 入场 admitted {admitted:>6}  等待 wait mean {mean:>6} p50 {half:>6} p95 {most:>6}"
                f"  未入场 not {lost}"
            )
        at_s = max(log.points, key=lambda point: point.inside).t_s
        lines.append(
            f"  未订到 bookings refused {log.bookings_refused}"
            f"  最高饱和度 peak saturation {100 * log.saturation_max:.0f}% ({clock(at_s)})"
            f"  最长排队 longest queue {log.queue_max}"
        )
    return "\n".join(lines)
