"""Loops of the decoders that numpy has no single call for.

Arrays are C-contiguous; ``n`` counts packets, ``m`` samples; ``data`` are the bytes at hand.
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
Samples = NDArray[np.float32]


@kernel("void(float64[::1], float64[::1], int64[::1], float64[::1])")
def spread_samples(start_s: Floats, end_s: Floats, count: Ints, time_s: Floats) -> None:
    """Write the times of all packets' samples, evenly from each start to its end, shape (m,)."""
    k = 0
    for i in range(len(count)):
        step = (end_s[i] - start_s[i]) / count[i]
        for j in range(count[i]):
            time_s[k] = start_s[i] + j * step
            k += 1


@kernel("void(uint8[::1], int64[::1], int64[::1], float32[:, ::1])")
def unpack_packed(data: Bytes, sector: Ints, count: Ints, acceleration: Samples) -> None:
    """Decode the .cwa blocks that start at the bytes `sector`, where three axes share 32 bits.

    10 bits each, and an exponent of 2. Rows of other blocks stay as they are.
    """
    k = 0
    for i in range(len(sector)):
        at = sector[i]
        if data[at + 25] & 0x0F == 0:
            scale = np.float32(1.0 / (1 << (8 + (data[at + 19] >> 5))))
            body = data[at + 30 : at + 510]
            into = acceleration[k : k + count[i]]
            for j in range(len(into)):
                word = (
                    np.uint32(body[4 * j])
                    | np.uint32(body[4 * j + 1]) << np.uint32(8)
                    | np.uint32(body[4 * j + 2]) << np.uint32(16)
                    | np.uint32(body[4 * j + 3]) << np.uint32(24)
                )
                # An arithmetic shift right of the left-aligned field extends its sign.
                exponent = np.int32(word >> np.uint32(30))
                x = np.int32(word << np.uint32(22)) >> np.int32(22)
                y = np.int32(word << np.uint32(12)) >> np.int32(22)
                z = np.int32(word << np.uint32(2)) >> np.int32(22)
                into[j, 0] = np.float32(x << exponent) * scale
                into[j, 1] = np.float32(y << exponent) * scale
                into[j, 2] = np.float32(z << exponent) * scale
        k += count[i]


@kernel("void(uint8[::1], int64[::1], int64[::1], float32[:, ::1])")
def unpack_plain(data: Bytes, sector: Ints, count: Ints, acceleration: Samples) -> None:
    """Decode the .cwa blocks that start at the bytes `sector`, where each axis is an int16.

    There are three, six or nine, of which six and nine lead with the gyroscope. Rows of other
    blocks stay as they are.
    """
    k = 0
    for i in range(len(sector)):
        at = sector[i]
        axes = np.int64(data[at + 25] >> 4)
        if data[at + 25] & 0x0F != 0:
            scale = np.float32(1.0 / (1 << (8 + (data[at + 19] >> 5))))
            low = at + 30 + (6 if axes >= 6 else 0)
            for j in range(k, k + count[i]):
                for axis in range(3):
                    value = np.int16(np.uint16(data[low]) | np.uint16(data[low + 1]) << 8)
                    acceleration[j, axis] = np.float32(value) * scale
                    low += 2
                low += 2 * axes - 6
        k += count[i]


#: Where `find_records` writes its counts: activity records, other whole ones, damaged stretches,
#: bytes dealt with, pauses since the last activity record.
ACTIVITY, OTHER, DAMAGED, USED, PAUSES = range(5)

_SEPARATOR = 0x1E
_ACTIVITY_12_BIT = 0
_ACTIVITY_16_BIT = 26
#: Written when a device falls asleep or wakes.
_EVENT = 3
#: Damage is counted anew after so many bytes, which is as far as one stretch looks back.
_LONGEST_DAMAGE = 1 << 16
#: No second of activity is longer: 1,000 samples of three int16 would be 6,000 bytes.
_LONGEST_ACTIVITY = 8192


