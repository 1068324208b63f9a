"""What the speed benchmark runs rlsmove beside, each as its own users would call it.

Every function takes a recording of one ankle and does its work; what it returns is not looked at
but for a count that shows the work was done.
"""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def actfast_decode(path: str) -> int:
    """Read all samples with actfast."""
    import actfast

    series = actfast.read(path)["timeseries"]
    part = series.get("high_frequency") or series["acceleration"]
    return len(part["acceleration"])


def skdh_decode(path: str) -> int:
    """Read all samples with scikit-digital-health."""
    from skdh.io import ReadBin, ReadCwa

    reader = {".cwa": ReadCwa, ".bin": ReadBin}[Path(path).suffix]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(reader().predict(file=path)["accel"])


def rlsmove_decode(path: str) -> int:
    """Read all samples with rlsmove, block by block."""
    from rlsmove.devices import open_recording

    return sum(len(block.time_s) for block in open_recording(path).blocks())


def script_decode(path: str) -> int:
    """Read all samples with a script of numpy calls."""
    return len(script_samples(path)[0])


def skdh_night(path: str) -> int:
    """Read, calibrate, find non-wear and sleep: the pipeline of scikit-digital-health."""
    from skdh import Pipeline
    from skdh.io import ReadCwa
    from skdh.preprocessing import (
        AccelThresholdWearDetection,
        CalibrateAccelerometer,
        GetDayWindowIndices,
    )
    from skdh.sleep import Sleep

    pipeline = Pipeline()
    pipeline.add(ReadCwa())
    pipeline.add(CalibrateAccelerometer())
    pipeline.add(AccelThresholdWearDetection())
    pipeline.add(GetDayWindowIndices(bases=[12], periods=[24]))
    pipeline.add(Sleep(day_window=(12, 24)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(pipeline.run(file=path)["Sleep"])


def script_night(path: str) -> int:
    """Read with actfast, filter, compare with a rolling median: the script that one would write.

    Band-pass of 0.5-10 Hz there and back, length of the vector, its mean over 0.1 s, a threshold
    of 4 times its median over five minutes and at least 15 mg; runs of 0.5 to 10 s count.
    """
    import actfast
    from scipy.ndimage import median_filter, uniform_filter1d
    from scipy.signal import butter, sosfiltfilt

    data = actfast.read(path)["timeseries"]["high_frequency"]
    acceleration = np.asarray(data["acceleration"], np.float64)
    time_s = np.asarray(data["datetime"], np.float64) / 1e9
    fs = (len(time_s) - 1) / (time_s[-1] - time_s[0])
    moved = sosfiltfilt(butter(2, [0.5, 10.0], "band", fs=fs, output="sos"), acceleration, axis=0)
    strength = uniform_filter1d(np.linalg.norm(moved, axis=1), round(0.1 * fs))
    per_second = strength[: len(strength) // round(fs) * round(fs)].reshape(-1, round(fs))
    floor = np.repeat(median_filter(np.median(per_second, axis=1), 301), round(fs))
    above = np.zeros(len(strength) + 2, np.int8)
    above[1 : len(floor) + 1] = strength[: len(floor)] > np.maximum(4.0 * floor, 0.015)
    edges = np.diff(above)
    length_s = (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)) / fs
    return int(((length_s >= 0.5) & (length_s <= 10.0)).sum())


Samples = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]


def script_samples(path: str) -> Samples:
    """Acceleration (n, 3) in g and time (n,) in s, as a script of numpy calls has them."""
    decode = {".cwa": _script_cwa, ".gt3x": _script_gt3x, ".bin": _script_bin}
    return decode[Path(path).suffix](path)


def _script_cwa(path: str) -> Samples:
    """Packed .cwa blocks, all at once."""
    sectors = np.fromfile(path, np.uint8)[1024:].reshape(-1, 512)
    stamp = sectors[:, 14:18].copy().view("<u4")[:, 0].astype(np.int64)
    fraction = (sectors[:, 4:6].copy().view("<u2")[:, 0] & 0x7FFF) / 32768
    day = (stamp >> 17 & 31) + 31 * (stamp >> 22 & 15) + 372 * (stamp >> 26)
    start_s = 86400 * day + 3600 * (stamp >> 12 & 31) + 60 * (stamp >> 6 & 63) + (stamp & 63)
    start_s = start_s + fraction
    words = sectors[:, 30:510].copy().view("<u4").astype(np.int64)
    axes = np.stack([words << 54 >> 54, words << 44 >> 54, words << 34 >> 54], axis=-1)
    acceleration = (axes << (words >> 30)[..., None]).reshape(-1, 3) / 256
    sample = np.arange(words.size)
    return acceleration, np.interp(sample, np.arange(len(start_s)) * words.shape[1], start_s)


def _script_gt3x(path: str) -> Samples:
    """12-bit records of a .gt3x log, a second at a time."""
    with zipfile.ZipFile(path) as archive:
        log = archive.read("log.bin")
    seconds, times = [], []
    at = 0
    while at + 9 <= len(log):
        kind, size = log[at + 1], int.from_bytes(log[at + 6 : at + 8], "little")
        if kind == 0 and size:
            body = np.frombuffer(log, np.uint8, size, at + 8).astype(np.int16).reshape(-1, 3)
            pairs = np.stack(
                [body[:, 0] << 4 | body[:, 1] >> 4, (body[:, 1] & 15) << 8 | body[:, 2]], axis=1
            )
            seconds.append((pairs.reshape(-1, 3) << 4 >> 4)[:, [1, 0, 2]] / 256)
            times.append(int.from_bytes(log[at + 2 : at + 6], "little"))
        at += 9 + size
    acceleration = np.concatenate(seconds)
    per_second = len(seconds[0])
    return acceleration, np.repeat(np.array(times, float), per_second)


def _script_bin(path: str) -> Samples:
    """Pages of a .bin file, line by line."""
    found: dict[str, float] = {}
    pages = []
    with open(path, encoding="latin-1") as file:
        for line in file:
            if line[2:6] in ("gain", "offs"):
                found[line[:6]] = float(line.split(":")[1])
            elif len(line) > 3000:
                digits = bytes.fromhex(line.strip())
                packed = np.frombuffer(digits, np.uint8).reshape(-1, 6).astype(np.int16)
                x = packed[:, 0] << 4 | packed[:, 1] >> 4
                y = (packed[:, 1] & 15) << 8 | packed[:, 2]
                z = packed[:, 3] << 4 | packed[:, 4] >> 4
                pages.append(np.stack([x, y, z], axis=1) << 4 >> 4)
    gain, offset = ([found[f"{axis} {name}"] for axis in "xyz"] for name in ("gain", "offs"))
    acceleration = (np.concatenate(pages) * 100.0 - offset) / gain
    return acceleration, np.arange(len(acceleration)) / 100.0
