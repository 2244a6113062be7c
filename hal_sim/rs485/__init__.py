"""RS485 devices on a pseudo terminal: the bytes of real boards and signs, written apart from the drivers."""