@kernel("void(uint8[::1], boolean, int64[:, ::1], int64[::1], int64[::1])")
def find_records(data: Bytes, at_end: bool, activity: Ints, damaged: Ints, counts: Ints) -> None:
    """Find the records of an ActiGraph log: separator, type, time, size, payload, check byte.

    After damage, only a record of activity with a further record (or nothing) behind it is
    trusted, since any byte of a payload may look like a separator.

    Parameters
    ----------
    data : shape (b,)
        Bytes that begin with a record.
    at_end : bool
        Nothing follows.
    activity : shape (r, 5), written
        Begin, type, time in seconds since 1970, and size of the payload, of records with samples;
        how many records between it and the one before say that the device did not record.
    damaged : shape (r,), written
        Begin of each stretch of damage.
    counts : shape (5,), written
        See above; the pauses are added to what is there.
    """
    n = len(data)
    check = np.empty(n + 1, np.uint8)  # exclusive or of all bytes before
    check[0] = 0
    for i in range(n):
        check[i + 1] = check[i] ^ data[i]
    counts[:PAUSES] = 0
    at = 0
    damage_from = -1
    while at + 9 <= n:
        if damage_from >= 0 and at - damage_from >= _LONGEST_DAMAGE:
            damaged[counts[DAMAGED]] = damage_from
            counts[DAMAGED] += 1
            damage_from = at
        if data[at] != _SEPARATOR:
            # Zeros between records are no damage, says the maker.
            if data[at] != 0 and damage_from < 0:
                damage_from = at
            at += 1
            continue
        kind = data[at + 1]
        size = int(data[at + 6]) | int(data[at + 7]) << 8
        end = at + 9 + size
        samples = kind in (_ACTIVITY_12_BIT, _ACTIVITY_16_BIT)
        plausible = damage_from < 0 or (samples and size <= _LONGEST_ACTIVITY)
        if plausible and end > n and not at_end:
            break
        whole = plausible and end <= n and (check[end - 1] ^ check[at] ^ data[end - 1]) == 0xFF
        if whole and damage_from >= 0:
            whole = end == n or data[end] == _SEPARATOR or data[end] == 0
        if not whole:
            if damage_from < 0:
                damage_from = at
            at += 1
            continue
        if damage_from >= 0:
            damaged[counts[DAMAGED]] = damage_from
            counts[DAMAGED] += 1
            damage_from = -1
        if samples and size > 4:
            row = counts[ACTIVITY]
            activity[row, 0] = at
            activity[row, 1] = kind
            activity[row, 2] = 0
            for i in range(4):
                activity[row, 2] += np.int64(data[at + 2 + i]) << (8 * i)
            activity[row, 3] = size
            activity[row, 4] = counts[PAUSES]
            counts[PAUSES] = 0
            counts[ACTIVITY] += 1
        else:
            if samples or kind == _EVENT:
                counts[PAUSES] += 1
            counts[OTHER] += 1
        at = end
    # Damage that has no end yet is looked at again, with what follows it.
    counts[USED] = at if damage_from < 0 else damage_from


@inner_kernel
def unpack_12_bit(
    data: Bytes, at: int, count: int, scale: float, acceleration: Samples, k: int
) -> int:
    """Decode `count` samples of 3 x 12 bits in the order y, x, z; return the next free row."""
    for i in range(count):
        if i % 2 == 0:
            y = np.int64(data[at]) << 4 | data[at + 1] >> 4
            x = np.int64(data[at + 1] & 0x0F) << 8 | data[at + 2]
            z = np.int64(data[at + 3]) << 4 | data[at + 4] >> 4
            at += 4
        else:
            y = np.int64(data[at] & 0x0F) << 8 | data[at + 1]
            x = np.int64(data[at + 2]) << 4 | data[at + 3] >> 4
            z = np.int64(data[at + 3] & 0x0F) << 8 | data[at + 4]
            at += 5
        acceleration[k, 0] = np.float32((x ^ 0x800) - 0x800) / scale
        acceleration[k, 1] = np.float32((y ^ 0x800) - 0x800) / scale
        acceleration[k, 2] = np.float32((z ^ 0x800) - 0x800) / scale
        k += 1
    return k


@kernel("void(uint8[::1], int64[::1], int64[::1], float32, float32[:, ::1])")
def unpack_actigraph(
    data: Bytes, body: Ints, count: Ints, scale: float, acceleration: Samples
) -> None:
    """Decode activity records whose payloads start at `body`; the type stands 7 bytes before."""
    k = 0
    for i in range(len(body)):
        at = body[i]
        if data[at - 7] == _ACTIVITY_12_BIT:
            k = unpack_12_bit(data, at, count[i], scale, acceleration, k)
        else:
            for _ in range(count[i]):
                for axis in range(3):
                    low = at + 2 * axis
                    value = np.int16(np.uint16(data[low]) | np.uint16(data[low + 1]) << 8)
                    acceleration[k, axis] = np.float32(value) / scale
                at += 6
                k += 1


@kernel("void(uint8[::1], int64[::1], int64[::1], uint8[::1], boolean[::1])")
def check_hex(data: Bytes, body: Ints, stop: Ints, digit: Bytes, sound: Flags) -> None:
    """Tell which stretches from `body` to `stop` hold hexadecimal digits alone.

    `digit`, shape (256,), gives each byte's value, and more than 15 for what is no digit.
    """
    for i in range(len(body)):
        largest = np.uint8(0)
        for at in range(body[i], stop[i]):
            largest = max(largest, digit[data[at]])
        sound[i] = largest < 16


@kernel(
    "void(uint8[::1], int64[::1], int64[::1], uint8[::1], float64[::1], float64[::1], "
    "float32[:, ::1])"
)
def decode_hex(
    data: Bytes,
    body: Ints,
    count: Ints,
    digit: Bytes,
    gain: Floats,
    offset: Floats,
    acceleration: Samples,
) -> None:
    """Decode samples of 12 hexadecimal digits: 3 x 12 bits, then light and button.

    ``g = (100 * value - offset) / gain`` for each axis.
    """
    k = 0
    for i in range(len(body)):
        at = body[i]
        for _ in range(count[i]):
            for axis in range(3):
                value = np.int64(digit[data[at]]) << 8
                value += np.int64(digit[data[at + 1]]) << 4
                value += np.int64(digit[data[at + 2]])
                value = (value ^ 0x800) - 0x800
                acceleration[k, axis] = (value * 100.0 - offset[axis]) / gain[axis]
                at += 3
            at += 3
            k += 1
