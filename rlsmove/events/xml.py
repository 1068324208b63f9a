"""Scored events in XML: NSRR, Compumedics Profusion, Philips Sleepware and Rosie (.rml).

Layouts as public readers have them: NSRR ``PSGAnnotation/ScoredEvents/ScoredEvent`` with
``EventConcept, Start, Duration``; Profusion ``CMPStudyConfig`` with ``Name, Start, Duration,
Input`` and ``SleepStages/SleepStage``; Philips ``PatientStudy`` with events and stages as
attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from rlsmove.errors import EventListError
from rlsmove.events.labels import Label, LabelTable, side_named
from rlsmove.events.night_events import Mark, MarkList
from rlsmove.events.stage_codes import StageReader
from rlsmove.events.written_times import DAY_MS, read_time
from rlsmove.io.numbers_as_text import milliseconds
from rlsmove.records import Notice

#: Root elements and what writes them.
ROOTS = {
    "PSGAnnotation": "NSRR",
    "CMPStudyConfig": "Compumedics Profusion",
    "PatientStudy": "Philips",
}


def is_xml(head: bytes) -> bool:
    """Whether a file begins like XML, in any Unicode encoding."""
    bare = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t")
    return bare.startswith((b"<?xml", b"<PSGAnnotation", b"<CMPStudyConfig", b"<PatientStudy"))


def read_xml_marks(path: Path, labels: LabelTable) -> MarkList:
    """Read the events of an XML file.

    Raises
    ------
    EventListError
        It is not well-formed, declares entities, has another root, or a time cannot be read.
    """
    root = _parsed(path)
    if root.tag not in ROOTS:
        raise EventListError(
            path,
            f"XML with the root element '{root.tag}'",
            expected=", ".join(f"{tag} ({program})" for tag, program in ROOTS.items()),
        )
    if root.tag == "PatientStudy":
        return _philips(path, root, labels)
    return _scored_events(path, root, labels)


def _parsed(path: Path) -> Element:
    """Parse a file into elements without namespaces; entities are refused, nothing is fetched."""
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")

    def start(tag: str, attributes: dict[str, str]) -> None:
        named = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        builder.start(tag.rpartition("}")[2], named)

    def refuse(*_: object) -> None:
        raise EventListError(
            path,
            "XML that declares entities",
            place=f"line {parser.CurrentLineNumber}",
            expected="a file as a laboratory's program exports it, without entities",
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: builder.end(tag.rpartition("}")[2])
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, ValueError) as error:
        raise EventListError(
            path, f"XML that cannot be read ({error})", expected="a whole file"
        ) from error
    return builder.close()


def _text(parent: Element, *names: str) -> str:
    """Text of the first child of one of these names."""
    for name in names:
        child = parent.find(name)
        if child is not None and child.text and child.text.strip():
            return child.text.strip()
    return ""


def _time_ms(path: Path, text: str, place: int, name: str) -> int:
    time_ms = milliseconds(text.replace(",", "."))
    if time_ms is None:
        raise EventListError(
            path, f"{name} is '{text}'", place=f"event {place}", expected="a number of seconds"
        )
    return time_ms


def _scored_events(path: Path, root: Element, labels: LabelTable) -> MarkList:
    """Read NSRR and Profusion, which share the elements of an event."""
    marks: list[Mark] = []
    clock_ms: int | None = None
    span: tuple[int, int] | None = None
    codes = [stage.text or "" for stage in root.iter("SleepStage")]
    events = list(root.iter("ScoredEvent"))
    concepts = [_text(event, "EventConcept", "Name") for event in events]
    stages = StageReader(codes, labels, to_five=True)
    for number, (event, concept) in enumerate(zip(events, concepts, strict=True), start=1):
        kind = _text(event, "EventType")
        start = _text(event, "Start")
        if not concept and not start:
            continue
        onset_ms = _time_ms(path, start, number, "Start")
        length = _text(event, "Duration")
        duration_ms = _time_ms(path, length, number, "Duration") if length else None
        if concept.lower() == "recording start time":
            clock = read_time(_text(event, "ClockTime").rpartition(" ")[2])
            clock_ms = clock.ms if clock is not None and clock.sort == "clock" else None
            span = (0, duration_ms) if duration_ms else None
            continue
        channel = _text(event, "SignalLocation", "Input")
        label = labels.find(concept, channel)
        if kind.lower().startswith("stages"):
            label = stages.find(concept) or stages.find(concept.rpartition("|")[2]) or label
        if label is None and kind.lower().startswith("respiratory"):
            label = Label("respiratory", "")
        marks.append(Mark(number, concept, *(label or Label("unknown", "")), onset_ms, duration_ms))
    length_text = _text(root, "EpochLength") or "30"
    epoch_ms = _time_ms(path, length_text, 0, "EpochLength")
    for number, code in enumerate(codes):
        label = stages.find(code) or Label("unknown", "")
        marks.append(Mark(number + 1, code, *label, number * epoch_ms, epoch_ms))
    return MarkList(
        path, "event", {"": marks}, None, span, tuple(stages.notices), clock_ms=clock_ms
    )


def _philips(path: Path, root: Element, labels: LabelTable) -> MarkList:
    channels = {
        channel.get("EdfSignal", ""): _text(channel, "Label") for channel in root.iter("Channel")
    }
    session = next(root.iter("Session"), None)
    start_time, end_ms, lights = _session(path, session)
    marks = [*lights]
    for number, event in enumerate(root.iter("Event"), start=1):
        text = event.get("Type", "")
        if text == "Comment":
            text = _text(event, "Comment") or text
        where = " ".join(channels.get(child.get("EdfSignal", ""), "") for child in event)
        channel = " ".join((where, *(child.get("Side", "") for child in event)))
        onset_ms = _time_ms(path, event.get("Start", ""), number, "Start")
        length = event.get("Duration", "")
        duration_ms = _time_ms(path, length, number, "Duration") if length else None
        label = labels.find(text, channel) or Label("unknown", "")
        if label.kind == "lm" and label.meaning == "unknown":
            label = Label("lm", side_named(channel))
        marks.append(Mark(number, text, *label, onset_ms, duration_ms))
    notices = []
    staging = next((found for found in _stagings(root) if len(found[1])), None)
    if staging is not None:
        who, stages = staging
        if who == "MachineStaging":
            notices.append(
                Notice("machine_stages", "the stages are the machine's; no person has scored them.")
            )
        starts = [_time_ms(path, stage.get("Start", ""), 0, "Start") for stage in stages]
        ends: list[int | None] = [*starts[1:], end_ms]
        for number, (stage, onset_ms, end) in enumerate(zip(stages, starts, ends, strict=True)):
            text = stage.get("Type", "")
            label = labels.find_stage(text) or Label("unknown", "")
            duration_ms = end - onset_ms if end is not None and end > onset_ms else None
            if end is None or duration_ms:
                marks.append(Mark(number + 1, text, *label, onset_ms, duration_ms))
    span = (0, end_ms) if end_ms else None
    clock_ms = None
    if start_time is not None:
        midnight = start_time.replace(hour=0, minute=0, second=0, microsecond=0)
        clock_ms = round((start_time - midnight).total_seconds() * 1000) % DAY_MS
    return MarkList(path, "event", {"": marks}, start_time, span, tuple(notices), clock_ms=clock_ms)


def _stagings(root: Element) -> Iterator[tuple[str, list[Element]]]:
    """Stages by those who scored them, a person's first."""
    for who in ("UserStaging", "ExpertStaging", "MachineStaging"):
        for staging in root.iter(who):
            yield who, list(staging.iter("Stage"))
    for staging in root.iter("StagingData"):
        yield "StagingData", list(staging.iter("Stage"))


def _session(path: Path, session: Element | None) -> tuple[datetime | None, int | None, list[Mark]]:
    """Start, length and lights of the recording."""
    if session is None:
        return None, None, []
    try:
        start = datetime.fromisoformat(_text(session, "RecordingStart"))
    except ValueError:
        start = None
    length = _text(session, "Duration")
    end_ms = _time_ms(path, length, 0, "Duration") if length else None
    lights = []
    for name, meaning in (("LightsOff", "off"), ("LightsOn", "on")):
        if text := _text(session, name):
            at_ms = _time_ms(path, text, 0, name)
            lights.append(Mark(0, name, "lights", meaning, at_ms, 0))
    return start, end_ms, lights
