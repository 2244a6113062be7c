"""RS485: one owner for each line, whatever hangs on it. Framing is pure and stands apart from the port."""
