"""The box's configuration: declared in `model`, read and judged once, completely, in `load`."""
