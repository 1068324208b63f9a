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
Flags = NDArray[np.bool_]

#: What a column is for: nothing; a part of the acceleration along an axis; a part of the row's
#: time, as a number, a date in one of three orders, or a time of day; or the name of the source
#: that the row comes from. Columns of one axis, and those of time, add up.
SKIP, X, Y, Z, NUMBER, YEAR_FIRST, DAY_FIRST, MONTH_FIRST, CLOCK, SOURCE = range(10)

#: What became of a cell or a row: read, without a value, not understood, of another source, or
#: filled with what stands for no sample.
READ, MISSING, BAD, OTHER, ABSENT = range(5)

#: How a table is written: two bytes, the byte that ends a line, and whether hours run from 1 to 12
#: without being told apart.
DELIMITER, DECIMAL, LINE_END, HALF_DAYS = range(4)

#: What makes g of its numbers: g of one, the largest value in g that a sensor can show, and the
#: least one that, the same on all axes, stands for no sample.
G_PER_UNIT, LARGEST_G, FILLED_G = range(3)

#: Stands for a time of which no offset from UTC is said.
NO_OFFSET = -(1 << 40)

_NS = 1_000_000_000
_HOUR_NS = 3600 * _NS
#: How far from the full hour, and from an hour, a change of the wall clock may seem to be.
_CHANGE_NS = 2 * _NS
_LARGEST_NS = 9e18
_MANTISSA_FULL = 10**17
_TEN = 10.0 ** np.arange(23)
_WHOLE_TEN = 10 ** np.arange(18, dtype=np.int64)

_LF, _CR, _SPACE, _QUOTE, _HASH = 10, 13, 32, 34, 35
_PLUS, _COMMA, _MINUS, _POINT, _SLASH, _0, _9, _COLON, _BRACKET = 43, 44, 45, 46, 47, 48, 57, 58, 91
_LINE = 95
_UPPER = 0xDF
_A, _E, _G, _I, _M, _N, _P, _T, _U, _Z = 65, 69, 71, 73, 77, 78, 80, 84, 85, 90

#: The first three letters of the months in English, German, French, Spanish, Italian, Dutch and
#: Portuguese, as far as they tell months apart, and the number of each.
MONTHS = (
    "JAN GEN ENE", "FEB FEV", "MAR MRZ MRT", "APR ABR AVR", "MAY MAI MAG MEI", "JUN GIU",
    "JUL LUG", "AUG AGO AOU", "SEP SET", "OCT OKT OTT OUT", "NOV", "DEC DEZ DIC",
)  # fmt: skip
_MONTH_LETTERS = np.array(
    [list(word.encode()) for words in MONTHS for word in words.split()], np.int64
)
_MONTH_NUMBER = np.array(
    [number for number, words in enumerate(MONTHS, 1) for _ in words.split()], np.int64
)


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
def is_letter(byte: int) -> bool:
    """Whether a byte is one of the letters A to Z, large or small."""
    return _A <= byte & _UPPER <= _Z and byte > 64


