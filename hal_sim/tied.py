"""Children that end with the simulator, also when that is killed with -9 and can stop nobody."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Literal


def tie(command: Sequence[str], signal_name: Literal["TERM", "KILL"]) -> list[str]:
    """`command` as a child that the kernel sends this signal when the thread that started it ends (PR_SET_PDEATHSIG,
    prctl(2)); so it is started by a thread that outlives it. The program knows nothing of it, its process id is the
    same. `setpriv` is part of util-linux, which every Debian has; without it the child is not tied."""
    setpriv = shutil.which("setpriv")
    return [*((setpriv, "--pdeathsig", signal_name) if setpriv else ()), *command]
