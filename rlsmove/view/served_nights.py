"""The nights of a folder while they are reviewed: their signal, their state, their edits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from rlsmove.errors import ResultError
from rlsmove.records import SIDES, LegSignal
from rlsmove.results.night_json import RECORD_FILE
from rlsmove.results.night_npz import NIGHT_FILE
from rlsmove.review import open_night
from rlsmove.review.edits import ADD, CHANGE, EDITS_FILE, UNDO, Edit, append_edit, new_edit
from rlsmove.review.night_folder import read_review
from rlsmove.review.recorded_signal import recorded_signals
from rlsmove.signal.kept_signal import signal_strength
from rlsmove.view.reviewed_state import night_state, night_title

#: Longest text that an edit may carry: a sentence or two, not a file.
TEXT_MAX = 2000

#: Nights whose signal is held in memory at once.
_OPEN_MAX = 4

#: A movement that a reviewer draws lasts between one point of the signal and some minutes.
_DURATION_S = (0.04, 600.0)


class ServedNight:
    """One night under review; several threads may ask at once.

    Parameters
    ----------
    folder : Path
        The night's folder.
    recordings : Path or None
        Folder of the recordings, for a night whose signal was not kept.

    Raises
    ------
    ResultError
        The folder is no night's, or the night before scoring was not kept.
    """

    def __init__(self, folder: Path, recordings: Path | None) -> None:
        self._folder = open_night(folder, signal=True)
        if self._folder.detected is None:
            raise ResultError(
                folder,
                "there is no night.npz, so that the night cannot be scored anew",
                expected="the folder of a night analyzed from a recording",
                advice="`rlsmove night ... --out FOLDER` writes one",
            )
        self._recordings = recordings
        self._lock = Lock()
        self._signals: list[LegSignal | None] | None = None

    @property
    def title(self) -> str:
        """Which night it is."""
        return night_title(self._folder)

    def signals(self) -> list[LegSignal | None]:
        """Signal of each leg; None where neither the folder nor a recording has one."""
        with self._lock:
            if self._signals is None:
                detected = self._folder.detected
                assert detected is not None
                kept = [leg.signal for leg in detected.legs]
                found = {}
                if any(signal is None for signal in kept):
                    found = recorded_signals(self._folder, self._recordings)
                self._signals = [
                    signal or found.get(leg.side)
                    for leg, signal in zip(detected.legs, kept, strict=True)
                ]
            return self._signals

    def samples(self, leg: int) -> bytes:
        """Acceleration of a leg, point by point, as little-endian int16, x y z in 1/2048 g."""
        signal = self.signals()[leg]
        return b"" if signal is None else signal.counts.astype("<i2", copy=False).tobytes()

    def strength(self, leg: int) -> bytes:
        """Movement signal of a leg in hundredths of its threshold, as little-endian int16.

        -32768 stands where nothing was recorded; what is stronger than 327 is cut off there.
        """
        return self._strengths[leg]

    @cached_property
    def _strengths(self) -> list[bytes]:
        packed = []
        for signal in self.signals():
            if signal is None:
                packed.append(b"")
                continue
            hundredths = np.minimum(100 * signal_strength(signal), 32767)
            packed.append(np.nan_to_num(hundredths, nan=-32768).astype("<i2").tobytes())
        return packed

    def version(self) -> int:
        """How far the edits have grown: it changes with each, whoever made it."""
        path = self._folder.path / EDITS_FILE
        return path.stat().st_size if path.exists() else 0

    def state(self) -> dict[str, Any]:
        """The night as reviewed so far, edits that other programs made included."""
        with self._lock:
            self._folder = read_review(self._folder)
            return self._state()

    def edit(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Add an edit, and give the night as it then is; the edit is on the disk by then.

        Raises
        ------
        ValueError
            The edit does not fit the night; the message says why.
        OutputError
            It cannot be written.
        """
        with self._lock:
            self._folder = read_review(self._folder)
            edit = new_edit(fields, night=self._folder.digest)
            self._check(edit)
            append_edit(self._folder.path, edit)
            self._folder = read_review(self._folder)
            return self._state()

    def _state(self) -> dict[str, Any]:
        state = night_state(self._folder)
        for leg, described in enumerate(state["legs"]):
            signal = self._signals[leg] if self._signals else None
            described["clock"] = (
                None if signal is None else [signal.start_s, signal.step_s, len(signal)]
            )
        return {"title": self.title, "version": self.version(), **state}

    def _check(self, edit: Edit) -> None:
        reviewed = self._folder.reviewed
        assert reviewed is not None
        if max(len(edit.who), len(edit.why)) > TEXT_MAX:
            raise ValueError(f"who and why hold at most {TEXT_MAX} characters")
        names = {name for leg in reviewed.legs for name in leg.names}
        unknown = [name for name in edit.movements or () if name not in names]
        if unknown:
            raise ValueError(f"there is no movement {', '.join(unknown)}")
        if edit.action == UNDO and edit.undoes not in {one.edit for one in reviewed.edits}:
            raise ValueError("that edit was undone already, or never made")
        sides = [SIDES[leg.side] for leg in reviewed.legs]
        if edit.action == ADD and edit.side not in sides:
            raise ValueError(f"no recording of the {edit.side} leg; there is {' and '.join(sides)}")
        if edit.action in (ADD, CHANGE):
            assert edit.onset_s is not None
            assert edit.duration_s is not None
            low_s, high_s = _DURATION_S
            if not low_s <= edit.duration_s <= high_s:
                raise ValueError(f"a movement lasts {low_s:g} to {high_s:g} s")
            analysable = [leg.analysable for leg in reviewed.night.legs if len(leg.analysable)]
            first_ms = min((int(part.onset_ms[0]) for part in analysable), default=0)
            last_ms = max((int(part.offset_ms[-1]) for part in analysable), default=0)
            if not first_ms <= 1000 * edit.onset_s <= last_ms:
                raise ValueError(
                    f"onset {edit.onset_s:g} s is outside the night, "
                    f"{first_ms / 1000:g} to {last_ms / 1000:g} s"
                )


