"""What is counted, and what must be 0."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    cars: int = 0
    passages: int = 0
    turned_back: int = 0
    named: int = 0  # recorded under the plate of a car that went through
    tailgates: int = 0
    unadmitted: int = 0
    crashes: int = 0
    orders: int = 0
    emergencies: int = 0
    raises: int = 0
    lowers: int = 0
    reraises: int = 0
    drop_outs: int = 0
    facts: int = 0
    virtual_h: float = 0.0
    # must be 0
    strikes: int = 0
    drift: int = 0
    unrecorded: int = 0
    unfounded_admissions: int = 0
    unfounded_raises: int = 0
    stranded: int = 0
    twice: int = 0  # under one plate more often than that car went through
    # stated, not hidden: recorded under the plate of a car that had turned back
    misnamed: int = 0
    # ... and counts off after a crash with several cars between the loops, a reversing one, a dead disk
    lost_in_crash: int = 0
    examples: list[str] = field(default_factory=list)

    MUST_BE_ZERO = ("strikes", "drift", "unrecorded", "unfounded_admissions", "unfounded_raises", "stranded", "twice")

    def wrong(self, what: str, example: str, by: int = 1) -> None:
        setattr(self, what, getattr(self, what) + by)
        if len(self.examples) < 20:
            self.examples.append(f"{what}: {example}")

    def violations(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.MUST_BE_ZERO if getattr(self, name)}

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def table(self) -> str:
        rows = [(name, value) for name, value in vars(self).items() if name != "examples"]
        lines = [f"  {name:22s} {value:>12,.1f}" if isinstance(value, float) else f"  {name:22s} {value:>12,d}"
                 + ("   must be 0" if name in self.MUST_BE_ZERO else "") for name, value in rows]
        return "\n".join([*lines, *self.examples])
