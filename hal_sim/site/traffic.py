"""Which cars come: plates, lengths, manners and what the cameras make of them, from one seed.

The mix is what a lot sees in a day, only denser: most cars behave, some back out, sit on a bumper, have
no plate, or are read one character wrong on their way out.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from hal_sim.site.vehicle import Kind, Read, Vehicle

# GA 36-2018: letters and digits of a plate's number; I and O are not used.
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
PROVINCES = "鲁鲁鲁鲁鲁鲁京沪苏浙豫冀辽"

# One character that cameras take for another (DESIGN 5: 0/D/Q, 8/B, 5/S, 2/Z).
LOOK_ALIKES = {"0": "D", "D": "0", "8": "B", "B": "8", "5": "S", "S": "5", "2": "Z", "Z": "2"}

SEASON_SHARE = 0.4
"""Share of cars on the lot's allow list: they leave without paying."""

SEASON_PLATES = 400

MISREAD_SHARE = 0.03
"""Share of exits whose plate is read one look-alike wrong."""

EARLY_SHARE = 0.25
"""Share of reads before the car stands on the loop."""


@dataclass(frozen=True)
class CarPlan:
    """One car's whole visit. `stay_s` None: it stays parked past the end."""

    car_id: int
    plate: str
    colour: str
    season: bool
    length_m: float
    speed: float
    enter_kind: Kind
    exit_kind: Kind
    enter_read: Read
    exit_read: Read
    stay_s: float | None
    drop_outs: tuple[tuple[float, float], ...]

    def entering(self) -> Vehicle:
        return self._vehicle(self.enter_kind, self.enter_read)

    def leaving(self) -> Vehicle:
        return self._vehicle(self.exit_kind, self.exit_read)

    def _vehicle(self, kind: Kind, read: Read) -> Vehicle:
        gap_m = 2.6 if kind == "tailgater" else 2.0
        drop_outs = list(self.drop_outs)
        return Vehicle(
            self.car_id,
            self.plate,
            self.length_m,
            kind,
            read,
            speed=self.speed,
            gap_m=gap_m,
            drop_outs=drop_outs,
        )


def season_plates(seed: int) -> tuple[str, ...]:
    """The plates that the sim's config puts on the lot's allow list."""
    dice = random.Random(f"season {seed}")
    plates: dict[str, None] = {}
    while len(plates) < SEASON_PLATES:
        plates[_plate(dice, "blue")] = None
    return tuple(plates)


def misread(plate: str, dice: random.Random) -> str:
    """The plate with one look-alike character taken for its twin; unchanged if it has none."""
    places = [i for i, sign in enumerate(plate) if i >= 2 and sign in LOOK_ALIKES]
    if not places:
        return plate
    at = dice.choice(places)
    return plate[:at] + LOOK_ALIKES[plate[at]] + plate[at + 1 :]


def _plate(dice: random.Random, colour: str) -> str:
    head = dice.choice(PROVINCES) + dice.choice("ABCDEFGHJK")
    if colour == "green":  # new energy: D or F, then five digits
        return head + dice.choice("DF") + "".join(dice.choices("0123456789", k=5))
    return head + "".join(dice.choices(SIGNS[-10:] * 4 + SIGNS[:24], k=5))


