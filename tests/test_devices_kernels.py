"""Each kernel of the decoders against slow, obvious code."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rlsmove.devices import _kernels as kernels

BYTES = st.binary(min_size=36, max_size=36 * 4).map(
    lambda data: np.frombuffer(bytearray(data[: len(data) // 36 * 36]), np.uint8)
)


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


AXIVITY_LAYOUTS = st.sampled_from([(3, 0, 4), (3, 2, 6), (6, 2, 12), (9, 2, 18)])


@given(arrays(np.uint8, 1024), st.tuples(AXIVITY_LAYOUTS, AXIVITY_LAYOUTS))
@settings(max_examples=60, deadline=None)
def test_axivity_blocks(data: np.ndarray, layouts: tuple[tuple[int, int, int], ...]) -> None:
    blocks = data.reshape(2, 512)
    slow = []
    for block, (axes, packing, size) in zip(blocks, layouts, strict=True):
        block[25] = axes << 4 | packing
        scale = 2.0 ** -(8 + (int(block[19]) >> 5))
        for i in range(480 // size):
            sample = bytes(block[30 + i * size : 30 + (i + 1) * size])
            if packing == 0:
                word = int.from_bytes(sample, "little")
                values = [signed(word >> at & 0x3FF, 10) << (word >> 30) for at in (0, 10, 20)]
            else:
                first = 3 if axes >= 6 else 0
                values = np.frombuffer(sample, "<i2")[first : first + 3].tolist()
            slow.append([value * scale for value in values])
    count = np.array([480 // size for _, _, size in layouts])
    acceleration = np.full((len(slow), 3), np.nan, np.float32)
    kernels.unpack_packed(data, np.array([0, 512]), count, acceleration)
    kernels.unpack_plain(data, np.array([0, 512]), count, acceleration)
    assert acceleration.tolist() == slow


@given(BYTES)
@settings(max_examples=60, deadline=None)
def test_samples_of_12_bits(data: np.ndarray) -> None:
    count = len(data) * 2 // 9
    acceleration = np.empty((count, 3), np.float32)
    assert kernels.unpack_12_bit(data, 0, count, 256.0, acceleration, 0) == count
    digits = data.tobytes().hex()
    values = [signed(int(digits[at : at + 3], 16), 12) for at in range(0, 9 * count, 3)]
    slow = np.array(values).reshape(-1, 3)[:, [1, 0, 2]] / 256
    np.testing.assert_array_equal(acceleration, slow.astype(np.float32))


@given(st.integers(0, 20), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_samples_in_hexadecimal_digits(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("0123456789ABCDEFabcdef"), 12 * count))
    data = np.frombuffer(bytearray(text.encode()), np.uint8)
    digit = np.full(256, 255, np.uint8)
    for value in range(16):
        digit[[ord(f"{value:x}"), ord(f"{value:X}")]] = value
    gain, offset = np.array([25548.0, 25734, 25875]), np.array([574.0, -662, -3056])
    acceleration = np.empty((count, 3), np.float32)
    kernels.decode_hex(data, np.array([0]), np.array([count]), digit, gain, offset, acceleration)
    for i in range(count):
        raw = [signed(int(text[at : at + 3], 16), 12) for at in range(12 * i, 12 * i + 9, 3)]
        slow = [(100 * r - o) / g for r, o, g in zip(raw, offset, gain, strict=True)]
        np.testing.assert_array_equal(acceleration[i], np.float32(slow))
    sound = np.empty(1, np.bool_)
    kernels.check_hex(data, np.array([0]), np.array([len(data)]), digit, sound)
    assert sound[0]
    if count:
        data[rng.integers(len(data))] = rng.choice(np.frombuffer(b"gG /:@`\x00\xff", np.uint8))
        kernels.check_hex(data, np.array([0]), np.array([len(data)]), digit, sound)
        assert not sound[0]


def record(kind: int, payload: bytes, time: int = 1_700_000_000) -> bytes:
    head = bytes([0x1E, kind]) + time.to_bytes(4, "little") + len(payload).to_bytes(2, "little")
    check = 0
    for byte in head + payload:
        check ^= byte
    return head + payload + bytes([~check & 0xFF])


RECORDS = st.lists(
    st.tuples(st.sampled_from([0, 26, 2, 5, 6]), st.binary(max_size=60)), min_size=1, max_size=8
)


def find(data: bytes, *, at_end: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    activity, damaged = np.empty((len(data) + 1, 5), np.int64), np.empty(len(data) + 1, np.int64)
    counts = np.zeros(5, np.int64)
    kernels.find_records(
        np.frombuffer(bytearray(data), np.uint8), at_end, activity, damaged, counts
    )
    return activity[: counts[0]], damaged[: counts[2]], counts


@given(RECORDS, st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_records_of_a_log(records: list[tuple[int, bytes]], zeros: int) -> None:
    data, begins = b"", []
    for i, (kind, payload) in enumerate(records):
        if kind in (0, 26) and len(payload) > 4:
            begins.append([len(data), kind, 1_700_000_000 + i, len(payload)])
        data += record(kind, payload, 1_700_000_000 + i) + bytes(zeros)
    activity, damaged, counts = find(data, at_end=True)
    assert activity[:, :4].tolist() == begins
    assert len(damaged) == 0
    assert counts[kernels.OTHER] == len(records) - len(begins)
    # Cut off anywhere, it keeps the records that are whole, and waits for the rest.
    for cut in range(0, len(data), 7):
        activity, _, counts = find(data[:cut], at_end=False)
        whole = [begin for begin in begins if begin[0] + 9 + begin[3] <= cut]
        assert activity[:, :4].tolist() == whole
        assert counts[kernels.USED] <= cut


@given(st.lists(st.integers(1, 5), max_size=8))
@settings(max_examples=50, deadline=None)
def test_samples_are_spread_evenly(counts: list[int]) -> None:
    start_s = np.arange(len(counts)) * 2.0
    end_s = start_s + 1.5
    time_s = np.empty(sum(counts))
    kernels.spread_samples(start_s, end_s, np.array(counts, np.int64), time_s)
    slow = [
        start + i * 1.5 / count
        for start, count in zip(start_s, counts, strict=True)
        for i in range(count)
    ]
    np.testing.assert_allclose(time_s, slow, rtol=0, atol=1e-12)
