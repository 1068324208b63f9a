"""Tables of text: whatever the columns, times and units are called, or a sentence why not."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from device_files import worn
from hypothesis import given, settings
from hypothesis import strategies as st
from real_recordings import codes, read

from rlsmove.devices import _text_kernels as kernels
from rlsmove.devices import csv as csv_module
from rlsmove.devices import open_recording
from rlsmove.devices.row_repairs import RowRepairs
from rlsmove.errors import (
    DamagedRecording,
    RecordingError,
    RlsmoveError,
    UnknownFormat,
    UnsuitableSignal,
)

FS = 50
SIGNAL = np.round(worn(30, FS), 5)
START = datetime(2026, 3, 1, 22, 30, 0, 120_000)
TIMES = [START + timedelta(seconds=i / FS) for i in range(len(SIGNAL))]


def table(
    times: list[str] | None = None,
    header: str = "time,x,y,z",
    signal: np.ndarray = SIGNAL,
    *,
    delimiter: str = ",",
    decimal: str = ".",
    before: str = "",
    line_end: str = "\n",
    digits: int = 5,
) -> str:
    if times is None:
        times = [time.isoformat(" ", "milliseconds") for time in TIMES]
    rows = [before + header] if header else [before.rstrip("\n")] if before else []
    for i, row in enumerate(signal):
        cells = [f"{value:.{digits}f}".replace(".", decimal) for value in row]
        rows.append(delimiter.join(([times[i]] if times else []) + cells))
    return line_end.join(rows) + line_end


def check(path: Path, content: str, start: datetime = START, scale: float = 1.0) -> set[str]:
    """Read the table; samples and times are those of SIGNAL; return the codes of the findings."""
    path.write_text(content, encoding="utf-8")
    recording, acceleration, time_s = read(path)
    np.testing.assert_allclose(acceleration, SIGNAL, rtol=0, atol=2e-5)
    np.testing.assert_allclose(time_s, np.arange(len(SIGNAL)) / FS, rtol=0, atol=1.1e-3)
    assert recording.sample_rate_hz == FS
    assert recording.start_time == start
    assert (recording.start_time.tzinfo is None) == (start.tzinfo is None)
    return codes(recording)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "night"


@pytest.mark.parametrize(
    "header",
    [
        "time,x,y,z",
        "Timestamp,X,Y,Z",
        '"timestamp","x","y","z"',
        "datetime,acc_x,acc_y,acc_z",
        "Timestamp,Accelerometer X,Accelerometer Y,Accelerometer Z",
        "Time,Accel-X (g),Accel-Y (g), Accel-Z (g)",
        "time_stamp,x [g],y [g],z [g]",
        "DateTime,accX,accY,accZ",
        "time,ax,ay,az",
        "t,x-axis (g),y-axis (g),z-axis (g)",
        "HEADER_TIMESTAMP,X,Y,Z",
        "Date,acceleration.x,acceleration.y,acceleration.z",
        "time,x_g,y_g,z_g",
        "time,rawAccX,rawAccY,rawAccZ",
    ],
)
def test_names_of_columns(header: str, path: Path) -> None:
    assert check(path, table(header=header)) <= {"unit"}


def test_a_column_of_utc(path: Path) -> None:
    assert check(path, table(header="UTC time,ax,ay,az"), START.replace(tzinfo=UTC)) == {"unit"}


def test_other_columns_and_another_order(path: Path) -> None:
    rows = ["lux,z,temperature,x,gyr_x,time,label,y"]
    for time, (x, y, z) in zip(TIMES, SIGNAL, strict=True):
        rows.append(f'0,{z:.5f},21.5,{x:.5f},-12.5,{time.isoformat()},"asleep",{y:.5f}')
    check(path, "\n".join(rows))


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ways_of_writing(
    delimiter: str, decimal: str, line_end: str, mark: str, path: Path
) -> None:
    header = delimiter.join(["time", "x", "y", "z"])
    content = table(header=header, delimiter=delimiter, decimal=decimal, line_end=line_end)
    check(path, mark + content)


EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("%Y-%m-%d %H:%M:%S.%f", START),
        ("%Y-%m-%dT%H:%M:%S.%f", START),
        ("%Y/%m/%d %H:%M:%S.%f", START),
        ("%d.%m.%Y %H:%M:%S.%f", START),
        ("%Y-%m-%d %H:%M:%S,%f", START),
        ("%Y-%m-%d %H:%M:%S:%f", START),
        ("%Y-%m-%dT%H:%M:%S.%fZ", START.replace(tzinfo=UTC)),
        ("%Y-%m-%dT%H:%M:%S.%f+02:00", START.replace(tzinfo=EAST)),
        ("%Y-%m-%d %H:%M:%S.%f+0200 [Europe/Berlin]", START.replace(tzinfo=EAST)),
        ("%Y-%m-%d %I:%M:%S.%f %p", START),
    ],
)
def test_ways_of_writing_times(written: str, start: datetime, path: Path) -> None:
    check(path, table([time.strftime(written) for time in TIMES], delimiter=";",
                      header="time;x;y;z"), start)  # fmt: skip


@pytest.mark.parametrize(("written", "day"), [("%d/%m/%Y", 25), ("%m/%d/%Y", 25)])
def test_slashes_where_only_one_reading_is_possible(written: str, day: int, path: Path) -> None:
    shift = timedelta(days=day - 1)
    times = [(time + shift).strftime(f"{written} %H:%M:%S.%f") for time in TIMES]
    check(path, table(times), START + shift)


def test_slashes_that_may_mean_two_dates(path: Path) -> None:
    path.write_text(table([time.strftime("%d/%m/%Y %H:%M:%S.%f") for time in TIMES]))
    with pytest.raises(RecordingError, match="day or the month first"):
        open_recording(path)


@pytest.mark.parametrize("per_s", [1, 10**3, 10**6, 10**9])
def test_times_that_count_from_1970_are_of_utc(per_s: int, path: Path) -> None:
    first = round(START.replace(tzinfo=UTC).timestamp() * 1000) * 10**6
    ns = [first + i * 10**9 // FS for i in range(len(TIMES))]
    times = [f"{value / 1e9:.3f}" if per_s == 1 else str(value * per_s // 10**9) for value in ns]
    assert "epoch_time" in check(path, table(times), START.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("header", "per_s", "found"),
    [
        ("time,x,y,z", 1, {"time_unit"}),
        ("time,x,y,z", 1000, {"time_unit"}),
        ("time,x,y,z", 10**6, {"time_unit"}),
        ("time_ms,x,y,z", 1000, set()),
        ("Time (s),x,y,z", 1, set()),
        ("elapsed [us],x,y,z", 10**6, set()),
    ],
)
def test_times_that_count_from_the_start(
    header: str, per_s: int, found: set[str], path: Path
) -> None:
    times = [f"{i / FS * per_s:g}" for i in range(len(TIMES))]
    findings = check(path, table(times, header), datetime(1970, 1, 1))
    assert findings == {"unit", "no_date"} | found


def test_whole_seconds_are_spread(path: Path) -> None:
    start = START.replace(microsecond=0)
    times = [f"{start + timedelta(seconds=i // FS):%Y-%m-%d %H:%M:%S}" for i in range(len(TIMES))]
    check(path, table(times), start)
    # Of a second that has but its last rows nothing tells where in it they lie.
    path.write_text(table(times[40:], signal=SIGNAL[40:]))
    recording, _, time_s = read(path)
    assert recording.sample_rate_hz == FS
    np.testing.assert_allclose(time_s[10:], 1 + np.arange(len(TIMES) - 50) / FS, atol=1e-9)


def test_rows_in_bursts_lie_on_a_line(path: Path) -> None:
    """Phones hand over several samples at once, with the times of handing over."""
    late = np.arange(len(TIMES)) % 5 * 0.018
    times = [
        (time - timedelta(seconds=by)).isoformat(" ", "microseconds")
        for time, by in zip(TIMES, late, strict=True)
    ]
    path.write_text(table(times))
    recording, _, time_s = read(path)
    assert recording.sample_rate_hz == pytest.approx(FS, rel=0.01)
    np.testing.assert_allclose(time_s, np.arange(len(TIMES)) / FS, rtol=0, atol=1e-6)
    assert codes(recording) == {"unit"}


def test_a_gap_stays_a_gap(path: Path) -> None:
    times = [
        (time + timedelta(hours=i >= 700)).isoformat(" ", "milliseconds")
        if (i >= 700)
        else time.isoformat(" ", "milliseconds")
        for i, time in enumerate(TIMES)
    ]
    path.write_text(table(times))
    recording, _, time_s = read(path)
    expected = np.arange(len(TIMES)) / FS + 3600 * (np.arange(len(TIMES)) >= 700)
    np.testing.assert_allclose(time_s, expected, rtol=0, atol=1e-6)
    assert codes(recording) == {"unit"}


def test_clocks_that_fail(path: Path) -> None:
    times = [time.isoformat(" ", "milliseconds") for time in TIMES]
    times[300] = "2031-01-01 00:00:00.000"
    for i in range(900, len(times)):
        times[i] = (TIMES[i] - timedelta(hours=1)).isoformat(" ", "milliseconds")
    path.write_text(table(times))
    recording, acceleration, time_s = read(path)
    assert len(acceleration) == len(SIGNAL)
    np.testing.assert_allclose(time_s, np.arange(len(TIMES)) / FS, rtol=0, atol=1e-6)
    assert codes(recording) == {"unit", "clock_outlier", "clock_step"}


@pytest.mark.parametrize(
    "cell", ["", "NaN", "nan", "NA", "n/a", "inf", "-Inf", "null", "x", "1.2.3", "1e99"]
)
def test_rows_without_a_number_are_gaps(cell: str, path: Path) -> None:
    lines = table().splitlines()
    for i in (100, 101, 500):
        time, x, _, z = lines[1 + i].split(",")
        lines[1 + i] = f"{time},{x},{cell},{z}"
    lines[1 + 600] = "2026-03-01 22:30"
    path.write_text("\n".join(lines))
    recording, acceleration, time_s = read(path)
    left = ~np.isin(np.arange(len(SIGNAL)), [100, 101, 500, 600])
    np.testing.assert_allclose(acceleration, SIGNAL[left], rtol=0, atol=1e-5)
    np.testing.assert_allclose(time_s, (np.arange(len(SIGNAL)) / FS)[left], rtol=0, atol=1e-6)
    assert codes(recording) == {"unit", "damaged_blocks"}
    assert "4 rows" in recording.notices[-1].sentence


def test_blank_lines_and_comments_are_passed_over(path: Path) -> None:
    lines = table().splitlines()
    lines[700:700] = ["", "# a note", "   "]
    check(path, "# made by hand\n\n" + "\n".join(lines) + "\n\n")


@pytest.mark.parametrize(
    ("unit", "per_g"), [("g", 1.0), ("mg", 1000.0), ("m/s2", 9.80665), ("m/s^2", 9.80665),
                        ("m/s²", 9.80665)],
)  # fmt: skip
def test_units_that_are_said(unit: str, per_g: float, path: Path) -> None:
    header = f"time,x ({unit}),y ({unit}),z ({unit})"
    assert check(path, table(header=header, signal=SIGNAL * per_g)) == set()


@pytest.mark.parametrize("per_g", [1.0, 1000.0, 9.80665])
def test_units_that_are_not_said(per_g: float, path: Path) -> None:
    assert check(path, table(signal=SIGNAL * per_g)) == {"unit"}


@pytest.mark.parametrize(
    ("said", "per_g", "truly"), [("g", 9.80665, "m/s2"), ("m/s2", 1.0, "g"), ("g", 1000.0, "mg")]
)
def test_a_unit_that_gravity_contradicts(said: str, per_g: float, truly: str, path: Path) -> None:
    header = f"time,x [{said}],y [{said}],z [{said}]"
    path.write_text(table(header=header, signal=SIGNAL * per_g))
    with pytest.raises(UnsuitableSignal, match=f"say {said}, .* 1 g in {truly}"):
        open_recording(path)


def test_no_gravity_at_all(path: Path) -> None:
    rng = np.random.default_rng(0)
    path.write_text(table(signal=rng.normal(scale=0.01, size=SIGNAL.shape)))
    with pytest.raises(UnsuitableSignal, match=r"at rest its numbers make 0\.0"):
        open_recording(path)


def test_whole_numbers_without_gravity_are_called_counts(path: Path) -> None:
    rng = np.random.default_rng(0)
    path.write_text(table(signal=rng.integers(0, 400, SIGNAL.shape), digits=0))
    with pytest.raises(UnsuitableSignal, match="activity counts"):
        open_recording(path)


MINUTES = [f"{START + timedelta(minutes=i):%Y-%m-%d %H:%M:%S}" for i in range(len(SIGNAL))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (table(MINUTES, signal=SIGNAL * 300), "a row every 60 s"),
        (table(header="time,axis1,axis2,axis3", signal=SIGNAL * 300), "activity counts"),
        (table(header="time,counts,steps,lux", signal=SIGNAL * 300), "activity counts"),
        (table(header="time,vm,enmo,temperature"), "activity counts"),
        (table(header="time,x,temperature,light"), "1 of three axes"),
        (table(header="time,x,y,light"), "2 of three axes"),
        ("time,counts\n" + "\n".join(f"{time},{i % 300}" for i, time in enumerate(MINUTES)),
         "activity counts"),
        ("\n".join(f"{time},{i % 300}" for i, time in enumerate(MINUTES)), "1 column beside"),
    ],
)  # fmt: skip
def test_what_is_no_raw_acceleration(content: str, words: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(UnsuitableSignal, match=words):
        open_recording(path)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("time,x,y,z\n", UnknownFormat, "without a table"),
        ("a,b,c,d\n1,2,3,4\n2,3,4,5\n3,4,5,6\n", UnknownFormat, r"columns \(a, b, c, d\)"),
        (table(["22:30:00"] * len(TIMES)), DamagedRecording, "do not advance"),
        (table(["2026-03-01"] * len(TIMES)), RecordingError, "date without a time"),
        (table(["2026-03-01 22:30:00"] * len(TIMES)), DamagedRecording, "do not advance"),
        (table([], "x,y,z"), RecordingError, "no column of times"),
        (table([f"2026-03-01 25:30:{i:02d}" for i in range(60)] * 25), DamagedRecording,
         "none of its first"),
        (table([f"{i * 1e-6:.6f}" for i in range(len(TIMES))], "time (s),x,y,z"),
         UnsuitableSignal, "rows a second"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(
    content: str, error: type[RlsmoveError], words: str, path: Path
) -> None:
    path.write_text(content)
    with pytest.raises(error, match=words):
        open_recording(path)


ACTIGRAPH = """------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.4 Firmware v2.2.1 \
date format {order} at 50 Hz  Filter Normal -----------
Serial Number: NEO1F00000000
Start Time 22:30:00
Start Date {date}
Epoch Period (hh:mm:ss) 00:00:00
Download Time 08:00:00
Download Date {date}
Current Memory Address: 0
Current Battery Voltage: 4.21     Mode = 12
--------------------------------------------------
"""


@pytest.mark.parametrize(
    ("order", "date"), [("M/d/yyyy", "3/1/2026"), ("dd/MM/yyyy", "01/03/2026")]
)
@pytest.mark.parametrize("header", ["", "Accelerometer X,Accelerometer Y,Accelerometer Z"])
def test_an_export_of_actilife_without_times(
    order: str, date: str, header: str, path: Path
) -> None:
    content = table([], header, before=ACTIGRAPH.format(order=order, date=date))
    assert check(path, content, datetime(2026, 3, 1, 22, 30)) == {"unit"}
    _, acceleration, time_s = read(open_recording(path), 3.0, 5.0)
    assert len(time_s) == 2 * FS
    np.testing.assert_allclose(acceleration, SIGNAL[3 * FS : 5 * FS], atol=2e-5)


def test_an_export_of_actilife_with_times(path: Path) -> None:
    content = table(
        [time.strftime("%m/%d/%Y %H:%M:%S.%f")[:-3] for time in TIMES],
        "Timestamp,Accelerometer X,Accelerometer Y,Accelerometer Z",
        before=ACTIGRAPH.format(order="M/d/yyyy", date="3/1/2026"),
    )
    assert check(path, content) == {"unit"}


def test_an_export_of_the_geneactiv_program(path: Path) -> None:
    before = "".join(
        f"{line}\n"
        for line in (
            "Device Type,GENEActiv", "Device Model,1.1", "Measurement Frequency,50.0 Hz",
            "Start Time,2026-03-01 22:30:00:000", "x gain,25548", "x offset,574", "y gain,25734",
            "y offset,-662", "z gain,25875", "z offset,-3056", "Volts,300", "Lux,800", "", "",
        )
    )  # fmt: skip
    rows = [
        f"{time:%Y-%m-%d %H:%M:%S}:{time.microsecond // 1000:03d},{x:.5f},{y:.5f},{z:.5f},0,0,21.5"
        for time, (x, y, z) in zip(TIMES, SIGNAL, strict=True)
    ]
    assert check(path, before + "\n".join(rows)) == {"unit"}


def test_a_table_without_names(path: Path) -> None:
    assert check(path, table(header="")) == {"unit"}


def test_a_gzip_file_and_one_behind_another(path: Path) -> None:
    content = table().encode()
    path.write_bytes(gzip.compress(content[:20_000]) + gzip.compress(content[20_000:]))
    _, acceleration, _ = read(path)
    assert len(acceleration) == len(SIGNAL)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.99])
def test_a_gzip_file_that_is_cut_or_damaged_gives_what_comes_before(
    part: float, path: Path
) -> None:
    packed = gzip.compress(table().encode())
    cut = int(len(packed) * part)
    for content in (packed[:cut], packed[:cut] + bytes(40) + packed[cut + 40 :]):
        path.write_bytes(content)
        recording, acceleration, _ = read(path)
        assert "truncated" in codes(recording)
        assert len(acceleration) > 0.8 * part * len(SIGNAL)
        np.testing.assert_allclose(
            acceleration[: int(0.8 * part * len(SIGNAL))],
            SIGNAL[: int(0.8 * part * len(SIGNAL))], atol=1e-5,
        )  # fmt: skip


@pytest.mark.parametrize("size", [300, 4096, 10_007])
def test_pieces_of_any_size_read_the_same(
    size: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = START.replace(microsecond=0)
    seconds = [f"{start + timedelta(seconds=i // FS)}" for i in range(len(TIMES))]
    monkeypatch.setattr(csv_module, "HEAD_BYTES", 20_000)
    for content in (table(), table(seconds), table([], "x,y,z", before="Sample Rate: 50\n")):
        path.write_text(content)
        whole, acceleration, time_s = read(path)
        with monkeypatch.context() as smaller:
            smaller.setattr(csv_module, "BYTES_PER_READ", size)
            pieces, piece_acceleration, piece_s = read(path)
            assert pieces.notices == whole.notices
            np.testing.assert_array_equal(piece_acceleration, acceleration)
            np.testing.assert_array_equal(piece_s, time_s)
            for start_s, end_s in ((2.0, 7.5), (20.0, 1e9)):
                inside = (time_s >= start_s) & (time_s < end_s)
                _, part, part_s = read(pieces, start_s, end_s)
                np.testing.assert_array_equal(part, acceleration[inside])
                np.testing.assert_array_equal(part_s, time_s[inside])


# The parser, against Python's own --------------------------------------------------------------


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(bytearray(text.encode()), np.uint8)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20))
@settings(max_examples=300, deadline=None)
def test_numbers_are_read_as_python_reads_them(value: float) -> None:
    for text in (repr(value), f"{value:.6f}", f"{value:e}", f"+{abs(value)!r}"):
        data = as_bytes(text)
        mantissa, exponent, status = kernels.parse_number(data, 0, len(data), ord("."))
        assert status == kernels.READ
        expected = float(text)
        if abs(exponent) < 300:
            # 17 digits are kept.
            assert mantissa * 10.0**exponent == pytest.approx(expected, rel=1e-15, abs=1e-300)


@given(st.text("0123456789+-.eE nax,", max_size=12))
@settings(max_examples=300, deadline=None)
def test_what_python_takes_for_no_number_is_none(text: str) -> None:
    data = as_bytes(text.strip())
    _, _, status = kernels.parse_number(data, 0, len(data), ord("."))
    try:
        float(text)
    except ValueError:
        assert status != kernels.READ
    else:
        assert status == (kernels.MISSING if "n" in text else kernels.READ)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31, 23, 59, 59)),
    st.none() | st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=300, deadline=None)
def test_dates_are_read_as_python_reads_them(time: datetime, offset: int | None) -> None:
    if offset is not None:
        time = time.replace(tzinfo=timezone(timedelta(minutes=offset)))
    data = as_bytes(time.isoformat(" ", "microseconds"))
    ns, found_offset, status = kernels.parse_date(data, 0, len(data), kernels.YEAR_FIRST, 0)
    assert status == kernels.READ
    since = time - datetime(1970, 1, 1, tzinfo=None if offset is None else UTC)
    assert ns == since // timedelta(microseconds=1) * 1000
    assert found_offset == (kernels.NO_OFFSET if offset is None else offset)


@given(
    st.integers(0, 9999),
    st.integers(0, 99),
    st.integers(0, 99),
    st.text("0123456789 :.T", max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_dates_that_do_not_exist_are_refused(year: int, month: int, day: int, rest: str) -> None:
    data = as_bytes(f"{year:04d}-{month:02d}-{day:02d}{rest}")
    _, _, status = kernels.parse_date(data, 0, len(data), kernels.YEAR_FIRST, 0)
    try:
        exists = 1900 <= datetime(year, month, day).year <= 2200
    except ValueError:
        exists = False
    if not exists:
        assert status != kernels.READ


# The rows, against Python -----------------------------------------------------------------------


def parsed(text: str, role: int) -> tuple[list[int], list[int], list[int]]:
    data = as_bytes(text)
    n = text.count("\n") + 1
    begin, time_ns, offset = np.empty((3, n), np.int64)
    value, status = np.empty((n, 3)), np.empty(n, np.int8)
    form = np.array([ord(";"), ord("."), ord("\n"), 0])
    columns = np.array([[role, kernels.X, kernels.Y, kernels.Z], [0] * 4, [0] * 4])
    none, scale = np.empty(0, np.uint8), np.array([1.0, 64.0, 17.0])
    rows, _ = kernels.parse_rows(
        data, True, form, columns, none, scale, begin, time_ns, offset, value, status
    )
    return time_ns[:rows].tolist(), offset[:rows].tolist(), status[:rows].tolist()


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2026, 3, 1, 23, 58), datetime(2026, 3, 2, 0, 2)),
            st.sampled_from(["%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%H:%M:%S:%f", "%I:%M:%S %p"]),
            st.sampled_from(["", "Z", "+01:00", " UTC", "-05", "x"]),
        ),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_rows_that_share_a_minute_are_read_like_any(
    rows: list[tuple[datetime, str, str]],
) -> None:
    cells = [f"{time.strftime('%Y-%m-%d ' + form)}{zone}" for time, form, zone in rows]
    found = parsed("\n".join(f"{cell};1;0;0" for cell in cells), kernels.YEAR_FIRST)
    for cell, ns, offset, status in zip(cells, *found, strict=True):
        data = as_bytes(cell)
        alone = kernels.parse_date(data, 0, len(data), kernels.YEAR_FIRST, 0)
        assert status == (kernels.READ if alone[2] == kernels.READ else kernels.BAD)
        if status == kernels.READ:
            assert (ns, offset) == alone[:2]


def slowly_repaired(
    raw: list[int], values: list[int], period: int, wall_clock: bool, idle_ns: int
) -> tuple[list[int], list[bool]]:
    """The slow twin of `repair_rows`, for a whole table."""
    hour, near = 3600 * 10**9, 2 * 10**9
    times, added = [], 0
    for i, moment in enumerate(raw):
        step = moment - raw[i - 1] if i else 0
        if period and 2 * abs(step) > period:
            added -= round(step / period) * period
        past = min(moment % hour, hour - moment % hour)
        if not period and wall_clock and abs(abs(step) - hour) < near and past < near:
            added -= hour if step > 0 else -hour
        times.append(moment + added)
    measured = [True] * len(raw)
    for i in range(len(raw)):
        first = i
        while first and values[first - 1] == values[i]:
            first -= 1
        last = i
        while last + 1 < len(raw) and values[last + 1] == values[i]:
            last += 1
        if idle_ns and i > first and times[last] - times[first] >= idle_ns:
            measured[i] = False
    return times, measured


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=60),
    st.lists(st.integers(0, 2), min_size=60, max_size=60),
    st.sampled_from([(0, False), (0, True), (100, False)]),
    st.integers(0, 60),
    st.lists(st.integers(1, 59), max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_rows_are_repaired_as_the_slow_way_does_it_in_any_pieces(
    steps_s: list[int], values: list[int], kind: tuple[int, bool], leap: int, cuts: list[int]
) -> None:
    period_s, wall_clock = kind
    moment_s = np.cumsum(steps_s) + 3500
    moment_s[leap:] += 3600 * wall_clock
    if period_s:
        moment_s %= period_s
    raw = moment_s.astype(np.int64) * 10**9
    value = np.array(values[: len(raw)], np.float64)[:, None].repeat(3, axis=1)
    expected = slowly_repaired(raw.tolist(), values[: len(raw)], period_s * 10**9, wall_clock,
                               60 * 10**9)  # fmt: skip
    repairs = RowRepairs(period_ns=period_s * 10**9, wall_clock=wall_clock, idle=True)
    times, measured, at = [], [], 0
    for end in [*sorted(cut for cut in cuts if cut < len(raw)), len(raw)]:
        if end <= at:
            continue
        part = slice(at, end)
        time_ns, good, known = repairs.apply(
            10 * at, 10 * np.arange(end - at), raw[part], value[part], end == len(raw)
        )
        times += time_ns[:known].tolist()
        measured += good[:known].tolist()
        at += known
    assert (times, measured) == expected
