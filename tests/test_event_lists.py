"""Event lists: what is read from CSV, EDF+ and .annot, what is refused, and round trips."""

from __future__ import annotations

import random
from datetime import date, datetime, time
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import ORACLE, events_of, needs_oracle, rows_by_case

from rlsmove.errors import EventListError, SettingError
from rlsmove.events.event_lists import Events, convert_events, read_events, read_one_night
from rlsmove.events.labels import read_label_table, side_named
from rlsmove.records import (
    BILATERAL,
    LEFT,
    N1,
    N2,
    N3,
    REM,
    RIGHT,
    SLEEP,
    UNKNOWN_SIDE,
    WAKE,
    Movements,
)

HEADER = "kind,label,onset_s,duration_s\n"


def written(folder: Path, text: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def csv_events(folder: Path, rows: str, header: str = HEADER) -> Events:
    return read_one_night(written(folder, header + rows))


def edf_events(folder: Path, *annotations: tuple[float, float | None, str]) -> Events:
    return read_one_night(edf_file(folder, *annotations))


def edf_file(folder: Path, *annotations: tuple[float, float | None, str]) -> Path:
    path = folder / "scored.edf"
    edf = edfio.Edf(
        [],
        annotations=[edfio.EdfAnnotation(*annotation) for annotation in annotations],
        recording=edfio.Recording(startdate=date(2026, 3, 1)),
        starttime=time(22, 30),
    )
    edf.write(path)
    return path


def codes(events: Events) -> list[str]:
    return [notice.code for notice in events.notices]


def same_movements(one: Movements, other: Movements) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("onset_ms", "duration_ms", "side")
    )


# CSV


@needs_oracle
def test_csv_with_cases_reads_like_its_rows():
    cases = read_events(ORACLE / "events.csv")
    for case, rows in rows_by_case("events.csv").items():
        movements, sleep, respiratory, arousals = events_of(rows)
        read = cases[case]
        assert same_movements(read.movements, movements)
        assert np.array_equal(read.sleep.stage, sleep.stage)
        assert read.sleep.lights_on_ms == sleep.lights_on_ms
        assert np.array_equal(read.respiratory.offset_ms, respiratory.offset_ms)
        assert np.array_equal(read.arousals.onset_ms, arousals.onset_ms)


def test_lights_stages_and_legs_are_read(tmp_path):
    events = csv_events(
        tmp_path,
        "lights_off,,10,0\nstage,W,0,30\nstage,N2,30,30\nstage,S,60,30\nlights_on,,85,0\n"
        "lm,left,12.5,1.25\nlm,right,40,2\nlm,bilateral,50,2\nlm,unknown,70,1\n",
    )
    assert (events.sleep.lights_off_ms, events.sleep.lights_on_ms) == (10_000, 85_000)
    assert events.sleep.stage.tolist() == [WAKE, N2, SLEEP]
    assert events.movements.side.tolist() == [LEFT, RIGHT, BILATERAL, UNKNOWN_SIDE]
    assert events.movements.duration_ms.tolist() == [1250, 2000, 2000, 1000]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffkind,label,onset_s,duration_s\r\nlm,left,1.5,2\r\n\r\n",
        "Duration_s , ONSET_S,Label,kind,scorer\n2,1.5,LEFT,LM,me\n",
        "kind;label;onset_s;duration_s\nlm;left;1,5;2,0\n",
        "kind\tlabel\tonset_s\tduration_s\nlm\tLeft\t1.5\t2\n",
        '"kind","label","onset_s","duration_s"\n"lm","left","1.5","2"\n',
        "\n\nkind,label,onset_s,duration_s\nlm, left ,1.5,2",
    ],
    ids=["bom-crlf-blank", "any-order-case-extra", "semicolon", "tabs", "quoted", "blank-first"],
)
def test_harmless_differences_of_csv_do_not_matter(tmp_path, text):
    events = read_one_night(written(tmp_path, text))
    assert events.movements.onset_ms.tolist() == [1500]
    assert events.movements.duration_ms.tolist() == [2000]
    assert events.movements.side.tolist() == [LEFT]


