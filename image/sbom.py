"""What an image consists of, as CycloneDX 1.6: python3 image/sbom.py ROOT > sbom.json.

Debian's packages from ROOT's dpkg database, Python's from the metadata of the wheels in /opt/parkbox.
"""

from __future__ import annotations

import email.parser
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote


def part(kind: str, name: str, version: str, arch: str) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={arch}&distro=trixie"
    return {"type": kind, "name": name, "version": version, "purl": purl}


def debian(root: Path) -> list[dict[str, Any]]:
    found = []
    for paragraph in (root / "var/lib/dpkg/status").read_text("utf-8").split("\n\n"):
        entry = email.parser.HeaderParser().parsestr(paragraph)
        if entry["Package"] and entry["Status"].endswith(" installed"):
            found.append(part("library", entry["Package"], entry["Version"], entry["Architecture"]))
    return found


def python(root: Path) -> list[dict[str, Any]]:
    found = []
    for file in root.glob("opt/parkbox/lib/python*/site-packages/*.dist-info/METADATA"):
        entry = email.parser.HeaderParser().parsestr(file.read_text("utf-8"))
        if entry["Name"] == "parkbox-gpiod":  # our own
            continue
        purl = f"pkg:pypi/{entry['Name'].lower()}@{entry['Version']}"
        found.append({"type": "library", "name": entry["Name"], "version": entry["Version"], "purl": purl})
    return found


def bill(root: Path) -> dict[str, Any]:
    parts = sorted(debian(root) + python(root), key=lambda one: str(one["purl"]))
    for extra in sorted((root / "usr/share/parkbox/unpacked").glob("*")):  # files were taken, nothing was installed
        name, version, arch = extra.read_text("ascii").split()
        parts.append(part("firmware", name, version, arch))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "operating-system", "name": "parkbox-image"}},
        "components": parts,
    }


if __name__ == "__main__":
    json.dump(bill(Path(sys.argv[1])), sys.stdout, indent=1, ensure_ascii=False)
    print()