class Traffic:
    """An endless stream of cars. `mix` False: everybody behaves. Stays are drawn between the two bounds."""

    def __init__(
        self, seed: int, stay_s: tuple[float, float], *, mix: bool = True, parked_share: float = 0.03
    ) -> None:
        self._dice = random.Random(f"traffic {seed}")
        self._season = iter(self._endless(season_plates(seed)))
        self._stay_s, self._mix, self._parked_share = stay_s, mix, parked_share
        self._seen: set[str] = set(season_plates(seed))
        self._next = 0
        self._last_kind: Kind = "normal"
        self._expected: deque[tuple[str, str]] = deque()
        self._expected_dice = random.Random(f"expected {seed}")

    @staticmethod
    def _endless(plates: tuple[str, ...]) -> Iterator[str]:
        while True:
            yield from plates

    def expect(self, plate: str, colour: str) -> None:
        """This car is on its way: it comes next, ahead of whoever else would. From any thread."""
        self._expected.append((plate, colour))

    def next(self) -> CarPlan:
        """The next car at an entry."""
        self._next += 1
        if self._expected:
            return self._arriving(*self._expected.popleft())
        return self._drawn()

    def _arriving(self, plate: str, colour: str) -> CarPlan:
        """An expected car behaves; only its exit may be misread. Its dice are its own: the others stay as they are."""
        dice = self._expected_dice
        self._seen.add(plate)
        out_plate = misread(plate, dice) if self._mix and dice.random() < MISREAD_SHARE else plate
        if out_plate in self._seen:
            out_plate = plate
        return CarPlan(
            car_id=self._next,
            plate=plate,
            colour=colour,
            season=False,
            length_m=dice.uniform(2.7, 5.2),
            speed=dice.uniform(0.7, 1.1),
            enter_kind="normal",
            exit_kind="normal",
            enter_read=Read("plate", plate, colour, early=dice.random() < EARLY_SHARE),
            exit_read=Read("plate", out_plate, colour, early=dice.random() < EARLY_SHARE),
            stay_s=dice.uniform(*self._stay_s),
            drop_outs=(),
        )

    def _drawn(self) -> CarPlan:
        dice = self._dice
        season = dice.random() < SEASON_SHARE
        colour = "blue" if season else dice.choices(("blue", "green", "yellow"), (70, 25, 5))[0]
        plate = next(self._season) if season else self._fresh(colour)
        enter_kind = self._kind()
        bare = self._mix and not season and dice.random() < 0.02
        out_kind: Kind = "normal"
        out_plate = plate
        if self._mix and dice.random() < MISREAD_SHARE:
            out_plate = misread(plate, dice)
            if out_plate in self._seen and out_plate != plate:
                out_plate = plate
        truck = enter_kind == "truck"
        length_m = dice.uniform(8.0, 12.0) if truck else dice.uniform(2.7, 5.2)
        return CarPlan(
            car_id=self._next,
            plate="" if bare else plate,
            colour=colour,
            season=season,
            length_m=length_m,
            speed=dice.uniform(0.7, 1.1),
            enter_kind=enter_kind,
            exit_kind="truck" if truck else out_kind,
            enter_read=self._read(plate, colour, bare, enter_kind),
            exit_read=self._read(out_plate, colour, bare, out_kind),
            stay_s=None if dice.random() < self._parked_share else dice.uniform(*self._stay_s),
            drop_outs=((3.0, 3.6), (5.5, 6.0)) if truck else (),
        )

    def _fresh(self, colour: str) -> str:
        while (plate := _plate(self._dice, colour)) in self._seen:
            pass
        self._seen.add(plate)
        return plate

    def _kind(self) -> Kind:
        kinds: tuple[Kind, ...] = ("normal", "truck", "back_out", "tailgater")
        kind = self._dice.choices(kinds, (90, 4, 3, 3))[0] if self._mix else "normal"
        # A tailgater needs somebody to follow; two cars backing out in a row would be a fault of the loop.
        if kind in ("tailgater", "back_out") and self._last_kind in ("tailgater", "back_out"):
            kind = "normal"
        self._last_kind = kind
        return kind

    def _read(self, plate: str, colour: str, bare: bool, kind: Kind) -> Read:
        dice = self._dice
        if kind == "tailgater":
            return Read("none")  # too close behind: the camera sees no plate
        return Read(
            kind="no_plate" if bare else "plate",
            plate="" if bare else plate,
            colour=colour,
            early=dice.random() < EARLY_SHARE,
            repeats=int(self._mix and dice.random() < 0.06),
            resent=self._mix and dice.random() < 0.05,
        )
