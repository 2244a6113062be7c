"""Every setting of the box: name with unit, range, default and reason. Read once by `edge.config.load`.

Types and ranges stand in the annotations; what concerns several settings at once (a pin used twice, two lanes of
one name) is judged in `edge.config.rules`. Secrets never stand in the config: `*_file` names a 0600 file.
"""

from typing import Annotated, Literal

from msgspec import Meta

from edge.config.backup import Backup
from edge.config.base import BcmPin, Channel, Fen, Guid, HostName, Ident, Name, Port, Seconds, Section
from edge.config.qingdao_calls import QingdaoCalls
from edge.config.qingdao_mqtt import QingdaoMqtt
from edge.config.qingdao_plans import QingdaoPlan
from edge.config.rs485 import Board, Line, Sign
from edge.config.shenzhen import Shenzhen


class Box(Section, frozen=True, kw_only=True):
    id: Ident
    data_dir: Annotated[str, Meta(min_length=1)]
    """Ledger, deliveries, spool and pictures. Must be on a disk that honours fsync."""
    socket: Annotated[str, Meta(min_length=1, max_length=100)]
    """UNIX socket between agent and lane (kernel limit 107 bytes)."""
    clock: Literal["kernel", "trusted"] = "kernel"
    """kernel: the wall clock is true once the kernel says that it is synchronised (a Pi has no RTC);
    trusted: somebody else keeps it true from the start (a laptop, a virtual machine)."""
    pictures_mb: Annotated[int, Meta(ge=128, le=1_000_000)] = 4000
    """Most that camera pictures may take on the disk; the oldest go first."""
    evidence_days: Annotated[int, Meta(ge=31, le=3650)] = 40
    """Evidence pictures are kept so long; Qingdao B.1 rule 4: a month at least."""
    evidence_mb: Annotated[int, Meta(ge=128, le=10_000_000)] = 16_000
    """Most that evidence pictures may take: 40 days of 1,300 cars at 300 KB."""
    free_mb: Annotated[int, Meta(ge=16, le=1_000_000)] = 500
    """What must stay free on the disk; under it evidence pictures go, the oldest delivered first."""


class Lot(Section, frozen=True, kw_only=True):
    park_id: Guid
    """The lot's `item_id` at the city (interface 1)."""
    code: Ident
    name: Name
    total_stalls: Annotated[int, Meta(ge=1, le=100_000)]
    admit: Literal["count", "list"] = "count"
    """count: any car while a stall is free; list: only plates of `allow_plates`."""
    allow_plates: tuple[str, ...] = ()
    """Admitted even when the lot is full, and free of charge (固定车)."""
    deny_plates: tuple[str, ...] = ()
    """Refused at the entry (黑名单); at the exit they are let out."""


class FlowSaturated(Section, frozen=True, kw_only=True):
    """T/SZPIA 6.8 a): two reserved cars, then one ordinary."""

    reserved: Annotated[int, Meta(ge=0, le=1000)] = 2
    ordinary: Annotated[int, Meta(ge=1, le=1000)] = 1
    idle_s: Annotated[float, Meta(ge=0, le=86_400)] = 15.0
    """No reserved car at any entrance for so long: the ordinary one goes."""
    strict: bool = False
    """It does not go; it waits for its two."""


class FlowFull(Section, frozen=True, kw_only=True):
    """T/SZPIA 6.8 b): N out, one in."""

    out: Annotated[int, Meta(ge=1, le=1000)] = 1


TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day like 07:30")]


class Flow(Section, frozen=True, kw_only=True):
    """Flow control 流量管控 (T/SZPIA 001-2020 clause 6). Without this section: every car while a stall is free that no
    booking holds. Entrances have `role` and `ordinary` in their [[lane]]."""

    bands: Annotated[tuple[Annotated[float, Meta(gt=0, le=1)], ...], Meta(min_length=2, max_length=2)] = (0.7, 0.9)
    """Share of the stalls from which the lot is saturated 饱和, and full 满位 (6.7)."""
    saturated: FlowSaturated = FlowSaturated()
    full: FlowFull = FlowFull()
    priority: bool = True
    """Priority of reserved cars, until somebody switches it (6.9)."""
    schedule: Annotated[tuple[TimeOfDay, ...], Meta(max_length=2)] = ()
    """Priority on from, off from; [] = no schedule. 6.9 example: ["07:30", "19:30"]."""
    lock_min: Annotated[float, Meta(ge=0, le=525_600)] | None = None
    """A lock that nobody confirms lives so long; not set: as long as the booking."""
    early_min: Annotated[float, Meta(ge=0, le=525_600)] = 0.0
    """A booked car may come in so long before its time."""
    keep_min: Annotated[int, Meta(ge=0, le=525_600)] = 30
    """A late car's stall is kept so long when its booking does not say (6.3, example)."""
    change_min: Annotated[float, Meta(ge=0, le=525_600)] | None = None
    """Bookings can be changed and cancelled until so long before they begin; not set: while they live (6.3)."""
    refuse_vehicles: tuple[Literal["large", "medium", "small"], ...] = ()
    """Vehicle types that may not in (6.5); the type comes from the plate's colour."""


