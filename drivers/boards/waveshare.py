"""Waveshare Modbus RTU Relay (8 relays) and Relay (D) (8 relays, 8 inputs): their frames in our words. Pure.

    flash-on   05  0200+relay  n × 100 ms    the board itself ends the pulse: a box that dies leaves no contact closed
    off        05  00FF        0000          all relays; ends running pulses too
    relays     01  0000        8             read-back        inputs  02  0000  8
    modes      03  1000        8             0 = an input moves no relay; anything else and an edge of a loop opens
    set mode   06  1000+relay  0             kept by the board: written once, at commissioning

Source: the maker's wiki "Modbus RTU Relay"; boards before 2021-09 (V1) do not speak Modbus.
"""

from __future__ import annotations

from drivers.rs485 import modbus

COUNT = 8
FLASH_ON = 0x0200
ALL = 0x00FF
STEP_MS = 100
MODES = 0x1000


def flash_on(address: int, relay: int, pulse_ms: int) -> bytes:
    """A pulse of `pulse_ms`, in whole steps of 100 ms, never shorter than asked."""
    return modbus.request(address, modbus.WRITE_COIL, FLASH_ON + relay, steps(pulse_ms))


def steps(pulse_ms: int) -> int:
    return -(-pulse_ms // STEP_MS)


def all_off(address: int) -> bytes:
    return modbus.request(address, modbus.WRITE_COIL, ALL, 0)


def off(address: int, relay: int) -> bytes:
    return modbus.request(address, modbus.WRITE_COIL, relay, 0)


def read_relays(address: int) -> bytes:
    return modbus.request(address, modbus.READ_COILS, 0, COUNT)


def read_inputs(address: int) -> bytes:
    return modbus.request(address, modbus.READ_INPUTS, 0, COUNT)


def read_modes(address: int) -> bytes:
    return modbus.request(address, modbus.READ_REGISTERS, MODES, COUNT)


def set_mode(address: int, relay: int, mode: int = 0) -> bytes:
    return modbus.request(address, modbus.WRITE_REGISTER, MODES + relay, mode)