def test_the_order_of_rows_does_not_matter(tmp_path):
    rows = [f"lm,{leg},{onset},1.5" for leg in ("left", "right") for onset in range(0, 600, 20)]
    rows += [f"stage,N2,{onset},30" for onset in range(0, 600, 30)]
    ordered = csv_events(tmp_path, "\n".join(rows))
    random.Random(1).shuffle(rows)
    shuffled = csv_events(tmp_path, "\n".join(rows))
    assert same_movements(ordered.movements, shuffled.movements)
    assert np.array_equal(ordered.sleep.onset_ms, shuffled.sleep.onset_ms)


def test_cases_may_be_interleaved(tmp_path):
    path = written(
        tmp_path,
        "case," + HEADER + "b,lm,left,1,1\na,lm,left,2,1\nb,lm,right,3,1\n",
    )
    cases = read_events(path)
    assert list(cases) == ["b", "a"]
    assert cases["b"].movements.onset_ms.tolist() == [1000, 3000]


def test_events_nobody_looked_for_are_unknown_and_those_of_another_case_are_none(tmp_path):
    path = written(tmp_path, "case," + HEADER + "a,lm,left,1,1\nb,lm,left,1,1\nb,arousal,,9,3\n")
    cases = read_events(path)
    assert cases["a"].respiratory is None
    assert len(cases["a"].arousals) == 0
    assert len(cases["b"].arousals) == 1


@pytest.mark.parametrize(
    ("rows", "place", "found"),
    [
        ("lm,left,abc,1", "row 2", "onset_s is 'abc'"),
        ("lm,left,,1", "row 2", "onset_s is empty"),
        ("lm,left,nan,1", "row 2", "onset_s is 'nan'"),
        ("lm,left,inf,1", "row 2", "onset_s is 'inf'"),
        ("lm,left,1e12,1", "row 2", "onset_s is '1e12'"),
        ("lm,left,1,-2", "row 2", "duration_s is -2"),
        ("lm,left,1,nan", "row 2", "duration_s is 'nan'"),
        ("lm,left,1,1\nlm,left,5,", "row 3", "no duration"),
        ("lm,middle,1,1", "row 2", "leg 'middle'"),
        ("stage,N7,0,30", "row 2", "stage 'N7'"),
        ("stage,W,0,30\nstage,N1,15,30", "row 3", "overlaps stage W"),
        ("lights_off,,1,0\nlights_off,,50,0", "row 3", "already at 1 s"),
        ("lights_off,,100,0\nlights_on,,50,0", "row 3", "lights on at 50 s"),
        ("lm,left", "row 2", "2 cells"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, place, found):
    with pytest.raises(EventListError) as error:
        csv_events(tmp_path, rows + "\n")
    assert error.value.place == place
    assert found in str(error.value)
    assert error.value.expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEADER,
        "kind,label,onset_s\nlm,left,1\n",
        "onset,duration,what\n1,2,3\n",
        "case," + HEADER + ",lm,left,1,1\n",
        'kind,label,onset_s,duration_s\nlm,"left,1,1\n' + "x" * 200_000,
        "\0\0\0\1",
    ],
)
def test_a_file_that_is_no_event_list_is_refused_in_words(tmp_path, text):
    with pytest.raises(EventListError, match=r"events\.csv"):
        read_events(written(tmp_path, text))


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(EventListError, match="cannot be read"):
            read_events(path)


def test_several_cases_are_not_one_night(tmp_path):
    path = written(tmp_path, "case," + HEADER + "a,lm,left,1,1\nb,lm,left,1,1\n")
    with pytest.raises(EventListError, match="2 cases"):
        read_one_night(path)


