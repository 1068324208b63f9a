"""What a notebook needs: recordings, results or event lists in, nights with their tables out."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rlsmove.devices.told import Told
from rlsmove.errors import SettingError
from rlsmove.events.event_lists import Events, events_of_evening, read_events
from rlsmove.events.labels import read_label_table
from rlsmove.events.scored_events import ScoredNight, score_events
from rlsmove.io.json_text import plain
from rlsmove.movements.given_detector import Detector
from rlsmove.night.analysis import NightResult, analyse_night
from rlsmove.night.chosen_nights import choose_nights
from rlsmove.night.opened_leg import Leg, open_leg
from rlsmove.night.sleep_source import Lights
from rlsmove.records import KINDS, SIDES, STAGES, Notice, Scoring
from rlsmove.results.event_scores import score_record
from rlsmove.results.movements_csv import MOVEMENTS_FILE, read_movements
from rlsmove.results.night_files import night_json, write_night_result
from rlsmove.results.night_json import RECORD_FILE
from rlsmove.review.night_folder import NightFolder, open_night
from rlsmove.review.reviewed_night import review_night
from rlsmove.rules import RULE_SETS, RuleSet
from rlsmove.scoring import INDICES

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from rlsmove.study.problems import Problem

#: A path as a person writes it.
AnyPath = str | os.PathLike[str]

#: Indices that are lists of numbers, which fit into no column.
_LISTS = ("plms_per_hour_by_hour", "plms_per_hour_by_third")


class Night:
    """One night: its movements, its indices, its picture.

    Attributes
    ----------
    name : str
        Its evening date (2026-03-01), or its case in an event list.
    record : dict
        All that night.json holds of it.
    """

    def __init__(
        self,
        name: str,
        record: dict[str, Any],
        scoring: Scoring,
        folder: NightFolder | None = None,
        result: NightResult | None = None,
    ) -> None:
        self.name = name
        self.record = record
        self._scoring = scoring
        self._folder = folder
        self._result = result

    def __repr__(self) -> str:
        plms = self.record["indices"]["plms_per_hour"]
        said = "no PLMS index" if plms is None else f"{plms:.1f} PLMS per hour"
        return f"<Night {self.name}: {said}>"

    @property
    def notices(self) -> list[Notice]:
        """What a reader of the night should know, each with its code."""
        return [Notice(**entry) for entry in self.record["quality"]["warnings"]]

    def movements(self) -> NDArray[Any]:
        """Every movement, rejected ones too.

        Returns
        -------
        ndarray, structured, shape (n,)
            Columns as in movements.csv: times in s from the start of the (left) recording, `peak_g`
            in g, `tilt_deg` in degrees; NaN for what is not known.
        """
        return _movement_table(self._scoring, self.record["recording"].get("start_time"))

    def indices(self) -> dict[str, Any]:
        """Every index by its name (see GLOSSARY.md); None for what cannot be said."""
        return dict(self.record["indices"])

    def plot(self) -> Figure:
        """Draw the night: movement signal, posture, sleep, movements and series.

        Raises
        ------
        SettingError
            Nothing of the night's signal is at hand, as for event lists.
        """
        if self._folder is None:
            raise SettingError(self.name, "an event list has no signal to draw")
        from rlsmove.report.figure_svg import page_style
        from rlsmove.report.night_facts import night_facts
        from rlsmove.report.night_figures import overview

        with page_style():
            return overview(night_facts(self._folder))

    def write(self, folder: AnyPath) -> None:
        """Write movements.csv, night.json and night.npz into a folder, as `rlsmove night` does.

        Raises
        ------
        SettingError
            The night was not made from a recording.
        OutputError
            A file cannot be written.
        """
        if self._result is None:
            raise SettingError(self.name, "only a night made from a recording can be written")
        write_night_result(self._result, _path(folder, "folder"), None)


class Nights(Sequence[Night]):
    """The nights of a recording, of a folder of results, or of an event list, in their order."""

    def __init__(self, nights: Sequence[Night]) -> None:
        self._nights = list(nights)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, slice):
            return Nights(self._nights[which])
        if isinstance(which, str | date):
            named = {night.name: night for night in self._nights}
            if str(which) not in named:
                raise SettingError("night", f"{which}", expected="one of " + ", ".join(named))
            return named[str(which)]
        return self._nights[which]

    def __len__(self) -> int:
        return len(self._nights)

    def __iter__(self) -> Iterator[Night]:
        return iter(self._nights)

    def __repr__(self) -> str:
        return "[" + ", ".join(map(repr, self._nights)) + "]"

    def nights(self) -> list[Night]:
        """The nights as a list."""
        return list(self._nights)

    def movements(self, *, frame: bool = False) -> NDArray[Any] | DataFrame:
        """Movements of all nights.

        Parameters
        ----------
        frame : bool
            Whether to give a pandas DataFrame (extra ``tables``).

        Returns
        -------
        ndarray, structured, or DataFrame
            As `Night.movements`, with the night's name as the first column.
        """
        return _stacked([(night.name, night.movements()) for night in self], frame)

    def indices(self, *, frame: bool = False) -> NDArray[Any] | DataFrame:
        """Indices of all nights, a row a night.

        Parameters
        ----------
        frame : bool
            Whether to give a pandas DataFrame (extra ``tables``).

        Returns
        -------
        ndarray, structured, or DataFrame
            The night's name, then each index that is one number; NaN for what cannot be said.
        """
        names = [index.name for index in INDICES if index.name not in _LISTS]
        dtype = np.dtype([(name, np.float64) for name in names])
        rows = []
        for night in self:
            row = np.empty(1, dtype)
            for name in names:
                value = night.record["indices"].get(name)
                row[name] = np.nan if value is None else value
            rows.append((night.name, row))
        return _stacked(rows, frame)

    def plot(self, night: str | date | None = None) -> Figure:
        """Draw one night (see `Night.plot`).

        Parameters
        ----------
        night : str or date, optional
            Its evening; not needed where there is one.

        Raises
        ------
        SettingError
            There are several nights and none was named, or there is no such night.
        """
        if night is None and len(self) != 1:
            raise SettingError(
                "plot",
                f"{len(self)} nights",
                expected="the evening of one of " + ", ".join(one.name for one in self),
            )
        chosen: Night = self[0 if night is None else night]
        return chosen.plot()


def read(
    recording: AnyPath | None = None,
    *,
    left: AnyPath | None = None,
    right: AnyPath | None = None,
    side: str | None = None,
    night: str | date | None = None,
    sleep: AnyPath | None = None,
    lights_off: str | None = None,
    lights_on: str | None = None,
    rules: str | RuleSet = "wasm2016",
    threshold: float | None = None,
    detector: Detector | None = None,
    **told: str | None,
) -> Nights:
    """Read one recording, or two, one a leg, or a folder of results.

    Parameters
    ----------
    recording : str or Path, optional
        A recording of any format that is read here, or a folder that `rlsmove night --out` or
        `rlsmove batch` wrote (then no other argument is used but `night`).
    left, right : str or Path, optional
        Recordings of the left and of the right ankle, in the place of `recording`.
    side : str, optional
        Leg of `recording`: ``left`` or ``right``.
    night : str or date, optional
        Only the night of this evening.
    sleep : str or Path, optional
        Event list or hypnogram.
    lights_off, lights_on : str, optional
        Wall time, such as ``23:10``.
    rules : str or RuleSet
        ``wasm2016``, ``wasm2006``, ``aasm``, or a set of one's own.
    threshold : float, optional
        Probability from which on a movement is a leg movement; the detector's own by default.
    detector : callable, optional
        In the place of rlsmove's own: from a `LegNight` (`acceleration` (n, 3) in g, calibrated, at
        `fs` samples per second, NaN where nothing was recorded; `side`) to a pair of arrays, onsets
        and durations of the leg movements in seconds from the first sample.
    **told : str
        What the file does not say: ``time_zone``, ``start``, ``columns``, ``unit``,
        ``date_order``, ``where``, as the options of the command line.

    Returns
    -------
    Nights
        Each night with its movements and indices.

    Raises
    ------
    RlsmoveError
        Something cannot be used; the message says what, and what would do.
    """
    if recording is not None and _path(recording, "recording").is_dir():
        return _of_results(_path(recording, "recording"), night)
    legs = _opened(recording, left, right, side, _told(told))
    lights = Lights(lights_off, lights_on)
    scored: Callable[[date], Events | None] = lambda evening: None  # noqa: E731
    events_file = None if sleep is None else _path(sleep, "sleep")
    if events_file is not None:
        scored = partial(events_of_evening, events_file, read_events(events_file))
    nights = []
    for evening in choose_nights(legs, None if night is None else str(night)):
        result = analyse_night(
            legs,
            evening,
            events=scored(evening),
            lights=lights,
            rules=_rules(rules),
            threshold=_threshold(threshold),
            detector=detector,
            keep_signal=True,
        )
        record = plain(night_json(result, events_file))
        reviewed = review_night(result.detected, [])
        folder = NightFolder(
            Path(str(evening)), record, result.rules, "", result.detected, [], reviewed, []
        )
        nights.append(Night(str(evening), record, result.scoring, folder, result))
    return Nights(nights)


def score(
    events: AnyPath | Events, *, rules: str | RuleSet = "wasm2016", labels: AnyPath | None = None
) -> Nights:
    """Score a list of leg movements.

    Parameters
    ----------
    events : str, Path or Events
        CSV, EDF+ annotations, Luna .annot, or an export of a sleep laboratory.
    rules : str or RuleSet
        As in `read`.
    labels : str or Path, optional
        Table of labels on top of the built-in one.

    Returns
    -------
    Nights
        A night for each case of the list, named by it.

    Raises
    ------
    RlsmoveError
        The list cannot be used; the message has row or annotation.
    """
    inputs: list[Path] = []
    cases: Mapping[str, Events]
    if isinstance(events, Events):
        cases = {"": events}
    else:
        inputs = [_path(events, "events")]
        table = read_label_table(None if labels is None else _path(labels, "labels"))
        cases = read_events(inputs[0], table)
    scores = {case: score_events(night, _rules(rules)) for case, night in cases.items()}
    return Nights([_of_events(case, night, inputs) for case, night in scores.items()])


def compare(
    nights: AnyPath | DataFrame | NDArray[Any], *, scheme: str | None = None, **options: Any
) -> dict[str, Any]:
    """Compare massage nights with control nights, each person and the cohort.

    Parameters
    ----------
    nights : str, Path, DataFrame or structured array
        A study folder with its results, or a table of nights: ``participant_id, night, condition,
        block, period, count, hours``.
    scheme : str, optional
        For a table, how the conditions were assigned: ``pairs``, ``blocks``, ``free``, or
        ``none`` where they were not randomised.
    **options
        ``margin``, ``minimum_hours``, ``looks``, ``seed``, ``models``; for a table also ``max_run``
        and ``planned_nights``, as of `rlsmove compare`.

    Returns
    -------
    dict
        What comparison.json holds (see GLOSSARY.md), and under ``problems`` what was made of
        rows that cannot be used as they stand.

    Raises
    ------
    RlsmoveError
        The nights cannot be used at all.
    """
    from rlsmove.comparison.comparison import compare_study, compare_table

    of_study = isinstance(nights, str | os.PathLike) and Path(nights).is_dir()
    if of_study == (scheme is not None):
        raise SettingError(
            "scheme",
            "a scheme for a study, whose plan has it" if of_study else "no scheme for a table",
            expected="none for a study; pairs, blocks, free or none for a table",
        )
    call: Callable[..., tuple[dict[str, Any], list[Problem]]]
    call = partial(compare_table, scheme=scheme) if scheme is not None else compare_study
    with _as_file(nights) as path:
        try:
            comparison, problems = call(path, **options)
        except TypeError as error:
            raise SettingError("compare", str(error), expected="options as named above") from error
    return {**comparison, "problems": [str(problem) for problem in problems]}


@contextmanager
def _as_file(nights: AnyPath | DataFrame | NDArray[Any]) -> Iterator[Path]:
    """A table in memory as the file that tables of nights are read from."""
    if isinstance(nights, str | os.PathLike):
        yield Path(nights)
        return
    names = nights.dtype.names if isinstance(nights, np.ndarray) else getattr(nights, "columns", ())
    if names is None or not len(names):
        found = f"{type(nights).__name__} without named columns"
        raise SettingError("nights", found, expected="a table: a path, a DataFrame or an array")
    rows = zip(*(map(_cell, nights[name]) for name in names), strict=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "nights.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(names), *rows])
        yield path


def _cell(value: object) -> str:
    # Of all values only one that is no number differs from itself.
    return "n/a" if value is None or value != value else str(value)


def _of_events(case: str, night: ScoredNight, inputs: list[Path]) -> Night:
    return Night(case, plain(score_record({"": night}, inputs)), night.scoring)


def _of_results(path: Path, night: str | date | None) -> Nights:
    folders = sorted(file.parent for file in path.rglob(RECORD_FILE))
    if not folders:
        raise SettingError(
            path,
            "no night in this folder",
            expected=f"{RECORD_FILE} in it or below it, as `rlsmove night --out` writes it",
        )
    nights = []
    for folder in (open_night(one, signal=True) for one in folders):
        settings = folder.record["provenance"].get("settings") or {}
        name = str(settings.get("evening") or folder.path.name)
        scoring = folder.scored.scoring if folder.scored else _scoring_in(folder.path)
        record = {**folder.record, "indices": folder.indices}
        nights.append(Night(name, record, scoring, folder))
    every = Nights(nights)
    return every if night is None else Nights([every[night]])


def _scoring_in(folder: Path) -> Scoring:
    return read_movements(folder / MOVEMENTS_FILE)[""].scoring


def _opened(
    recording: AnyPath | None,
    left: AnyPath | None,
    right: AnyPath | None,
    side: str | None,
    told: Told,
) -> list[Leg]:
    if (recording is None) == (left is None and right is None):
        raise SettingError(
            "recording",
            "nothing to read" if recording is None else "a recording beside left or right",
            expected="one recording, or left, right or both",
        )
    if side not in (None, "left", "right"):
        raise SettingError("side", repr(side), expected="left or right")
    given = [(recording, side, "recording"), (left, "left", "left"), (right, "right", "right")]
    return [
        open_leg(_path(path, name), leg_side, told=told)
        for path, leg_side, name in given
        if path is not None
    ]


def _path(value: object, name: str) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise SettingError(name, repr(value), expected="a path, such as 'left.cwa'")
    return Path(cast(AnyPath, value))


def _told(told: dict[str, str | None]) -> Told:
    known = [field.name for field in fields(Told)]
    if unknown := [name for name in told if name not in known]:
        raise SettingError(unknown[0], "there is no such argument", expected=", ".join(known))
    return Told.parse(**told)


def _rules(rules: str | RuleSet) -> RuleSet:
    if isinstance(rules, RuleSet):
        return rules
    if rules not in RULE_SETS:
        raise SettingError("rules", repr(rules), expected=", ".join(RULE_SETS))
    return RULE_SETS[rules]


def _threshold(threshold: float | None) -> float | None:
    if threshold is not None and not 0 < threshold < 1:
        raise SettingError("threshold", repr(threshold), expected="a probability, such as 0.5")
    return threshold


def _movement_table(scoring: Scoring, start_time: str | None) -> NDArray[Any]:
    text = {"side": SIDES, "kind": KINDS, "stage": (*STAGES, "")}
    columns: dict[str, NDArray[Any]] = {
        "onset_s": scoring.onset_ms / 1000,
        "duration_s": scoring.duration_ms / 1000,
        "onset_time": _wall_times(scoring, start_time),
        "side": np.array(text["side"])[scoring.side],
        "kind": np.array(text["kind"])[scoring.kind],
        "n_monolateral": scoring.n_monolateral,
        "clm": scoring.clm == 1,
        "plm": scoring.plm == 1,
        "series": scoring.series,
        "imi_s": _known(scoring.imi_ms / 1000, scoring.imi_ms),
        "stage": np.array(text["stage"])[scoring.stage],
        **{
            name: _known(getattr(scoring, name), getattr(scoring, name))
            for name in ("sleep", "respiratory", "plmnr", "arousal")
        },
        "peak_g": scoring.peak_g,
        "tilt_deg": scoring.tilt_deg,
        "probability": scoring.probability,
        "reason": scoring.reason.astype(str) if len(scoring) else np.empty(0, "U1"),
    }
    table = np.empty(len(scoring), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def _known(values: NDArray[Any], marks: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(marks < 0, np.nan, values).astype(np.float64)


def _wall_times(scoring: Scoring, start_time: str | None) -> NDArray[np.datetime64]:
    """Wall times without their offset, which numpy has no place for; NaT where not known."""
    if not start_time:
        return np.full(len(scoring), np.datetime64("NaT"), "datetime64[ms]")
    start = np.datetime64(datetime.fromisoformat(start_time).replace(tzinfo=None), "ms")
    return start + scoring.onset_ms.astype("timedelta64[ms]")


def _stacked(tables: Sequence[tuple[str, NDArray[Any]]], frame: bool) -> NDArray[Any] | DataFrame:
    """Tables of several nights as one, the night's name before the other columns."""
    every = [table for _, table in tables]
    names = np.repeat([name for name, _ in tables], [len(table) for table in every])
    columns = {"night": names.astype(str) if len(names) else np.empty(0, "U1")}
    for name in every[0].dtype.names or () if every else ():
        columns[name] = np.concatenate([table[name] for table in every])
    if frame:
        try:
            import pandas as pd
        except ImportError as error:
            raise SettingError(
                "frame",
                "pandas is not installed",
                expected="the extra 'tables'",
                advice="pip install 'rlsmove[tables]', or leave frame out for a numpy table",
            ) from error
        return pd.DataFrame(columns)
    joined = np.empty(len(names), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        joined[name] = column
    return joined
