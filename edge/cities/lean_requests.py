"""What is used of `requests`, loaded without its guesser of text encodings.

`requests` takes charset_normalizer where it finds it and does without where it does not (`compat.chardet` is None
then): 3 MB of tables in a program that lives for months. Cities answer in JSON, whose encoding nobody has to guess.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_GUESSERS = ("charset_normalizer", "chardet")


@contextmanager
def _without_guessers() -> Iterator[None]:
    """None in `sys.modules` says "no such module" to whoever imports it (docs.python.org, sys.modules). Afterwards it
    can be imported as ever."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in _GUESSERS if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unable to find acceptable character detection")
            yield
    finally:
        for name in hidden:
            del modules[name]


with _without_guessers():
    from requests import PreparedRequest, Request, RequestException
    from requests.adapters import HTTPAdapter
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

__all__ = ["DEFAULT_CA_BUNDLE_PATH", "HTTPAdapter", "PreparedRequest", "Request", "RequestException"]