class ServedNights:
    """The nights of a folder, each opened when it is first looked at.

    Parameters
    ----------
    folder : Path
        A night's folder, or one with nights anywhere below it.
    recordings : Path or None
        Folder of the recordings, for nights whose signal was not kept.

    Raises
    ------
    ResultError
        There is no night that can be reviewed, or the only one cannot be used.
    """

    def __init__(self, folder: Path, recordings: Path | None) -> None:
        self._recordings = recordings
        self._lock = Lock()
        self._open: dict[str, ServedNight] = {}
        if (folder / RECORD_FILE).exists():
            self._folders = {folder.resolve().name: folder}
        else:
            # An event list among the nights has nothing to look at.
            self._folders = {
                path.parent.relative_to(folder).as_posix(): path.parent
                for path in sorted(folder.rglob(RECORD_FILE))
                if (path.parent / NIGHT_FILE).exists()
            }
        if not self._folders:
            raise ResultError(
                folder,
                "there is no night here that can be reviewed",
                expected=f"a folder with {RECORD_FILE} and {NIGHT_FILE}, or several of them",
                advice="`rlsmove night ... --out FOLDER` writes one",
            )
        if len(self._folders) == 1:
            self.night(self.names[0])

    @property
    def names(self) -> list[str]:
        """Place of each night within the folder."""
        return list(self._folders)

    def night(self, name: str) -> ServedNight:
        """Return a night by its name; `KeyError` where there is none."""
        with self._lock:
            if name not in self._open:
                opened = ServedNight(self._folders[name], self._recordings)
                # Signals are large; the nights looked at last are enough.
                for oldest in list(self._open)[: max(len(self._open) - _OPEN_MAX + 1, 0)]:
                    del self._open[oldest]
                self._open[name] = opened
            return self._open[name]
