"""Programs that die: a child appends and promises, somebody kills it, a test reads what is left."""
