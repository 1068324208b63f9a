"""A simulated night on disk: the recordings, the hypnogram, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices import write_recording
from rlsmove.errors import OutputError
from rlsmove.io.atomic_files import write_files
from rlsmove.io.json_text import json_text
from rlsmove.records import (
    KINDS,
    LEFT,
    LEG_MOVEMENT,
    RIGHT,
    SIDES,
    STAGES,
    WAKE,
    BoolArray,
    Intervals,
    Sleep,
)
from rlsmove.rules import WASM_2016
from rlsmove.scoring import score_movements
from rlsmove.simulate.night import DETECTABLE_SNR, SimulatedNight
from rlsmove.simulate.physics import PLAIN
from rlsmove.simulate.treatment import UNTREATED

EVENT_HEADER = "kind,label,onset_s,duration_s"

MASSAGE_COLUMNS = (
    "kind",
    "massage",
    "start_s",
    "end_s",
    "minutes",
    "legs",
    "frequency_hz",
    "period_s",
    "intensity_g",
    "before_lights_off_min",
    "clock",
)

TRUTH_COLUMNS = (
    "onset_s",
    "duration_s",
    "side",
    "kind",
    "cause",
    "series",
    "group",
    "held",
    "jerks",
    "stage",
    "peak_g",
    "tilt_deg",
    "snr",
    "detectable",
)


def write_simulated_night(night: SimulatedNight, out_dir: str | Path, *, scenario: str) -> None:
    """Write the recordings of the legs simulated, the hypnogram and the truth.

    Parameters
    ----------
    night : SimulatedNight
        The night.
    out_dir : str or Path
        Folder; made where it is missing. Each file appears whole or not at all.
    scenario : str
        Name that the parameters started from, for the record.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    out_dir = Path(out_dir)
    for side in night.sensors:
        write_leg(night, side, out_dir / f"{side}.h5", scenario=scenario)
    write_files(truth_files(night, out_dir, scenario=scenario))


