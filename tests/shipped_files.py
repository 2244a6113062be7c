"""The files that a shipped config names, made so that it is fit to run on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tls_certs import Authority


def furnish(raw: dict[str, Any], folder: Path) -> None:
    """Every `..._file` of `raw` below its cities now names one of the right kind in `folder`."""
    for section in raw.get("city", {}).values():
        _furnish(section, folder)


def _furnish(section: dict[str, Any], folder: Path) -> None:
    if "cert_file" in section:
        cert, key = Authority(folder, "Box CA").issue("box")
        section |= {"cert_file": str(cert), "key_file": str(key)}
    for name, value in section.items():
        if isinstance(value, dict):
            _furnish(value, folder)
        elif name == "ca_file":
            section[name] = str(Authority(folder, "Platform CA").file)
        elif name.endswith("_file") and not Path(value).is_file():
            path = folder / Path(value).name
            path.write_text("secret-8", encoding="utf-8")
            path.chmod(0o600)
            section[name] = str(path)


def toml(table: dict[str, Any], name: str = "") -> list[str]:
    """Plain values first, then the tables below. JSON's strings, numbers, truths and lists are TOML's too."""
    below = {key: value for key, value in table.items() if isinstance(value, dict) or _tables(value)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items() if key not in below]
    for key, value in below.items():
        full = f"{name}.{key}" if name else key
        for one in value if isinstance(value, list) else [value]:
            lines += [f"[[{full}]]" if isinstance(value, list) else f"[{full}]", *toml(one, full)]
    return lines


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
