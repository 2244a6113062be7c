"""Signs with and without voice on an RS485 line: one file a family, and one owner that shows the newest text."""