def write_leg(
    night: SimulatedNight,
    side: str,
    path: Path,
    *,
    scenario: str,
    blocks: Iterator[NDArray[np.float32]] | None = None,
) -> None:
    """Write the recording of one leg.

    Parameters
    ----------
    night : SimulatedNight
        The night, or the first of several.
    side : str
        ``left`` or ``right``.
    path : Path
        The file.
    scenario : str
        Name that the parameters started from, for the record.
    blocks : iterator of ndarray, optional
        The samples, where they are more than the night's own.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    device = night.parameters.model
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(path.parent, f"cannot be made a folder ({error.strerror})") from error
    write_recording(
        path,
        blocks or night.blocks(side),
        start_time=night.parameters.start_time,
        sample_rate_hz=night.parameters.fs,
        side=side,
        placement="ankle",
        device=f"simulated {device.name}",
        simulated=True,
        attributes={
            "scenario": scenario,
            "seed": night.seed,
            "range_g": device.range_g,
        },
    )


def truth_files(night: SimulatedNight, folder: Path, *, scenario: str) -> dict[Path, str]:
    """Content of every file about the truth, by path.

    ``events.csv``, ``truth.csv``, ``truth_events.csv`` and ``truth.json``; where something was
    done to the legs ``massage.csv``, and where a machine ran in bed ``machine.csv``.
    """
    files = {
        folder / "events.csv": events_csv(night),
        folder / "truth.csv": truth_csv(night),
        folder / "truth_events.csv": true_scoring_csv(night),
        folder / "truth.json": json_text(truth_summary(night, scenario)),
    }
    if night.treated:
        files[folder / "massage.csv"] = massage_csv(night)
    if any(len(one.cycles_s) for one in night.treated):
        files[folder / "machine.csv"] = machine_csv(night)
    return files


def massage_csv(night: SimulatedNight) -> str:
    """A row a session: massages, machines in bed, and what only looks like them."""
    lines = [",".join(MASSAGE_COLUMNS)]
    off_s = (night.sleep.lights_off_ms or 0) / 1000
    for one in night.treated:
        session = one.session
        cells = (
            session.kind,
            str(int(session.is_massage)),
            f"{session.start_s:.3f}",
            f"{session.end_s:.3f}",
            f"{(session.end_s - session.start_s) / 60:.2f}",
            "+".join(SIDES[leg] for leg in session.legs),
            "" if session.frequency_hz is None else f"{session.frequency_hz:.3f}",
            "" if session.period_s is None else f"{session.period_s:.3f}",
            f"{one.intensity_g:.4f}",
            f"{(off_s - session.end_s) / 60:.2f}",
            session.clock,
        )
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def machine_csv(night: SimulatedNight) -> str:
    """A row a cycle of a machine in bed, for each leg that it is on."""
    lines = ["onset_s,duration_s,side"]
    for one in night.treated:
        for onset, offset in one.cycles_s:
            lines += [f"{onset:.3f},{offset - onset:.3f},{SIDES[leg]}" for leg in one.session.legs]
    return "\n".join(lines) + "\n"


def events_csv(night: SimulatedNight) -> str:
    """Lights off, lights on, every epoch and respiratory event, as an event list."""
    return "\n".join([EVENT_HEADER, *_sleep_rows(night)]) + "\n"


def true_scoring_csv(night: SimulatedNight) -> str:
    """Every leg movement with the hypnogram, as an event list: a reference to validate against."""
    m = night.truth.movements.take(night.truth.leg_movements)
    marks = [
        f"lm,{SIDES[side]},{_seconds(onset)},{_seconds(duration)}"
        for side, onset, duration in zip(m.side, m.onset_ms, m.duration_ms, strict=True)
    ]
    return "\n".join([EVENT_HEADER, *_sleep_rows(night), *marks]) + "\n"


def _sleep_rows(night: SimulatedNight) -> list[str]:
    rows = []
    sleep, respiratory = night.sleep, night.respiratory
    for kind, mark in (("lights_off", sleep.lights_off_ms), ("lights_on", sleep.lights_on_ms)):
        if mark is not None:
            rows.append(f"{kind},,{_seconds(mark)},0")
    for onset, offset, stage in zip(sleep.onset_ms, sleep.offset_ms, sleep.stage, strict=True):
        rows.append(f"stage,{STAGES[stage]},{_seconds(onset)},{_seconds(offset - onset)}")
    for onset, offset in zip(respiratory.onset_ms, respiratory.offset_ms, strict=True):
        rows.append(f"respiratory,,{_seconds(onset)},{_seconds(offset - onset)}")
    return rows


def truth_csv(night: SimulatedNight) -> str:
    """Every movement of one leg, whatever its kind, with what is known of it."""
    truth = night.truth
    m = truth.movements
    epoch = np.searchsorted(night.sleep.onset_ms, m.onset_ms, "right") - 1
    stage = night.sleep.stage[np.clip(epoch, 0, len(night.sleep.stage) - 1)]
    lines = [",".join(TRUTH_COLUMNS)]
    for row in range(len(m)):
        cells = (
            _seconds(m.onset_ms[row]),
            _seconds(m.duration_ms[row]),
            SIDES[m.side[row]],
            KINDS[m.kind[row]],
            truth.cause[row],
            str(truth.series[row] or ""),
            str(truth.group[row]),
            str(int(truth.held[row])),
            str(truth.jerks[row]),
            STAGES[stage[row]],
            f"{m.peak_g[row]:.4f}",
            f"{m.tilt_deg[row]:.3f}",
            f"{m.snr[row]:.2f}",
            str(int(truth.detectable[row])),
        )
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def truth_summary(night: SimulatedNight, scenario: str) -> dict[str, Any]:
    """Counts, clocks and parameters of a night: the content of ``truth.json``."""
    truth = night.truth
    parameters = asdict(night.parameters)
    parameters["start_time"] = night.parameters.start_time.isoformat()
    for name, plain in (("physics", PLAIN), ("treatment", UNTREATED)):
        if getattr(night.parameters, name) == plain:
            del parameters[name]
    clock = night.sensors["right"].clock if len(night.sensors) == 2 else None
    is_lm = truth.leg_movements
    start = night.parameters.start_time
    return {
        "simulated": True,
        "scenario": scenario,
        "seed": night.seed,
        "clock": {
            "right_minus_left_at_start_s": None if clock is None else round(clock.offset_s, 6),
            "right_drift_ppm": None if clock is None else round(clock.drift_ppm, 6),
        },
        "gaps_s": {
            side: np.round(sensor.gaps_s, 3).tolist() for side, sensor in night.sensors.items()
        },
        "lights_off": _wall(start, night.sleep.lights_off_ms),
        "lights_on": _wall(start, night.sleep.lights_on_ms),
        "sleep_hours": _sleep_hours(night.sleep),
        "detectable_snr": DETECTABLE_SNR,
        "rows_by_kind": {
            name: int((truth.movements.kind == code).sum()) for code, name in enumerate(KINDS)
        },
        "leg_movements_left": int((is_lm & (truth.movements.side == LEFT)).sum()),
        "leg_movements_right": int((is_lm & (truth.movements.side == RIGHT)).sum()),
        "leg_movements_detectable": int((is_lm & truth.detectable).sum()),
        "scoring": {
            "rules": WASM_2016.name,
            "all": true_counts(night, truth.leg_movements),
            "detectable": true_counts(night, truth.leg_movements & truth.detectable),
        },
        "parameters": parameters,
    }


def true_counts(night: SimulatedNight, leg_movements: BoolArray) -> dict[str, float | int | None]:
    """Score the truth by WASM 2016, without the noise of any detector.

    Parameters
    ----------
    night : SimulatedNight
        The night.
    leg_movements : ndarray of bool
        Rows of the truth that enter as leg movements; other kinds act as the rules say.

    Returns
    -------
    dict
        Counts from lights off to lights on, and periodic movements in sleep per hour of it.
    """
    sleep = night.sleep
    others = ~night.truth.leg_movements
    scoring = score_movements(
        night.truth.movements.take(leg_movements | others),
        sleep=sleep,
        respiratory=night.respiratory if len(night.respiratory) else None,
        arousals=None,
        gaps=Intervals.empty(),
        rules=WASM_2016,
    )
    in_bed = (scoring.onset_ms >= (sleep.lights_off_ms or 0)) & (
        scoring.onset_ms < (sleep.lights_on_ms or 0)
    )
    plms = in_bed & (scoring.plm == 1) & (scoring.sleep == 1)
    hours = _sleep_hours(sleep)
    return {
        "lm_count": int((in_bed & (scoring.kind == LEG_MOVEMENT)).sum()),
        "clm_count": int((in_bed & (scoring.clm == 1)).sum()),
        "plm_count": int((in_bed & (scoring.plm == 1)).sum()),
        "plms_count": int(plms.sum()),
        "plms_per_hour": round(float(plms.sum()) / hours, 4) if hours else None,
    }


def _sleep_hours(sleep: Sleep) -> float:
    length = (sleep.offset_ms - sleep.onset_ms)[sleep.stage != WAKE]
    return round(float(length.sum()) / 3_600_000, 6)


def _wall(start: Any, mark_ms: int | None) -> str | None:
    return None if mark_ms is None else (start + timedelta(milliseconds=int(mark_ms))).isoformat()


def _seconds(ms: int | np.integer[Any]) -> str:
    whole, rest = divmod(int(ms), 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
