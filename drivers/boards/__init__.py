"""Relay and input boards on an RS485 line: barriers by three relays, loops and limit switches by inputs."""
