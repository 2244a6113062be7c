"""Names by which the city calls its orders, learned from orders that their members told (QC84). Pure.

A learned name helps where members do not tell: the order is then judged by its own table, and the city hears which
member is wrong instead of "unknown". Members always come first, and a name that was seen at two kinds of order means
none: a wrong guess must not turn one order into another. What is learned is shown, so that it can be configured.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.cities.qingdao.orders import KINDS, Kind

NAMES_MAX = 100
"""Thirteen are to be learned; the bound is for a city that makes names up."""

SEVERAL = "several"


class LearnedNames:
    """For one thread; `names` may be read by any."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        """`known`: as `names` told it; what is no kind of order is left out."""
        self.names: dict[str, str] = {
            name: kind for name, kind in (known or {}).items() if kind in (*KINDS, SEVERAL)
        }  # fmt: skip

    def note(self, cmd_type: str, kind: Kind) -> bool:
        """An order under this name was, by its members, of this kind. Whether that is news."""
        known = self.names.get(cmd_type)
        if known in (kind, SEVERAL) or (known is None and len(self.names) >= NAMES_MAX):
            return False
        self.names = {**self.names, cmd_type: kind if known is None else SEVERAL}
        return True

    def kind_of(self, cmd_type: str) -> Kind | None:
        found = self.names.get(cmd_type)
        return next((kind for kind in KINDS if kind == found), None)
