"""Recordings as people name them, made a study: who, which leg, which night, and why."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from device_files import write_bin, write_cwa, write_gt3x

from rlsmove.cli import main
from rlsmove.devices import open_recording, write_recording
from rlsmove.errors import SettingError
from rlsmove.study.placed_files import Header, PlacedFile, place_files

ROOT = Path("study_files")
EVENING = datetime(2026, 3, 2, 22, 10)


def placed(files: dict[str, Header], **options: object) -> dict[str, PlacedFile]:
    headers = {ROOT / name: header for name, header in files.items()}
    return {file.name: file for file in place_files(ROOT, headers, **options)}  # type: ignore[arg-type]


def header(side: str = "unknown", day: int = 0, serial: str = "", **more: object) -> Header:
    return Header(side, "unknown", "AX3", serial, start_time=EVENING + timedelta(day), **more)  # type: ignore[arg-type]


def as_triples(found: dict[str, PlacedFile]) -> dict[str, tuple[str, str | None, date | None]]:
    return {name: (f.participant_id, f.leg, f.evening) for name, f in found.items()}


#: Names of the left and the right file of a person's night; {p} is the person, {n} the number of
#: the night, {d} its date.
NAMES = {
    "ankles": ("P{p:02d}_{d:%Y-%m-%d}_LA", "P{p:02d}_{d:%Y-%m-%d}_RA"),
    "german": ("VP{p:03d}-Nacht{n}-links", "VP{p:03d}-Nacht{n}-rechts"),
    "visits": ("S{p:02d}/V{n}/L/sensor", "S{p:02d}/V{n}/R/sensor"),
    "sides first": ("links/{p:02d}_{d:%d.%m.%Y}", "rechts/{p:02d}_{d:%d.%m.%Y}"),
    "glued": ("{d:%Y%m%d}_2210_{p:02d}L", "{d:%Y%m%d}_2210_{p:02d}R"),
    "camel": ("subject{p}_LeftAnkle_{d:%Y%m%d}", "subject{p}_RightAnkle_{d:%Y%m%d}"),
    "french": ("patient {p} nuit {n} gauche", "patient {p} nuit {n} droite"),
    "bids": ("sub-{p:02d}/ses-{n}/sub-{p:02d}_l_acc", "sub-{p:02d}/ses-{n}/sub-{p:02d}_r_acc"),
    "weeks": ("AB{p} week{n} left ankle", "AB{p} week{n} right ankle"),
    "capitals": ("{p}_MASSAGE_{d:%d%m%Y}_LI", "{p}_CONTROL_{d:%d%m%Y}_RE"),
}  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["headers with sides", "names alone"])
@pytest.mark.parametrize("style", NAMES)
def test_names_of_many_kinds_are_told_apart(style: str, known: bool) -> None:
    files = {}
    wanted = {}
    for person in (1, 2, 11):
        for night in (1, 2):
            for side, name in zip(("left", "right"), NAMES[style], strict=True):
                evening = EVENING.date() + timedelta(night)
                text = name.format(p=person, n=night, d=evening) + ".cwa"
                files[text] = header(side if known else "unknown", night, serial=f"99{person}")
                wanted[text] = (person, side, evening)
    found = placed(files)
    assert not [file for file in found.values() if file.doubts]
    codes = {wanted[name][0]: file.participant_id for name, file in found.items()}
    assert len(set(codes.values())) == 3
    assert as_triples(found) == {
        name: (codes[person], side, evening) for name, (person, side, evening) in wanted.items()
    }


def test_words_for_legs_that_no_list_knows_are_told_by_the_headers() -> None:
    files = {
        f"{person}-{color}-0{night}.cwa": header(side, night)
        for person in ("anna", "bert")
        for night in (2, 3)
        for color, side in (("blue", "left"), ("red", "right"))
    }
    found = placed(files)
    assert {f.participant_id for f in found.values()} == {"anna", "bert"}


@pytest.mark.parametrize(
    ("files", "doubt"),
    [
        ({"p1_left.cwa": header("right"), "p2_left.cwa": header("left")}, "its header says right"),
        ({"p1.cwa": header(), "p2_left.cwa": header()}, "neither the header nor the name"),
        (
            {"p1_2026-05-11_left.cwa": header("left"), "p2_2026-03-02_left.cwa": header("left")},
            "its name says 2026-05-11",
        ),
        (
            {"p1_left.cwa": header("left"), "p1_left (1).cwa": header("left")},
            "is of the left leg of p1",
        ),
        (
            {
                "p1_left.cwa": Header("left", "wrist", start_time=EVENING),
                "p2_left.cwa": header("left"),
            },
            "worn at the wrist",
        ),
    ],
)
def test_what_contradicts_itself_is_doubtful(files: dict[str, Header], doubt: str) -> None:
    found = placed(files)
    assert doubt in " ".join(text for file in found.values() for text in file.doubts)


def test_codes_of_the_diary_settle_which_word_is_the_person() -> None:
    files = {
        f"{night}_{person}_{side}.cwa": header(side, night)
        for person in ("1001", "1002")
        for night in (1, 2)
        for side in ("left", "right")
    }
    found = placed(files, known=["1001", "1002"])
    assert {f.participant_id for f in found.values()} == {"1001", "1002"}
    assert not [f for f in found.values() if f.doubts]


def test_serial_numbers_are_no_persons() -> None:
    files = {
        f"{serial}_{person}.cwa": header(side, serial=serial)
        for person, serials in (("a1", ("39434", "39435")), ("a2", ("51888", "51889")))
        for serial, side in zip(serials, ("left", "right"), strict=True)
    }
    assert {f.participant_id for f in placed(files).values()} == {"a1", "a2"}


def test_the_persons_code_in_the_header_goes_first() -> None:
    files = {
        f"file{number}.bin": header(side, subject=code)
        for number, (code, side) in enumerate(
            [("X1", "left"), ("X1", "right"), ("X2", "left"), ("X2", "right")]
        )
    }
    assert [f.participant_id for f in placed(files).values()] == ["X1", "X1", "X2", "X2"]


def test_a_pattern_goes_before_all_else() -> None:
    files = {f"7/{p}-3-{leg}.cwa": header() for p in ("x", "y") for leg in ("a", "b")}
    assert all(f.doubts for f in placed(files).values())
    files = {f"7/{p}-3-{leg}.cwa": header() for p in ("x", "y") for leg in ("l", "r")}
    found = placed(files, pattern="{}/{person}-*-{leg}")
    assert as_triples(found)["7/y-3-r.cwa"] == ("y", "right", EVENING.date())
    with pytest.raises(SettingError, match="person"):
        placed(files, pattern="{leg}")
    with pytest.raises(SettingError, match=r"\{who\}"):
        placed(files, pattern="{who}_{person}")


# Whole folders -------------------------------------------------------------------------------


def write_night(path: Path, side: str, start: datetime, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(0, 0.01, (3000, 3)).astype(np.float32)
    samples[:, 2] += 1
    write_recording(
        path, [samples], start_time=start, sample_rate_hz=25.0, side=side, placement="ankle",
        device="AX3",
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two persons, two nights, each leg, as somebody copied them from the devices."""
    folder = tmp_path / "downloads"
    for person in (1, 2):
        for night in (0, 1):
            for number, (leg, side) in enumerate((("LA", "left"), ("RA", "right"))):
                start = EVENING + timedelta(night)
                name = f"{person + 1000}/{start:%d%m%Y}_{leg}.h5"
                write_night(folder / name, side, start, 8 * person + 4 * night + number)
    (folder / "notes.docx").write_bytes(b"notes")
    (folder / "weights.csv").write_text("who,kg\nme,70\n")
    return folder