class Tariff(Section, frozen=True, kw_only=True):
    """Free minutes, first period, unit and daily cap; a started unit counts whole; all in fen."""

    free_min: Annotated[int, Meta(ge=0, le=1440)] = 15
    first_period_min: Annotated[int, Meta(ge=0, le=1440)] = 60
    first_fen: Fen = 500
    unit_min: Annotated[int, Meta(ge=1, le=1440)] = 30
    unit_fen: Fen = 200
    daily_cap_fen: Fen = 3000
    """Per 24 hours from entry; 0 = no cap."""
    param: Annotated[str, Meta(max_length=20_000)] = ""
    """Prices by time of day and vehicle class, in the JSON form of `edge.core.tariff_param`; then the six above must be
    left out."""
    leave_min: Annotated[int, Meta(ge=0, le=1440)] = 15
    """Minutes to leave after a payment (T/QME 0015 23, absolve_minute; QC76)."""
    away: Literal["wait", "owe"] = "wait"
    """A car that owes while no city can be paid: wait for the operator, or let it out and charge it later."""


class Barrier(Section, frozen=True, kw_only=True):
    driver: Literal["gpio", "board", "camera"] = "gpio"
    """What moves the arm, alone. gpio: relays and limit switches on pins (`..._pin`); board: on a [[board]]
    (`..._relay`, `..._input`); camera: the relay of the lane's camera with `relay_is_barrier` (risks: there and at
    `opens`), limit switches on pins if there are any."""
    board: Ident | None = None
    open_relay: Channel | None = None
    close_relay: Channel | None = None
    stop_relay: Channel | None = None
    limit_up_input: Channel | None = None
    limit_down_input: Channel | None = None
    open_pin: BcmPin | None = None
    close_pin: BcmPin | None = None
    """None: the barrier closes by itself (two-wire)."""
    stop_pin: BcmPin | None = None
    limit_up_pin: BcmPin | None = None
    limit_down_pin: BcmPin | None = None
    active: Literal["high", "low"] = "high"
    """Level of an output that closes the relay. Most optocoupled relay boards are low-active. Of pins only."""
    limit_active: Literal["high", "low"] = "low"
    """Of pins: their level. Of a board: low is a closed contact (the input reads on), high an open one."""
    pulse_ms: Annotated[int, Meta(ge=100, le=3000)] = 500
    """Dry-contact practice is 0.5 to 1.5 s."""
    move_s: Annotated[float, Meta(ge=0.3, le=30)] = 6.0
    """The arm's travel time by its data sheet, worst case plus half."""


class Loops(Section, frozen=True, kw_only=True):
    driver: Literal["gpio", "board"] = "gpio"
    board: Ident | None = None
    arrival_input: Channel | None = None
    safety_input: Channel | None = None
    arrival_pin: BcmPin | None = None
    safety_pin: BcmPin | None = None
    active: Literal["high", "low"] = "low"
    """Level of an input when its loop is occupied. Of a board: low is a closed contact (the input reads on)."""
    debounce_ms: Annotated[int, Meta(ge=0, le=500)] = 20


