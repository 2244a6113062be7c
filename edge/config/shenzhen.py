"""Settings of the Shenzhen platform (T/SZPIA 001-2020). Where the standard is open, a key here says which reading.

"SC.." names the open place; every default is the standard's own text where it says anything. Secrets never stand
here: `*_file` names a 0600 file.
"""

from typing import Annotated, Literal

from msgspec import Meta

from edge.config.base import Fen, Guid, PeerPort, Port, Section

Https = Annotated[str, Meta(pattern=r"^https://[^\s/]+", max_length=200, description="https://…")]
ParkCode = Annotated[str, Meta(min_length=1, max_length=20)]
Text = Annotated[str, Meta(max_length=500)]
Hex = Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{16})?$", description="16 hex digits, or empty")]
Period = Annotated[float, Meta(ge=0.01, le=86_400)]


class ShenzhenSite(Section, frozen=True, kw_only=True):
    """What 3001, 3002 and 3005 tell of the lot and `[lot]`, `[tariff]` and `[[lane]]` do not know (tables 2 to 5)."""

    operator_id: Annotated[str, Meta(min_length=1, max_length=64)]
    """operatorId, given by the platform. Printed length 10, its example has 32 (SC29): any length is sent whole."""
    permit_no: Annotated[str, Meta(min_length=1, max_length=64)]
    """permitNo 停车许可证号. Printed length 6, its example has 10 (SC29)."""
    charger: Annotated[str, Meta(min_length=1, max_length=100)]
    """收费单位: the body that charges (SC31; the example's 元 is a misprint)."""
    complaint_tel: Annotated[str, Meta(min_length=1, max_length=20)]
    """Printed length 5, its example has 8 (SC29)."""
    public_info: Annotated[str, Meta(min_length=1, max_length=200)]
    """经营信息: opening hours."""
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    """GCJ-02 (SC60: the standard names no system)."""
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    service_type: Annotated[int, Meta(ge=1, le=8)]
    """1 商业 2 住宅 3 医院 4 园区 5 交通枢纽 6 行政机关 7 学校 8 其它."""
    pricing: Annotated[int, Meta(ge=1, le=3)] = 3
    """1 政府定价 2 政府指导价 3 市场调节价."""
    region: Annotated[int, Meta(ge=1, le=3)] = 1
    """1 一类 2 二类 3 三类地区 (深发改〔2017〕1518号)."""
    reservable_stalls: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    """总可预订车位数; left out: all stalls of the lot."""
    charge_item: Annotated[str, Meta(min_length=1, max_length=20)] = "小车临时停放"
    charge_remark: Text = ""
    road_name: Annotated[str, Meta(max_length=50)] = ""
    address: Annotated[str, Meta(max_length=255)] = ""
    committee: Annotated[str, Meta(max_length=50)] = ""
    """industAuthorInfo 业委会."""
    shenzhen_x: float | None = None
    shenzhen_y: float | None = None
    shenzhen_h: float | None = None
    map_file: str = ""
    """电子平面图, JPEG or PNG; "" sends none (SC36)."""
    price_sign_file: str = ""
    """收费标价牌图片, likewise."""
    image_max_bytes: Annotated[int, Meta(ge=1000, le=6_000_000)] = 2_000_000
    """A larger picture is not sent (SC36: base64 in two messages of at most 10M bytes)."""


class ShenzhenCallback(Section, frozen=True, kw_only=True):
    """HTTPS server for 4001, 4002, 6001, 6002. Certificate and key are read again when their files change."""

    url: Https
    """callbackServer as told to the platform at login (SC14); it appends /1.0/<code> (SC15)."""
    host: str = "0.0.0.0"
    """Address to listen on."""
    port: Port
    """0: any free port (it is printed at start)."""
    cert_file: Annotated[str, Meta(min_length=1)]
    """PEM: the server's certificate, then its issuers."""
    key_file: Annotated[str, Meta(min_length=1)]
    """PEM, mode 0600."""
    client_ca_file: str = ""
    """PEM: who signs the platform's client certificates; then one is demanded (SC06)."""
    token_file: str = ""
    """A token agreed with the platform (0600), accepted beside that of the login (SC06)."""
    accept_login_token: bool = True
    """Accept the accessToken of the present login in Authorization (SC06)."""
    addresses: tuple[str, ...] = ()
    """Who may connect, IP addresses or networks; empty: anybody who has the token (SC06)."""
    prefixes: tuple[str, ...] = ("/1.0", "/api/1.0", "/api", "")
    """Paths before /<code> that are served (SC15)."""
    body_limit_bytes: Annotated[int, Meta(ge=10_000, le=20_000_000)] = 10_485_760
    """7.1.4.1.1 g): 10M bytes; SC74 accepts the larger reading."""
    slow_s: Annotated[float, Meta(ge=1, le=120)] = 10.0
    """A sender that has not finished its request by then is cut off."""
    connections_max: Annotated[int, Meta(ge=1, le=64)] = 16


