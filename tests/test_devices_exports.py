"""Exports of programs and devices: each layout read for what it is, or refused with the way out."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from device_files import worn
from hypothesis import given, settings
from hypothesis import strategies as st
from real_recordings import codes, read

from rlsmove.devices import Told, open_recording
from rlsmove.devices import csv as csv_module
from rlsmove.devices.export_layouts import EMPATICA_E4, LAYOUTS
from rlsmove.errors import RecordingError, RlsmoveError, SettingError, UnsuitableSignal

FS = 25
SIGNAL = np.round(worn(60, FS), 4)
START = datetime(2026, 3, 1, 22, 30)
ELAPSED_MS = np.arange(len(SIGNAL)) * 1000 // FS
TIMES = [START + timedelta(milliseconds=int(ms)) for ms in ELAPSED_MS]
EPOCH_MS = [int(time.replace(tzinfo=UTC).timestamp() * 1000) for time in TIMES]
EAST = timezone(timedelta(hours=1))
WEST = timezone(timedelta(hours=-5))
MS2 = 9.80665

Row = Callable[[int, list[str]], list[str]]


def numbers(scale: float = 1.0, digits: int = 5) -> list[list[str]]:
    return [[f"{value:.{digits}f}" for value in row] for row in SIGNAL * scale]


def rows(head: str, times: list[str], cells: list[list[str]], delimiter: str = ",") -> str:
    lines = [delimiter.join([time, *row]) for time, row in zip(times, cells, strict=True)]
    return head + "\n".join(lines) + "\n"


def iso(form: str = "%Y-%m-%d %H:%M:%S.%f") -> list[str]:
    return [time.strftime(form)[:-3] if form.endswith("%f") else time.strftime(form)
            for time in TIMES]  # fmt: skip


def backwards(cells: list[list[str]]) -> list[list[str]]:
    return [row[::-1] for row in cells]


EPOCH_NS = [f"{ms}000000" for ms in EPOCH_MS]
SECONDS = [f"{ms / 1000:.4f}" for ms in ELAPSED_MS]

#: Of each export its text, its start (None without a date), and its device.
EXPORTS: dict[str, tuple[str, datetime | None, str]] = {
    "Sensor Logger": (
        rows("time,seconds_elapsed,z,y,x\n", list(map(",".join, zip(EPOCH_NS, SECONDS))),  # noqa: B905
             backwards(numbers(MS2))),
        START.replace(tzinfo=UTC), "Sensor Logger",
    ),
    "phyphox": (
        rows('"Time (s)","Acceleration x (m/s^2)","Acceleration y (m/s^2)",'
             '"Acceleration z (m/s^2)","Absolute acceleration (m/s^2)"\n',
             [f"{float(s):.9E}" for s in SECONDS], [[*row, "9.8E0"] for row in numbers(MS2)]),
        None, "phyphox",
    ),
    "SensorLog": (
        rows("loggingTime(txt),accelerometerAccelerationX(G),accelerometerAccelerationY(G),"
             "accelerometerAccelerationZ(G),motionUserAccelerationX(G),"
             "motionUserAccelerationY(G),motionUserAccelerationZ(G)\n",
             [f"{time}+01:00" for time in iso("%Y-%m-%dT%H:%M:%S.%f")],
             [[*row, ".001", ".002", ".001"] for row in numbers()]),
        START.replace(tzinfo=EAST), "SensorLog",
    ),
    "Physics Toolbox": (
        rows("time,gFx,gFy,gFz,TgF\n", SECONDS, [[*row, "1.0"] for row in numbers()]),
        None, "Physics Toolbox",
    ),
    "AndroSensor": (
        rows("ACCELEROMETER X (m/s²);ACCELEROMETER Y (m/s²);ACCELEROMETER Z (m/s²);"
             "Time since start in ms ;YYYY-MO-DD HH-MI-SS_SSS\n",
             [row[0] for row in numbers(MS2)],
             [[*row[1:], str(ms), time] for row, ms, time in zip(  # noqa: B905
                 numbers(MS2), ELAPSED_MS.tolist(),
                 [time[:-4] + ":" + time[-3:] for time in iso()])], ";"),
        START, "AndroSensor",
    ),
    "MetaMotion": (
        rows("epoc (ms),timestamp (-0500),elapsed (s),x-axis (g),y-axis (g),z-axis (g)\n",
             [f"{ms + 5 * 3_600_000},{time},{s}" for ms, time, s in zip(  # noqa: B905
                 EPOCH_MS, iso("%Y-%m-%dT%H.%M.%S.%f"), SECONDS)], numbers()),
        START.replace(tzinfo=WEST), "MbientLab MetaMotion",
    ),
    "Movella DOT": (
        rows("sep=,\nDeviceTag:,ankle\nOutputRate:,25Hz\nStartTime:,2026-03-01_22-30-00-000\n\n"
             "PacketCounter,SampleTimeFine,Acc_X,Acc_Y,Acc_Z\n",
             [f"{i},{(4_290_000_000 + 1000 * ms) % 2**32}"
              for i, ms in enumerate(ELAPSED_MS.tolist())], numbers(MS2)),
        START, "Movella DOT",
    ),
    "Shimmer": (
        rows('"sep=,"\nShimmer_A_Timestamp_Unix_CAL,Shimmer_A_Accel_LN_X_CAL,'
             "Shimmer_A_Accel_LN_Y_CAL,Shimmer_A_Accel_LN_Z_CAL,\nms,m/(s^2),m/(s^2),m/(s^2),\n",
             [f"{ms}.0000" for ms in EPOCH_MS], [[*row, ""] for row in numbers(MS2)]),
        START.replace(tzinfo=UTC), "Shimmer",
    ),
    "Polar": (
        rows("Phone timestamp;sensor timestamp [ns];X [mg];Y [mg];Z [mg] \n",
             [f"{TIMES[i // 36 * 36].isoformat(timespec='milliseconds')};{6 * 10**17 + ms * 10**6}"
              for i, ms in enumerate(ELAPSED_MS.tolist())], numbers(1000, 2), ";"),
        START, "Polar",
    ),
    "OpenBCI": (
        rows("%OpenBCI Raw EXG Data\n%Sample Rate = 25 Hz\nSample Index, EXG Channel 0, "
             "Accel Channel 0, Accel Channel 1, Accel Channel 2, Timestamp\n",
             [str(i % 256) + ", 187500.2" for i in range(len(SIGNAL))],
             [[*row, f"{ms / 1000:.3f}"] for row, ms in zip(numbers(), EPOCH_MS)]),  # noqa: B905
        START.replace(tzinfo=UTC), "OpenBCI",
    ),
    "Garmin": (
        rows("timestamp (s),timestamp_ms (ms),accel_x (counts),accel_y (counts),accel_z (counts),"
             "calibrated_accel_x (g),calibrated_accel_y (g),calibrated_accel_z (g)\n",
             [f"{ms // 1000},{ms % 1000},12,13,14" for ms in EPOCH_MS], numbers()),
        START.replace(tzinfo=UTC), "Garmin",
    ),
    "mHealth, g for all that": (
        rows("HEADER_TIME_STAMP,X_ACCELERATION_METERS_PER_SECOND_SQUARED,"
             "Y_ACCELERATION_METERS_PER_SECOND_SQUARED,Z_ACCELERATION_METERS_PER_SECOND_SQUARED\n",
             iso(), numbers()),
        START, "mHealth",
    ),
    "OmGui": (
        rows("Time,Accel-X (g), Accel-Y (g), Accel-Z (g)\n", iso(), numbers()),
        START, "Axivity (OmGui)",
    ),
    "Apple Watch nights": (rows("", SECONDS, numbers(), " "), None, "CSV table"),
    "Excel's days": (
        rows("Time,X,Y,Z\n", [f"{46_082.9375 + ms / 86_400_000:.10f}" for ms in ELAPSED_MS],
             numbers()),
        START, "CSV table",
    ),
    "a watch's gravity beside the rest": (
        rows("time,gravityX,gravityY,gravityZ,accelerationX,accelerationY,accelerationZ\n",
             EPOCH_NS, [[*row, "0.00", "0.00", "0.00"] for row in numbers()]),
        START.replace(tzinfo=UTC), "Sensor Logger (watch)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_read_for_what_they_are(name: str, tmp_path: Path) -> None:
    text, start, device = EXPORTS[name]
    (tmp_path / "a").write_text(text, encoding="utf-8")
    recording, acceleration, time_s = read(tmp_path / "a")
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)
    np.testing.assert_allclose(time_s, ELAPSED_MS / 1000, atol=1e-3)
    assert recording.sample_rate_hz == FS
    assert recording.device == device
    assert recording.dated == (start is not None)
    if start is not None:
        assert abs(recording.start_time - start) < timedelta(milliseconds=1)
        assert recording.start_time.utcoffset() == start.utcoffset()
    taken = {entry.what for entry in recording.taken}
    assert {"time", "start", "unit", "axes"} <= taken


def test_empatica_counts(tmp_path: Path) -> None:
    counts = np.round(SIGNAL * 64).astype(int)
    lines = ["1772400600.0, 1772400600.0, 1772400600.0", "32.0, 32.0, 32.0"]
    lines += [",".join(map(str, row)) for row in counts.tolist()]
    (tmp_path / "ACC.csv").write_text("\n".join(lines))
    recording, acceleration, time_s = read(tmp_path / "ACC.csv")
    np.testing.assert_allclose(acceleration, counts / 64, atol=1e-6)
    np.testing.assert_allclose(time_s, np.arange(len(counts)) / 32, atol=1e-9)
    assert recording.start_time == datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    assert recording.device == "Empatica E4"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize(("delimiter", "decimal"), [
    (",", "."), (";", "."), (";", ","), ("\t", ","), ("|", "."), ("|", ","), (" ", "."), (" ", ","),
])  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_ways_of_writing(
    encoding: str, delimiter: str, decimal: str, line_end: str, tmp_path: Path
) -> None:
    head = delimiter.join(["Zeit", "X[m/s²]", "Y[m/s²]", "Z[m/s²]"]) + "\n"
    if delimiter == " ":
        head = head.replace("Zeit", "Datum Zeit")
    cells = [[cell.replace(".", decimal) for cell in row] for row in numbers(MS2)]
    text = rows(head, iso(), cells, delimiter).replace("\n", line_end)
    (tmp_path / "a").write_bytes(text.encode(encoding))
    recording, acceleration, _ = read(tmp_path / "a")
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)
    assert recording.start_time == START
    assert codes(recording) == set()


DATES = {
    "%d-%b-%Y %H:%M:%S.%f": {},
    "%b %d, %Y %H:%M:%S.%f": {},
    "%d. %m. %Y %H:%M:%S.%f": {},
    "%Y. %m. %d. %H:%M:%S.%f": {},
    "%Y%m%dT%H%M%S.%f": {},
    "%Y-%m-%d_%H-%M-%S.%f": {},
    "%d.%m.%y %H:%M:%S.%f": {},
    "%m/%d/%Y %I:%M:%S.%f %p": {"date_order": "mdy"},
    "%d/%m/%Y %H:%M:%S.%f": {"date_order": "dmy"},
    "%y-%m-%d %H:%M:%S.%f": {"date_order": "ymd"},
    "%m-%d-%y %H:%M:%S.%f": {"date_order": "mdy"},
}


@pytest.mark.parametrize("form", DATES)
def test_dates_of_any_form(form: str, tmp_path: Path) -> None:
    text = rows("time;x;y;z\n", [time.strftime(form) for time in TIMES], numbers(), ";")
    (tmp_path / "a").write_text(text)
    recording, _, _ = read(open_recording(tmp_path / "a", Told.parse(**DATES[form])))
    assert recording.start_time == START
    if DATES[form]:
        with pytest.raises(RecordingError, match="--date-order dmy or --date-order mdy"):
            open_recording(tmp_path / "a")


ACTILIFE = (
    "------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.3 Firmware v3.2.1 date "
    "format {order} at 25 Hz  Filter Normal -----------\nSerial Number: NEO1F00000000\n"
    "Start Time 22:30:00\nStart Date {date}\nEpoch Period (hh:mm:ss) 00:00:00\n"
    "Download Time 08:00:00\nDownload Date {date}\nCurrent Memory Address: 0\n"
    "Current Battery Voltage: 4.21     Mode = 12\n"
    "--------------------------------------------------\n"
)
ORDERS = {
    "M/d/yyyy": "3/1/2026", "MM/dd/yyyy": "03/01/2026", "MM/dd/yy": "03/01/26",
    "dd/MM/yyyy": "01/03/2026", "d.M.yyyy": "1.3.2026", "d. M. yyyy": "1. 3. 2026",
    "dd-MM-yyyy": "01-03-2026", "yyyy-MM-dd": "2026-03-01", "yyyy/MM/dd": "2026/03/01",
    "yyyy. MM. dd.": "2026. 03. 01.", "dd-MMM-yy": "01-Mar-26",
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("timed", [False, True])
def test_every_date_order_of_actilife(order: str, timed: bool, tmp_path: Path) -> None:
    date = ORDERS[order]
    head = ACTILIFE.format(order=order, date=date)
    lines = [",".join(row) for row in numbers()]
    if timed:
        head += "Timestamp,Accelerometer X,Accelerometer Y,Accelerometer Z\n"
        lines = [f"{date} {time:%H:%M:%S.%f},{line}" for time, line in zip(TIMES, lines)]  # noqa: B905
    (tmp_path / "a.csv").write_text(head + "\n".join(lines))
    recording, acceleration, _ = read(tmp_path / "a.csv")
    assert recording.start_time == START
    assert recording.device == "ActiGraph (ActiLife)"
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)


def over_midnight(form: str) -> list[str]:
    """Rows that lie further apart, so that they reach over midnight."""
    start = datetime(2026, 3, 1, 22, 30)
    return [(start + timedelta(seconds=i * 0.1)).strftime(form) for i in range(70_000)]


@pytest.mark.parametrize(("form", "day"), [("%d/%m/%Y", 1), ("%m/%d/%Y", 1)])
def test_midnight_settles_the_order_of_a_date(form: str, day: int, tmp_path: Path) -> None:
    times = over_midnight(f"{form} %H:%M:%S.%f")
    cells = [["0.1", f"0.{i % 7}", "0.98"] for i in range(len(times))]
    (tmp_path / "a.csv").write_text(rows("time,x,y,z\n", times, cells))
    assert open_recording(tmp_path / "a.csv").start_time == datetime(2026, 3, day, 22, 30)


def test_hours_from_1_to_12_are_settled_by_midnight(tmp_path: Path) -> None:
    times = over_midnight("%Y-%m-%d %I:%M:%S.%f")
    cells = [["0.1", f"0.{i % 7}", "0.98"] for i in range(len(times))]
    (tmp_path / "a.csv").write_text(rows("time,x,y,z\n", times, cells))
    recording, _, time_s = read(tmp_path / "a.csv")
    assert recording.start_time == START
    np.testing.assert_allclose(np.diff(time_s), 0.1, atol=1e-3)
    # Without a date nothing tells whether it is evening.
    (tmp_path / "b.csv").write_text(rows("time,x,y,z\n", [t[11:] for t in times], cells))
    with pytest.raises(RecordingError, match=r"nothing tells AM from PM.*--start"):
        open_recording(tmp_path / "b.csv")
    recording, _, time_s = read(
        open_recording(tmp_path / "b.csv", Told.parse(start="2026-03-01T22:30"))
    )
    assert recording.start_time == START
    np.testing.assert_allclose(np.diff(time_s), 0.1, atol=1e-3)


@pytest.mark.parametrize("size", [2000, 50_000, csv_module.BYTES_PER_READ])
@pytest.mark.parametrize(("leap_h", "at"), [(1, 400), (-1, 700)])
def test_a_wall_clock_that_changes_goes_on(
    leap_h: int, at: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = datetime(2026, 3, 29, 2) - timedelta(milliseconds=int(ELAPSED_MS[at]))
    times = [
        f"{first + timedelta(milliseconds=ms, hours=leap_h * (i >= at))}"[:23].ljust(23, "0")
        if (first + timedelta(milliseconds=ms)).microsecond
        else f"{first + timedelta(milliseconds=ms, hours=leap_h * (i >= at))}.000"
        for i, ms in enumerate(ELAPSED_MS.tolist())
    ]
    (tmp_path / "a.csv").write_text(rows("time,x,y,z\n", times, numbers()))
    monkeypatch.setattr(csv_module, "BYTES_PER_READ", size)
    recording, _, time_s = read(tmp_path / "a.csv")
    np.testing.assert_allclose(time_s, ELAPSED_MS / 1000, atol=1e-3)
    assert "wall_clock_change" in codes(recording)


@pytest.mark.parametrize("size", [3000, 100_000, csv_module.BYTES_PER_READ])
def test_rows_that_are_no_samples_are_gaps(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 4 * len(SIGNAL)
    values = np.tile(SIGNAL, (4, 1))
    cells = [[f"{value:.4f}" for value in row] for row in values]
    zeros, filled, idle = slice(500, 700), slice(1000, 1300), slice(2000, 3800)
    cells[zeros] = [["0", "0", "0"]] * 200
    cells[filled] = [["-999", "-999", "-999"]] * 300
    cells[idle] = [cells[1999]] * 1800
    short = slice(4200, 4800)  # half a minute of the same is rest
    cells[short] = [cells[4199]] * 600
    times = [f"{START + timedelta(milliseconds=40 * i)}" for i in range(n)]
    times = [time if "." in time else f"{time}.000" for time in times]
    (tmp_path / "a.csv").write_text(rows("time,x,y,z\n", times, cells))
    monkeypatch.setattr(csv_module, "BYTES_PER_READ", size)
    recording, acceleration, time_s = read(tmp_path / "a.csv")
    left = np.ones(n, np.bool_)
    for gap in (zeros, filled, idle):
        left[gap] = False
    np.testing.assert_allclose(time_s, np.flatnonzero(left) / FS, atol=1e-3)
    assert len(acceleration) == left.sum()
    (sentence,) = [n.sentence for n in recording.notices if n.code == "not_recorded"]
    assert "500 rows (20.0 s)" in sentence
    assert "1800 rows (72.0 s)" in sentence


def test_several_sources_are_named_and_one_is_read(tmp_path: Path) -> None:
    lines = ["time,device,x,y,z"]
    for time, row in zip(iso(), numbers(), strict=True):
        lines += [f"{time},A1,{','.join(row)}", f"{time},B2,0.5,0.5,0.7"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(UnsuitableSignal, match="several sources: A1, B2") as caught:
        open_recording(tmp_path / "a.csv")
    assert "--where 'device=A1'" in caught.value.options
    recording, acceleration, _ = read(
        open_recording(tmp_path / "a.csv", Told.parse(where="device=A1"))
    )
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)
    assert codes(recording) == {"unit"}
    with pytest.raises(SettingError, match="holds no 'C3'; expected one of 'A1', 'B2'"):
        open_recording(tmp_path / "a.csv", Told.parse(where="device=C3"))


def test_a_source_that_changes_on_the_way_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_module, "HEAD_BYTES", 20_000)
    lines = ["time,sensor,x,y,z"]
    for i, (time, row) in enumerate(zip(iso(), numbers(), strict=True)):
        lines.append(f"{time},{'left' if i < 1000 else 'right'},{','.join(row)}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(UnsuitableSignal, match="changes from 'left'"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("head", [
    "time,seconds_elapsed,z,y,x", "Time (s),Linear Acceleration x (m/s^2),"
    "Linear Acceleration y (m/s^2),Linear Acceleration z (m/s^2)",
    "SampleTimeFine,FreeAcc_X,FreeAcc_Y,FreeAcc_Z", "time,user_x,user_y,user_z",
])  # fmt: skip
def test_gravity_that_was_taken_out_is_said(head: str, tmp_path: Path) -> None:
    shake = np.random.default_rng(0).normal(scale=0.05, size=(1500, 3))
    stamps = [f"{ms},0" if "elapsed" in head else str(ms) for ms in EPOCH_MS]
    cells = [[f"{value:.5f}" for value in row] for row in shake]
    (tmp_path / "a.csv").write_text(rows(head + "\n", stamps, cells))
    with pytest.raises(UnsuitableSignal, match=r"gravity was taken out.*TotalAcceleration"):
        open_recording(tmp_path / "a.csv")


def test_columns_and_unit_that_are_told(tmp_path: Path) -> None:
    cells = [["7", *row, "0.5"] for row in numbers(2048, 0)]
    (tmp_path / "a.csv").write_text(rows("when,n,p,q,r,s\n", iso(), cells))
    with pytest.raises(RlsmoveError, match=r"no axes.*--columns"):
        open_recording(tmp_path / "a.csv")
    with pytest.raises(UnsuitableSignal, match="--unit 2048"):
        open_recording(tmp_path / "a.csv", Told.parse(columns="when,p,q,r"))
    for columns in ("when,p,q,r", "1,3,4,5"):
        told = Told.parse(columns=columns, unit="2048")
        recording, acceleration, _ = read(open_recording(tmp_path / "a.csv", told))
        np.testing.assert_allclose(acceleration, SIGNAL, atol=3e-4)
        assert recording.start_time == START
    with pytest.raises(SettingError, match="no column 'z'; expected one of when, n, p"):
        open_recording(tmp_path / "a.csv", Told.parse(columns="when,p,q,z"))
    with pytest.raises(SettingError, match="about 64"):
        open_recording(tmp_path / "a.csv", Told.parse(columns="when,p,q,r", unit="64"))


@pytest.mark.parametrize(
    "told",
    [
        {"time_zone": "Mars/Olympus"}, {"start": "tomorrow"}, {"columns": "a,b"},
        {"unit": "stone"}, {"unit": "-3"}, {"date_order": "ydm"}, {"where": "device"},
    ],
)  # fmt: skip
def test_what_is_told_has_to_make_sense(told: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="--" + next(iter(told)).replace("_", "-")):
        Told.parse(**told)


@given(st.dictionaries(st.sampled_from(["time_zone", "start", "columns", "unit", "date_order",
                                         "where"]), st.integers(0, 1)))  # fmt: skip
@settings(max_examples=50)
def test_what_is_told_can_be_written_down(chosen: dict[str, int]) -> None:
    words = {
        "time_zone": ["Europe/Berlin", "UTC"],
        "start": ["2026-03-01T22:30:00", "2026-03-01T22:30:00+01:00"],
        "columns": ["1,2,3,4", "a b,c,d,e"],
        "unit": ["m/s2", "64"],
        "date_order": ["dmy", "mdy"],
        "where": ["device=A=1", "side=left"],
    }
    texts = {name: words[name][which] for name, which in chosen.items()}
    assert Told.parse(**texts).as_texts() == texts


def phone_zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_zip_of_phyphox_is_dated_by_what_lies_beside(tmp_path: Path) -> None:
    beside = (
        '"event","experiment time","system time","system time text"\n'
        '"START",0.0E0,1772400600.0,"2026-03-01 22:30:00.000 UTC+01:00"\n'
    )
    members = {"Raw Data.csv": EXPORTS["phyphox"][0], "meta/time.csv": beside}
    recording, acceleration, _ = read(phone_zip(tmp_path / "a.zip", members))
    assert recording.start_time == START.replace(tzinfo=EAST)
    assert recording.dated
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)


def test_a_zip_of_sensor_logger(tmp_path: Path) -> None:
    table = EXPORTS["Sensor Logger"][0]
    shake = rows("time,seconds_elapsed,z,y,x\n", [f"{t},0" for t in EPOCH_NS],
                 [["0.01", "-0.02", f"0.0{i % 9}"] for i in range(len(SIGNAL))])  # fmt: skip
    about = "version,device name,recording timezone\n3,phone,America/New_York\n"
    members = {"Accelerometer.csv": shake, "Gyroscope.csv": shake, "Metadata.csv": about}
    path = phone_zip(tmp_path / "a.zip", {**members, "TotalAcceleration.csv": table})
    recording, acceleration, _ = read(path)
    assert recording.start_time.isoformat() == "2026-03-01T17:30:00-05:00"
    assert recording.time_zone == "America/New_York"
    np.testing.assert_allclose(acceleration, SIGNAL, atol=2e-5)
    path = phone_zip(tmp_path / "b.zip", members)
    with pytest.raises(UnsuitableSignal, match=r"accelerometer.csv in it: gravity was taken out"):
        open_recording(path)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"])
def test_epoch_times_are_shown_in_the_zone_that_is_told(zone: str, tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    (tmp_path / "a.csv").write_text(rows("time,x,y,z\n", [str(ms) for ms in EPOCH_MS], numbers()))
    recording = open_recording(tmp_path / "a.csv")
    assert "epoch_time" in codes(recording)
    recording = open_recording(tmp_path / "a.csv", Told.parse(time_zone=zone))
    there = START.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert recording.start_time.isoformat() == there.isoformat()
    assert codes(recording) == {"unit"}


def test_the_page_of_formats_lists_every_layout() -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text()
    for layout in (*LAYOUTS, EMPATICA_E4):
        if layout.export:
            assert f"| {layout.device} | {layout.export} |" in page


#: What damage may leave in a text.
SCRAPS = (b",", b";", b'"', b"\n", b"\r", b"nan", b"1e400", b"-999", b"\0", b":")


@given(
    st.sampled_from(sorted(EXPORTS)),
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.sampled_from(SCRAPS),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([{}, {"unit": "g"}, {"columns": "1,2,3,4"}, {"start": "2026-03-01T22:30"}]),
)
@settings(max_examples=60, deadline=None)
def test_damage_gives_samples_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    edits: list[tuple[int, bytes, bool]],
    told: dict[str, str],
) -> None:
    content = bytearray(EXPORTS[name][0].encode())
    for at, bytes_put, in_place in edits:
        content[at : at + len(bytes_put) * in_place] = bytes_put
    path = tmp_path_factory.mktemp("damaged") / "a"
    path.write_bytes(content)
    try:
        _, _, time_s = read(open_recording(path, Told.parse(**told)))
    except RlsmoveError:
        return
    assert (np.diff(time_s) > 0).all()


def test_a_start_that_counts_from_1970_is_said_to_be_taken_for_utc(tmp_path: Path) -> None:
    rows = "\n".join(f"{row % 3},0,{64 + row % 2}" for row in range(640))
    path = tmp_path / "ACC.csv"
    path.write_text(
        "1772400600.000000, 1772400600.000000, 1772400600.000000\n"
        f"32.000000, 32.000000, 32.000000\n{rows}\n"
    )
    recording = open_recording(path)
    assert "epoch_time" in {notice.code for notice in recording.notices}
    assert {taken.what: taken.value for taken in recording.taken}["zone"] == "UTC"