def test_repairs_are_told(tmp_path):
    events = csv_events(
        tmp_path,
        "lm,left,10,5\nlm,left,12,1\nstage,N2,0,30\nstage,N2,0,30\nstage,N2,60,30\n"
        "cough,,5,1\ncough,,9,1\n",
    )
    assert codes(events) == [
        "unknown_labels",
        "overlapping_movements",
        "repeated_stages",
        "unscored_time",
        "lights_from_stages",
    ]
    assert "'cough' (2)" in events.notices[0].sentence
    assert "0.5 min" in events.notices[3].sentence


def test_stages_marked_at_their_start_last_until_the_next(tmp_path):
    events = csv_events(tmp_path, "stage,W,0,\nstage,N1,90,\nstage,R,150,\nlm,left,1,1\n")
    assert events.sleep.offset_ms.tolist() == [90_000, 150_000, 180_000]
    assert "stages_without_duration" in codes(events)


def test_a_users_table_adds_to_the_labels_and_wins(tmp_path):
    labels = written(tmp_path, "label,kind,meaning\nZuck links,lm,left\nN2,stage,N3\n", "l.csv")
    path = edf_file(tmp_path, (0, 30, "Sleep stage N2"), (0, 30, "N2"), (3, 2, "Zuck links"))
    with pytest.raises(EventListError, match="overlaps"):
        read_one_night(path, read_label_table(labels))
    path = edf_file(tmp_path, (0, 30, "N2"), (3, 2, "Zuck links"))
    events = read_one_night(path, read_label_table(labels))
    assert events.sleep.stage.tolist() == [N3]
    assert events.movements.side.tolist() == [LEFT]


@pytest.mark.parametrize(
    "text",
    ["label,kind\nx,lm\n", "label,kind,meaning\nx,legs,left\n", "label,kind,meaning\nx,lm,up\n"],
)
def test_a_bad_table_of_labels_is_refused_with_its_row(tmp_path, text):
    with pytest.raises(EventListError, match="row"):
        read_label_table(written(tmp_path, text, "labels.csv"))


# Labels


@pytest.mark.parametrize(
    ("text", "channel", "kind", "meaning"),
    [
        ("Limb movement - left|Limb Movement (Left)", "", "lm", "left"),
        ("Periodic leg movement - right|PLM (Right)", "", "lm", "right"),
        ("Limb_Movement_(Left)", "", "lm", "left"),
        ("Limb movement@@EMG LAT", "", "lm", "left"),
        ("Limb movement@@EMG RAT", "", "lm", "right"),
        ("Limb Movement", "Leg/L", "lm", "left"),
        ("LM", "RLeg", "lm", "right"),
        ("PLM-LM", "", "lm", "unknown"),
        ("LM:left", "", "lm", "left"),
        ("PLM/right", "", "lm", "right"),
        ("lm_both", "", "lm", "bilateral"),
        ("PLM episode", "", "other", ""),
        ("Sleep stage W", "", "stage", "W"),
        ("Sleep stage 4", "", "stage", "N3"),
        ("Stage 2 sleep|2", "", "stage", "N2"),
        ("REM sleep|5", "", "stage", "R"),
        ("NREM1", "", "stage", "N1"),
        ("Sleep stage ?", "", "stage", "unscored"),
        ("Movement|6", "", "other", ""),
        ("Lights off@@EEG F4-A1", "", "lights", "off"),
        ("LIGHTS ON", "", "lights", "on"),
        ("Obstructive apnea|Obstructive Apnea", "", "respiratory", ""),
        ("Apnoea, mixed", "", "respiratory", ""),
        ("HYPOPNEA-CENTRAL", "", "respiratory", ""),
        ("Respiratory effort related arousal|RERA", "", "respiratory", ""),
        ("Arousal resulting from respiratory effort|Arousal (ARO RES)", "", "arousal", ""),
        ("ASDA arousal|Arousal (ASDA)", "", "arousal", ""),
        ("arousal_lm", "", "arousal", ""),
        ("SpO2 desaturation|SpO2 desaturation", "", "other", ""),
        ("Respiratory artifact", "", "other", ""),
    ],
)
def test_labels_of_the_programs_in_use_are_understood(text, channel, kind, meaning):
    assert read_label_table().find(text, channel) == (kind, meaning)


