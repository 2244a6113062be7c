"""`parkbox plan`: a day of a lot in virtual time under several rule sets, side by side (T/SZPIA 001-2020 clause 6)."""
