"""Numbered steps of each database: `<database>_<number>_<what>.sql`. A released step is never edited."""
