"""`parkbox plan SCENARIO.toml`: the day under each rule set, a table on the terminal, one HTML page to look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge.config.arguments import Arguments
from edge.config.issues import ConfigError
from hal_sim.plan.cars import draw
from hal_sim.plan.day import Day
from hal_sim.plan.flow_rules import FlowRules
from hal_sim.plan.page import Outcome, render, summary
from hal_sim.plan.scenario import Scenario, load


def play(scenario: Scenario) -> list[Outcome]:
    """The same cars under every rule set of the scenario."""
    cars = draw(scenario)
    return [
        Outcome(rules, Day(scenario, rules, cars, FlowRules(scenario, rules)).run()) for rules in scenario.rules
    ]


def main(argv: Sequence[str]) -> int:
    """0; 2 when the scenario cannot be used or the page cannot be written, with every reason on stderr."""
    parser = Arguments(
        "parkbox plan", description="规则比较: 同一天、同一批车, 各组规则并排  one day under several rule sets"
    )
    parser.add_argument("scenario", type=Path, help="场景文件 TOML, e.g. configs/plan/hospital-day.toml")
    parser.add_argument("--out", type=Path, help="网页文件  the page (default: the scenario's name with .html, here)")
    options = parser.parse_args(argv)
    try:
        scenario = load(options.scenario)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    begin_s = time.perf_counter()
    outcomes = play(scenario)
    took_s = time.perf_counter() - begin_s
    page = options.out or Path(options.scenario.with_suffix(".html").name)
    try:
        page.write_text(render(scenario, outcomes), encoding="utf-8")
    except OSError as error:
        print(f"{page}: 无法写入 cannot be written: {error}", file=sys.stderr)
        return 2
    print(summary(outcomes))
    came = sum(log.reserved.came + log.ordinary.came for _, log in outcomes)
    print(f"{came} 车 cars, {took_s:.1f} s ({came / took_s:,.0f}/s)   网页 page: {page}")
    return 0
