"""A recording of any device, written anew in the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from rlsmove.devices import open_recording, write_recording
from rlsmove.devices.csv import SIMULATED_COLUMN
from rlsmove.devices.recording import Recording
from rlsmove.devices.told import NOTHING_TOLD, Told
from rlsmove.errors import SettingError
from rlsmove.io.atomic_files import atomic_path
from rlsmove.records import Notice
from rlsmove.signal.sample_ticks import samples_on_ticks
from rlsmove.signal.survey import Survey, survey_recording

Progress = Callable[[float], None]

#: Suffixes of a recording's new file.
SUFFIXES = (".h5", ".hdf5", ".edf", ".csv", ".csv.gz")

#: Decimals of acceleration in CSV, in g: below the step of single precision at 1 g.
CSV_DECIMALS = 7

#: Rates closer than this differ by rounding: a tenth of a sample in a day at 100 Hz.
SAME_RATE = 1e-8

#: How hard gzip tries: beyond it text takes three times as long for a tenth less.
_GZIP_LEVEL = 4


def export_recording(
    source: str | Path,
    target: str | Path,
    progress: Progress | None = None,
    *,
    told: Told = NOTHING_TOLD,
) -> list[Notice]:
    """Write a recording anew: project HDF5, EDF+ or CSV, by the target's suffix.

    HDF5 and EDF+ have no time for each sample: every sample goes, as it was recorded, to the
    nearest tick of a clock at the device's true mean rate (see `samples_on_ticks`). Missing
    stretches are rows of NaN in HDF5, the physical minimum with an annotation in EDF+ (see
    `edf_signals.write_edf`), and jumps in the time column of CSV. Nothing is calibrated or
    filtered.

    Parameters
    ----------
    source : str or Path
        A recording in any format that is read here.
    target : str or Path
        ``.h5`` or ``.hdf5``, ``.edf``, ``.csv`` or ``.csv.gz``. It appears whole or not at all.
    progress : callable, optional
        Called with the fraction done.
    told : Told
        What is said of the recording beside the file.

    Returns
    -------
    list of Notice
        What was found wrong with the recording, and what the new format cannot hold.

    Raises
    ------
    RecordingError
        The source cannot be read.
    SettingError
        The target's suffix is none of `SUFFIXES`.
    OutputError
        The target cannot be written.
    """
    target = Path(target)
    write = _writer(target)
    recording = open_recording(source, told)
    show = progress or (lambda fraction: None)
    survey = survey_recording(recording, lambda fraction: show(0.5 * fraction))
    write(recording, survey, target, lambda fraction: show(0.5 + 0.5 * fraction))
    return recording.notices


def _writer(target: Path) -> Callable[[Recording, Survey, Path, Progress], None]:
    name = target.name.lower()
    if name.endswith((".h5", ".hdf5")):
        return _write_hdf5
    if name.endswith(".edf"):
        return _write_edf
    if name.endswith((".csv", ".csv.gz")):
        return _write_csv
    raise SettingError(
        target,
        f"the suffix '{target.suffix}' names no format of recordings",
        expected="one of " + ", ".join(SUFFIXES),
    )


def _rate_hz(recording: Recording, survey: Survey) -> float:
    """The true mean rate; that of the settings where they agree, or where it cannot be told."""
    rate_hz = survey.true_rate_hz
    told = np.isfinite(rate_hz) and rate_hz > 0
    if not told or abs(rate_hz / recording.sample_rate_hz - 1) < SAME_RATE:
        return recording.sample_rate_hz
    return rate_hz


def _write_hdf5(recording: Recording, survey: Survey, target: Path, progress: Progress) -> None:
    rate_hz = _rate_hz(recording, survey)
    attributes: dict[str, str | int | float] = {"serial": recording.serial}
    if np.isfinite(recording.range_g):
        attributes["range_g"] = recording.range_g
    write_recording(
        target,
        samples_on_ticks(recording, rate_hz, progress),
        start_time=recording.start_time,
        sample_rate_hz=rate_hz,
        side=recording.side,
        placement=recording.placement,
        device=recording.device,
        time_zone=recording.time_zone,
        simulated=recording.simulated,
        attributes=attributes,
    )


def _write_edf(recording: Recording, survey: Survey, target: Path, progress: Progress) -> None:
    from rlsmove.io.edf_signals import EdfClock, write_edf

    clock = EdfClock.closest(_rate_hz(recording, survey))
    peak_g = max(float(np.max(survey.high_g)), -float(np.min(survey.low_g)))
    with atomic_path(target) as partial:
        write_edf(
            partial,
            samples_on_ticks(recording, clock.tick_hz, progress),
            clock=clock,
            end_s=survey.end_s,
            gaps_s=np.stack([survey.gap_start_s, survey.gap_end_s], axis=1),
            start_time=recording.start_time,
            largest_g=float(np.fmax(recording.range_g, peak_g)),
            equipment=f"{recording.device} {recording.serial}",
            simulated=recording.simulated,
            sensor=f"{recording.device} {recording.serial}, {recording.side} {recording.placement}",
        )


def _write_csv(recording: Recording, survey: Survey, target: Path, progress: Progress) -> None:
    """Columns time, x, y, z, and one that marks simulated data.

    Times in ISO 8601 to the microsecond, with the offset where it is known.
    """
    from io import TextIOWrapper

    start = np.datetime64(recording.start_time.replace(tzinfo=None), "us")
    zone = recording.start_time.isoformat()[len(start.item().isoformat()) :]
    marked = recording.simulated
    row = f"%s{zone}" + f",%.{CSV_DECIMALS}f" * 3 + ",1" * marked
    with atomic_path(target) as partial, partial.open("wb") as file:
        binary = _compressed(file) if target.suffix.lower() == ".gz" else file
        with TextIOWrapper(binary, "ascii", newline="\n") as text:
            text.write(f"time,x,y,z,{SIMULATED_COLUMN}\n" if marked else "time,x,y,z\n")
            for block in recording.blocks():
                since = np.round(1e6 * block.time_s).astype("timedelta64[us]")
                times = np.datetime_as_string(start + since).tolist()
                values = block.acceleration.astype(np.float64).T.tolist()
                text.write("\n".join(map(row.__mod__, zip(times, *values, strict=True))) + "\n")
                progress(recording.fraction_read)


def _compressed(file: BinaryIO) -> BinaryIO:
    import gzip

    # Neither a name nor a time in the header: the same recording gives the same bytes.
    return cast(BinaryIO, gzip.GzipFile("", "wb", _GZIP_LEVEL, fileobj=file, mtime=0))
