"""Exports of programs and devices as tables of text: what each one's columns are called and mean.

Most of it the general rules find by themselves, from the names and the numbers; a layout says what
these cannot: whose export it is, a unit that is not written down, a counter that starts anew, that
gravity was taken out and which export has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One kind of export.

    Attributes
    ----------
    device : str
        Program or device, as results name it.
    export : str
        How to export for this purpose: which file, which setting.
    columns : tuple of str
        Patterns of names, small, with their units or without: each must fit a column.
    before : str
        Pattern of what stands before the table; empty where nothing needs to.
    axes : tuple of str
        Names of the columns of acceleration with ``?`` for x, y, z; of several, the sum. Empty
        where the general rules find them.
    unit : str
        As `told.Told.unit`, where the export does not say it; ``numbers`` where what it says may
        be wrong.
    wraps_at : int
        Value at which its counter of time starts anew; 0 for never.
    without_gravity : str
        What it is that gravity was taken out of; empty where it is all there.
    """

    device: str
    export: str
    columns: tuple[str, ...] = ()
    before: str = ""
    axes: tuple[str, ...] = ()
    unit: str = ""
    wraps_at: int = 0
    without_gravity: str = ""


#: Empatica's ACC.csv has no names: a row of the start in UTC, a row of the rate, then counts.
EMPATICA_E4 = Layout("Empatica E4", "ACC.csv of a session's zip file from E4 connect", unit="64")

LAYOUTS = (
    Layout(
        "Sensor Logger (watch)",
        "zip of CSV files with Wrist Motion: gravity and acceleration are added up",
        ("gravityx", "gravityy", "gravityz", "accelerationx", "accelerationy", "accelerationz"),
        axes=("gravity?", "acceleration?"),
        unit="g",
    ),
    Layout(
        "Sensor Logger",
        "zip of CSV files with Total Acceleration or Accelerometer (uncalibrated); Accelerometer "
        "alone lacks gravity",
        ("time", "seconds_elapsed", "x", "y", "z"),
    ),
    Layout(
        "phyphox",
        "the experiment Acceleration (with g), zip of CSV files; its meta/time.csv dates it",
        ("time", "acceleration x", "acceleration y", "acceleration z"),
    ),
    Layout(
        "phyphox",
        "",
        ("time", "linear acceleration x"),
        without_gravity="linear acceleration",
    ),
    Layout(
        "SensorLog",
        "CSV with Accelerometer, time stamps of each sample; user acceleration lacks gravity",
        (r"loggingtime.*|date|timestamp", r"accelerometeraccelerationx|accelerationx"),
    ),
    Layout(
        "Physics Toolbox",
        "G-Force Meter, not Linear Accelerometer; rows have no date, so give --start",
        ("time", "gfx", "gfy", "gfz"),
        unit="g",
    ),
    Layout(
        "AndroSensor",
        "CSV with Accelerometer and the date of each row",
        ("accelerometer x", r"time since start.*"),
    ),
    Layout(
        "MbientLab MetaMotion",
        "CSV of Accelerometer from MetaBase",
        (r"epoc", r"timestamp.*", "elapsed", "x-axis"),
    ),
    Layout(
        "Movella DOT",
        "a payload with Acceleration (Acc_X), such as Custom Mode 5; FreeAcc lacks gravity",
        ("sampletimefine", "acc_x"),
        axes=("acc_?",),
        unit="m/s2",
        wraps_at=1 << 32,
    ),
    Layout(
        "Movella DOT",
        "",
        ("sampletimefine", "freeacc_x"),
        without_gravity="free acceleration (FreeAcc)",
    ),
    Layout(
        "Shimmer",
        "CSV from Consensys with calibrated (CAL) Accel and Unix time stamps",
        (r"shimmer_.*timestamp.*", r"shimmer_.*accel.*x.*"),
    ),
    Layout(
        "Polar",
        "ACC file of Polar Sensor Logger; the sensor's own time stamp spaces the rows",
        ("phone timestamp", "sensor timestamp"),
        unit="mg",
    ),
    Layout(
        "OpenBCI",
        "OpenBCI-RAW text file of the GUI with the accelerometer on",
        (r"accel channel 0", r"accel channel 1", r"accel channel 2"),
        axes=("accel channel ?",),
        unit="g",
    ),
    Layout(
        "Garmin",
        "CSV from FitCSVTool, a row a sample, with calibrated_accel",
        (r"calibrated_accel_x",),
        axes=("calibrated_accel_?",),
    ),
    Layout(
        "mHealth",
        "*.sensor.csv of raw acceleration (Clinepidb, PAT, SPADES ...)",
        ("header_time_?stamp",),
        unit="numbers",
    ),
    Layout(
        "ActiGraph (ActiLife)",
        "Raw data export to CSV, with or without time stamps; .gt3x itself is better",
        before=r"Data File Created By ActiGraph",
    ),
    Layout(
        "GENEActiv",
        "raw (uncompressed) CSV of the GENEActiv program; .bin itself is better",
        before=r"Device Type\W+GENEActiv",
    ),
    Layout(
        "Axivity (OmGui)",
        "Resampled or raw CSV; .cwa itself is better",
        (r"time", r"accel-x", r"accel-y", r"accel-z"),
    ),
    Layout(
        "Bangle.js",
        "Acceleration Logger with the poll interval set to 40 ms or less (its own 80 ms is too "
        "slow)",
        (r"time \(ms\)", "x", "y", "z"),
    ),
)

#: What to do about a recording that gravity was taken out of.
WITH_GRAVITY = (
    "Export it with gravity: in Sensor Logger TotalAcceleration or AccelerometerUncalibrated, in "
    "phyphox Acceleration (with g), elsewhere the raw accelerometer rather than linear or user "
    "acceleration."
)


def find_layout(names: list[str], before: str) -> Layout | None:
    """Tell whose export a table is by its names and what stands before them; None for no known.

    Parameters
    ----------
    names : list of str
        Of the columns.
    before : str
        The text before the table.
    """
    small = [name.strip().lower() for name in names]
    plain = [*small, *(re.sub(r"[\[(].*", "", name).strip() for name in small)]
    for layout in LAYOUTS:
        if layout.before and not re.search(layout.before, before):
            continue
        if all(any(re.fullmatch(sign, name) for name in plain) for sign in layout.columns):
            return layout
    return None
