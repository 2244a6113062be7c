"""The lane program: cameras, loops, barrier and the core, put together (DESIGN 2)."""
