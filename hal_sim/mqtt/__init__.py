"""A small MQTT 3.1.1 broker for simulated platforms, written from the OASIS standard, and their line to a real one.

Shares nothing with the box."""

from hal_sim.mqtt.broker import Broker
from hal_sim.mqtt.guest import Guest

__all__ = ["Broker", "Guest"]
