"""MQTT 3.1.1 client with the interface of MicroPython's umqtt.simple and umqtt.robust.

A package of its own: it imports nothing of the rest, uses relative imports only, and runs on CPython >= 3.11 and on
MicroPython >= 1.25 unchanged. What differs from its namesake: every call has a deadline, an unanswered ping is noticed,
packet ids stay within 1..65535, a QoS 1 message survives a reconnect with its id, whatever a broker sends ends in
`OSError` or `MQTTException`, and one packet is one write. No clock step matters: only the monotonic clock is asked.
"""
