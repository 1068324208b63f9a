"""Writers of device files, so that tests know every sample that is in one.

Acceleration comes as an iterable of arrays, shape (k, 3), in g, so that files of a fortnight can
be written; each writer puts as many samples into a packet as the device does.
"""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Chunks = Iterable[NDArray[np.floating]]

EPOCH = datetime(1970, 1, 1)
START = datetime(2026, 3, 1, 22, 30)


def worn(seconds: float, fs: float, seed: int = 0) -> NDArray[np.float64]:
    """Acceleration of a limb that lies still, turns now and then, and twitches, in g."""
    rng = np.random.default_rng(seed)
    count = round(seconds * fs)
    time_s = np.arange(count) / fs
    angle = np.cumsum(rng.normal(size=count) * (rng.random(count) < 0.1 / fs))
    burst = np.sin(2 * np.pi * 3 * time_s) * (np.sin(2 * np.pi * time_s / 30) > 0.97)
    acceleration = np.column_stack((np.sin(angle), 0.2 + 0 * angle, np.cos(angle)))
    acceleration /= np.linalg.norm(acceleration, axis=1)[:, None]
    acceleration[:, 0] += 0.3 * burst
    return acceleration + rng.normal(scale=0.004, size=(count, 3))


def regroup(chunks: Chunks, size: int) -> Iterator[NDArray[np.floating]]:
    """The same samples in arrays whose length is a multiple of `size`, but for the last."""
    rest = np.empty((0, 3))
    for chunk in chunks:
        rest = np.concatenate((rest, chunk)) if len(rest) else np.asarray(chunk)
        whole = len(rest) // size * size
        if whole:
            yield rest[:whole]
            rest = rest[whole:]
    if len(rest):
        yield rest