@pytest.mark.parametrize("text", ["", "coffee", "1", "Unsure|Unsure", "legendary"])
def test_other_labels_are_not_guessed(text):
    assert read_label_table().find(text) is None


def test_a_channel_without_a_leg_names_none():
    assert side_named("EMG chin") == "unknown"
    assert side_named("Lateral recording R") == "right"


# EDF+


def test_edf_annotations_are_read(tmp_path):
    events = edf_events(
        tmp_path,
        (0, None, "Lights off@@EEG C3"),
        (0, 30, "Sleep stage 1"),
        (30, 60, "Sleep stage 3"),
        (90, 30, "Sleep stage R"),
        (120, None, "Lights on"),
        (12.345, 1.655, "Limb movement@@Leg L"),
        (40, 12, "Hypopnea"),
        (52, 4, "EEG arousal"),
        (60, 1, "Nonsense"),
    )
    assert events.start_time == datetime(2026, 3, 1, 22, 30)
    assert events.sleep.stage.tolist() == [N1, N3, REM]
    assert events.sleep.lights_on_ms == 120_000
    assert events.movements.onset_ms.tolist() == [12_345]
    assert events.movements.duration_ms.tolist() == [1655]
    assert events.respiratory.offset_ms.tolist() == [52_000]
    assert events.arousals.offset_ms.tolist() == [56_000]
    assert codes(events) == ["unknown_labels"]


def test_a_movement_without_duration_in_edf_is_refused_with_its_annotation(tmp_path):
    with pytest.raises(EventListError, match="annotation 1: leg movement 'LM' has no duration"):
        edf_events(tmp_path, (5, None, "LM"))


def with_records_at(path: Path, onsets: list[int]) -> None:
    """Write an EDF+D file of 1-s records that begin at the given seconds."""
    signal = edfio.EdfSignal(
        np.zeros(10 * len(onsets)), 10, label="EMG LAT", physical_range=(-100, 100)
    )
    annotations = [edfio.EdfAnnotation(0.25, 0.5, "LM left")]
    edf = edfio.Edf([signal], annotations=annotations, data_record_duration=1)
    content = edf.to_bytes().replace(b"EDF+C", b"EDF+D")
    for record, onset in reversed(list(enumerate(onsets))):
        old, new = f"+{record}\x14\x14\0".encode(), f"+{onset}\x14\x14".encode()
        at = content.rindex(old)
        content = content[:at] + new.ljust(len(old), b"\0") + content[at + len(old) :]
    path.write_bytes(content)


def test_a_break_in_edf_d_becomes_a_gap(tmp_path):
    path = tmp_path / "broken.edf"
    with_records_at(path, [0, 1, 2, 7, 8])
    events = read_one_night(path)
    assert events.gaps.onset_ms.tolist() == [3000]
    assert events.gaps.offset_ms.tolist() == [7000]
    assert events.span_ms == (0, 9000)


def test_a_break_of_two_seconds_or_less_is_no_gap(tmp_path):
    path = tmp_path / "broken.edf"
    with_records_at(path, [0, 1, 4, 5, 6])
    assert len(read_one_night(path).gaps) == 0


def test_a_plain_edf_is_refused_with_advice(tmp_path):
    path = tmp_path / "plain.edf"
    edfio.Edf([edfio.EdfSignal(np.zeros(10), 10, label="EMG LAT")]).write(path)
    with pytest.raises(EventListError, match="--emg"):
        read_events(path)


def test_edf_cut_anywhere_gives_events_or_a_named_error(tmp_path):
    path = tmp_path / "cut.edf"
    with_records_at(path, [0, 1, 2, 7, 8])
    content = path.read_bytes()
    complaints = []
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        try:
            read_events(path)
        except EventListError as error:
            complaints.append(str(error))
    assert complaints
    assert all("cut.edf" in complaint for complaint in complaints)


