"""The agent program: deliveries, evidence and the page, put together from their rooms (DESIGN 2)."""
