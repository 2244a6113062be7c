"""The simulated Qingdao city platform, written from T/QME 0015-2024 alone; it shares nothing with the box."""

from hal_sim.qingdao.records import Changed, Record, Refused, Summary
from hal_sim.qingdao.server import BrokerChoice, QingdaoPlatform
from hal_sim.qingdao.session import Account
from hal_sim.qingdao.weather import KINDS, Kind, Weather
from hal_sim.weather import Spell

__all__ = [
    "KINDS",
    "Account",
    "BrokerChoice",
    "Changed",
    "Kind",
    "QingdaoPlatform",
    "Record",
    "Refused",
    "Spell",
    "Summary",
    "Weather",
]
