"""What is read back from a record, checked against the fields that it should have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rlsmove.results.fields import (
    ANY,
    EVENING,
    FLAG,
    INDEX,
    LIST,
    MOMENT,
    NUMBER,
    RATE,
    TRUTH,
    Field,
)


@dataclass(frozen=True)
class Misfit:
    """Where a record is not as expected.

    Attributes
    ----------
    place, found, expected : str
        As in `rlsmove.errors.RlsmoveError`.
    """

    place: str
    found: str
    expected: str


_MISSING = object()


@dataclass(frozen=True)
class Part:
    """An object of a record, or the one item that stands for all of a list.

    Attributes
    ----------
    of : dict
        A `Field` or a part for each key; ``*`` for any other key.
    is_list : bool
        Whether it is a list of such objects.
    needed : bool
        Whether the record has to have it; what it holds is checked wherever it is present.
    """

    of: dict[str, Field | Part]
    is_list: bool = False
    needed: bool = False


def shape_of(
    fields: Iterable[Field], parts: Mapping[str, Iterable[Field]], needed: Iterable[str]
) -> Part:
    """Build the shape of a record from its fields.

    Parameters
    ----------
    fields : iterable of Field
        With keys between points; ``[]`` behind a key for a list.
    parts : mapping
        For a placeholder such as ``<fact>`` the fields that it stands for, their names to be put
        in its place. A placeholder without such fields stands for any key.
    needed : iterable of str
        Objects that the record has to have.

    Returns
    -------
    Part
        For `find_misfit`.
    """
    shape = Part({name: Part({}, needed=True) for name in needed}, needed=True)
    for field in fields:
        placeholder = next((name for name in parts if field.name.endswith(name)), None)
        if placeholder is None:
            _place(shape, field.name, field)
            continue
        stem = field.name.removesuffix(placeholder)
        for part in parts[placeholder]:
            _place(shape, stem + part.name, part)
    return shape


def _place(part: Part, name: str, field: Field) -> None:
    *keys, last = name.split(".")
    for key in keys:
        new = Part({}, is_list=key.endswith("[]"))
        inner = part.of.setdefault("*" if key.startswith("<") else key.removesuffix("[]"), new)
        assert isinstance(inner, Part)
        part = inner
    part.of["*" if last.startswith("<") else last] = field


def find_misfit(value: Any, shape: Field | Part, place: str = "") -> Misfit | None:
    """Find the first place at which a value is not of a shape; None where it is."""
    if isinstance(shape, Field):
        return _field_misfit(value, shape, place)
    said = "a list" if shape.is_list else "an object"
    if value is None or value is _MISSING:
        return Misfit(place, "nothing", said) if shape.needed else None
    items: list[tuple[str, Any, Field | Part]]
    if shape.is_list and isinstance(value, list):
        item = Part(shape.of, needed=True)
        items = [(f"{place}[{number}]", one, item) for number, one in enumerate(value)]
    elif not shape.is_list and isinstance(value, dict):
        named = {key: of for key, of in shape.of.items() if key != "*"}
        if "*" in shape.of:
            named |= {key: shape.of["*"] for key in value if key not in named}
        items = [
            (f"{place}.{key}" if place else key, value.get(key, _MISSING), of)
            for key, of in named.items()
        ]
    else:
        return Misfit(place, f"{value!r}", said)
    return next(filter(None, (find_misfit(one, of, at) for at, one, of in items)), None)


def _field_misfit(value: Any, field: Field, place: str) -> Misfit | None:
    if value is None or value is _MISSING:
        # What cannot be said is null, and its key is present.
        may_be = value is None and field.type in (RATE, INDEX)
        return None if may_be or not field.needed else Misfit(place, "nothing", field.type)
    return None if _fits(value, field.type) else Misfit(place, f"{value!r}", field.type)


def _fits(value: Any, kind: str) -> bool:
    if kind == ANY:
        return True
    if kind == LIST:
        return isinstance(value, list)
    if kind == INDEX and isinstance(value, list):
        return all(item is None or _fits(item, NUMBER) for item in value)
    if kind == TRUTH:
        return isinstance(value, bool)
    if kind in (NUMBER, RATE, FLAG, INDEX):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    try:
        if kind == EVENING:
            date.fromisoformat(value)
        elif kind == MOMENT:
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
