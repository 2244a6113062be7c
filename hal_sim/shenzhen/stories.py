"""What customers do: the mix of a hospital's lot, each story with the answers that the standard allows.

Codes are those of table 44; which one is meant where: SC50 to SC54.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from hal_sim.shenzhen.driver import Driver
from hal_sim.shenzhen.orders import Element
from hal_sim.shenzhen.rules import BEIJING

DONE, UNKNOWN_LOT, NO_BOOKING, BOOKED_ALREADY, EXPIRED, CANCELLED, NO_STALL, NOT_INSIDE, WRONG_TIME = (
    0, 1101, 1104, 1201, 1301, 1401, 1501, 4001, 5004,
)  # fmt: skip
LOCKED_OR_FULL = {DONE, NO_STALL}
LAPSE_S = 1.5  # a booking's end is written in whole seconds

Story = Callable[[Driver, random.Random], None]


def tell(driver: Driver, dice: random.Random) -> None:
    """One customer's story, drawn from the mix."""
    stories, weights = zip(*MIX, strict=True)
    story: Story = dice.choices(stories, weights)[0]
    with driver.story(story.__name__):
        story(driver, dice)


class Booking:
    """One booking and the orders about it."""

    def __init__(self, driver: Driver, dice: random.Random, from_s: float, open_s: float, keep_min: int) -> None:
        self.driver = driver
        self.plate, self.colour = driver.fresh_plate(dice)
        self.now_s = driver.platform.now()
        self.code = f"YD{datetime.fromtimestamp(self.now_s, UTC):%Y%m%d%H%M%S}{driver.number():06d}"
        self.lot = driver.platform.account.park_codes[0]
        self.element: Element = {
            "bookCode": self.code,
            "parkCode": self.lot,
            "carInfo": {"plateNo": self.plate, "plateColor": "蓝色", "carModel": 3},
            **window(self.now_s + from_s, open_s),
            "obligatTime": keep_min,
            "operateType": 1,
        }

    def lock(self, *also: int) -> bool:
        """6001: whether a stall is held now. `also`: further codes that are right."""
        told = self.driver.order(6001, self.element, LOCKED_OR_FULL | set(also))
        return told is not None and told.get("code") == DONE

    def confirm(self, *codes: int) -> None:
        self._decide(1, codes or (DONE,))

    def cancel(self, *codes: int) -> None:
        self._decide(0, codes or (DONE,))

    def _decide(self, status: int, codes: tuple[int, ...]) -> None:
        element: Element = {"bookCode": self.code, "parkCode": self.lot, "confirmStatus": status}
        self.driver.order(6002, element, set(codes))

    def come(self, *, reserved: bool) -> None:
        """He drives to the lot; `reserved`: his booking lets him in."""
        self.driver.come(self.plate, self.colour, self.code, reserved=reserved)


def window(from_s: float, open_s: float) -> Element:
    """bookTime and overTime."""
    return {"bookTime": written(from_s), "overTime": written(from_s + open_s)}


