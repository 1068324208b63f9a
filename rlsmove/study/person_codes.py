"""Codes of persons: made of words, and known again in another spelling."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection

_NOT_IN_CODES = re.compile(r"[^A-Za-z0-9]+")


def plain(text: str) -> str:
    """Lower case without accents."""
    return _without_accents(text).casefold()


def code_of(text: str) -> str:
    """What of a text may stand in the code of a person."""
    return _NOT_IN_CODES.sub("-", _without_accents(text)).strip("-")


def code_key(text: str) -> str:
    """What makes two spellings of a code the same: case, signs and leading zeros do not."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[^0-9a-z]", "", plain(text)))


def match_codes(written: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Match codes as a diary writes them with those of the tables.

    As they are, else in spite of case, signs and leading zeros, where that leaves one.
    """
    by_key: dict[str, set[str]] = defaultdict(set)
    for code in known:
        by_key[code_key(code)].add(code)
    matched = {}
    for code in written:
        near = by_key.get(code_key(code), set())
        if code in known:
            matched[code] = code
        elif len(near) == 1:
            matched[code] = next(iter(near))
    return matched


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
