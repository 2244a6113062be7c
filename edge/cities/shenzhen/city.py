"""Shenzhen as the delivery engine knows it (`edge.cities.city`), and what its links are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.cities.city import City, Counts, Poster
from edge.cities.classes import MessageClass, Sending
from edge.cities.http import HttpTransport
from edge.cities.shenzhen.conversation import Account, Conversation
from edge.cities.shenzhen.link_talk import LinkSettings
from edge.cities.shenzhen.mapping import Mapper
from edge.cities.shenzhen.messages import CHARGED, CORRECTED, ENTERED, ENTRANCE, LEFT, PARK, PRIORITY, STALLS, TARIFF
from edge.cities.shenzhen.orders import CITY
from edge.cities.shenzhen.password import on_the_wire
from edge.cities.shenzhen.sign import Signing
from edge.cities.shenzhen.site import Site, picture
from edge.config.model import Config
from edge.config.rules_shenzhen import des_key
from edge.config.shenzhen import Shenzhen

EXPIRES_UNIT_S = {"s": 1.0, "min": 60.0, "ms": 0.001}

DAY_S = 86_400


def classes_of(settings: Shenzhen) -> tuple[MessageClass, ...]:
    """SC75: at start and daily; 5003 on every change (7.2.1 b: within 3 s) and so often. In the order of sending."""
    return (
        MessageClass(PARK, "master", settings.master_s),
        MessageClass(ENTRANCE, "master", settings.master_s, after=PARK),
        MessageClass(TARIFF, "master", settings.master_s, after=PARK),
        MessageClass(STALLS, "state", settings.counts_s, after=PARK, on_change=True),
        *(MessageClass(kind, "record", after=PARK) for kind in (ENTERED, CHARGED, LEFT, CORRECTED, PRIORITY)),
    )


class Secrets:
    """What stands in 0600 files. `repr` shows none of it."""

    def __init__(self, settings: Shenzhen) -> None:
        key = des_key(_read(settings.key_file), settings.key_form) if settings.password_form == "des" else b""
        iv = bytes.fromhex(settings.iv_hex)
        self.password = on_the_wire(_read(settings.password_file), settings.password_form, key, iv)
        self.sign = _read(settings.sign_secret_file) if settings.sign_secret_file else ""
        callback = settings.callback
        self.token = _read(callback.token_file) if callback is not None and callback.token_file else ""

    def signing(self, settings: Shenzhen) -> Signing:
        return Signing(settings.sign, settings.sign_scope, self.sign)


def talk_of(settings: Shenzhen, secrets: Secrets) -> Conversation:
    return Conversation(
        Account(
            user=settings.user,
            password=secrets.password,
            signing=secrets.signing(settings),
            callback=settings.callback.url if settings.callback is not None and by_https(settings) else "",
            order_url=settings.online_order_url,
            version=settings.version,
            time_unit=settings.timestamp_unit,
            token_prefix=settings.token_prefix,
            token_blank=settings.token_blank,
            refresh_token_sent=settings.refresh_token_sent,
            refresh_at=settings.refresh_at,
            expires_unit_s=EXPIRES_UNIT_S[settings.expires_unit],
        )
    )


def shenzhen(
    config: Config,
    settings: Shenzhen,
    talk: Conversation,
    *,
    counts: Callable[[], Counts | None],
    transport: Poster | None = None,
) -> City:
    """Raises `OSError` or `ValueError` for a picture of the site that cannot be used."""
    site = Site(config, settings, lambda name: picture(name, settings.site.image_max_bytes))
    return City(
        name=CITY,
        talk=talk,
        transport=transport
        or HttpTransport(
            settings.url,
            settings.timeout_s,
            ca_file=settings.ca_file,
            client_cert_file=settings.client_cert_file,
        ),
        mapper=Mapper(settings, config.lane),
        classes=classes_of(settings),
        makers=site.makers(counts),
        sending=Sending(
            settings.batch,
            settings.batch_bytes,
            settings.retry_s,
            settings.retries,
            max_age_s=settings.backlog_days * DAY_S,
            backlog_per_s=settings.backlog_per_s,
        ),
        records_after=(PARK,),
        rest_max_s=settings.reconnect_max_s,
        live_s=3 * settings.counts_s,
        rest_base_s=settings.reconnect_min_s,
    )


def link_settings(settings: Shenzhen, secrets: Secrets) -> LinkSettings:
    """Of the TCP link."""
    tcp = settings.tcp
    if tcp is None:
        raise ValueError("city.shenzhen.tcp: is missing, and there is no link without it")
    return LinkSettings(
        user=settings.user,
        password=secrets.password,
        signing=secrets.signing(settings),
        time_unit=settings.timestamp_unit,
        heartbeat_s=tcp.heartbeat_s,
        heartbeat_wait_s=tcp.heartbeat_wait_s,
        heartbeat_repeats=tcp.heartbeat_repeats,
        envelope=tcp.content == "envelope",
        empty_is_nothing=tcp.empty == "nothing",
        version=(tcp.version_major, tcp.version_minor),
        crc_order=tcp.crc_order,
        bad_frames_max=tcp.bad_frames_max,
    )


def by_https(settings: Shenzhen) -> bool:
    """SC71: orders come to the callback server."""
    return settings.callback is not None and settings.downlink in {"auto", "https", "both"}


def by_tcp(settings: Shenzhen) -> bool:
    """Orders come over the TCP link."""
    if settings.tcp is None or settings.downlink == "https":
        return False
    return settings.downlink in {"tcp", "both"} or settings.callback is None


def _read(name: str) -> str:
    return Path(name).read_text(encoding="utf-8").strip()
