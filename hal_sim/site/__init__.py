"""The simulated parking site in real time: pins, arm, loops, vehicles and the people at the lane."""