DIARY = """record_id;datum;licht aus;aufgestanden;massage
1001;02.03.2026;22:30;06:30;ja
1001;03.03.2026;22:40;06:35;nein
1002;02.03.2026;23:05;07:00;nein
"""


def run(*arguments: object, **options: object) -> object:
    result = CliRunner().invoke(main, ["study", *map(str, arguments)], **options)  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_folder_and_a_diary_become_a_study_that_validates(folder: Path, tmp_path: Path) -> None:
    study, diary = tmp_path / "study", tmp_path / "diary.csv"
    diary.write_text(DIARY)
    dry = run("from", folder, study, "--diary", diary, "--dry-run")
    assert dry.exit_code == 0, dry.output  # type: ignore[attr-defined]
    assert not study.exists()
    done = run("from", folder, study, "--diary", diary, "--yes", "--time-zone", "Europe/Berlin")
    assert done.exit_code == 0, done.output  # type: ignore[attr-defined]
    assert "left out  weights.csv" in done.output  # type: ignore[attr-defined]
    rows = table(study / "recordings.tsv")
    assert len(rows) == 8
    for row in rows:
        path = study / row["file"]
        assert path.is_file()
        assert row["participant_id"] == path.parent.name
        assert row["leg"] == open_recording(path).side
    nights = table(study / "nights.tsv")
    assert [(n["participant_id"], n["night"], n["condition_assigned"]) for n in nights] == [
        ("1001", "2026-03-02", "massage"),
        ("1001", "2026-03-03", "control"),
        ("1002", "2026-03-02", "control"),
    ]
    assert nights[0]["lights_off"] == "22:30"
    assert [row["participant_id"] for row in table(study / "participants.tsv")] == ["1001", "1002"]
    check = run("check", study)
    assert "no such file" not in check.output  # type: ignore[attr-defined]
    assert "no recording" not in check.output.replace("no recording of", "")  # type: ignore[attr-defined]


