"""The chain over a lane's pictures: which are missing between those that are there, by their seals alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from edge.evidence.seal import FIRST, Verdict


class Link(msgspec.Struct, frozen=True):
    path: Path
    verdict: Verdict


class Break(msgspec.Struct, frozen=True):
    """Between two pictures of one lane. `begins`: the oldest there is not the lane's first (retention or taken)."""

    kind: Literal["gap", "unlinked", "double", "begins"]
    key: bytes
    lane: str
    before: Path | None
    after: Path
    missing: int = 0


def breaks(links: Iterable[Link]) -> list[Break]:
    """By lane and key, in the order of the seals. Pictures whose signed data were changed do not count as there."""
    lanes: dict[tuple[bytes, str, str], list[tuple[int, str, str, Path]]] = {}
    for link in links:
        verdict = link.verdict
        if verdict.claim is None or not verdict.digest:
            continue
        claim = verdict.claim
        lanes.setdefault((verdict.key, claim.box, claim.lane), []).append(
            (claim.chain, verdict.digest, claim.previous, link.path)
        )
    found: list[Break] = []
    for (key, _box, lane), seals in sorted(lanes.items()):
        seals.sort(key=lambda one: (one[0], str(one[3])))
        number, digest, previous, path = seals[0]
        if number > 1 or previous != FIRST:
            found.append(Break("begins", key, lane, None, path, number - 1))
        for following in seals[1:]:
            missing = following[0] - number - 1
            if missing > 0:
                found.append(Break("gap", key, lane, path, following[3], missing))
            elif missing < 0:
                if following[1] != digest:  # a copy of one picture is no second one
                    found.append(Break("double", key, lane, path, following[3]))
            elif following[2] != digest:
                found.append(Break("unlinked", key, lane, path, following[3]))
            number, digest, _, path = following
    return found