def test_damaged_bytes_in_edf_give_events_or_a_named_error(tmp_path):
    path = tmp_path / "damaged.edf"
    with_records_at(path, [0, 1, 2, 7, 8])
    content = path.read_bytes()
    choose = random.Random(3)
    complaints = []
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(choose.randint(1, 6)):
            damaged[choose.randrange(len(damaged))] = choose.randrange(256)
        path.write_bytes(damaged)
        try:
            read_events(path)
        except EventListError as error:
            complaints.append(str(error))
    assert complaints
    assert all("damaged.edf" in complaint for complaint in complaints)


# Luna .annot


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ("120", "150"),
        ("120", "+30"),
        ("120.000", "0+00:02:30"),
        ("0+00:02:00", "+30"),
        ("e:5", "."),
        ("e:5", "e:5"),
        ("e:9:15", "e:10:15"),
        ("120", "..."),
    ],
)
def test_every_way_to_write_elapsed_time(tmp_path, start, stop):
    text = f"LM\tleft\t.\t{start}\t{stop}\t.\nN2\t.\t.\t150\t180\t.\n"
    events = read_one_night(written(tmp_path, text, "night.annot"))
    assert events.movements.onset_ms.tolist() == [120_000]
    assert events.movements.duration_ms.tolist() == [30_000]


@pytest.mark.parametrize(
    ("first", "second", "start_time"),
    [
        ("23:59:50", "00:00:20", None),
        ("11:59:50pm", "12:00:20am", None),
        ("28-02-26-23:59:50", "1-Mar-2026-00:00:20", datetime(2026, 2, 28, 23, 59, 50)),
        ("28/2/2026-23:59:50", "01-03-26-00:00:20", datetime(2026, 2, 28, 23, 59, 50)),
    ],
)
def test_clock_times_run_over_midnight(tmp_path, first, second, start_time):
    text = f"N2 . {second} +30\nLM left {second} +2\nW . {first} {second}\n"
    events = read_one_night(written(tmp_path, text, "night.annot"))
    assert events.movements.onset_ms.tolist() == [30_000]
    assert events.sleep.onset_ms.tolist() == [0, 30_000]
    assert events.start_time == start_time


def test_luna_headers_comments_and_three_columns(tmp_path):
    text = "# LM | leg movement\nclass\tstart\tstop\nLM_left\t1\t2.5\nwake\t0\t30\n"
    events = read_one_night(written(tmp_path, text, "night.annot"))
    assert events.movements.side.tolist() == [LEFT]
    assert events.sleep.stage.tolist() == [WAKE]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LM 1 2 3 4\n", "5 columns"),
        ("LM one 2\n", "start is 'one'"),
        ("LM 10 9\n", "before the start"),
        ("LM 10 23:00:00\n", "stop is"),
        ("LM 10 +2\nLM 23:00:00 +2\n", "several sorts"),
        ("LM 31-02-2026-23:00:00 +2\n", "start is"),
        ("LM left . .\n", "start is"),
    ],
)
def test_a_bad_annot_row_is_named(tmp_path, text, found):
    with pytest.raises(EventListError, match=r"night\.annot") as error:
        read_events(written(tmp_path, text, "night.annot"))
    assert found in str(error.value)


# Round trips

TIMES_MS = st.integers(0, 12 * 3_600_000)
MARKS = st.lists(
    st.tuples(TIMES_MS, st.integers(0, 20_000), st.sampled_from(["left", "right", "bilateral"])),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=MARKS, off=TIMES_MS, arousals=st.lists(TIMES_MS, max_size=3))
