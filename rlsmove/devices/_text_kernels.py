"""The parser of rows of times and numbers that `rlsmove.devices.csv` runs over bytes.

Each `parse_` kernel reads the bytes `at` to `end` of `data` and must use them all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove._jit import inner_kernel, kernel

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

#: How a column of times is written: not at all, as a number, or with the date in this order.
NO_TIME, NUMBER, YEAR_FIRST, DAY_FIRST, MONTH_FIRST = range(5)

#: What became of a cell or a row: read, without a value, or not understood.
READ, MISSING, BAD = range(3)

#: Where `parse_rows` finds the layout of the rows: two bytes, four columns, one of the codes of
#: time, and nanoseconds of the unit of a time that is a number.
DELIMITER, DECIMAL, TIME, X, Y, Z, KIND, UNIT_NS = range(8)

#: Stands for a time of which no offset from UTC is said.
NO_OFFSET = -(1 << 40)

_NS = 1_000_000_000
_LARGEST_NS = 9e18
_MANTISSA_FULL = 10**17
_TEN = 10.0 ** np.arange(23)
_WHOLE_TEN = 10 ** np.arange(18, dtype=np.int64)

_TAB, _LF, _CR, _SPACE, _QUOTE, _HASH = 9, 10, 13, 32, 34, 35
_PLUS, _COMMA, _MINUS, _POINT, _SLASH, _0, _9, _COLON, _BRACKET = 43, 44, 45, 46, 47, 48, 57, 58, 91
_UPPER = 0xDF
_A, _E, _I, _M, _N, _P, _T, _Z = 65, 69, 73, 77, 78, 80, 84, 90


@inner_kernel
def parse_number(data: Bytes, at: int, end: int, decimal: int) -> tuple[int, int, int]:
    """Read ``[+-]digits[.digits][e[+-]digits]``.

    Returns
    -------
    mantissa, exponent : int
        The number is ``mantissa * 10**exponent``.
    status : int
        MISSING for an empty cell and words such as ``nan``, ``NA``, ``inf``, ``null``.
    """
    if at >= end:
        return 0, 0, MISSING
    length = end - at
    negative = data[at] == _MINUS
    if negative or data[at] == _PLUS:
        at += 1
    mantissa = 0
    exponent = 0
    digits = 0
    behind = False
    while at < end:
        byte = data[at]
        if _0 <= byte <= _9:
            digits += 1
            if mantissa < _MANTISSA_FULL:
                mantissa = mantissa * 10 + (byte - _0)
                if behind:
                    exponent -= 1
            elif not behind:
                exponent += 1
        elif byte == decimal and not behind:
            behind = True
        else:
            break
        at += 1
    if digits == 0:
        wordy = at == end or data[at] & _UPPER == _N or data[at] & _UPPER == _I
        return 0, 0, MISSING if wordy and length <= 9 else BAD
    if at + 1 < end and data[at] & _UPPER == _E:
        at += 1
        down = data[at] == _MINUS
        if down or data[at] == _PLUS:
            at += 1
        power = 0
        if at == end:
            return 0, 0, BAD
        while at < end and _0 <= data[at] <= _9:
            power = min(power * 10 + (data[at] - _0), 9999)
            at += 1
        exponent += -power if down else power
    if at < end:
        return 0, 0, BAD
    return -mantissa if negative else mantissa, exponent, READ


@inner_kernel
def parse_digits(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read the digits from `at` on, nine at most; return their value (or -1) and their end."""
    value = 0
    first = at
    end = min(end, at + 9)
    while at < end and _0 <= data[at] <= _9:
        value = value * 10 + (data[at] - _0)
        at += 1
    return (value if at > first else -1), at