class CameraClient(Section, frozen=True, kw_only=True):
    """The box connects to the camera by itself, at the first of its `addresses`: VZ over TCP 8131; Hikvision (ISAPI
    barrierGate) and Dahua (CGI openStrobe, manSnap) over HTTP with digest login."""

    port: Port = 0
    """0: the make's own (VZ 8131, the others 80)."""
    user: Annotated[str, Meta(max_length=32)] = "admin"
    """Hikvision and Dahua: an account of its own with no more rights than it needs."""
    password_file: str = ""
    """File of mode 0600 with its password. One refused login ends all orders until the next start: five lock a
    Hikvision camera for half an hour."""
    reads: bool = False
    """VZ: results come over this connection; Hikvision: its alertStream is read. The camera's own push to the box
    stays off then. A Hikvision camera that answers 500 to it has to push."""
    opens: bool = False
    """Each opening that the box decides is sent as an order to the camera's relay (with `relay_is_barrier`); its
    replies then open nothing. The risks: the command crosses a network without a receipt that the arm moved, it is
    lost while the connection is down (the box never sends it later), whoever reaches the camera opens too, and the
    box cannot stop the arm. Use the box's own relay if there is one."""
    closes: bool = False
    """With `opens`, Hikvision and Dahua: closing is an order too. False: the barrier closes by itself. The risk: the
    order to go up again when a car comes under the arm crosses the network like all others, so the safety loop must be
    wired to the barrier's own controller."""


class Camera(Section, frozen=True, kw_only=True):
    id: Ident
    vendor: Literal["vz", "boyue", "qianyi", "alphadigi", "hikvision", "dahua", "huaxia", "rk_v5", "gat1400"]
    """huaxia: 华夏智信, HTTP mode 5. rk_v5: RK, http_post_v5. gat1400: any make, GA/T 1400 视图库.
    The dialect is never guessed: their codes overlap."""
    serial: str = ""
    """Serial number or device id in its events; "" accepts any from its addresses."""
    addresses: Annotated[tuple[str, ...], Meta(min_length=1)]
    """IP addresses it may push from."""
    heartbeat_s: Seconds = 30.0
    """How often it is set to send one; 0 = it sends none."""
    overlay: Literal["box", "camera"] = "box"
    """Who prints time, place, device and anti-forgery code into the picture (Qingdao B.1 rule 10). camera: it prints
    all four, so a picture that obeys the rules is sealed as it came."""
    relay_is_barrier: bool = False
    """The camera's own relay is the lane's barrier (with `driver = "camera"` there): only then may a reply say "ok". A
    reply can be lost, repeated or late, nobody sees the arm then, and whoever reaches the camera can open. Without
    `client.opens` the reply is the only order: a car that pays or is confirmed after its push was answered, and every
    order of a person, moves nothing and is a fault. Use the box's own relay if there is one."""
    client: CameraClient | None = None
    """None: the camera only pushes, and can be asked for nothing."""


class Timing(Section, frozen=True, kw_only=True):
    """How long the lane waits for what. All on the monotonic clock."""

    read_s: Seconds = 3.0
    """Car on the arrival loop and no read: trigger the camera, then ask a person."""
    store_s: Seconds = 2.0
    """A decision that is not durable by then: fault, and the car passes all the same."""
    pass_s: Seconds = 30.0
    """Arm up and the admitted car does not move."""
    hold_s: Annotated[float, Meta(ge=0.5, le=30)] = 1.5
    """Safety loop clear for so long before the arm may go down (high trucks drop out)."""
    unproven_hold_s: Annotated[float, Meta(ge=2, le=300)] = 10.0
    """The same when the safety loop was never seen occupied in this opening (a dead loop looks clear)."""
    payment_s: Seconds = 300.0
    stall_s: Seconds = 600.0
    confirm_s: Seconds = 300.0
    same_plate_s: Seconds = 30.0
    """Two reads of one plate within this time at one lane are one arrival."""
    preread_s: Seconds = 20.0
    """A read before its car stands on the loop is used no longer than this."""
    fuse_s: Annotated[float, Meta(ge=0, le=3)] = 0.5
    """A lane with two cameras waits so long for the other one's read; of two plates the surer counts. 0: the first."""
    loop_stuck_s: Seconds = 300.0
    """A loop occupied for so long is a fault."""


class Lane(Section, frozen=True, kw_only=True):
    id: Ident
    name: Name
    number: Annotated[int, Meta(ge=1, le=99)]
    direction: Literal["in", "out"]
    arrival: Literal["loop", "camera"] = "loop"
    """What says that a car stands at the arm."""
    equipment_id: Guid | None = None
    """The barrier's `item_id` at the city (interface 8)."""
    no_plate: Literal["ask", "admit"] = "ask"
    """A car without plate: wait for a person, or admit with a virtual credential."""
    role: Literal["reserved", "ordinary", "mixed"] = "mixed"
    """An entrance under flow control: reserved cars only, for ordinary cars, or for both (5.3)."""
    ordinary: Literal["rules", "wait", "ask"] = "rules"
    """Ordinary cars at this entrance while the lot is not free: by the rules, wait until it is, or ask a person."""
    barrier: Barrier
    loops: Loops
    camera: Annotated[tuple[Camera, ...], Meta(min_length=1, max_length=2)]
    sign: Annotated[tuple[Sign, ...], Meta(max_length=2)] = ()
    timing: Timing = Timing()


