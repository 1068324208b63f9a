"""JSON that is the same for the same values, and that every reader accepts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

#: Decimals of a number in JSON and in tables: beyond them lies the noise of floating point.
DECIMALS = 6


def json_text(value: Any) -> str:
    """Write a value as indented JSON, keys in their given order.

    Parameters
    ----------
    value : Any
        Mappings, sequences, numpy arrays and scalars, dates, paths, text, numbers, None. Numbers
        are rounded to `DECIMALS`; NaN and infinity become null, which is all that JSON has.
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A byte of a file's name that is not UTF-8 becomes \\udcXX, which JSON reads as Python does.
    return text.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """Turn a value into what JSON knows, numbers rounded, NaN and infinity made None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, DECIMALS) if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value
