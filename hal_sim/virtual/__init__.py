"""The lane's world in virtual time: cars, arms, loops, a camera, a disk and a person, driving the pure core in process.

No sockets, no threads, no sleeping, no clock: thousands of cars a second. It knows the core's events and commands and
nothing of its inside; what is true here is counted here, and compared with what the core recorded.
"""
