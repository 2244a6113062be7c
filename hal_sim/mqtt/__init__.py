"""A small MQTT 3.1.1 broker for simulated platforms, written from the OASIS standard; shares nothing with the box."""

from hal_sim.mqtt.broker import Broker

__all__ = ["Broker"]
