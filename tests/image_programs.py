"""The Python programs of the image's recipe, which are in no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

IMAGE = Path(__file__).resolve().parent.parent / "image"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"image_{name}", IMAGE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
