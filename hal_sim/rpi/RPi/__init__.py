"""Stands for the RPi package of a Raspberry Pi in the simulator; see `GPIO`."""
