"""Templates of the simulated box's configuration."""
