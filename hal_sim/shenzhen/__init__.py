"""The simulated Shenzhen reservation platform, written from T/SZPIA 001-2020 alone; it shares nothing with the box."""

from hal_sim.shenzhen.envelope import SignRule
from hal_sim.shenzhen.orders import OrderAnswer
from hal_sim.shenzhen.records import Record, Summary, Violation
from hal_sim.shenzhen.server import Addresses, ShenzhenPlatform
from hal_sim.shenzhen.session import Account
from hal_sim.shenzhen.weather import ANSWER_KINDS, KINDS, LINK_KINDS, ORDER_KINDS, Kind, Weather

__all__ = [
    "ANSWER_KINDS",
    "KINDS",
    "LINK_KINDS",
    "ORDER_KINDS",
    "Account",
    "Addresses",
    "Kind",
    "OrderAnswer",
    "Record",
    "ShenzhenPlatform",
    "SignRule",
    "Summary",
    "Violation",
    "Weather",
]
