"""The kinds of bad weather at the simulated Qingdao platform."""

from __future__ import annotations

import random
from typing import Literal, get_args

from hal_sim import weather

Kind = Literal[
    "refuse",  # result_code 1, nothing taken
    "refuse_item",  # result_code 0, but every record error_code 1
    "refuse_some",  # result_code 0; every second record error_code 1 and not taken, the others taken
    "hang",  # the request is held until released or until the client leaves; then handled as usual
    "http_500",  # nothing taken
    "cut_off",  # taken, but the line breaks in the middle of the answer
    "drop_answer",  # taken, but the line is closed without an answer
    "expire_token",  # the token of this request ends now
    "token_storm",  # every token that was ever given out ends now
    "garbage",  # taken, answered with bytes that are no JSON
    "slow_drip",  # taken, the answer comes byte by byte
    "double_encoded",  # taken, the JSON answer comes as a JSON string
    "wrong_content_type",  # taken, JSON named text/html
    "twice_each",  # taken, the answer lists every record twice
    "answer_twice",  # taken, the whole answer comes twice over the line
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Weather(weather.Weather[Kind]):
    """The spells in force at this city."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, KINDS)