def test_files_that_arrive_later_are_added_and_nothing_else_changes(
    folder: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    run("from", folder, study, "--yes")
    before = table(study / "recordings.tsv")
    again = run("from", folder, study, "--yes")
    assert "0 new file(s)" in again.output  # type: ignore[attr-defined]
    write_night(folder / "1003" / "04032026_LA.h5", "left", EVENING + timedelta(2), 99)
    more = run("from", folder, study, "--yes")
    assert more.exit_code == 0, more.output  # type: ignore[attr-defined]
    after = table(study / "recordings.tsv")
    assert after[:-1] == before
    assert after[-1]["participant_id"] == "1003"
    assert run("undo", study).exit_code == 0  # type: ignore[attr-defined]
    assert table(study / "recordings.tsv") == before


def test_doubtful_rows_come_first_and_are_not_written_without_being_asked(
    folder: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    write_night(folder / "1001" / "04032026_RA.h5", "left", EVENING + timedelta(2), 99)
    refused = run("from", folder, study, "--yes")
    assert refused.exit_code == 1  # type: ignore[attr-defined]
    assert refused.output.startswith("DOUBTFUL  1001/04032026_RA.h5")  # type: ignore[attr-defined]
    assert not study.exists()
    no = run("from", folder, study, input="n\n")
    assert no.exit_code == 1  # type: ignore[attr-defined]
    assert not study.exists()
    assert run("from", folder, study, input="y\n").exit_code == 0  # type: ignore[attr-defined]
    assert len(table(study / "recordings.tsv")) == 9


def test_the_same_bytes_twice_are_doubtful(folder: Path, tmp_path: Path) -> None:
    left = folder / "1001" / "02032026_LA.h5"
    (folder / "1001" / "05032026_LA.h5").write_bytes(left.read_bytes())
    refused = run("from", folder, tmp_path / "study", "--yes")
    assert refused.exit_code == 1  # type: ignore[attr-defined]
    assert "the very bytes of" in refused.output  # type: ignore[attr-defined]


def test_a_diary_of_other_persons_writes_nothing(folder: Path, tmp_path: Path) -> None:
    diary = tmp_path / "diary.csv"
    diary.write_text(DIARY.replace("100", "700"))
    refused = run("from", folder, tmp_path / "study", "--diary", diary, "--yes")
    assert refused.exit_code == 1  # type: ignore[attr-defined]
    assert "none of its persons has a recording" in refused.output  # type: ignore[attr-defined]
    assert not (tmp_path / "study").exists()


def test_headers_of_every_format_tell_leg_and_night(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    chunk = np.tile([0.0, 0.0, 1.0], (6000, 1)) + np.random.default_rng(0).normal(
        0, 0.01, (6000, 3)
    )
    start = datetime(2026, 3, 2, 22, 30)
    write_gt3x(folder / "k1.gt3x", [chunk], start=start, Side="Left", Limb="Ankle")
    write_bin(folder / "k2.bin", [chunk], start=start, location="right ankle")
    write_cwa(folder / "k3.cwa", [chunk], start=start, note="_p=left%20ankle&_sc=k3")
    with gzip.open(folder / "k4_right.csv.gz", "wt") as file:
        file.write("time,x (g),y (g),z (g)\n")
        for row, values in enumerate(chunk):
            file.write(
                f"{start + timedelta(seconds=row / 100)}," + ",".join(map(str, values)) + "\n"
            )
    done = run("from", folder, tmp_path / "study", "--yes")
    assert done.exit_code == 0, done.output  # type: ignore[attr-defined]
    rows = {row["participant_id"]: row["leg"] for row in table(tmp_path / "study/recordings.tsv")}
    assert rows == {"k1": "left", "k2": "right", "k3": "left", "k4": "right"}