@inner_kernel
def parse_month(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read the name of a month, of which three letters count; return its number (or -1)."""
    first = at
    while at < end and is_letter(data[at]):
        at += 1
    if at - first >= 3:
        for row in range(len(_MONTH_NUMBER)):
            same = True
            for i in range(3):
                same = same and data[first + i] & _UPPER == _MONTH_LETTERS[row, i]
            if same:
                return _MONTH_NUMBER[row], at
    return -1, at


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
def parse_clock(data: Bytes, at: int, end: int, half_days: int) -> tuple[int, int]:
    """Read a time of day, with AM or PM behind it or not; return its ns (or -1) and its end."""
    first = at
    hour, at = parse_digits(data, at, end)
    minute = second = fraction = 0
    mark = _COLON
    if at - first == 6:
        hour, minute, second = hour // 10_000, hour // 100 % 100, hour % 100
        mark = 0
    else:
        if at >= end or (data[at] != _COLON and data[at] != _POINT and data[at] != _MINUS):
            return -1, at
        mark = data[at]
        minute, at = parse_digits(data, at + 1, end)
        if at < end and data[at] == mark:
            second, at = parse_digits(data, at + 1, end)
    if at < end and (
        data[at] == _POINT
        or data[at] == _COMMA
        or data[at] == _COLON
        or (data[at] == _MINUS and mark == _MINUS)
    ):
        first = at + 1
        fraction, at = parse_digits(data, first, end)
        if fraction < 0:
            return -1, at
        fraction *= _WHOLE_TEN[9 - (at - first)]
        while at < end and _0 <= data[at] <= _9:
            at += 1
    while at < end and data[at] == _SPACE:
        at += 1
    half = data[at] & _UPPER if at < end else 0
    if half in (_A, _P):
        letter = at + 1
        while letter < end and (data[letter] == _POINT or data[letter] == _SPACE):
            letter += 1
        if letter < end and data[letter] & _UPPER == _M:
            if not 1 <= hour <= 12:
                return -1, at
            hour = hour % 12 + (12 if half == _P else 0)
            at = letter + 1
            while at < end and (data[at] == _POINT or data[at] == _SPACE):
                at += 1
    if half_days:
        hour %= 12
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return -1, at
    return (hour * 3600 + minute * 60 + second) * _NS + fraction, at


@inner_kernel
def parse_zone(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read ``Z``, ``UTC``, ``GMT``, ``+01:00``, ``UTC+1``; return the offset in minutes.

    The name of a zone, in capitals or in brackets, is passed over; what is none of these makes
    the end -1.
    """
    offset = NO_OFFSET
    first = at
    while at < end and is_letter(data[at]):
        at += 1
    letters = at - first
    if letters:
        one = data[first]
        utc = one == _U and data[first + 1] == _T
        gmt = one == _G and data[first + 1] == _M
        if (letters == 1 and one & _UPPER == _Z) or (letters == 3 and (utc or gmt)):
            offset = 0
        elif letters > 5 or one > _Z:
            return NO_OFFSET, -1
    while at < end and data[at] == _SPACE:
        at += 1
    if at < end and (data[at] == _PLUS or data[at] == _MINUS):
        west = data[at] == _MINUS
        first = at + 1
        offset, at = parse_digits(data, first, end)
        if at - first == 4:
            offset = offset // 100 * 60 + offset % 100
        elif at - first == 2 or (at - first == 1 and letters):
            offset *= 60
            if at < end and data[at] == _COLON:
                minutes, at = parse_digits(data, at + 1, end)
                offset += minutes
        else:
            return NO_OFFSET, -1
        if offset > 24 * 60:
            return NO_OFFSET, -1
        if west:
            offset = -offset
    while at < end and data[at] == _SPACE:
        at += 1
    if at < end and data[at] != _BRACKET:
        return NO_OFFSET, -1
    return offset, at


@inner_kernel
def parse_date(data: Bytes, at: int, end: int, order: int, half_days: int) -> tuple[int, int, int]:
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
    first = at
    one, at = parse_digits(data, at, end)
    digits = at - first
    if digits == 8:
        one, two, three = one // 10_000, one // 100 % 100, one % 100
        order = YEAR_FIRST
    else:
        if one < 0:
            one, at = parse_month(data, at, end)
        two = three = -1
        for part in range(2):
            first = at
            while at < end and (
                data[at] == _MINUS
                or data[at] == _SLASH
                or data[at] == _POINT
                or data[at] == _SPACE
                or data[at] == _COMMA
            ):
                at += 1
            if at == first or at - first > 2:
                return 0, NO_OFFSET, BAD
            first = at
            number, at = parse_digits(data, at, end)
            if number < 0:
                number, at = parse_month(data, at, end)
            if part == 0:
                two = number
            else:
                three = number
                if order != YEAR_FIRST and at - first <= 2 and three >= 0:
                    three += 2000
        if order == YEAR_FIRST and digits <= 2:
            one += 2000
    if order == YEAR_FIRST:
        day = days_since_1970(one, two, three)
    elif order == DAY_FIRST:
        day = days_since_1970(three, two, one)
    else:
        day = days_since_1970(three, one, two)
    if day == -1_000_000:
        return 0, NO_OFFSET, BAD
    ns = 0
    if at < end and data[at] == _POINT:
        at += 1
    if at < end:
        first = at
        while at < end and (
            data[at] == _SPACE or data[at] == _LINE or data[at] == _COMMA or data[at] & _UPPER == _T
        ):
            at += 1
        if at == first:
            return 0, NO_OFFSET, BAD
        if at < end:
            ns, at = parse_clock(data, at, end, half_days)
            if ns < 0:
                return 0, NO_OFFSET, BAD
    offset = NO_OFFSET
    if at < end:
        offset, at = parse_zone(data, at, end)
        if at < 0:
            return 0, NO_OFFSET, BAD
    ns += day * 86_400 * _NS
    if offset != NO_OFFSET:
        ns -= offset * 60 * _NS
    return ns, offset, READ


@inner_kernel
def parse_seconds(data: Bytes, at: int, end: int) -> int:
    """Read two digits of seconds, and a part if there is one; return ns, or -1 for another end."""
    if at + 2 > end or not (_0 <= data[at] <= _9 and _0 <= data[at + 1] <= _9):
        return -1
    second = (data[at] - _0) * 10 + (data[at + 1] - _0)
    at += 2
    fraction, digit_ns = 0, _NS
    if at < end:
        if data[at] != _POINT and data[at] != _COMMA:
            return -1
        at += 1
        while at < end and _0 <= data[at] <= _9 and digit_ns > 1:
            digit_ns //= 10
            fraction += (data[at] - _0) * digit_ns
            at += 1
    if at < end or second >= 60:
        return -1
    return second * _NS + fraction


@inner_kernel
def minute_length(data: Bytes, at: int, end: int) -> int:
    """How many bytes come before the seconds of a date such as ...22:30:05.25; 0 for others."""
    colons = last = 0
    for byte in range(at, end):
        if data[byte] == _COLON:
            colons += 1
            last = byte + 1
    return last - at if colons == 2 else 0


@inner_kernel
def is_filler(number: float) -> bool:
    """Whether a number is 999, 9999 ..., by custom written where there is none."""
    number = abs(number)
    return number == 999.0 or number == 9999.0 or number == 99_999.0


@kernel(
    "Tuple((int64, int64))(uint8[::1], boolean, int64[::1], int64[:, ::1], uint8[::1], "
    "float64[::1], int64[::1], int64[::1], int64[::1], float64[:, ::1], int8[::1])"
)
def parse_rows(
    data: Bytes,
    at_end: bool,
    form: Ints,
    columns: Ints,
    source: Bytes,
    scale: Floats,
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
    form : shape (4,)
        How the table is written, see above.
    columns : shape (3, c)
        Of each column what it is for, and of a time that is a number the nanoseconds of its unit,
        and the number that stands for zero.
    source : shape (s,)
        What the column of sources holds in the rows that count.
    scale : shape (3,)
        See above.
    begin, time_ns, offset, status : shape (r,), written
        First byte of a row, its time (see `parse_date`), what became of it.
    value : shape (r, 3), written
        x, y, z, in g.

    Returns
    -------
    rows, used : int
        How many rows there are, and how many bytes they take.
    """
    delimiter, decimal, line_end = form[DELIMITER], form[DECIMAL], form[LINE_END]
    half_days = form[HALF_DAYS]
    g_per_unit, largest_g, filled_g = scale[G_PER_UNIT], scale[LARGEST_G], scale[FILLED_G]
    n_columns = columns.shape[1]
    n = len(data)
    # The date of the row before up to its minute, which most rows share.
    minute_at = minute_bytes = minute_ns = 0
    row = 0
    at = 0
    while at < n:
        stop = at
        while stop < n and data[stop] != line_end:
            stop += 1
        if stop == n and not at_end:
            break
        following = min(stop + 1, n)
        first = at
        while stop > first and (data[stop - 1] == _CR or data[stop - 1] == _SPACE):
            stop -= 1
        at = following
        if stop == first or data[first] == _HASH:
            continue
        begin[row] = first
        moment = 0
        offset[row] = NO_OFFSET
        x = y = z = 0.0
        found = READ
        cell = first
        for column in range(n_columns):
            if cell > stop:
                found = max(found, BAD)
                break
            if delimiter == _SPACE:
                while cell < stop and data[cell] == _SPACE:
                    cell += 1
            low = cell
            if low < stop and data[low] == _QUOTE:
                cell += 1
                while cell < stop and data[cell] != _QUOTE:
                    cell += 1
            while cell < stop and data[cell] != delimiter:
                cell += 1
            high = cell
            cell += 1
            role = columns[0, column]
            if role == SKIP:
                continue
            while low < high and (data[low] == _SPACE or data[low] == _QUOTE):
                low += 1
            while low < high and (data[high - 1] == _SPACE or data[high - 1] == _QUOTE):
                high -= 1
            cell_status = READ
            if role <= NUMBER:
                mantissa, exponent, cell_status = parse_number(data, low, high, decimal)
                if role == NUMBER:
                    unit_ns, zero = columns[1, column], columns[2, column]
                    if -17 <= exponent <= 0:
                        # Whole and part apart: a float has too few digits for nanoseconds.
                        ten = _WHOLE_TEN[-exponent]
                        whole = mantissa // ten - zero
                        part = (mantissa % ten) / ten * unit_ns
                        if abs(np.float64(whole)) * unit_ns > _LARGEST_NS:
                            cell_status = max(cell_status, BAD)
                        else:
                            moment += int(whole * unit_ns) + int(np.rint(part))
                    else:
                        number = mantissa * 10.0**exponent - zero
                        if not abs(number) * unit_ns <= _LARGEST_NS:
                            cell_status = max(cell_status, BAD)
                        else:
                            moment += int(number * unit_ns)
                else:
                    if 0 <= -exponent <= 22:
                        number = mantissa / _TEN[-exponent]
                    else:
                        number = mantissa * 10.0**exponent
                    if not np.isfinite(number):
                        cell_status = max(cell_status, MISSING)
                    if role == X:
                        x += number
                    elif role == Y:
                        y += number
                    else:
                        z += number
            elif role == CLOCK:
                ns, end = parse_clock(data, low, high, half_days)
                moment += ns
                if low == high:
                    cell_status = MISSING
                elif ns < 0 or end < high:
                    cell_status = BAD
            elif role == SOURCE:
                same = high - low == len(source)
                if same:
                    for i in range(len(source)):
                        same = same and data[low + i] == source[i]
                if not same:
                    cell_status = OTHER
            else:
                same = 0 < minute_bytes < high - low
                for i in range(minute_bytes if same else 0):
                    if data[low + i] != data[minute_at + i]:
                        same = False
                        break
                ns = parse_seconds(data, low + minute_bytes, high) if same else -1
                if ns >= 0:
                    moment += minute_ns + ns
                else:
                    ns, offset[row], cell_status = parse_date(data, low, high, role, half_days)
                    moment += ns
                    minute_at, minute_bytes = low, 0
                    if cell_status == READ and offset[row] == NO_OFFSET and not half_days:
                        minute_bytes = minute_length(data, low, high)
                        seconds_ns = parse_seconds(data, low + minute_bytes, high)
                        minute_ns = ns - seconds_ns
                        if seconds_ns < 0:
                            minute_bytes = 0
            found = max(found, cell_status)
        value[row, 0], value[row, 1], value[row, 2] = x * g_per_unit, y * g_per_unit, z * g_per_unit
        if found == READ:
            if x == y and y == z and (x == 0.0 or abs(value[row, 0]) >= filled_g or is_filler(x)):
                found = ABSENT
            elif (
                abs(value[row, 0]) > largest_g
                or abs(value[row, 1]) > largest_g
                or abs(value[row, 2]) > largest_g
            ):
                found = BAD
        elif found != OTHER:
            value[row] = np.nan
        time_ns[row] = moment
        status[row] = found
        row += 1
    return row, at


@kernel(
    "int64(int64[::1], float64[:, ::1], int64, boolean, int64, boolean, int64[::1], "
    "float64[::1], int64[::1], int64[::1], boolean[::1], int8[::1])"
)
def repair_rows(
    raw_ns: Ints,
    value: Floats,
    period_ns: int,
    wall_clock: bool,
    idle_ns: int,
    at_end: bool,
    state: Ints,
    state_value: Floats,
    time_ns: Ints,
    still_since_ns: Ints,
    measured: Flags,
    change: Codes,
) -> int:
    """Let times go on where they start anew, and mark values that only repeat.

    Parameters
    ----------
    raw_ns : shape (n,)
        Times of rows; `value` : shape (n, 3), what they hold.
    period_ns : int
        After this the times start anew; 0 for never.
    wall_clock : bool
        Whether they leap by an hour at the full hour where the clocks on the wall change.
    idle_ns : int
        Values that stay the same for so long are no measurement; 0 for all are.
    at_end : bool
        Whether no row follows.
    state : shape (3,)
        Of the row before these its time, what was added to it, since when its values are the
        same; `state_value` : shape (3,), these, NaN where there is no such row.
    time_ns, still_since_ns : shape (n,), written
        The times, and since when the values are the same.
    measured : shape (n,), written
        False for rows that only repeat.
    change : shape (n,), written
        1 where the wall clock leaps ahead, -1 where it goes back.

    Returns
    -------
    known : int
        How many rows are final: what the last ones are, later ones tell.
    """
    n = len(raw_ns)
    before, added, since = state[0], state[1], state[2]
    x, y, z = state_value[0], state_value[1], state_value[2]
    if np.isnan(x):
        before = raw_ns[0]
    first = 0
    for row in range(n):
        step = raw_ns[row] - before
        before = raw_ns[row]
        change[row] = 0
        if period_ns:
            if 2 * abs(step) > period_ns:
                added -= np.int64(np.rint(step / period_ns)) * period_ns
        elif wall_clock and abs(abs(step) - _HOUR_NS) < _CHANGE_NS:
            # In spring 2:00 becomes 3:00, in autumn 3:00 becomes 2:00; other zones differ by hours.
            past = before % _HOUR_NS
            if min(past, _HOUR_NS - past) < _CHANGE_NS:
                change[row] = 1 if step > 0 else -1
                added -= change[row] * _HOUR_NS
        moment = before + added
        time_ns[row] = moment
        same = value[row, 0] == x and value[row, 1] == y and value[row, 2] == z
        if not same:
            since = moment
            first = row
            x, y, z = value[row, 0], value[row, 1], value[row, 2]
        still_since_ns[row] = since
        measured[row] = True
        if idle_ns and same and moment - since >= idle_ns:
            # The first row of a run is a sample; those after it turn out to be none.
            back = row
            while back >= 0 and measured[back] and still_since_ns[back] < time_ns[back]:
                measured[back] = False
                back -= 1
    if idle_ns and n and not at_end and before + added - since < idle_ns:
        return first
    return n