def damaged_copies(data: bytes, count: int, seed: int) -> list[bytes]:
    """Copies with bytes changed, cut off, lost, doubled or put in."""
    random_ = random.Random(seed)
    copies = []
    for _ in range(count):
        copy = bytearray(data)
        at = random_.randrange(len(copy))
        size = random_.choice([1, 7, 512, 5000])
        match random_.randrange(6):
            case 0:
                del copy[at:]
            case 1:
                del copy[at : at + size]
            case 2:
                copy[at:at] = copy[at : at + size]
            case 3:
                copy[at:at] = random_.randbytes(size)
            case 4:
                copy[at : at + size] = bytes(size)
            case 5:
                near = random_.choice([2000, len(copy)])
                for _ in range(size // 7 + 1):
                    copy[random_.randrange(min(near, len(copy)))] = random_.randrange(256)
        copies.append(bytes(copy))
    return copies


# Axivity -------------------------------------------------------------------------------------

CWA_BLOCK = np.dtype(
    {
        "names": [
            "mark", "length", "fraction", "session", "sequence", "time", "scale", "temperature",
            "events", "battery", "rate", "layout", "offset", "count", "data", "sum",
        ],
        "formats": [
            "S2", "<u2", "<u2", "<u4", "<u4", "<u4", "<u2", "<u2",
            "u1", "u1", "u1", "u1", "<i2", "<u2", ("u1", 480), "<u2",
        ],
        "offsets": [0, 2, 4, 6, 10, 14, 18, 20, 22, 23, 24, 25, 26, 28, 30, 510],
        "itemsize": 512,
    }
)  # fmt: skip


def cwa_header(
    *, hardware: int = 0x17, serial: int = 12345, session: int = 7, rate_code: int = 0x4A,
    note: str = "",
) -> bytes:  # fmt: skip
    header = bytearray(b"\xff" * 1024)
    header[0:4] = b"MD\xfc\x03"
    header[4] = hardware
    header[5:7] = (serial & 0xFFFF).to_bytes(2, "little")
    header[7:11] = session.to_bytes(4, "little")
    header[11:13] = (serial >> 16).to_bytes(2, "little")
    header[36] = rate_code
    header[64:512] = note.encode().ljust(448)
    return bytes(header)


def cwa_time(time_s: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Whole seconds since 1970 as the device packs them."""
    stamp = time_s.astype("M8[s]")
    day = stamp.astype("M8[D]")
    month = stamp.astype("M8[M]")
    months = month.astype(np.int64) + 12 * (1970 - 2000)
    second = (stamp - day).astype(np.int64)
    packed = (months // 12) << 26 | (months % 12 + 1) << 22
    packed |= ((day - month.astype("M8[D]")).astype(np.int64) + 1) << 17
    packed |= (second // 3600) << 12 | (second // 60 % 60) << 6 | second % 60
    return packed.astype(np.uint32)


def cwa_seal(blocks: NDArray[np.void]) -> None:
    """Make the words of each block sum to zero."""
    blocks["sum"] = 0
    sums = blocks.view("<u2").reshape(len(blocks), 256).sum(axis=1, dtype=np.uint16)
    blocks["sum"] = -sums.astype(np.int64) & 0xFFFF


def pack_30_bit(acceleration: NDArray[np.floating]) -> NDArray[np.uint8]:
    """10 bits an axis of 1/256 g, and the power of two that all three are multiplied by."""
    value = np.clip(np.rint(acceleration * 256), -4096, 4088).astype(np.int64)
    largest = np.maximum(value, -value - 1).max(axis=1)
    exponent = (largest > 511).astype(np.int64) + (largest > 1023) + (largest > 2047)
    value = np.clip((value + ((1 << exponent) >> 1)[:, None]) >> exponent[:, None], -512, 511)
    x, y, z = (value & 0x3FF).T
    return (exponent << 30 | z << 20 | y << 10 | x).astype("<u4").view(np.uint8).reshape(-1, 4)


def write_cwa(
    path: Path,
    chunks: Chunks,
    *,
    start: datetime = START,
    rate_code: int = 0x4A,
    true_rate_hz: float | None = None,
    axes: int = 3,
    packed: bool = True,
    scale_bits: int = 0,
    fractions: bool = True,
    note: str = "",
    session: int = 7,
) -> float:
    """Write a .cwa file; returns the rate that it is set to.

    `scale_bits` n makes the unit of int16 samples 2^-(8+n) g. Without `fractions`, blocks are
    dated as by firmware that knew whole seconds alone.
    """
    rate_hz = 3200 / (1 << (15 - (rate_code & 0x0F)))
    true_rate_hz = true_rate_hz or rate_hz
    sample_bytes = 4 if packed else 2 * axes
    per_block = 480 // sample_bytes
    first_s = (start - EPOCH) / timedelta(seconds=1)
    sequence = samples = 0
    with path.open("wb") as file:
        hardware = 0x64 if axes > 3 else 0x17
        file.write(cwa_header(hardware=hardware, rate_code=rate_code, note=note, session=session))
        for chunk in regroup(chunks, per_block):
            count = -(-len(chunk) // per_block)
            blocks = np.zeros(count, CWA_BLOCK)
            blocks["mark"], blocks["length"], blocks["session"] = b"AX", 508, session
            blocks["sequence"] = sequence + np.arange(count)
            blocks["scale"] = scale_bits << 13
            blocks["rate"] = rate_code
            blocks["layout"] = axes << 4 | (0 if packed else 2)
            blocks["count"] = per_block
            blocks["count"][-1] = len(chunk) - (count - 1) * per_block
            begin_s = first_s + (samples + np.arange(count) * per_block) / true_rate_hz
            if fractions:
                ticks = np.rint(begin_s * 32768).astype(np.int64)
                blocks["time"] = cwa_time(ticks >> 15)
                fraction = ticks & 0x7FFF
                blocks["fraction"] = 0x8000 | fraction
                blocks["offset"] = -(2 * fraction * int(rate_hz) >> 16)
            else:
                whole_s = np.ceil(begin_s).astype(np.int64)
                blocks["time"] = cwa_time(whole_s)
                blocks["offset"] = np.rint((whole_s - begin_s) * rate_hz)
            content = np.zeros((count * per_block, sample_bytes), np.uint8)
            if packed:
                content[: len(chunk)] = pack_30_bit(chunk)
            else:
                unit = 1 << (8 + scale_bits)
                value = np.clip(np.rint(chunk * unit), -32768, 32767).astype("<i2")
                column = 6 if axes >= 6 else 0
                content[: len(chunk), column : column + 6] = value.view(np.uint8)
                content[: len(chunk), :column] = 0x55
            blocks["data"][:, : per_block * sample_bytes] = content.reshape(count, -1)
            cwa_seal(blocks)
            file.write(blocks.tobytes())
            sequence += count
            samples += len(chunk)
    return rate_hz


# ActiGraph -----------------------------------------------------------------------------------

TICKS_1970 = 621_355_968_000_000_000


def gt3x_info(start: datetime, rate_hz: int, **more: object) -> str:
    ticks = TICKS_1970 + (start - EPOCH) // timedelta(microseconds=1) * 10
    lines = {
        "Serial Number": "MOS2E00000001",
        "Device Type": "wGT3XBT",
        "Sample Rate": rate_hz,
        "Start Date": ticks,
        "Acceleration Scale": "256.0",
        "Acceleration Max": "8.0",
    }
    lines.update({key.replace("_", " "): value for key, value in more.items()})
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items() if value is not None)


def pack_12_bit(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Samples of three axes, shape (..., n, 3), as y, x, z of 12 bits; n is even."""
    value = (counts[..., [1, 0, 2]] & 0xFFF).reshape(*counts.shape[:-2], -1, 2)
    high, low = value[..., 0], value[..., 1]
    packed = np.stack((high >> 4, (high & 0xF) << 4 | low >> 8, low & 0xFF), axis=-1)
    return packed.astype(np.uint8).reshape(*counts.shape[:-2], -1)


def gt3x_records(kind: int, time_s: NDArray[np.int64], payload: NDArray[np.uint8]) -> bytes:
    """Records of one size, payload of shape (n, size)."""
    count, size = payload.shape
    records = np.zeros((count, size + 9), np.uint8)
    records[:, 0] = 0x1E
    records[:, 1] = kind
    records[:, 2:6] = time_s.astype("<u4").view(np.uint8).reshape(-1, 4)
    records[:, 6:8] = np.frombuffer(size.to_bytes(2, "little"), np.uint8)
    records[:, 8:-1] = payload
    records[:, -1] = ~np.bitwise_xor.reduce(records[:, :-1], axis=1)
    return records.tobytes()


def activity_payload(acceleration: NDArray[np.floating], kind: int, scale: float) -> NDArray:
    """Payloads of seconds, acceleration of shape (seconds, samples, 3)."""
    counts = np.rint(acceleration * scale).astype(np.int64)
    if kind == 0:
        return pack_12_bit(np.clip(counts, -2048, 2047))
    return counts.astype("<i2").view(np.uint8).reshape(len(counts), -1)


def write_gt3x(
    path: Path,
    chunks: Chunks,
    *,
    rate_hz: int = 100,
    kind: int = 0,
    start: datetime = START,
    asleep: Iterable[int] = (),
    deflated: bool = False,
    folder: str = "",
    info_first: bool = False,
    scale: float = 256.0,
    before: bytes = b"",
    **info: object,
) -> None:
    """Write a .gt3x file of the layout with a log; seconds `asleep` leave no record."""
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    first_s = (start - EPOCH) // timedelta(seconds=1)
    skipped = np.array(sorted(asleep), np.int64)
    text = gt3x_info(start, rate_hz, **{"Acceleration_Scale": scale, **info})
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        if info_first:
            archive.writestr(f"{folder}info.txt", text)
        with archive.open(f"{folder}log.bin", "w", force_zip64=False) as log:
            log.write(before)
            second = 0
            for chunk in regroup(chunks, rate_hz):
                seconds = np.asarray(chunk[: len(chunk) // rate_hz * rate_hz])
                seconds = seconds.reshape(-1, rate_hz, 3)
                number = second + np.arange(len(seconds))
                awake = ~np.isin(number, skipped)
                edges = np.flatnonzero(np.diff(awake)) + 1
                for run, chosen in zip(
                    np.split(number, edges), np.split(seconds, edges), strict=True
                ):
                    if np.isin(run, skipped).any():
                        event = np.array([[8]], np.uint8)
                        log.write(gt3x_records(3, first_s + run[:1], event))
                    elif len(run):
                        payload = activity_payload(chosen, kind, scale)
                        log.write(gt3x_records(kind, first_s + run, payload))
                second += len(seconds)
        if not info_first:
            archive.writestr(f"{folder}info.txt", text)


def write_old_gt3x(
    path: Path,
    chunks: Chunks,
    *,
    rate_hz: int = 80,
    start: datetime = START,
    deflated: bool = True,
    **info: object,
) -> None:
    """Write a .gt3x file of the layout before firmware 3, as in NHANES."""
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    said = {"Serial_Number": "NEO1C15110135", "Acceleration_Scale": None, "Acceleration_Max": None}
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        with archive.open("activity.bin", "w") as activity:
            for chunk in regroup(chunks, 2):
                counts = np.clip(np.rint(chunk * 341), -2048, 2047).astype(np.int64)
                odd = len(counts) % 2
                packed = pack_12_bit(np.concatenate((counts, counts[:odd])))
                activity.write(packed[: len(packed) - 4 * odd].tobytes())
        archive.writestr("lux.bin", bytes(100))
        archive.writestr("info.txt", gt3x_info(start, rate_hz, **{**said, **info}))


# GENEActiv -----------------------------------------------------------------------------------

GAIN = (25548, 25734, 25875)
OFFSET = (574, -662, -3056)
_HEX = np.frombuffer(b"".join(b"%03X" % value for value in range(4096)), np.uint8).reshape(-1, 3)


def bin_header(rate_hz: float, pages: int, *, location: str = "", gain: object = GAIN[0]) -> str:
    return "\r\n".join(
        [
            "Device Identity", "Device Unique Serial Code:012345", "Device Type:GENEActiv",
            "Device Model:1.2", "Device Firmware Version:Ver5.01", "", "Device Capabilities",
            "Accelerometer Range:-8 to 8", "Accelerometer Units:g", "", "Configuration Info",
            f"Measurement Frequency:{rate_hz:g} Hz", "Start Time:2026-03-01 22:30:00:000", "",
            "Subject Info", f"Device Location Code:{location}", "", "Calibration Data",
            f"x gain:{gain}", f"x offset:{OFFSET[0]}", f"y gain:{GAIN[1]}",
            f"y offset:{OFFSET[1]}", f"z gain:{GAIN[2]}", f"z offset:{OFFSET[2]}", "Volts:300",
            "Lux:800", "", "Memory Status", f"Number of Pages:{pages}", "", "",
        ]
    )  # fmt: skip


def write_bin(
    path: Path,
    chunks: Chunks,
    *,
    rate_hz: float = 100.0,
    true_rate_hz: float | None = None,
    start: datetime = START,
    pages: int = 0,
    location: str = "",
    line_end: str = "\r\n",
) -> None:
    """Write a .bin file; `pages` is the number that the header declares."""
    true_rate_hz = true_rate_hz or rate_hz
    number = samples = 0
    with path.open("wb") as file:
        header = bin_header(rate_hz, pages, location=location)
        file.write(header.replace("\r\n", line_end).encode())
        for chunk in regroup(chunks, 300):
            raw = np.rint((chunk * GAIN + OFFSET) / 100).astype(np.int64)
            raw = np.clip(raw, -2048, 2047) & 0xFFF
            digits = np.full((len(raw), 12), ord("0"), np.uint8)
            for axis in range(3):
                digits[:, 3 * axis : 3 * axis + 3] = _HEX[raw[:, axis]]
            for at in range(0, len(digits), 300):
                page = digits[at : at + 300].tobytes()
                milliseconds = round((samples + at) / true_rate_hz * 1000)
                when = start + timedelta(milliseconds=milliseconds)
                text = (
                    "Recorded Data\nDevice Unique Serial Code:012345\n"
                    f"Sequence Number:{number}\n"
                    f"Page Time:{when:%Y-%m-%d %H:%M:%S}:{when.microsecond // 1000:03d}\n"
                    "Unassigned:\nTemperature:21.5\nBattery voltage:4.1493\n"
                    f"Device Status:Recording\nMeasurement Frequency:{rate_hz:.1f}\n"
                )
                file.write(text.replace("\n", line_end).encode() + page + line_end.encode())
                number += 1
            samples += len(chunk)