@inner_kernel
def days_since_1970(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar; -1e6 for one it does not have."""
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month in (4, 6, 9, 11):
        longest = 30
    elif month == 2:
        longest = 29 if leap else 28
    if not (1900 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= longest):
        return -1_000_000
    # March is the first month here, so that the day that comes and goes is the last of a year.
    year -= month <= 2
    month = (month + 9) % 12
    leaps = year // 4 - year // 100 + year // 400
    return year * 365 + leaps + (153 * month + 2) // 5 + day - 719_469


@inner_kernel
def parse_date(data: Bytes, at: int, end: int, order: int) -> tuple[int, int, int]:
    """Read a date, a time to the nanosecond, and an offset from UTC if there is one.

    Returns
    -------
    ns : int
        Nanoseconds since 1970, in UTC where there is an offset, else of the local clock.
    offset : int
        In minutes, or NO_OFFSET.
    status : int
    """
    if at >= end:
        return 0, NO_OFFSET, MISSING
    one, at = parse_digits(data, at, end)
    if at >= end or data[at] not in (_MINUS, _SLASH, _POINT):
        return 0, NO_OFFSET, BAD
    two, at = parse_digits(data, at + 1, end)
    if at >= end or data[at] not in (_MINUS, _SLASH, _POINT):
        return 0, NO_OFFSET, BAD
    three, at = parse_digits(data, at + 1, end)
    if order == YEAR_FIRST:
        day = days_since_1970(one, two, three)
    elif order == DAY_FIRST:
        day = days_since_1970(three, two, one)
    else:
        day = days_since_1970(three, one, two)
    if day == -1_000_000:
        return 0, NO_OFFSET, BAD
    hour = minute = second = fraction = 0
    if at < end and (data[at] == _SPACE or data[at] & _UPPER == _T):
        at += 1
        while at < end and data[at] == _SPACE:
            at += 1
        hour, at = parse_digits(data, at, end)
        if at >= end or data[at] != _COLON:
            return 0, NO_OFFSET, BAD
        minute, at = parse_digits(data, at + 1, end)
        if at < end and data[at] == _COLON:
            second, at = parse_digits(data, at + 1, end)
            if at < end and data[at] in (_POINT, _COMMA, _COLON):
                first = at + 1
                fraction, at = parse_digits(data, first, end)
                if fraction < 0:
                    return 0, NO_OFFSET, BAD
                fraction *= _WHOLE_TEN[9 - (at - first)]
                while at < end and _0 <= data[at] <= _9:
                    at += 1
    while at < end and data[at] == _SPACE:
        at += 1
    if at + 2 == end and data[at + 1] & _UPPER == _M:
        half = data[at] & _UPPER
        if not 1 <= hour <= 12 or half not in (_A, _P):
            return 0, NO_OFFSET, BAD
        hour = hour % 12 + (12 if half == _P else 0)
        at = end
    offset = NO_OFFSET
    if at < end and data[at] & _UPPER == _Z:
        offset = 0
        at += 1
    elif at < end and data[at] in (_PLUS, _MINUS):
        west = data[at] == _MINUS
        first = at + 1
        offset, at = parse_digits(data, first, end)
        if at - first == 4:
            offset = offset // 100 * 60 + offset % 100
        elif at - first == 2:
            offset *= 60
            if at < end and data[at] == _COLON:
                minutes, at = parse_digits(data, at + 1, end)
                offset += minutes
        else:
            return 0, NO_OFFSET, BAD
        if offset > 24 * 60:
            return 0, NO_OFFSET, BAD
        if west:
            offset = -offset
    while at < end and data[at] == _SPACE:
        at += 1
    # The name of a zone may stand in brackets behind the offset.
    if at < end and data[at] != _BRACKET:
        return 0, NO_OFFSET, BAD
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return 0, NO_OFFSET, BAD
    seconds = day * 86_400 + hour * 3600 + minute * 60 + second
    if offset != NO_OFFSET:
        seconds -= offset * 60
    return seconds * _NS + fraction, offset, READ


@kernel(
    "Tuple((int64, int64))(uint8[::1], boolean, int64[::1], int64[::1], int64[::1], int64[::1], "
    "float64[:, ::1], int8[::1])"
)
def parse_rows(
    data: Bytes,
    at_end: bool,
    layout: Ints,
    begin: Ints,
    time_ns: Ints,
    offset: Ints,
    value: Floats,
    status: Codes,
) -> tuple[int, int]:
    """Read rows of cells; blank lines and lines that begin with # are passed over.

    Parameters
    ----------
    data : shape (b,)
        Bytes that begin with a row; `at_end`: a last one needs no line end.
    layout : shape (8,)
        See above.
    begin, time_ns, offset, status : shape (r,), written
        First byte of a row, its time (see `parse_date`), what became of it.
    value : shape (r, 3), written
        x, y, z.

    Returns
    -------
    rows, used : int
        How many rows there are, and how many bytes they take.
    """
    delimiter, decimal = layout[DELIMITER], layout[DECIMAL]
    last_column = max(layout[TIME], layout[X], layout[Y], layout[Z])
    n = len(data)
    row = 0
    at = 0
    while at < n:
        stop = at
        while stop < n and data[stop] != _LF:
            stop += 1
        if stop == n and not at_end:
            break
        following = min(stop + 1, n)
        first = at
        while stop > first and data[stop - 1] in (_CR, _SPACE):
            stop -= 1
        at = following
        if stop == first or data[first] == _HASH:
            continue
        begin[row] = first
        time_ns[row] = 0
        offset[row] = NO_OFFSET
        value[row] = np.nan
        found = READ
        cell = first
        column = 0
        while column <= last_column:
            if cell > stop:
                found = BAD
                break
            low = cell
            quoted = low < stop and data[low] == _QUOTE
            if quoted:
                cell += 1
                while cell < stop and data[cell] != _QUOTE:
                    cell += 1
            while cell < stop and data[cell] != delimiter:
                cell += 1
            high = cell
            cell += 1
            wanted = column == layout[TIME]
            axis = -1
            for i in range(3):
                if column == layout[X + i]:
                    axis = i
            column += 1
            if axis < 0 and not wanted:
                continue
            while low < high and (data[low] == _SPACE or data[low] == _QUOTE):
                low += 1
            while low < high and (data[high - 1] == _SPACE or data[high - 1] == _QUOTE):
                high -= 1
            if wanted and layout[KIND] != NUMBER:
                time_ns[row], offset[row], cell_status = parse_date(data, low, high, layout[KIND])
            else:
                mantissa, exponent, cell_status = parse_number(data, low, high, decimal)
                if 0 <= -exponent <= 22:
                    number = mantissa / _TEN[-exponent]
                else:
                    number = mantissa * 10.0**exponent
                if not np.isfinite(number):
                    cell_status = max(cell_status, MISSING)
                if axis >= 0:
                    value[row, axis] = number
                elif abs(number) * layout[UNIT_NS] > _LARGEST_NS:
                    cell_status = BAD
                elif -17 <= exponent <= 0:
                    # Whole and part apart, since a float has too few digits for nanoseconds.
                    ten = _WHOLE_TEN[-exponent]
                    part = (mantissa % ten) / ten * layout[UNIT_NS]
                    time_ns[row] = mantissa // ten * layout[UNIT_NS] + np.int64(np.rint(part))
                else:
                    time_ns[row] = np.int64(number * layout[UNIT_NS])
            found = max(found, cell_status)
        status[row] = found
        row += 1
    return row, at
