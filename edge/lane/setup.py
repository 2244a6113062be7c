"""From the configuration to what the core is made of: lanes, lot rules and tariff. No decisions here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.config.barriers import closes
from edge.config.model import Config, Lane
from edge.core.admission import LotRules
from edge.core.box import Box, LaneSettings
from edge.core.flow_policy import Entrance, Policy
from edge.core.flow_rules import minute_of_day
from edge.core.lot import LotState
from edge.core.money import Terms
from edge.core.plates import normalise
from edge.core.tariff import TariffRule
from edge.core.tariff_engine import plan_of
from edge.core.tariff_param import read_param
from edge.version import VERSION


def empty_box(
    config: Config, new_id: Callable[[], str], lanes: Sequence[Lane] | None = None, rules: LotRules | None = None
) -> Box:
    """A box that knows of no fact yet, of `lanes` and under `rules`; None: those of the configuration."""
    settings = [lane_settings(lane) for lane in (config.lane if lanes is None else lanes)]
    lot = LotState(config.lot.total_stalls)
    return Box(
        settings, rules or lot_rules(config), tariff_rule(config), lot, new_id, VERSION, config.box.id,
        flow_policy(config), money_terms(config),
    )  # fmt: skip


def lane_settings(lane: Lane) -> LaneSettings:
    timing, barrier = lane.timing, lane.barrier
    return LaneSettings(
        id=lane.id,
        number=lane.number,
        direction=lane.direction,
        arrival=lane.arrival,
        no_plate=lane.no_plate,
        can_ask=any(camera.client is not None and camera.vendor != "hikvision" for camera in lane.camera),
        has_close=closes(lane),
        has_stop=barrier.stop_pin is not None or barrier.stop_relay is not None,
        has_limit_up=barrier.limit_up_pin is not None or barrier.limit_up_input is not None,
        has_limit_down=barrier.limit_down_pin is not None or barrier.limit_down_input is not None,
        cameras=tuple(camera.id for camera in lane.camera),
        move_ms=_ms(barrier.move_s),
        read_ms=_ms(timing.read_s),
        store_ms=_ms(timing.store_s),
        pass_ms=_ms(timing.pass_s),
        hold_ms=_ms(timing.hold_s),
        unproven_hold_ms=_ms(timing.unproven_hold_s),
        payment_ms=_ms(timing.payment_s),
        stall_ms=_ms(timing.stall_s),
        confirm_ms=_ms(timing.confirm_s),
        same_plate_ms=_ms(timing.same_plate_s),
        fuse_ms=_ms(timing.fuse_s),
        preread_ms=_ms(timing.preread_s),
        loop_stuck_ms=_ms(timing.loop_stuck_s),
    )


def lot_rules(config: Config) -> LotRules:
    """The lot's rules; a lane's own answer to cars without plate stands in its settings."""
    return LotRules(
        admit=config.lot.admit,
        allow=frozenset(map(normalise, config.lot.allow_plates)),
        deny=frozenset(map(normalise, config.lot.deny_plates)),
        no_plate="ask",
        coupon_stack="all" if config.city.shenzhen is None else config.city.shenzhen.coupon_stack,
        coupon_hold=config.city.shenzhen is None or config.city.shenzhen.coupon_hold,
    )


def flow_policy(config: Config) -> Policy | None:
    """The rule set of flow control, None when the configuration has none."""
    flow = config.flow
    if flow is None:
        # Shenzhen is told at every start that priority is off (7001); nobody else asks for that.
        return None if config.city.shenzhen is None else Policy(priority=False)
    saturated = flow.saturated
    ways_in = [lane for lane in config.lane if lane.direction == "in"]
    return Policy(
        bands=(flow.bands[0], flow.bands[1]),
        reserved=saturated.reserved,
        ordinary=saturated.ordinary,
        idle_ms=None if saturated.strict else _ms(saturated.idle_s),
        out=flow.full.out,
        priority=flow.priority,
        schedule_min=(minute_of_day(flow.schedule[0]), minute_of_day(flow.schedule[1])) if flow.schedule else None,
        lock_ms=None if flow.lock_min is None else _ms(flow.lock_min * 60),
        early_ms=_ms(flow.early_min * 60),
        keep_min=flow.keep_min,
        change_ms=None if flow.change_min is None else _ms(flow.change_min * 60),
        refused=frozenset(flow.refuse_vehicles),
        entrances={lane.id: Entrance(role=lane.role, ordinary=lane.ordinary, name=lane.name) for lane in ways_in},
    )


def tariff_rule(config: Config) -> TariffRule:
    rule = config.tariff
    return TariffRule(
        free_min=rule.free_min,
        first_period_min=rule.first_period_min,
        first_fen=rule.first_fen,
        unit_min=rule.unit_min,
        unit_fen=rule.unit_fen,
        daily_cap_fen=rule.daily_cap_fen,
    )


def money_terms(config: Config) -> Terms:
    """What the configuration says of money: the box's own tariff, and an exit while no city can be paid."""
    tariff = config.tariff
    return Terms(
        plan=read_param(tariff.param) if tariff.param else plan_of(tariff_rule(config)),
        leave_min=tariff.leave_min,
        stack=lot_rules(config).coupon_stack,
        away=tariff.away,
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
