"""`python -m tests.sandboxed UNIT PROGRAM...`: the program under the system-call filter of a unit, as systemd sets it.
Linux with libseccomp and systemd-analyze, which knows what is in the named sets."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIBRARY = "libseccomp.so.2"
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM): seccomp.h
NAME = "SystemCallFilter="


def lacks() -> list[str]:
    """What this machine has not of it."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return [LIBRARY]
    return [] if shutil.which("systemd-analyze") else ["systemd-analyze"]


def calls_of(name: str) -> set[str]:
    """Names of system calls; of a set (`@...`) all that is in it."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", name]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in told.splitlines()[1:]]
    return set().union(*(calls_of(word) for word in words if word and not word.startswith("#")))


def allowed(unit: Path) -> set[str]:
    """systemd.exec(5): the first line is a list of what is allowed; each later one adds, or with ~ takes away."""
    found: set[str] = set()
    for line in unit.read_text("utf-8").splitlines():
        if line.startswith(NAME):
            value = line.removeprefix(NAME)
            calls = set().union(*(calls_of(name) for name in value.removeprefix("~").split()))
            found = found - calls if value.startswith("~") else found | calls
    return found


def confine(calls: set[str]) -> None:
    """This process and all that it starts."""
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(REFUSE)))
    assert context.value is not None
    for call in sorted(calls):
        number = library.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # else of other machines
            failed = library.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
            assert failed == 0, (call, failed)
    failed = library.seccomp_load(context)
    assert failed == 0, failed


if __name__ == "__main__":
    confine(allowed(Path(sys.argv[1])))
    os.execvp(sys.argv[2], sys.argv[2:])