class Gpio(Section, frozen=True, kw_only=True):
    module: Literal["RPi.GPIO"] = "RPi.GPIO"
    """RPi.GPIO, or rpi-lgpio which installs under the same name."""
    emergency_pin: BcmPin | None = None
    emergency_active: Literal["high", "low"] = "low"


class Listener(Section, frozen=True, kw_only=True):
    """Where cameras push to. Bind it to the camera network."""

    host: str = "127.0.0.1"
    port: Port = 8081
    body_limit_bytes: Annotated[int, Meta(ge=10_000, le=20_000_000)] = 4_000_000
    """Largest event: three 1 MB pictures in base64."""
    slow_s: Annotated[float, Meta(ge=1, le=120)] = 10.0
    """A sender that has not finished its request by then is cut off."""
    connections_max: Annotated[int, Meta(ge=4, le=512)] = 64
    """Divided among the addresses of the cameras, each at least 4: no camera can take another's places."""


class Oss(Section, frozen=True, kw_only=True):
    """Pictures of passages in Alibaba Cloud OSS (interface 5; B.1 picture rule 11). The standard gives neither endpoint
    nor keys and no interface returns them (QC95): the city hands them out. Pictures that are already there when this
    section is added are uploaded too."""

    endpoint: Annotated[
        str, Meta(pattern=r"^https?://[^/]+/?$", description="http(s)://host[:port], such as https://oss-cn-qingdao.aliyuncs.com")
    ]
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$", description="such as cn-qingdao")] = "cn-qingdao"
    """Part of a V4 signature; of no meaning to V1."""
    bucket: Annotated[
        str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", description="3 to 63 lower-case letters, digits and -")
    ]
    key_id_file: str
    """File of mode 0600 with the AccessKey ID; key_secret_file: with its secret. Both are read for every picture, so
    that new keys need no restart."""
    key_secret_file: str
    token_file: str = ""
    """File of mode 0600 with the security token of STS keys; whoever renews them writes all three anew. "" = none.
    Only with signature v4."""
    ca_file: str = ""
    """A private cloud's own authorities (PEM), the only ones that are believed then. "" = those that `requests` brings
    along, as for the public cloud."""
    acl: Literal["public-read-write", "public-read", "private", "default"] = "public-read-write"
    """Access to each picture. The standard demands public-read-write (B.1 picture rule 11). The risk: anybody who
    learns or guesses an address reads, REPLACES or DELETES that picture, with no key and no trace (QC96). The box keeps
    its own sealed copy and its digest, by which a replaced one is found out. Ask the city whether "private" or
    "default" (what the bucket says) will do."""
    signature: Literal["v4", "v1"] = "v4"
    """v1 for private clouds that know no V4."""
    address: Literal["virtual", "path", "cname"] = "virtual"
    """Where the bucket stands: in the host name (public cloud), in the path (some private clouds), or nowhere, because
    the endpoint is the bucket's own domain. An endpoint that is an IP address always means path."""
    suffix: Literal["", ".jpg"] = ""
    """QC97: the printed path ends with the record's id, without extension."""
    timeout_s: Annotated[float, Meta(ge=0.01, le=600)] = 60.0
    """For one picture: 500 KB at 100 kbit/s take 40 s."""
    retry_s: Annotated[float, Meta(ge=0.01, le=86400)] = 300.0
    """B.2: again after 5 min (line 537)."""
    retries: Annotated[int, Meta(ge=0, le=1000)] = 50
    """B.2: 50 times, then set aside."""


