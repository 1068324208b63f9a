"""Time and memory of rlsmove beside other readers and pipelines, on recordings made for it.

``python -m benchmarks speed`` simulates a night, writes it in each device's format, runs everything
side by side, each in a process of its own, and writes the tables into ``docs/benchmarks-speed.md``
and the picture beside it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pages import DOCS, write_tables
from rlsmove._processors import n_processors
from rlsmove.simulate import NightParameters, simulate_night

ROOT = Path(__file__).parent.parent
PICTURE = DOCS / "pictures" / "speed.svg"

SEED = 7
FS = 100.0
#: Each measurement is the best of so many.
REPEATS = 3
#: Nights of the longest recording, and of those on the way to it.
LONGEST_NIGHTS = 14
GROWTH_NIGHTS = (1, 2, 4, 7, 14)
GROWTH_RATES_HZ = (30, 60, 100)

#: Time for the process that helps a first run with compiling to end.
SETTLE_S = 3.0

Signal = list[NDArray[np.float32]]

RLSMOVE = "from rlsmove.cli import main; main()"

#: Run in each process: its last line of errors tells its largest memory. What the system tells the
#: parent of its children (``ru_maxrss``) is never less than what the parent itself holds.
TELL_PEAK = """
import atexit, sys
def tell_peak():
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
atexit.register(tell_peak)
"""

#: Where the maker's program puts what on the 59 lines of a .bin file's header. Readers that count
#: lines need it so.
BIN_HEADER_LINES = 59
BIN_HEADER = {
    "Device Identity": 1, "Device Unique Serial Code": 2, "Device Type": 3, "Device Model": 4,
    "Device Firmware Version": 5, "Device Capabilities": 8, "Accelerometer Range": 9,
    "Accelerometer Units": 11, "Configuration Info": 19, "Measurement Frequency": 20,
    "Start Time": 22, "Time Zone": 23, "Subject Info": 37, "Device Location Code": 38,
    "Calibration Data": 47, "x gain": 48, "x offset": 49, "y gain": 50, "y offset": 51,
    "z gain": 52, "z offset": 53, "Volts": 54, "Lux": 55, "Memory Status": 57,
    "Number of Pages": 58,
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What one process took.

    Attributes
    ----------
    wall_s : float
        From its start to its end.
    told : Any
        What it printed last, read as JSON; None where that is none.
    peak_mib : float
        Its largest resident memory, without that of processes it started.
    """

    wall_s: float
    told: Any
    peak_mib: float


def python(code: str, *arguments: str | Path, repeats: int = REPEATS, **environment: str) -> Run:
    """Run Python code so many times, each in a process of its own; the quickest counts."""
    command = [sys.executable, "-c", TELL_PEAK + textwrap.dedent(code), *map(str, arguments)]
    return min((_run_once(command, environment) for _ in range(repeats)), key=lambda r: r.wall_s)


def _run_once(command: Sequence[str], environment: dict[str, str]) -> Run:
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    wall_s = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{command[2:]}: {done.stderr[-2000:]}")
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        told = None
    return Run(wall_s, told, int(done.stderr.splitlines()[-1]) / 1024)


def rlsmove(*arguments: str | Path, repeats: int = REPEATS, **environment: str) -> Run:
    """Run the command line in a process of its own."""
    return python(RLSMOVE, *arguments, repeats=repeats, **environment)


# Recordings -----------------------------------------------------------------------------------


def night_signal(hours: float, fs: float, side: str) -> Signal:
    """Acceleration of one simulated leg, in blocks, without gaps."""
    night = simulate_night(replace(NightParameters(), hours=hours, fs=fs), SEED)
    # A device without a reading repeats the last one; the formats know no missing sample.
    return [np.nan_to_num(block, nan=0.577) for block in night.blocks(side)]


def write_formats(folder: Path, hours: float) -> dict[str, Path]:
    """Write one night of each leg in each format; the left leg's files by format."""
    writers = _writers()
    files = {}
    for side in ("left", "right"):
        signal = night_signal(hours, FS, side)
        pages = sum(map(len, signal)) // 300
        writers.write_cwa(folder / f"{side}.cwa", signal)
        writers.write_gt3x(folder / f"{side}.gt3x", signal)
        writers.write_bin(folder / f"{side}.bin", signal, pages=pages)
        _spread_header(folder / f"{side}.bin")
        if side == "left":
            files = {suffix: folder / f"left.{suffix}" for suffix in ("cwa", "gt3x", "bin")}
    return files


