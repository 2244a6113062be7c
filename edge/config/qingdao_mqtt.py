"""Settings of Qingdao's downlink: the broker, the account's projects, and what the standard leaves open of orders.

"QC.." names the open place of T/QME 0015-2024; every default is the standard's own text where it says anything.
"""

from typing import Annotated, Literal

from msgspec import Meta

from edge.config.base import HostName, PeerPort, Section

Topic = Annotated[str, Meta(pattern=r"^[^+#]*\{user\}[^+#]*$", max_length=200, description="a topic with {user}")]
Names = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...],
    Meta(min_length=1, max_length=10),
]


class QingdaoCode(Section, frozen=True, kw_only=True):
    """The error_code by which this city knows a reason why there is no order to pay."""

    reason: Annotated[str, Meta(min_length=1, max_length=40)]
    """One of `core.orders_money.MONEY_REASONS`, e.g. not_inside."""
    code: Annotated[int, Meta(ge=0, le=99_999)]


class QingdaoCmdTypes(Section, frozen=True, kw_only=True):
    """By which `cmd_type` the city means which order: the standard prints none (QC84), so ask the city. The defaults
    are ours. An order under another name is known by its members, if `recognise` is on."""

    card: Names = ("monthCardService",)
    """16 月卡开通、延期、变更下发."""
    card_cancel: Names = ("monthCardCancel",)
    """17 月卡注销."""
    quote: Names = ("queryOrder",)
    """18 请求获取订单信息."""
    payment: Names = ("payNotice",)
    """19 线上支付成功通知下发."""
    seamless: Names = ("signatoryNotice",)
    """20 无感车牌通知下发."""
    seamless_change: Names = ("signatoryChange",)
    """21 场内无感车牌状态变更."""
    scan: Names = ("staticCodeOrder",)
    """22 扫描静态码获取订单请求."""
    tariff: Names = ("tempStandard",)
    """23 临时车收费标准信息下发."""
    tariff_delete: Names = ("tempStandardDelete",)
    """24 删除临时车收费标准信息下发."""
    plan: Names = ("monthStandard",)
    """25 车场月收费标准信息下发."""
    plan_delete: Names = ("monthStandardDelete",)
    """26 删除车场月收费标准信息下发."""
    list: Names = ("blackWhiteList",)
    """27 车场黑白名单新增/修改下发."""
    list_delete: Names = ("blackWhiteListDelete",)
    """28 车场黑白名单删除下发."""


class QingdaoMqtt(Section, frozen=True, kw_only=True):
    """Orders of the city by MQTT (B.1 下行, B.2 下行对接授权). Account and password come from mqtt/login."""

    host: HostName
    """QC82: neither the standard nor mqtt/login gives the broker's address; the city hands it out."""
    port: PeerPort = 1883
    tls: Literal["off", "on"] = "off"
    """on: verified by the authorities of the system, or by `ca_file` alone."""
    ca_file: str = ""
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    """QC82. A silent link is noticed within 1.5 times this."""
    receive_topic: Topic = "thirdpark/server_send/{user}"
    """B.1 line 434. QC83: {user} is client_user_name."""
    reply_topic: Topic = "thirdpark/client_send/{user}"
    """B.1 line 436."""
    projects: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=20)], ...], Meta(max_length=50)] = ()
    """Further project numbers of this account, beside `sub_code`; each is bound (B.2 绑定项目) and its orders are
    taken."""
    cmd_types: QingdaoCmdTypes = QingdaoCmdTypes()
    recognise: bool = True
    """An order with a `cmd_type` that stands nowhere is known by its members (QC84). 24 and 26 cannot be: both have
    an item_id and nothing else."""
    learn: bool = True
    """Names that were known by their members are kept (data_dir, qingdao-cmd-types.json), shown at the link and used
    where the members of a later order do not tell (QC84)."""
    message_bytes: Annotated[int, Meta(ge=1000, le=900_000)] = 60_000
    """A larger order is refused; a card with a hundred cars is 30 KB."""
    no_order_code: Annotated[int, Meta(ge=1, le=99_999)] = 1
    """error_code of 18 and 22 for what the cut-off lists do not name (QC64, QC65)."""
    quote_codes: tuple[QingdaoCode, ...] = ()
    """error_code of 18, over the printed 9 and 10 (QC64): the values before them are cut off in the print."""
    scan_codes: tuple[QingdaoCode, ...] = ()
    """The same of 22, over the printed 1011 to 1019 (QC65)."""
    reply_items: Literal["array", "object", "string", "request"] = "array"
    """data_items of a reply (QC19): an array, its only entry as an object (several stay an array), or the array as a
    JSON text, which is what the printed type String says; request: as the order had it."""
    reply_flat: bool = False
    """The members of 18 and 22 stand beside result_code too, not in data_items alone (QC62): the print has lost its
    indentation there."""
    reply_project: bool = False
    """project_code of the order goes into its reply (QC86)."""
    reconnect_max_s: Annotated[float, Meta(ge=0.1, le=3600)] = 60.0
    """Longest pause between two tries to connect; each is a random part of a doubling bound (full jitter)."""