class Qingdao(Section, frozen=True, kw_only=True):
    """T/QME 0015-2024. The city hands out url, cno, sub_code, user, password and passkey."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$", description="http(s)://host[:port]/…")]
    cno: Annotated[str, Meta(min_length=1, max_length=20)]
    sub_code: Annotated[str, Meta(min_length=1, max_length=20)]
    user: Annotated[str, Meta(min_length=1, max_length=20)]
    password_file: str
    passkey_file: str
    timeout_s: Annotated[float, Meta(ge=0.01, le=120)] = 20.0
    """B.2: 20 s."""
    retry_s: Annotated[float, Meta(ge=0.01, le=86400)] = 300.0
    """B.2: again after 5 min."""
    retries: Annotated[int, Meta(ge=0, le=1000)] = 50
    """B.2: 50 times, then set aside."""
    counts_s: Annotated[float, Meta(ge=0.01, le=86400)] = 60.0
    """B.3.1.2: every minute."""
    lot_s: Annotated[float, Meta(ge=0.01, le=86400)] = 86400.0
    """B.3.1.1: every 24 h."""
    tariff_s: Annotated[float, Meta(ge=0.01, le=86400)] = 86400.0
    """B.3.1.6: every 24 h."""
    devices_s: Annotated[float, Meta(ge=0.01, le=86400)] = 86400.0
    """B.3.1.7: every 24 h."""
    states_s: Annotated[float, Meta(ge=0.01, le=86400)] = 60.0
    """B.3.1.8: every minute."""
    camera_class: Literal["0207", "0701", "0204", "03", ""] = "0207"
    """As which device type cameras are told (QC43: B.6.1.1 has none for them; 0207 车场控制机 is what stands at the
    lane and reads). "": cameras are not told."""
    batch: Annotated[int, Meta(ge=1, le=50)] = 50
    """Most records of the backlog in one request (B.1: data_items may hold several; QC31). A live record, and one
    that failed before, goes alone. 1: the backlog too."""
    batch_bytes: Annotated[int, Meta(ge=1000, le=1_000_000)] = 100_000
    """Most bytes of records in one request; a record is about 400."""
    oss: Oss | None = None
    """None: pictures stay in the box."""
    mqtt: QingdaoMqtt | None = None
    """None: the city can order nothing of this box, and no car pays by it."""
    calls: QingdaoCalls = QingdaoCalls()
    plan: Annotated[tuple[QingdaoPlan, ...], Meta(max_length=29)] = ()
    """The lot's own card plans, told to the city (B.3.1.9, B.3.1.10)."""
    plans_s: Annotated[float, Meta(ge=0.01, le=86400)] = 86400.0
    """B.3.1.9, B.3.1.10: every 24 h."""


class Cities(Section, frozen=True, kw_only=True):
    """A box may report to both."""

    qingdao: Qingdao | None = None
    shenzhen: Shenzhen | None = None


class Web(Section, frozen=True, kw_only=True):
    """The technician's page. Another address than loopback needs TLS, or a reason why not (DESIGN 10)."""

    host: Annotated[str, Meta(min_length=1, max_length=45)] = "127.0.0.1"
    """IP address to listen on; "0.0.0.0" is every network of the box."""
    port: Port = 8080
    names: Annotated[tuple[HostName, ...], Meta(max_length=10)] = ()
    """Further names under which the page may be opened (parkbox.local); its addresses are always allowed."""
    tls: Literal["off", "own", "given"] = "off"
    """own: a certificate that the box makes itself at its first start; given: the two files below."""
    certificate_file: str = ""
    key_file: str = ""
    """Of mode 0600."""
    plain_reason: Annotated[str, Meta(max_length=200)] = ""
    """Why plain HTTP is right on another address than loopback (a VPN ends here); "": it is refused."""
    idle_s: Annotated[int, Meta(ge=60, le=3600)] = 600
    """Without a request the session ends (DESIGN 10: 600 s)."""
    audit_days: Annotated[int, Meta(ge=184, le=3650)] = 400
    """Lines of the audit are kept so long: six months by law (网络安全法, 2017: art. 21 (3)), 184 days at least."""


class Config(Section, frozen=True, kw_only=True):
    box: Box
    lot: Lot
    lane: Annotated[tuple[Lane, ...], Meta(min_length=1, max_length=4)]
    flow: Flow | None = None
    tariff: Tariff = Tariff()
    gpio: Gpio = Gpio()
    line: Annotated[tuple[Line, ...], Meta(max_length=4)] = ()
    board: Annotated[tuple[Board, ...], Meta(max_length=8)] = ()
    listener: Listener = Listener()
    city: Cities = Cities()
    web: Web = Web()
    backup: Backup | None = None