def written(at_s: float) -> str:
    """A DateTime of table 1, Beijing time."""
    return datetime.fromtimestamp(at_s, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def booked(driver: Driver, dice: random.Random, *, from_s: float = -1.0, open_s: float = 0.0) -> Booking | None:
    """A confirmed booking, None if there was no stall for it."""
    booking = Booking(driver, dice, from_s, open_s or driver.tempo.window_s, 30)
    if not booking.lock():
        return None
    driver.step(dice)
    booking.confirm()
    driver.step(dice)
    return booking


# --- the stories -----------------------------------------------------------------------------------------------


def in_time(driver: Driver, dice: random.Random) -> None:
    """Books, confirms, comes within his time."""
    booking = booked(driver, dice)
    if booking is not None:
        booking.come(reserved=True)


def with_coupon(driver: Driver, dice: random.Random) -> None:
    """Books, comes, and while he is inside the platform gives him one or two coupons, one of them twice."""
    booking = booked(driver, dice)
    if booking is None:
        return
    booking.come(reserved=True)
    entry_id = driver.entry_of(booking.plate)
    if entry_id is None:
        return
    for _ in range(dice.choice((1, 1, 2))):
        coupon = _coupon(driver, dice, booking.plate)
        for _ in range(dice.choice((1, 1, 2))):
            # He may have left by now: then it is 4001, or kept for his next visit (SC47).
            told = driver.order(4002, coupon, {DONE, NOT_INSIDE})
        if told is not None and told.get("code") == DONE:
            driver.gave(str(coupon["couponNo"]), entry_id)


def unconfirmed(driver: Driver, dice: random.Random) -> None:
    """Comes on a lock that was never confirmed (SC52: that lets him in)."""
    booking = Booking(driver, dice, -1.0, driver.tempo.window_s, 30)
    if booking.lock():
        driver.step(dice)
        booking.come(reserved=True)


def late(driver: Driver, dice: random.Random) -> None:
    """Comes when his time is over: an ordinary car (6.3); confirming again tells that it expired."""
    booking = Booking(driver, dice, 0.0, driver.tempo.short_s, 0)
    if not booking.lock(WRONG_TIME):  # a network that ate his two seconds has made it a booking of the past
        return
    booking.confirm(DONE, EXPIRED)
    ends_s = booking.now_s + driver.tempo.short_s + LAPSE_S
    driver.pause(max(0.0, ends_s - driver.platform.now()))
    booking.confirm(EXPIRED)
    booking.come(reserved=False)


def early(driver: Driver, dice: random.Random) -> None:
    """Comes an hour before his time: an ordinary car for now."""
    booking = booked(driver, dice, from_s=3600, open_s=3600)
    if booking is not None:
        booking.come(reserved=False)


def changes(driver: Driver, dice: random.Random) -> None:
    """Booked for later, changes to now (operateType 2), comes in his new time."""
    booking = booked(driver, dice, from_s=7200, open_s=3600)
    if booking is None:
        return
    changed = booking.element | window(driver.platform.now() - 1, driver.tempo.window_s) | {"operateType": 2}
    told = driver.order(6001, changed, LOCKED_OR_FULL)
    driver.step(dice)
    if told is not None and told.get("code") == DONE:
        booking.come(reserved=True)


def cancels(driver: Driver, dice: random.Random) -> None:
    """Cancels, cancels again, confirms what is cancelled; sometimes he comes all the same."""
    booking = booked(driver, dice)
    if booking is None:
        return
    booking.cancel()
    booking.cancel()
    booking.confirm(CANCELLED)
    if dice.random() < 0.5:
        booking.come(reserved=False)


def never_comes(driver: Driver, dice: random.Random) -> None:
    """Books, confirms, stays away; cancels in the end, so that his stall is free again."""
    booking = booked(driver, dice)
    if booking is not None:
        driver.step(dice)
        booking.cancel()


def platform_repeats(driver: Driver, dice: random.Random) -> None:
    """The same lock again is done once (SC53: no restReservedStalls then); other content under its code is 1201."""
    booking = Booking(driver, dice, -1.0, driver.tempo.window_s, 30)
    if not booking.lock():
        return
    again = driver.order(6001, booking.element, {DONE})
    if again is not None and "restReservedStalls" in again:
        driver.problem(f"order 6001 {booking.code} again: restReservedStalls must be missing (table 40)")
    driver.order(6001, booking.element | {"obligatTime": 15}, {BOOKED_ALREADY})
    booking.confirm()
    booking.confirm()
    booking.come(reserved=True)


def mistaken(driver: Driver, dice: random.Random) -> None:
    """Orders about what does not exist, and a booking whose time is over already."""
    booking = Booking(driver, dice, -1.0, driver.tempo.window_s, 30)
    booking.confirm(NO_BOOKING)
    booking.cancel(NO_BOOKING)
    driver.order(6001, booking.element | {"operateType": 2}, {NO_BOOKING})
    driver.order(6001, booking.element | {"parkCode": "44030400100101000099"}, {UNKNOWN_LOT})
    over = booking.element | window(booking.now_s - 7200, 3600) | {"obligatTime": 0}
    driver.order(6001, over, {WRONG_TIME})


def guest_of_honour(driver: Driver, dice: random.Random) -> None:
    """4001: strategy 5 (in and out for free), told twice; he comes and goes; then the entry is deleted."""
    plate, colour = driver.fresh_plate(dice)
    entry = _control(driver, plate, 5)
    for _ in range(2):
        driver.order(4001, entry, {DONE})
    driver.step(dice)
    driver.come(plate, colour)
    entry_id = driver.entry_of(plate)
    if entry_id is not None and driver.has_left(plate):
        driver.let_in_free(plate, entry_id)
    _, bare = _forms(entry)
    driver.order(4001, {"blackWhiteGraySheet": bare, "status": 2}, {DONE})


def wanted(driver: Driver, dice: random.Random) -> None:
    """4001: strategies 1 to 4 for plates that do not come, put, changed and deleted; and for a lot that is not ours."""
    plate, _ = driver.fresh_plate(dice)
    entry = _control(driver, plate, dice.choice((1, 2, 3, 4)))
    driver.order(4001, dice.choice(_forms(entry)), {DONE})
    driver.step(dice)
    _, bare = _forms(entry)
    driver.order(4001, {"blackWhiteGraySheet": bare | {"strategyType": 3}, "status": 1}, {DONE})
    driver.order(4001, {"blackWhiteGraySheet": bare, "status": 2}, {DONE})
    driver.order(4001, bare | {"id": uuid.uuid4().hex, "parkCode": "44030400100101000099"}, {UNKNOWN_LOT})


MIX: tuple[tuple[Story, int], ...] = (
    (in_time, 40),
    (with_coupon, 14),
    (unconfirmed, 5),
    (late, 8),
    (early, 5),
    (changes, 8),
    (cancels, 6),
    (never_comes, 3),
    (platform_repeats, 4),
    (mistaken, 2),
    (guest_of_honour, 3),
    (wanted, 2),
)
"""Out of a hundred customers of a hospital: most keep their time, some are late, change or do not come."""


def _coupon(driver: Driver, dice: random.Random, plate: str) -> Element:
    """4002, one of the four types with a value in its unit (table 37)."""
    kind = dice.choice((1, 2, 3, 4))
    value = {1: dice.choice((2, 3.5, 11)), 2: 1, 3: 0.3, 4: 1}[kind]
    return {
        "couponNo": f"C{driver.number():012d}",
        "plateNo": plate,
        "couponType": kind,
        "couponValue": value,
        "time": written(driver.platform.now()),
        "discountChannel": "模拟医院",
    }


def _control(driver: Driver, plate: str, strategy: int) -> Element:
    """4001 as table 35 has it."""
    sheet: Element = {
        "id": uuid.uuid4().hex,
        "parkCode": driver.platform.account.park_codes[0],
        "carInfo": {"plateNo": plate},
        "strategyType": strategy,
        "endDate": written(driver.platform.now() + 86400),
        "strategyFrom": "模拟平台",
    }
    return {"blackWhiteGraySheet": sheet, "status": 1}


def _forms(entry: Element) -> tuple[Element, Element]:
    """Table 35 wraps the entry, B.10 sends it bare and without status (SC45): both are met."""
    bare = entry["blackWhiteGraySheet"]
    assert isinstance(bare, dict)
    return entry, bare
