"""What is wrong with a configuration: where, what stands there, what is allowed. Chinese first, English beside."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class ConfigIssue(msgspec.Struct, frozen=True):
    """One thing to mend. `path` like `lane[1].barrier.pulse_ms`; `value` as it stands, "" when it is missing."""

    path: str
    value: str
    zh: str
    en: str

    def __str__(self) -> str:
        stands = f" = {self.value}" if self.value else ""
        return f"{self.path}{stands}: {self.zh} / {self.en}"


class ConfigError(Exception):
    """The configuration cannot be used; all its issues at once."""

    def __init__(self, issues: Sequence[ConfigIssue]) -> None:
        super().__init__("\n".join(map(str, issues)))
        self.issues = tuple(issues)
