"""The kinds of bad weather at the simulated Shenzhen platform: of its answers, of its orders, of its link.

Where each strikes: an up request by its path (/api/1.0/5004), an order by `order/6001`, a frame that the platform
sends by `link/1006`, a new link by `link/accept`.
"""

from __future__ import annotations

import random
from typing import Literal, get_args

from hal_sim import weather

AnswerKind = Literal[
    "refuse",  # resultCode 5, nothing taken
    "refuse_item",  # resultCode 0, every element refused by an extension code
    "refuse_some",  # every second element refused, the others taken
    "hang",  # held until released or until the client leaves; then handled as usual
    "http_500",  # nothing taken
    "cut_off",  # taken, but the line breaks in the middle of the answer
    "drop_answer",  # taken, but the line is closed without an answer
    "expire_token",  # the token of this request ends now: code 3002
    "unauthorized",  # the same, told as HTTP 401
    "token_storm",  # every token that was ever given out ends now
    "garbage",  # taken, answered with bytes that are no JSON
    "slow_drip",  # taken, the answer comes byte by byte
    "double_encoded",  # taken, the JSON answer comes as a JSON string
    "wrong_content_type",  # taken, JSON named text/html
    "twice_each",  # taken, the answer lists every element twice
    "answer_twice",  # taken, the whole answer comes twice over the line
    "text_codes",  # taken, resultCode and code come as text, as annex B prints them (SC18)
    "no_codes",  # taken, the elements have no code (SC19)
]
OrderKind = Literal[
    "order_twice",  # the same bytes are sent twice, one after the other
    "order_both_ways",  # the same order over HTTPS and over TCP at once
    "order_left",  # the platform leaves before the answer, then sends the same order again
    "order_unsigned",  # the first try has a wrong signature: the box must refuse it
    "order_wrong_token",  # the first try over HTTPS has a wrong token
]
LinkKind = Literal[
    "frame_split",  # byte by byte
    "frame_glued",  # held back and sent in one piece with the next frame
    "frame_damaged",  # a bit of it is wrong: the checksum does not fit
    "frame_wrong_magic",  # rubbish before the frame
    "frame_lying_length",  # the header promises more than comes, then the link is cut
    "frame_huge_length",  # the header promises two gigabytes
    "link_cut",  # the link is cut instead
    "mute",  # not sent at all
    "frame_twice",  # sent twice
    "push_before_login",  # an order comes as soon as the link stands
]
Kind = AnswerKind | OrderKind | LinkKind
ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
ORDER_KINDS: tuple[OrderKind, ...] = get_args(OrderKind)
LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)
KINDS: tuple[Kind, ...] = (*ANSWER_KINDS, *ORDER_KINDS, *LINK_KINDS)


class Weather(weather.Weather[Kind]):
    """The spells in force at this city."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, KINDS)