def _spread_header(path: Path) -> None:
    content = path.read_bytes()
    at = content.index(b"Recorded Data")
    lines = [""] * BIN_HEADER_LINES
    for line in [*content[:at].decode().splitlines(), "Time Zone:GMT +00:00"]:
        if line:
            lines[BIN_HEADER[line.split(":")[0]] - 1] = line
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode() + content[at:])


def _writers() -> Any:
    """The writers of device files that the tests use."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        return importlib.import_module("device_files")
    finally:
        sys.path.pop(0)


# Measurements ---------------------------------------------------------------------------------


def decoding(files: dict[str, Path]) -> Iterator[list[str]]:
    """All samples of a night, by each reader: rows of a table."""
    readers = {
        "rlsmove": "rlsmove_decode",
        "actfast": "actfast_decode",
        "scikit-digital-health": "skdh_decode",
        "numpy script": "script_decode",
    }
    code = """
        import json, sys, time
        from benchmarks.speed_peers import {0} as decode
        took = []
        for _ in range(4):
            began = time.perf_counter()
            n = decode(sys.argv[1])
            took.append(time.perf_counter() - began)
        print(json.dumps([n, min(took)]))
    """
    for format_, path in files.items():
        cells = [f".{format_}"]
        for name, function in readers.items():
            if name == "scikit-digital-health" and format_ == "gt3x":
                cells.append("not read")
                continue
            one = python(code.format(function), path, repeats=1)
            n, best_s = one.told
            cells.append(f"{best_s:.3f} s, {n / best_s / 1e6:.0f} M/s, {one.peak_mib:.0f} MiB")
        yield cells


def whole_night(path: Path, out: Path) -> dict[str, Run]:
    """One night of one leg, from a file to results, by each pipeline."""
    peer = "import sys; from benchmarks.speed_peers import {0} as night; night(sys.argv[1])"
    return {
        "rlsmove night": rlsmove("night", path, "--out", out),
        "scikit-digital-health: read, calibrate, non-wear, sleep": python(
            peer.format("skdh_night"), path
        ),
        "script: actfast, scipy filter, rolling median": python(peer.format("script_night"), path),
    }


def stages(path: Path) -> dict[str, float]:
    """Seconds of each stage of a warm night, as one process spends them."""
    code = """
        import json, sys, time
        clock = time.perf_counter
        parts, last = {}, clock()
        def part(name):
            global last
            now = clock(); parts[name] = now - last; last = now
        import numpy; part("import numpy")
        import numba; part("import numba")
        from datetime import date; from pathlib import Path; import tempfile
        from rlsmove._jit import load_kernels
        from rlsmove.night.analysis import analyse_night
        from rlsmove.night.opened_leg import open_leg
        from rlsmove.results.night_files import write_night_result
        import rlsmove.devices.axivity; part("import rlsmove")
        load_kernels(); part("load compiled kernels")
        leg = open_leg(sys.argv[1]); part("first reading: coverage, calibration, wear, digest")
        result = analyse_night([leg], leg.nights[0].evening)
        part("second reading, on the common clock"); part("find and score movements")
        with tempfile.TemporaryDirectory() as folder:
            write_night_result(result, Path(folder), None)
        part("write the results")
        # The second reading by itself, to tell it from what follows it.
        from rlsmove.signal.nights import read_night
        leg = open_leg(sys.argv[1]); last = clock()
        read_night(leg.reader, leg.nights[0], leg.calibration)
        reading = clock() - last
        parts["find and score movements"] += parts["second reading, on the common clock"] - reading
        parts["second reading, on the common clock"] = reading
        print(json.dumps(parts))
    """
    best = min((python(code, path, repeats=1) for _ in range(REPEATS)), key=lambda r: r.wall_s)
    parts: dict[str, float] = best.told
    return parts


def start_up(path: Path, folder: Path) -> list[list[str]]:
    """Whole processes with a cold and with a warm cache of compiled kernels."""
    cold = []
    for number in range(2):
        cache = folder / f"cache{number}"
        cold.append(
            rlsmove("night", path, "--out", folder / "o", repeats=1, NUMBA_CACHE_DIR=str(cache))
        )
        time.sleep(SETTLE_S)
    warm = rlsmove("night", path, "--out", folder / "o", NUMBA_CACHE_DIR=str(cache))
    return [
        ["first run ever: kernels compiled", f"{min(one.wall_s for one in cold):.2f} s"],
        ["any later run: kernels loaded", f"{warm.wall_s:.2f} s"],
        ["`rlsmove --help`", f"{rlsmove('--help').wall_s:.2f} s"],
    ]


def kernels(folder: Path) -> list[list[str]]:
    """Processor time to compile, and to load, each kernel of a night."""
    code = """
        import json, time
        import rlsmove.devices.axivity, rlsmove.night.analysis
        from rlsmove._jit import Kernel, kernel
        # What numba does once, for whatever comes first, is no kernel's own.
        kernel("float64(float64)")(lambda x: x).load()
        took = []
        for one in filter(lambda one: one.signature, Kernel.every[:-1]):
            began = time.process_time()
            one.load()
            took.append([one.__module__.split(".")[1], one.__name__, time.process_time() - began])
        print(json.dumps(took))
    """
    cache = str(folder / "kernels")
    cold, warm = (python(code, repeats=1, NUMBA_CACHE_DIR=cache).told for _ in range(2))
    rows = [
        [f"{name} ({stage})", f"{compiled_s:.2f} s", f"{1000 * loaded_s:.0f} ms"]
        for (stage, name, compiled_s), (_, _, loaded_s) in zip(cold, warm, strict=True)
    ]
    totals = [sum(s for _, _, s in took) for took in (cold, warm)]
    return [*rows, ["all", f"{totals[0]:.2f} s", f"{1000 * totals[1]:.0f} ms"]]


def batch_rate(folder: Path, nights: int) -> tuple[Run, int]:
    """A batch of two-leg nights, and how many processors it had."""
    cohort = folder / "cohort"
    cohort.mkdir()
    for number in range(nights):
        for side in ("left", "right"):
            os.link(folder / f"{side}.cwa", cohort / f"n{number:03d}_{side}.cwa")
    cores = n_processors()
    return rlsmove("batch", cohort, "--out", folder / "derived", repeats=1), cores


def growth(folder: Path, hours: float) -> tuple[list[list[float]], list[list[float]]]:
    """How time and memory grow with nights (.cwa), and with the rate (.gt3x)."""
    writers = _writers()
    day = night_signal(24.0 if hours >= 10 else hours, FS, "left")
    by_night = []
    for nights in GROWTH_NIGHTS:
        path = folder / "long.cwa"
        writers.write_cwa(path, (block for _ in range(nights) for block in day))
        one = rlsmove("night", path, "--out", folder / "long", repeats=2)
        by_night.append([nights, one.wall_s, one.peak_mib])
    by_rate = []
    for rate_hz in GROWTH_RATES_HZ:
        path = folder / "rate.gt3x"
        writers.write_gt3x(path, night_signal(hours, float(rate_hz), "left"), rate_hz=rate_hz)
        one = rlsmove("night", path, "--out", folder / "rate")
        by_rate.append([rate_hz, one.wall_s, one.peak_mib])
    return by_night, by_rate


# The page -------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay out a table in Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def machine() -> str:
    """What all this ran on."""
    processor = platform.processor() or platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    names = ("rlsmove", "numpy", "scipy", "numba", "h5py", "actfast", "scikit-digital-health")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    load = os.getloadavg()[0]
    return (
        f"{processor}, {n_processors()} cores, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}; {versions}. "
        f"Load of the machine before: {load:.1f}."
    )


def measure(hours: float, batch_nights: int) -> tuple[str, dict[str, Any]]:
    """Run everything; the tables, and the numbers of the picture."""
    lines = [f"On {machine()}", ""]
    with tempfile.TemporaryDirectory(prefix="rlsmove-speed-") as name:
        folder = Path(name)
        files = write_formats(folder, hours)
        rlsmove("night", files["cwa"], "--out", folder / "o", repeats=1)
        time.sleep(SETTLE_S)
        lines += [
            f"Decoding {hours:g} h at {FS:g} Hz, one leg, the file in the system's cache, the best "
            "of 4 in one process; peak memory of the process:",
            "",
            *table(
                ["format", "rlsmove", "actfast", "scikit-digital-health", "numpy script"],
                decoding(files),
            ),
        ]
        nights = whole_night(files["cwa"], folder / "o")
        lines += [
            f"One leg, {hours:g} h at {FS:g} Hz from .cwa, whole process, best of {REPEATS}:",
            "",
            *table(
                ["", "wall time", "peak memory"],
                (
                    [name, f"{one.wall_s:.2f} s", f"{one.peak_mib:.0f} MiB"]
                    for name, one in nights.items()
                ),
            ),
        ]
        parts = stages(files["cwa"])
        lines += [
            "The same night by stage, kernels compiled before:",
            "",
            *table(["stage", "time"], ([name, f"{s:.3f} s"] for name, s in parts.items())),
            "Start-up:",
            "",
            *table(["whole process", "wall time"], start_up(files["cwa"], folder)),
        ]
        lines += [
            "Compiling and loading in one process, by processor time (a file calls the decoders of "
            "its own format alone):",
            "",
            *table(["kernel (stage)", "compiled", "loaded"], kernels(folder)),
        ]
        batch, cores = batch_rate(folder, batch_nights)
        per_hour = 3600 * batch_nights / batch.wall_s
        lines += [
            f"A batch of {batch_nights} such nights, both legs, all outputs, {cores} workers: "
            f"{batch.wall_s:.1f} s in all, **{per_hour:.0f} nights per hour, "
            f"{per_hour / cores:.0f} per hour and core**.",
            "",
        ]
        by_night, by_rate = growth(folder, hours)
    lines += [
        "How it grows:",
        "",
        *table(
            ["one leg, .cwa, 100 Hz", "wall time", "peak memory"],
            ([f"{n:g} days", f"{s:.2f} s", f"{mib:.0f} MiB"] for n, s, mib in by_night),
        ),
        *table(
            [f"one leg, .gt3x, {hours:g} h", "wall time", "peak memory"],
            ([f"{hz:g} Hz", f"{s:.2f} s", f"{mib:.0f} MiB"] for hz, s, mib in by_rate),
        ),
    ]
    return "\n".join(lines).rstrip(), {"nights": nights, "parts": parts, "by_night": by_night}


def draw(numbers: dict[str, Any]) -> None:
    """Draw the whole night side by side, its stages, and the growth with nights."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "rlsmove", "svg.fonttype": "none", "font.size": 9})
    plt.rcParams["font.sans-serif"] = ["Arial", "Helvetica", "DejaVu Sans"]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    figure.suptitle("Recordings made of simulated data")
    names = ["rlsmove", "scikit-\ndigital-health", "script"]
    left.bar(names, [one.wall_s for one in numbers["nights"].values()], color="#0072b2")
    left.set_title("one night of one leg, whole process")
    left.set_ylabel("seconds")
    parts = numbers["parts"]
    middle.barh([name.split(":")[0] for name in parts], list(parts.values()), color="#0072b2")
    middle.invert_yaxis()
    middle.set_title("stages of a warm night")
    middle.set_xlabel("seconds")
    days, seconds, mib = zip(*numbers["by_night"], strict=True)
    right.plot(days, seconds, "o-", color="#0072b2", label="seconds")
    right.set_title("days in one recording at 100 Hz")
    right.set_xlabel("days")
    right.set_xticks(days)
    right.set_ylabel("seconds (dots)")
    memory = right.twinx()
    memory.plot(days, mib, "s--", color="#d55e00")
    memory.set_ylabel("MiB at the peak (squares)")
    memory.set_ylim(0, 1.1 * max(mib))
    right.set_ylim(0, None)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark and write its page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed", description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0, help="length of the night")
    parser.add_argument("--batch-nights", type=int, default=100, help="nights of the batch")
    parser.add_argument("--print", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args(arguments)
    text, numbers = measure(options.hours, options.batch_nights)
    print(text)
    if not options.print:
        write_tables("speed", text)
        draw(numbers)
