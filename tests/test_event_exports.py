"""Exports of sleep laboratories: each format by its content, in several locales."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rlsmove.errors import EventListError
from rlsmove.events.event_lists import convert_events, is_event_list, read_events, read_one_night
from rlsmove.events.labels import read_label_table
from rlsmove.events.written_times import date_order, read_length, read_time

CASES = Path(__file__).parents[2] / "shared" / "cases" / "events"
EVENING = datetime(2026, 3, 1, 22)

DOMINO_HEAD = "Signal ID: {}\nStart Time: {}\nUnit: s\nSignal Type: {}\nRate: 30 s\n\n"
REMLOGIC = "RemLogic Event Export\nStudy Date:\t01.03.2026\n\nSleep Stage\tTime [hh:mm:ss]\tEvent"
XML = '<?xml version="1.0" encoding="utf-8"?>'
RML = """<PatientStudy xmlns="http://www.respironics.com/PatientStudy.xsd"><Acquisition><Sessions>
<Session><RecordingStart>2026-03-01T22:00:00</RecordingStart><Duration>90</Duration>
<LightsOff>10</LightsOff></Session></Sessions></Acquisition><ChannelConfig><Channels>
<Channel EdfSignal="7"><Label>Bein li</Label></Channel>
<Channel EdfSignal="8"><Label>Bein re</Label></Channel>
</Channels></ChannelConfig><ScoringData><Events>
<Event Type="LegMovement" Start="40.1" Duration="2.1"><LegMovement EdfSignal="7"/></Event>
<Event Type="LegMovement" Start="65.1" Duration="2.1"><LegMovement EdfSignal="8"/></Event>
</Events><StagingData><MachineStaging><A><Stage Type="NonREM1" Start="0"/></A></MachineStaging>
<UserStaging><A><Stage Type="Wake" Start="0"/><Stage Type="NonREM2" Start="30"/></A></UserStaging>
</StagingData></ScoringData></PatientStudy>"""
PROFUSION = """<CMPStudyConfig><EpochLength>30</EpochLength><ScoredEvents><ScoredEvent>
<Name>Limb Movement (Left)</Name><Start>40.1</Start><Duration>2.1</Duration></ScoredEvent>
<ScoredEvent><Name>PLM</Name><Start>65.1</Start><Duration>2.1</Duration><Input>Leg R</Input>
</ScoredEvent></ScoredEvents><SleepStages><SleepStage>0</SleepStage><SleepStage>4</SleepStage>
</SleepStages></CMPStudyConfig>"""


def read(tmp_path: Path, content: str | bytes, name: str = "night.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert is_event_list(path)
    return read_one_night(path)


TWO_LEGS = [
    pytest.param(
        "Start Time;Duration (s);Event;Location\r\n01.03.2026 22:00:40,100;2,1;PLM;Linkes Bein\r\n"
        "01.03.2026 22:01:05,100;2,1;LM;Rechtes Bein\r\n",
        id="semicolons, decimal commas, German",
    ),
    pytest.param(
        (
            '"Start Time","End Time","Event","Location"\n"3/1/2026 10:00:40.100 PM",'
            '"3/1/2026 10:00:42.200 PM","PLM","Left Leg"\n"3/1/2026 10:01:05.100 PM",'
            '"3/1/2026 10:01:07.200 PM","LM","Right Leg"\n'
        ).encode("utf-16"),
        id="UTF-16, AM and PM, ends",
    ),
    pytest.param(
        DOMINO_HEAD.format("PLM\\plm", "01.03.2026 22:00:00", "Impuls")
        + "01.03.2026 22:00:40,100-22:00:42,200; 2;PLM links\n"
        "01.03.2026 22:01:05,100-22:01:07,200; 2;PLM rechts\n",
        id="DOMINO with dates",
    ),
    pytest.param(
        "# MNE-Annotations\n# orig_time : 2026-03-01 22:00:00+00:00\n"
        "# onset, duration, description\n"
        "40.1, 2.1, LM left\n65.1, 2.1, LM right\n",
        id="MNE text",
    ),
    pytest.param(
        "onset,duration,description\n1970-01-01 00:00:40.100000,2.1,LM left\n"
        "1970-01-01 00:01:05.100000,2.1,LM right\n",
        id="MNE without a date",
    ),
    pytest.param(
        "22:00:00.00\tSTAGE - W\n22:00:40.10\tLM - DUR: 2.1 SEC. - LEFT LEG\n"
        "22:01:05.10\tPLM - DUR: 2.1 SEC. - RIGHT LEG\n",
        id="log without names of columns",
    ),
    pytest.param(XML + RML, id="Philips"),
    pytest.param(b"\xff\xfe" + RML.encode("utf-16-le"), id="Philips in UTF-16"),
    pytest.param(XML + PROFUSION, id="Profusion"),
    pytest.param(
        "onset_ms\tduration_ms\tevent\tleg\n40100\t2100\tLM\tL\n65100\t2100\tLM\tR\n", id="ms"
    ),
    pytest.param(
        "Heure [hh:mm:ss]\tÉvénement\tDurée[s]\tCanal\n22:00:00\tStade W\t30\t\n"
        "22:00:40.1\tMouvement de jambe gauche\t2,1\t\n22:01:05.1\tMPJ\t2,1\tjambe droite\n",
        id="French",
    ),
]


@pytest.mark.parametrize("content", TWO_LEGS)
def test_both_movements_are_where_they_were_marked(tmp_path, content):
    events = read(tmp_path, content)
    assert events.movements.onset_ms.tolist() == [40_100, 65_100]
    assert events.movements.duration_ms.tolist() == [2_100, 2_100]
    assert events.movements.side.tolist() == [0, 1]
    assert events.start_time in (None, EVENING, EVENING.replace(tzinfo=UTC))


W, N1, N2, N3, R = range(5)

STAGES = [
    ("W\nN1\nN2\nR\n", [W, N1, N2, R]),
    ("0\n1\n2\n3\n4\n5\n", [W, N1, N2, N3, N3, R]),
    ("Stage\n0\n1\n2\n4\n-1\n", [W, N1, N2, R]),
    ("1,Wach\n2,N1\n3,Rem\n", [W, N1, R]),
    ("time_base 30.0\nepoch_nb 3\nepoch_list\n0\n2\n5\n", [W, N2, R]),
    ("Epoch,Stage\n0,WAKE\n1,N2\n2,REM\n3,ART\n", [W, N2, R]),
    ("Time;Stage\n11:59:30 PM;W\n12:00:00 AM;N2\n12:00:30 AM;R\n", [W, N2, R]),
    (
        "Datum\tUhrzeit\tSchlafstadium\n01.03.2026\t23:59:30\tWach\n02.03.2026\t00:00:00\tN2\n",
        [W, N2],
    ),
    ("Epoch   Time       Stage\n1       22:00:00   W\n2       22:00:30   N2\n", [W, N2]),
    (
        "Wonambi v7.15\nclock start time,start,end,stage\n22:00:00,0,30,Wake\n"
        "22:00:30,30,60,NREM2\n",
        [W, N2],
    ),
    ("Annotation,Onset,Duration\nSleep stage W,0,30\nSleep stage 4,30,30\n", [W, N3]),
    (
        DOMINO_HEAD.format("SchlafProfil\\profil", "11/18/2021 11:59:30 PM", "Discret")
        + "23:59:30,000; Wake\n00:00:00,000; Rem\n00:00:30,000; A\n",
        [W, R],
    ),
    (f"{REMLOGIC}\tDuration[s]\nW\t23.59.30\tSLEEP-S0\t30\nR\t00.00.00\tSLEEP-REM\t30\n", [W, R]),
    (f"{XML}{PROFUSION}", [W, N3]),
]


@pytest.mark.parametrize(("text", "stages"), STAGES)
def test_stages_begin_at_0_s_and_follow_upon_each_other(tmp_path, text, stages):
    sleep = read(tmp_path, text).sleep
    assert sleep.stage.tolist() == stages
    assert sleep.onset_ms.tolist() == [30_000 * number for number in range(len(stages))]


def test_a_profile_of_body_positions_is_no_list_of_legs(tmp_path):
    head = DOMINO_HEAD.format("Körperlage", "01.03.2026 22:00:00", "Discret")
    events = read(tmp_path, (head + "22:00:00,000; Links\n22:10:00,000; Rechts\n").encode("cp1252"))
    assert len(events.movements) == 0
    assert [
        n.sentence for n in events.notices if n.code == "unknown_labels" and "'Links'" in n.sentence
    ]


def test_an_unknown_label_is_listed_and_a_users_table_tells_it(tmp_path):
    path = tmp_path / "night.csv"
    path.write_text("Moment,Event,Duration\n40.1,Zucken,2.1\n65.1,LM,2\n")
    with pytest.raises(EventListError, match="Moment,Event,Duration"):
        read_one_night(path)
    table = tmp_path / "labels.csv"
    table.write_text("label,kind,meaning\nMoment,column,onset\n")
    notices = read_one_night(path, read_label_table(table)).notices
    assert [notice for notice in notices if "'Zucken' (1)" in notice.sentence]
    table.write_text("label,kind,meaning\nMoment,column,onset\nZucken,lm,left\n")
    assert len(read_one_night(path, read_label_table(table)).movements) == 2


def test_epochs_beside_the_clock_tell_when_the_recording_began(tmp_path):
    text = (
        "No\tEpoch\tTime\tEvent\tDuration(sec)\n1\t2\t23:59:40\tLeg Movement\t2.1\n"
        "2\t900\t07:28:35\tPLM\t2.1\n"
    )
    events = read(tmp_path, text)
    assert events.movements.onset_ms.tolist() == [40_000, 26_975_000]
    assert events.clock_ms == (23 * 60 + 59) * 60_000


def test_sleep_reports_of_ggir_give_each_night_its_time_in_bed(tmp_path):
    path = tmp_path / "part4.csv"
    path.write_text(
        '"ID","night","sleeponset_ts","wakeup_ts","guider_inbedStart_ts","guider_inbedEnd_ts",'
        '"calendar_date"\n"a",1,"23:30:00","07:12:00","23:00:00","07:30:00","2026-03-01"\n'
        '"a",2,"00:30:00","07:12:00","","","2026-03-02"\n'
    )
    nights = read_events(path)
    assert [night.start_time for night in nights.values()] == [
        datetime(2026, 3, 1, 23),
        datetime(2026, 3, 3, 0, 30),
    ]
    assert nights["2026-03-01"].sleep.lights_on_ms == 8.5 * 3_600_000


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]><PSGAnnotation>&a;</PSGAnnotation>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><PSGAnnotation>&a;</PSGAnnotation>',
        "<PSGAnnotation><ScoredEvents>",
        "<html/>",
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><PSGAnnotation/>',
    ],
)
def test_xml_with_entities_or_of_another_kind_is_refused_in_words(tmp_path, head):
    path = tmp_path / "night.xml"
    path.write_text(XML + head)
    with pytest.raises(EventListError, match=r"night\.xml"):
        read_events(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("onset\tduration\ttrial_type\nsoon\t2\tLM left\n", "row 2"),
        ("onset\tduration\ttrial_type\n1\t-2\tLM left\n", "row 2"),
        ("onset\tduration\ttrial_type\n1\tn/a\tLM left\n", "row 2"),
        (DOMINO_HEAD.format("PLM", "01.03.2026 22:00:00", "Impuls") + "soon; 2;PLM\n", "row 7"),
    ],
)
def test_a_bad_cell_is_named_in_the_words_of_its_format(tmp_path, text, place):
    path = tmp_path / "night.tsv"
    path.write_text(text)
    with pytest.raises(EventListError) as error:
        read_events(path)
    assert error.value.place == place
    assert "annot" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["timestamp,x,y,z\n1,0,0,1\n", "time,acc_x,acc_y,acc_z,label\n", "\n"]
)
def test_a_recording_is_no_event_list(tmp_path, text):
    path = tmp_path / "recording.csv"
    path.write_text(text)
    assert not is_event_list(path)


@pytest.mark.parametrize(
    ("texts", "order", "guessed"),
    [
        (["01/03/2026 22:00:00", "13/03/2026 22:00:00"], "dmy", False),
        (["3/13/2026 22:00:00"], "mdy", False),
        (["03/01/2026 22:00:00", "03/02/2026 06:00:00"], "mdy", False),
        (["01/03/2026 22:00:00"], "dmy", True),
        (["01/03/2026 10:00:00 PM"], "mdy", True),
        (["2026-03-01T22:00:00", "22:00"], "dmy", False),
    ],
)
def test_the_order_of_a_date_is_told_by_all_dates_of_a_file(texts, order, guessed):
    found, notices = date_order(texts)
    assert (found, bool(notices)) == (order, guessed)


def test_times_and_lengths_in_the_ways_they_are_written():
    for text in ("22:00:40.100", "22:00:40,1", "10:00:40.1 PM", "22.00.40.100"):
        assert read_time(text) == ("clock", 79_240_100, None)
    moments = [
        "1 Mar 2026 22:00:40",
        "01-MÄRZ-2026 22:00:40",
        "Mar 1, 2026 22:00:40",
        "01.03.26 22:00:40",
    ]
    assert len({read_time(text) for text in moments}) == 1
    assert read_time("2026-03-01T22:00:40+01:00").zone_min == 60
    assert read_time("soon") is None
    assert [read_length(text, 1e3) for text in ("2,1", "2.1 s", "00:00:02.1", "soon")] == [
        2100
    ] * 3 + [None]


@pytest.mark.skipif(not CASES.exists(), reason="the laboratories' files are not here")
@pytest.mark.parametrize(
    "path", sorted(CASES.glob("*.[ctrx][sxm][vtl]")), ids=lambda path: path.name
)
def test_a_laboratorys_file_is_read_and_survives_conversion(tmp_path, path):
    events = read_one_night(path)
    if path.name in ("ref.csv", "test.csv", "aasm_onset_wake.csv", "stage_1ms_overlap.csv"):
        return
    if len(events.movements):
        whole = path.name in ("nihon_kohden.txt", "remlogic_cap.txt")
        assert events.movements.onset_ms.tolist() == (
            [40_000, 65_000] if whole else [40_100, 65_100]
        )
    if events.sleep is not None:
        assert events.sleep.onset_ms[0] == 0
    convert_events(path, tmp_path / "copy.csv")
    again = read_one_night(tmp_path / "copy.csv")
    assert again.movements.onset_ms.tolist() == events.movements.onset_ms.tolist()
