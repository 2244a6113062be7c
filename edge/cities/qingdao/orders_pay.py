"""Orders about paying: 18 to 22 from JSON to the core's words (T/QME 0015-2024 B.4). Pure."""

from __future__ import annotations

from decimal import Decimal

from edge.cities.qingdao.calls import Signatory, read_signatory
from edge.cities.qingdao.orders import Base, Reading, Site, stamp_ms
from edge.cities.qingdao.orders_cards import colour_of
from edge.cities.qingdao.reading import BadMember, Members
from edge.core.orders_money import PaymentOrder, QuoteOrder, ScanCoupon, ScanOrder, SeamlessOrder
from edge.core.plates import normalise, shape

# As `orders_money` bounds them: ten million yuan, twenty coupons, a year.
FEN_MAX, COUPONS_MAX, MINUTES_MAX = 1_000_000_000, 20, 525_600

# tacticsWay (B.6.1.5).
AMOUNT, TIME, ALL = 0, 1, 2


def read_quote(entry: Members, base: Base, site: Site) -> Reading:
    """18 (line 1200). QC105: car_no decides; vehicle_info gives the colour."""
    plate = entry.plate("car_no")
    answer: dict[str, object] = {
        "partner": entry.text("partner", 64),
        "car_no": entry.text("car_no", 20),
    }
    colour = colour_of(entry.part("vehicle_info")) if entry.has("vehicle_info") else ""
    return Reading(answer, QuoteOrder(plate=plate, colour=colour, **base.members(stamp_ms(entry))))


def read_payment(entry: Members, base: Base, site: Site) -> Reading:
    """19 (line 1246). QC61: anything but 0 is not paid, and opens nothing. An unknown pay_type is kept as it stands:
    money that was taken is not refused for a word."""
    state = entry.whole(entry.first_of("trad_state", "trade_state"), -1_000_000, 1_000_000)
    order_id = entry.text("out_trade_no", 64)
    if state != 0:
        return Reading({}, None, f"trad_state = {state}: 未支付, 不放行 not paid, nothing opens", taken=True)
    entry.choice("fee_type", (1,), default=1)
    order = PaymentOrder(
        order_id=order_id,
        amount_fen=entry.whole("total_fee", 0, FEN_MAX),
        pay_type=entry.text("pay_type", 50, required=False),
        pay_from=entry.text("pay_from", 50, required=False),
        paid_at_ms=entry.instant_ms("time_end"),
        detail=entry.text("pay_info", 200, required=False),
        **base.members(stamp_ms(entry)),
    )
    return Reading({}, order)


def read_seamless(entry: Members, base: Base, site: Site) -> Reading:
    """20 (line 1272)."""
    return Reading({}, seamless_order(read_signatory(entry, with_code=True), base, "notice", stamp_ms(entry)))


def read_seamless_change(entry: Members, base: Base, site: Site) -> Reading:
    """21 (line 1306)."""
    answer: dict[str, object] = {"item_id": entry.text("item_id", 64)} if entry.has("item_id") else {}
    said = read_signatory(entry, with_code=False)
    return Reading(answer, seamless_order(said, base, "change", stamp_ms(entry)))


def seamless_order(said: Signatory, base: Base, how: str, city_ms: int = 0) -> SeamlessOrder:
    """`how`: notice (20), change (21), query (12). A limit beyond what any visit costs is cut to that; an account that
    is overdrawn holds nothing."""
    return SeamlessOrder(
        plate=said.car_no,
        signed=said.signed,
        mode="before" if said.mode == "pay_first" else "after",
        visit_id=said.in_record_id,
        user_id=said.user_id,
        channel=said.channel,
        limit_fen=-1 if said.limit_fen is None else min(said.limit_fen, FEN_MAX),
        balance_fen=-1 if said.balance_fen is None else max(0, min(said.balance_fen, FEN_MAX)),
        code=said.code or 0,
        how=how,  # type: ignore[arg-type]
        **base.members(city_ms),
    )


def read_scan(entry: Members, base: Base, site: Site) -> Reading:
    """22 (line 1340). QC78: equip_code decides the lane, credential_no the car; either may be missing. QC33: park_code
    may be the lot's number or id, or the project's."""
    answer: dict[str, object] = {}
    park = entry.text("park_code", 64)
    if park not in {site.park_code, site.park_id, *site.projects}:
        raise BadMember("park_code", park, "不是本车场 is not this lot")
    lane = ""
    if entry.has("equip_code"):
        code = entry.text("equip_code", 64)
        if code not in site.lanes:
            raise BadMember("equip_code", code, "没有该设备 no such device at a lane")
        lane = site.lanes[code]
    credential = entry.text("credential_no", 64, required=False)
    car = entry.part("vehicle_info") if entry.has("vehicle_info") else Members({}, "vehicle_info")
    plate = car.plate("plate_no", required=False)
    if not plate and shape(normalise(credential)) not in {"none", "other"}:
        plate = normalise(credential)
    if not lane and not credential and not plate:
        raise BadMember("credential_no", credential, "与 equip_code 至少有一个 this or equip_code is needed")
    order = ScanOrder(
        lane=lane,
        credential="" if plate else credential,
        plate=plate,
        coupons=tuple(_coupon(each) for each in entry.parts("coupon_list", COUPONS_MAX)),
        **base.members(stamp_ms(entry)),
    )
    return Reading(answer, order)


def _coupon(entry: Members) -> ScanCoupon:
    """QC51: strings, whatever the print says; couponMoney by tacticsWay: yuan, hours, or all."""
    number = entry.text("couponNum", 64)
    channel = entry.text("channelNo", 100, required=False)
    way = entry.choice("tacticsWay", (AMOUNT, TIME, ALL))
    if way == AMOUNT:
        fen = entry.yuan_fen("couponMoney")
        if fen > FEN_MAX:
            raise BadMember("couponMoney", entry.number("couponMoney"), f"最多 {FEN_MAX // 100} 元 at most, in yuan")
        return ScanCoupon(coupon_no=number, coupon="amount", amount_fen=fen, channel=channel)
    if way == TIME:
        minutes = entry.number("couponMoney") * Decimal(60)
        if minutes != minutes.to_integral_value() or not 0 <= minutes <= MINUTES_MAX:
            raise BadMember("couponMoney", entry.number("couponMoney"), "须为小时 must be hours, up to a year")
        return ScanCoupon(coupon_no=number, coupon="time", minutes=int(minutes), channel=channel)
    return ScanCoupon(coupon_no=number, coupon="all", channel=channel)
