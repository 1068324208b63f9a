"""The cohort's movements and indices as one HDF5 file, whole whenever it is read.

Root attributes ``format`` = "rlsmove-cohort", ``version`` = 1, ``complete`` (whether the batch had
come to its end). Group ``nights``: a dataset for each column of nights.csv, in its order, one
entry a night; numbers are float64 with NaN for what cannot be said; an index that is a list is of
shape (n, longest), filled up with NaN; ``first_movement`` and ``n_movements`` say which rows of
``movements`` are the night's. Group ``movements``: a dataset for each column of movements.csv, the
nights one after the other, and ``night_row``, the row in ``nights``; counts and flags are integers
with -1 for an empty cell.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlsmove.batch.finished_nights import night_folder
from rlsmove.errors import StudyError
from rlsmove.io.atomic_files import atomic_path
from rlsmove.results.movements_csv import MOVEMENT_COLUMNS, MOVEMENTS_FILE
from rlsmove.results.nights_csv import ROW_COLUMNS, value_text

STORE = "cohort.h5"
FORMAT = "rlsmove-cohort"
VERSION = 1

_NUMBERS = ("onset_s", "duration_s", "imi_s", "peak_g", "tilt_deg")
_FLAGS = ("clm", "plm", "sleep", "respiratory", "plmnr", "arousal")
_COUNTS = ("n_monolateral", "series")

#: Bytes of a text, in which a longer one ends with dots. Texts of any length would lie in a heap
#: that is not compressed: nine tenths of the file.
_WIDTHS = {"side": 12, "kind": 24, "stage": 4, "onset_time": 40}
_WIDTH = 160

#: Movements held in memory before they are written.
_ROWS_AT_ONCE = 50_000
#: Rows of one stored chunk.
_CHUNK_ROWS = 1 << 13


def write_cohort_store(derived: Path, rows: Sequence[Mapping[str, Any]], *, complete: bool) -> None:
    """Write cohort.h5 from the rows of nights.csv and the movements.csv of their nights.

    Parameters
    ----------
    derived : Path
        Folder of the results.
    rows : sequence of mapping
        Of nights.csv, in its order.
    complete : bool
        Whether the batch has come to its end.

    Raises
    ------
    OutputError
        It cannot be written; one that was there stays as it is.
    StudyError
        The movements.csv of a night is gone or damaged.

    Notes
    -----
    The file takes the place of the one before in a single step, so that a reader finds a whole
    one at any time. The same nights give the same bytes.
    """
    import h5py

    # Made in memory: the HDF5 library cannot let go of a file that the disk has no room for.
    with h5py.File(STORE, "w", driver="core", backing_store=False) as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["complete"] = complete
        counts = _write_movements(file.create_group("movements"), derived, rows)
        nights = file.create_group("nights", track_order=True)
        for name in rows[0] if rows else ():
            values = [row[name] for row in rows]
            is_text = name in ROW_COLUMNS
            column = _texts([value_text(v) for v in values]) if is_text else _numbers(values)
            nights.create_dataset(
                name, data=column, compression="gzip", compression_opts=1, shuffle=True
            )
        nights["first_movement"] = np.cumsum([0, *counts[:-1]], dtype=np.int64)[: len(counts)]
        nights["n_movements"] = np.array(counts, np.int64)
        file.flush()
        image = file.id.get_file_image()
    with atomic_path(derived / STORE) as partial:
        partial.write_bytes(image)


def _write_movements(group: Any, derived: Path, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write all movements, a stretch of nights at a time; returns how many each night has."""
    import h5py

    types = {
        **{n: h5py.string_dtype("utf-8", _WIDTHS.get(n, _WIDTH)) for n in MOVEMENT_COLUMNS},
        **dict.fromkeys(_NUMBERS, np.float64),
        **dict.fromkeys(_FLAGS, np.int8),
        **dict.fromkeys(_COUNTS, np.int32),
        "night_row": np.int32,
    }
    for name, kind in types.items():
        group.create_dataset(
            name, (0,), kind, maxshape=(None,), chunks=(_CHUNK_ROWS,), compression="gzip",
            compression_opts=1, shuffle=True,
        )  # fmt: skip
    counts: list[int] = []
    held: dict[str, list[str]] = {name: [] for name in MOVEMENT_COLUMNS}
    night_row: list[int] = []
    for number, row in enumerate(rows):
        n = 0
        if row["status"] != "failed":
            for cells in _movements(night_folder(derived, row["participant_id"], row["night"])):
                n += 1
                for name, cell in zip(MOVEMENT_COLUMNS, cells, strict=True):
                    held[name].append(cell)
        night_row += [number] * n
        counts.append(n)
        if len(night_row) >= _ROWS_AT_ONCE or number == len(rows) - 1:
            for name, cells in held.items():
                _append(group[name], _parsed(cells, types[name]))
                cells.clear()
            _append(group["night_row"], np.array(night_row, np.int32))
            night_row.clear()
    return counts


def _movements(folder: Path) -> Iterator[list[str]]:
    path = folder / MOVEMENTS_FILE
    try:
        lines = csv.reader(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            path,
            f"cannot be read ({error})",
            advice="Run the batch again; it makes what is gone",
        ) from error
    header = tuple(next(lines, ()))
    if header != MOVEMENT_COLUMNS:
        raise StudyError(path, f"its header is {','.join(header)!r}", place="row 1",
                         expected=",".join(MOVEMENT_COLUMNS))  # fmt: skip
    return lines


def _parsed(cells: list[str], kind: Any) -> Any:
    if kind is np.float64:
        return np.array([cell or "nan" for cell in cells], np.float64)
    if kind in (np.int8, np.int32):
        return np.array([cell or "-1" for cell in cells]).astype(kind)
    width = np.dtype(kind).itemsize
    texts = [cell.encode() for cell in cells]
    return np.array([t if len(t) <= width else _cut(t, width) for t in texts], kind)


def _cut(text: bytes, width: int) -> bytes:
    return text[: width - 3].decode(errors="ignore").encode() + b"..."


def _append(dataset: Any, values: Any) -> None:
    before = len(dataset)
    dataset.resize((before + len(values),))
    dataset[before:] = values


def _texts(values: Sequence[str]) -> NDArray[np.bytes_]:
    import h5py

    texts = [value.encode() for value in values]
    return np.array(texts, h5py.string_dtype("utf-8", max(map(len, texts), default=0) or 1))


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    if any(isinstance(value, list) for value in values):
        lists = [value or [] for value in values]
        table = np.full((len(lists), max(map(len, lists))), np.nan)
        for line, value in zip(table, lists, strict=True):
            line[: len(value)] = [np.nan if item is None else item for item in value]
        return table
    return np.array([np.nan if value is None else value for value in values], np.float64)