@pytest.mark.parametrize("suffix", [".csv", ".edf", ".annot"])
def test_every_time_survives_a_round_trip_to_the_millisecond(
    tmp_path, suffix, marks, off, arousals
):
    rows = [f"lm,{leg},{onset / 1000},{length / 1000}" for onset, length, leg in marks]
    rows += [f"arousal,ASDA arousal,{onset / 1000},3.001" for onset in arousals]
    rows += [f"lights_off,,{off % 60_000 / 1000},0", "stage,N2,0,30", "stage,R,30,30"]
    source = written(tmp_path, HEADER + "\n".join(rows))
    target = tmp_path / f"converted{suffix}"
    convert_events(source, target)
    convert_events(target, tmp_path / "back.csv")
    before, after = read_one_night(source), read_one_night(tmp_path / "back.csv")
    assert same_movements(before.movements, after.movements)
    assert before.sleep.lights_off_ms == after.sleep.lights_off_ms
    assert np.array_equal(before.sleep.stage, after.sleep.stage)
    if arousals:
        assert np.array_equal(before.arousals.onset_ms, after.arousals.onset_ms)
        assert np.array_equal(before.arousals.offset_ms, after.arousals.offset_ms)


def test_what_has_no_kind_keeps_its_label_on_the_way(tmp_path):
    source = edf_file(tmp_path, (1, 2, "LM left"), (9, 12.5, "Obstructive Apnea"), (30, 1, "Cough"))
    convert_events(source, tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text()
    assert "respiratory,Obstructive Apnea,9,12.5" in text
    assert "other,Cough,30,1" in text


@needs_oracle
def test_written_edf_opens_in_two_independent_readers(tmp_path):
    rows = [",".join(row.values()).partition(",")[2] for row in rows_by_case("events.csv")["dev02"]]
    source = written(tmp_path, HEADER + "\n".join(rows))
    convert_events(source, tmp_path / "out.edf")
    texts = {a.text for a in edfio.read_edf(tmp_path / "out.edf").annotations}
    assert {"Sleep stage N2", "Limb movement (left)"} <= texts
    reader = pyedflib.EdfReader(str(tmp_path / "out.edf"))
    onset, duration, text = reader.readAnnotations()
    reader.close()
    left = [
        (round(on * 1000), round(length * 1000))
        for on, length, label in zip(onset, duration, text, strict=True)
        if label == "Limb movement (left)"
    ]
    movements = read_one_night(source).movements
    expected = movements.take(movements.side == LEFT)
    assert sorted(left) == sorted(
        zip(expected.onset_ms.tolist(), expected.duration_ms.tolist(), strict=True)
    )


def test_several_nights_do_not_fit_into_one_edf(tmp_path):
    source = written(tmp_path, "case," + HEADER + "a,lm,left,1,1\nb,lm,left,1,1\n")
    with pytest.raises(SettingError, match="2 nights"):
        convert_events(source, tmp_path / "out.edf")
    convert_events(source, tmp_path / "out.csv")
    assert list(read_events(tmp_path / "out.csv")) == ["a", "b"]


def test_an_unknown_target_format_is_refused(tmp_path):
    source = written(tmp_path, HEADER + "lm,left,1,1\n")
    with pytest.raises(SettingError, match=r"\.xml"):
        convert_events(source, tmp_path / "out.xml")
    assert not (tmp_path / "out.xml").exists()


@pytest.mark.parametrize("name", ["list.csv", "list.annot", "list.edf"])
def test_damaged_lists_give_events_or_a_named_error(tmp_path, name):
    rows = [f"lm,{leg},{onset},1.5" for leg in ("left", "right") for onset in range(0, 600, 20)]
    rows += [f"stage,N2,{onset},30" for onset in range(0, 600, 30)]
    path = tmp_path / name
    convert_events(written(tmp_path, HEADER + "\n".join(rows), "source.csv"), path)
    content = path.read_bytes()
    choose = random.Random(5)
    complaints = []
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(choose.randint(1, 4)):
            at = choose.randrange(len(damaged))
            damaged[at : at + choose.randint(0, 5)] = choose.choice(
                [
                    b"",
                    b"9",
                    b"999999999999",
                    b"-",
                    b"inf",
                    b"nan",
                    b"\n",
                    b"\t",
                    b"\xff",
                    b'"',
                    b"e",
                ]
            )
        path.write_bytes(damaged)
        try:
            read_events(path)
        except EventListError as error:
            complaints.append(str(error))
    assert complaints
    assert all(name in complaint for complaint in complaints)