class ShenzhenTcp(Section, frozen=True, kw_only=True):
    """TLS TCP client (SZTC frames, 1004 to 1006). 7.1.4.1.3."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: PeerPort
    server_name: Annotated[str, Meta(max_length=253)] = ""
    """The name that its certificate must have; "" is `host`."""
    tls: bool = True
    """False: plain TCP, for tests on 127.0.0.1 alone (SC68)."""
    heartbeat_s: Annotated[float, Meta(ge=0.01, le=9)] = 3.0
    """SC66: not given; the server cuts after 9 s without one."""
    heartbeat_wait_s: Annotated[float, Meta(ge=0.01, le=60)] = 3.0
    """7.1.4.1.3 c) 3): no answer for 3 s..."""
    heartbeat_repeats: Annotated[int, Meta(ge=0, le=10)] = 2
    """...then again twice, then disconnect."""
    content: Literal["envelope", "data"] = "envelope"
    """What a frame carries (SC61): the whole envelope as B.4 shows it, or the bare data list."""
    empty: Literal["envelope", "nothing"] = "envelope"
    """1005, 1006 (SC62): the envelope with data [] as B.5 shows it, or length 0."""
    version_major: Annotated[int, Meta(ge=0, le=255)] = 1
    """SC63: no value is printed."""
    version_minor: Annotated[int, Meta(ge=0, le=255)] = 0
    crc_order: Literal["big", "little"] = "big"
    """SC65."""
    bad_frames_max: Annotated[int, Meta(ge=1, le=100)] = 3
    """Bad frames in a row after which the line is closed (SC65)."""


class ShenzhenColours(Section, frozen=True, kw_only=True):
    """plateColor in words (SC33: 3 characters, no list)."""

    blue: str = "蓝色"
    yellow: str = "黄色"
    green: str = "绿色"
    white: str = "白色"
    black: str = "黑色"
    yellow_green: str = "黄绿色"


class ShenzhenCodes(Section, frozen=True, kw_only=True):
    """Which code of table 44 answers what (SC20, SC21, SC53, SC54). A platform may want others (SC83)."""

    lot_unknown: int = 1101
    entry_unknown: int = 1100
    order_unknown: int = 1104
    order_exists: int = 1201
    order_expired: int = 1301
    order_cancelled: int = 1401
    lot_full: int = 1501
    token_wrong: int = 3002
    car_not_inside: int = 4001
    time_wrong: int = 5004
    too_long: int = 1004
    wrong_type: int = 1005
    out_of_range: int = 1007
    not_now: int = 5100
    """Own code (from 5100: SC20): the lane program does not answer; ask again."""
    refused: int = 5101
    """Own code: refused by a rule of the lot; the message says which."""


class Shenzhen(Section, frozen=True, kw_only=True):
    """T/SZPIA 001-2020. The platform hands out url, user, password and DES key."""

    url: Https
    """Base address; /<version>/<code> is appended (7.1.4.1.2 b)."""
    version: Annotated[str, Meta(min_length=1, max_length=20)] = "1.0"
    ca_file: str = ""
    """PEM: who signs the platform's certificates, for HTTPS and TCP; "" is the system's list."""
    client_cert_file: str = ""
    """PEM of certificate and key shown to the platform, if it wants one (SC68); 0600."""
    park_code: ParkCode
    user: Annotated[str, Meta(min_length=1, max_length=32)]
    password_file: str
    key_file: str
    """The DES key that the platform gave."""
    key_form: Literal["text", "hex", "base64"] = "text"
    """SC12: text: the first 8 bytes of its UTF-8."""
    iv_hex: Hex = ""
    """SC12: not given by the standard; "" takes the key."""
    password_form: Literal["des", "md5", "plain"] = "des"
    """SC13: table 15 wants DES-CBC in base64; the examples look otherwise."""
    sign: Literal["sha1", "md5"] = "sha1"
    """SC01: 7.1.4.1.1 and its example say SHA1, 7.1.4.1.2 says MD5. Both are accepted from the platform."""
    sign_scope: Literal["array", "element"] = "array"
    """SC02: over the whole data list, or over its only element."""
    sign_secret_file: str = ""
    """SC05: a secret appended to the signed text; "" none, as printed."""
    check_sign: bool = True
    """SC04: refuse orders whose sign does not fit."""
    token_prefix: str = ""
    """SC07: "" is the tokenType that the login returned."""
    token_blank: bool = True
    """SC07: a blank between prefix and token."""
    refresh_token_sent: bool = False
    """SC09: 1002 carries refreshToken too."""
    refresh_at: Annotated[float, Meta(gt=0, le=1)] = 0.8
    """SC10: part of expiresIn after which 1002 is sent."""
    expires_unit: Literal["s", "min", "ms"] = "s"
    """SC10."""
    timestamp_unit: Literal["s", "ms"] = "s"
    """SC16: 4 bytes of seconds by table 1; the examples fit nothing."""
    replay_window_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """SC17: an order whose timestamp is further off is refused; 0: none is."""
    codes_as_text: bool = False
    """SC18: "0" as in the examples instead of 0 in our answers."""
    zone_h: Annotated[float, Meta(ge=-12, le=14)] = 8.0
    """SC26: hours of the date-times against UTC."""
    too_long: Literal["keep", "cut", "refuse"] = "keep"
    """SC29, SC30: a text over its printed length is sent whole, cut, or the record is set aside."""
    no_plate: Annotated[str, Meta(min_length=1, max_length=10)] = "无牌车"
    """SC32: plateNo of a car without plate."""
    total_stalls_sent: bool = False
    """SC35: totalStalls in 3001, as in the example and in no table."""
    online_order_url: Annotated[str, Meta(max_length=512)] = ""
    """SC59: onlineOrderUrl; "" leaves it out."""
    downlink: Literal["auto", "https", "tcp", "both"] = "auto"
    """SC71: auto is HTTPS when [city.shenzhen.callback] stands here, else TCP."""
    reconnect_min_s: Annotated[float, Meta(ge=0.01, le=3600)] = 1.0
    """SC72: first bound of the random rest after a failure, doubling..."""
    reconnect_max_s: Annotated[float, Meta(ge=0.01, le=3600)] = 60.0
    """...to this."""
    timeout_s: Annotated[float, Meta(ge=0.01, le=60)] = 3.0
    """SC76, 7.2.1."""
    retry_s: Annotated[float, Meta(ge=0.01, le=86_400)] = 60.0
    """A record that the platform did not take is sent again after this."""
    retries: Annotated[int, Meta(ge=0, le=100_000)] = 50
    """So often, then it is set aside (SC72: the standard says nothing)."""
    backlog_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """SC72: a record older than this is set aside and not sent."""
    backlog_per_s: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    """SC73: most records of the backlog in a second; 0: as fast as the platform answers."""
    batch: Annotated[int, Meta(ge=1, le=100)] = 1
    """SC23, SC73: records of the backlog in one request."""
    batch_bytes: Annotated[int, Meta(ge=1000, le=10_000_000)] = 1_000_000
    """7.1.4.1.1 g), SC74: at most 10 000 000."""
    counts_s: Period = 60.0
    """SC75: 5003 on every change and so often."""
    master_s: Period = 86_400.0
    """SC75: 3001, 3002, 3005 at start and so often."""
    unused_less_reserved: bool = True
    """SC79: unusedStalls leaves out what is booked."""
    priority_at_start: bool = True
    """SC81: 7001 at every start too."""
    report: Literal["all", "reserved"] = "all"
    """SC82: 5004, 5005, 5006, 5008 of all cars, or of booked ones only."""
    repeated: Literal["same", "exists"] = "same"
    """SC53: the same 6001 again is answered 0, or 1201."""
    coupon_hold: bool = True
    """SC47: keep a coupon for a car that is not inside yet; False: 4001."""
    coupon_stack: Literal["all", "best"] = "all"
    """SC47: several coupons of one car all count, in the order time, percentage, amount, all; or the best alone."""
    coupon_percent: Literal["off", "pay"] = "off"
    """SC48: 打折 0.3 takes 30 % off (tables 9, 37), or leaves 30 % to pay."""
    coupon_max_fen: Fen = 10_000_000
    """A coupon of a higher amount is refused (1007)."""
    entrance_ids: tuple[Guid, ...] = ()
    """3002: ids of the entrances in the order of [[lane]], if the platform knows some already; else made."""
    site: ShenzhenSite
    callback: ShenzhenCallback | None = None
    tcp: ShenzhenTcp | None = None
    colours: ShenzhenColours = ShenzhenColours()
    codes: ShenzhenCodes = ShenzhenCodes()
