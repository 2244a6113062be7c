"""Verdict: what a city's answer means for the record that was sent. The same five meanings for every city.

    accepted  the city has the record: the delivery ends
    retry     it may work later: again after a while, so many times, then set aside
    refused   the record itself is wrong: set aside at once, never repeated blindly
    relogin   the token is none: log in once for all senders, then the same record again
    link      our account, signature or address is wrong, or the path is: every record would fare alike, so none is
              counted or blamed; a fault is shown and the link rests

`rests` says that the link must pause before the next request.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Meaning = Literal["accepted", "retry", "refused", "relogin", "link"]


class Verdict(msgspec.Struct, frozen=True):
    """`zh` and `en` are for the page; `answer` is what the delivery keeps. `code`: the city's own code or HTTP status
    when it answered with one, else 0."""

    meaning: Meaning
    zh: str
    en: str
    rests: bool = False
    code: int = 0

    @property
    def answer(self) -> str:
        return f"{self.zh} / {self.en}"


class Answer(msgspec.Struct, frozen=True):
    """What came back over the wire, unread."""

    status: int
    body: bytes


def lost(zh: str, en: str) -> Verdict:
    """The request went out and no answer came back: the city may or may not have the record (counts as sent)."""
    return Verdict("retry", zh, en, rests=True)


def unreachable(zh: str, en: str, code: int = 0) -> Verdict:
    """The request never left, or never got to the city's business: nothing is counted."""
    return Verdict("link", zh, en, rests=True, code=code)
