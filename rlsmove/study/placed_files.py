"""Which person, leg and night each file of a folder is of, and why that is thought.

What the files' headers say goes first, then their names, their folders and their devices' serial
numbers. Names are read a word at a time: dates, serial numbers, words for a leg in a dozen
languages, for a place on the body, a device, a night or a visit are taken out, and so is what all
names share; what is left names the person. A word that no list knows is still one for a leg where
two files that differ in it alone were recorded at the same time on the two legs of one body, as
their headers say.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from rlsmove.devices import open_recording
from rlsmove.errors import RlsmoveError, SettingError, UnknownFormat, UnsuitableSignal
from rlsmove.study.person_codes import code_key, code_of, plain

LEFT, RIGHT = "left", "right"
_OTHER = {LEFT: RIGHT, RIGHT: LEFT}

#: Words that are one for a leg wherever they stand.
_LEFT_WORDS = (
    "left lft links linker linke linkes gauche izquierda izquierdo izq sinistra sinistro "
    "esquerda esquerdo vanster venstre vasen lewa lewy leva levy stanga lank lleg lankle "
    "lfoot leftankle leftleg leftfoot linkesbein linksbein 左 левая левый"
)
_RIGHT_WORDS = (
    "right rgt rechts rechter rechte rechtes droite droit derecha derecho destra destro "
    "direita direito hoger hojre hoyre oikea prawa prawy prava pravy dreapta rank rleg "
    "rankle rfoot rightankle rightleg rightfoot rechtesbein rechtsbein 右 правая правый"
)
_LEG_WORDS = {
    **dict.fromkeys(_LEFT_WORDS.split(), LEFT),
    **dict.fromkeys(_RIGHT_WORDS.split(), RIGHT),
}

#: Short ones, which may mean something else; the other one settles it.
_SHORT_LEFT, _SHORT_RIGHT = (
    "l la ll lf li lt le sx sin g ga sn",
    "r ra rl rf re rt ri dx des d dr der",
)
_SHORT_LEG_WORDS = {
    **dict.fromkeys(_SHORT_LEFT.split(), LEFT),
    **dict.fromkeys(_SHORT_RIGHT.split(), RIGHT),
}

#: Of the short ones, those that nobody takes for anything else.
_PLAIN_WORDS = "l r la ra ll rl lf rf li re lt rt sx dx"
_PLAIN_SHORT = frozenset(_PLAIN_WORDS.split())

#: Words that name a place on the body, a device or a kind of file.
_NOISE_WORDS = (
    "ankle ankles leg legs foot feet toe shin calf knochel knoechel fussgelenk bein fuss "
    "enkel been voet cheville jambe pied tobillo pierna pie caviglia gamba tornozelo "
    "perna acc accel accelerometer accelerometry acceleration actigraphy actigraph "
    "actiwatch axivity geneactiv geneactive ax3 ax6 gt3x gt9x wgt3x link cwa raw data rec "
    "recording recordings sensor sensors device imu motion file files export "
    "beschleunigung sub subject subj participant pat patient proband person id pid"
)
_NOISE = frozenset(_NOISE_WORDS.split())

#: Words that name a night, a visit or a condition, with a number or without.
_OCCASION = re.compile(
    r"(?:night|nights|nacht|nuit|noche|notte|noite|natt|day|tag|jour|dia|visit|visite|besuch|week|"
    r"woche|semaine|semana|ses|sess|session|sitzung|run|part|teil|wk|wave|baseline|base|bl|pre|"
    r"post|followup|fu|massage|control|kontrolle|controle|ctrl|sham|treatment|intervention|v|n|w|"
    r"d|t)\d{0,3}"
)

_SUFFIX = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,4})?(\.gz)?$")
_WORD = re.compile(r"[^\W_]+")
#: Where a name changes from small to capital letters, or an index is glued to a word.
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])")
_GLUED = (
    re.compile(r"(?P<rest>.*\d)(?P<leg>[a-z]{1,2}|left|right|links|rechts)", re.IGNORECASE),
    re.compile(r"(?P<leg>l|r|la|ra|left|right|links|rechts)(?P<rest>\d+)", re.IGNORECASE),
)

#: A date in a name, with the time that may follow it.
_DATES = re.compile(
    r"(?<!\d)(?:(?P<y>(?:19|20)\d\d)[-_. ]?(?P<m>\d\d)[-_. ]?(?P<d>\d\d)"
    r"|(?P<a>\d{1,2})(?P<sign>[-_. ])(?P<b>\d{1,2})(?P=sign)"
    r"(?P<c>(?:19|20)\d\d|\d\d(?![-_. ]\d))"
    r"|(?P<a8>\d\d)(?P<b8>\d\d)(?P<c8>20\d\d))"
    r"(?:[T_ -]{0,3}(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d)?|[-.:h][0-5]\d(?:[-.:m][0-5]\d)?"
    r"|_[0-5]\d_[0-5]\d)(?:s|Z)?(?![^\W_]))?(?!\d)"
)

#: What a program adds to the name of a copy.
_COPY = re.compile(r"\(\d+\)|(?<![^\W_])(?:copy|kopie|copie|copia)(?![^\W_])", re.IGNORECASE)

#: A recording that begins before this hour belongs to the evening before.
_MORNING_H = 6

#: Starts of the two legs of one night lie no further apart.
_SAME_NIGHT = timedelta(hours=4)

#: No recording was made before; a clock that says so was never set.
_FIRST_YEAR = 1990

#: Placements that a study is about.
PLACEMENTS = ("ankle", "toe", "foot")


@dataclass(frozen=True)
class Header:
    """What a file says of itself, without its samples being read.

    Attributes
    ----------
    side, placement : str
        ``unknown`` where it says nothing.
    device, serial, subject : str
        Empty where it says nothing.
    start_time : datetime or None
        Wall time of the first sample; None where it has no date.
    problem : str
        Why it cannot be read; empty where it can.
    foreign : bool
        Whether it is of no format that recordings have.
    """

    side: str = "unknown"
    placement: str = "unknown"
    device: str = ""
    serial: str = ""
    subject: str = ""
    start_time: datetime | None = None
    problem: str = ""
    foreign: bool = False


def read_header(path: Path) -> Header:
    """Read what a file says of itself; what cannot be read says why."""
    try:
        recording = open_recording(path)
    except (UnknownFormat, UnsuitableSignal) as error:
        return Header(problem=_short(error), foreign=True)
    except RlsmoveError as error:
        return Header(problem=_short(error))
    start = recording.start_time.replace(tzinfo=None)
    return Header(
        side=recording.side,
        placement=recording.placement,
        device=recording.device,
        serial=recording.serial,
        subject=recording.subject,
        start_time=start if start.year >= _FIRST_YEAR else None,
    )


def _short(error: RlsmoveError) -> str:
    return " ".join(error.found.split())


@dataclass(frozen=True)
class PlacedFile:
    """A file with the person, the leg and the night that it is taken to be of.

    Attributes
    ----------
    path : Path
        Where it is.
    name : str
        Relative to the folder that was looked through.
    header : Header
        What it says of itself.
    participant_id : str
        Code of the person.
    leg : str or None
        ``left`` or ``right``; None where nothing tells.
    evening : date or None
        Of its first night; None where nothing tells.
    reasons : tuple of str
        What each of these was told by.
    doubts : tuple of str
        Why it may be wrong; empty where nothing speaks against it.
    """

    path: Path
    name: str
    header: Header
    participant_id: str
    leg: str | None
    evening: date | None
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass
class _Draft:
    """A file on the way to its place."""

    path: Path
    name: str
    header: Header
    words: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    occasions: list[str] = field(default_factory=list)
    person: str = ""
    leg: str | None = None
    evening: date | None = None
    reasons: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def core(self) -> list[str]:
        """The words that may name a person."""
        return self.words or self.kept


def place_files(
    root: Path,
    files: Mapping[Path, Header],
    *,
    pattern: str | None = None,
    known: Iterable[str] = (),
) -> list[PlacedFile]:
    """Tell person, leg and night of each file.

    Parameters
    ----------
    root : Path
        Folder that names are told from.
    files : mapping of Path to Header
        The files, with what they say of themselves.
    pattern : str, optional
        How names are made, such as ``{person}/{date}_{leg}*``; it goes before all else.
    known : iterable of str
        Codes of persons that a diary or an earlier table has.

    Returns
    -------
    list of PlacedFile
        In the order of their names.

    Raises
    ------
    SettingError
        The pattern cannot be used.
    """
    expression = None if pattern is None else _pattern_expression(pattern)
    drafts = []
    for path in sorted(files):
        draft = _Draft(path, path.relative_to(root).as_posix(), files[path])
        _read_name(draft)
        if expression is not None:
            _read_by_pattern(draft, expression)
        drafts.append(draft)
    _settle_short_words(drafts)
    _name_persons(drafts, root, [*known])
    _join_legs(drafts)
    _take_subjects(drafts, {code_key(code) for code in known})
    for draft in drafts:
        if draft.leg is None:
            draft.doubts.append("neither the header nor the name tells the leg")
        if draft.header.placement not in ("unknown", "leg", "shin", "calf", *PLACEMENTS):
            draft.doubts.append(f"the header says that it was worn at the {draft.header.placement}")
    _find_doubles(drafts)
    return [
        PlacedFile(
            path=d.path,
            name=d.name,
            header=d.header,
            participant_id=d.person,
            leg=d.leg,
            evening=d.evening,
            reasons=tuple(d.reasons),
            doubts=tuple(d.doubts),
        )
        for d in drafts
    ]


def recording_stem(name: str) -> str:
    """Return a name without the ending that its format has."""
    return _SUFFIX.sub("", name)


def _read_name(draft: _Draft) -> None:
    """Take date, serial, leg and words without a person out of the name; set leg and evening."""
    stem = _COPY.sub(" ", recording_stem(draft.name))
    start = draft.header.start_time
    stem, told = _take_date(stem, start)
    if start is not None:
        draft.evening = (start - timedelta(hours=_MORNING_H)).date()
        draft.reasons.append(f"night {draft.evening}: header")
        if told is not None and abs((told - start.date()).days) > 1:
            draft.doubts.append(f"its name says {told}, its header begins on {start.date()}")
    elif told is not None:
        draft.evening = told
        draft.reasons.append(f"night {told}: name")
    serial = code_key(draft.header.serial)
    words = []
    for word in _WORD.findall(_CAMEL.sub(" ", stem)):
        if serial and (code_key(word) == serial or (len(serial) > 4 and serial in code_key(word))):
            draft.reasons.append(f"{word} is the device's serial number")
        else:
            words.append(word)
    said = draft.header.side if draft.header.side in _OTHER else None
    if said:
        draft.leg = said
        draft.reasons.append(f"leg {said}: header")
    rest = []
    sides: dict[str, list[str]] = {LEFT: [], RIGHT: []}
    for word in words:
        side = _LEG_WORDS.get(plain(word))
        if side is None and (glued := _glued_leg(word, said)):
            side = glued[0]
            rest.append(glued[1])
        if side is None:
            rest.append(word)
        else:
            sides[side].append(word)
    named = [side for side in sides if sides[side]]
    if len(named) == 1 and draft.leg is None:
        draft.leg = named[0]
        draft.reasons.append(f"leg {named[0]}: name ({sides[named[0]][0]})")
    elif len(named) == 1 and named[0] != draft.leg:
        draft.doubts.append(
            f"its header says {draft.leg}, its name {named[0]} ({sides[named[0]][0]})"
        )
    elif len(named) == 2 and draft.leg is None:
        draft.doubts.append("its name speaks of both legs")
    draft.kept = rest


def _glued_leg(word: str, said: str | None) -> tuple[str, str] | None:
    """Tell the leg from a word such as ``P01L`` or ``R07``, and what is left of it."""
    for expression in _GLUED:
        found = expression.fullmatch(word)
        if found is None:
            continue
        leg = plain(found["leg"])
        side = _LEG_WORDS.get(leg) or (_SHORT_LEG_WORDS.get(leg) if leg in _PLAIN_SHORT else None)
        # A number behind a letter is a code as often as not: R07 needs the header's word.
        if side is not None and (expression is _GLUED[0] or len(leg) > 2 or side == said):
            return side, found["rest"]
    return None


def _settle_short_words(drafts: list[_Draft]) -> None:
    """Take short words for a leg where the header agrees, or nothing else can be meant."""
    names = {_without(d.kept, None): d for d in drafts}
    for draft in drafts:
        taken = None
        for place in reversed(range(len(draft.kept))):
            word = plain(draft.kept[place])
            side = _SHORT_LEG_WORDS.get(word)
            if side is None:
                continue
            partner = any(
                _without([*draft.kept[:place], other, *draft.kept[place + 1 :]], None) in names
                for other, of in _SHORT_LEG_WORDS.items()
                if of != side and len(other) == len(word)
            )
            if draft.leg == side or (draft.leg is None and (partner or word in _PLAIN_SHORT)):
                taken = place
                if draft.leg is None:
                    draft.leg = side
                    draft.reasons.append(f"leg {side}: name ({draft.kept[place]})")
                break
            if draft.leg is not None and partner and word in _PLAIN_SHORT:
                draft.doubts.append(
                    f"its header says {draft.leg}, its name {side} ({draft.kept[place]})"
                )
                taken = place
                break
        if taken is not None:
            del draft.kept[taken]
        for word in draft.kept:
            text = plain(word)
            if _OCCASION.fullmatch(text):
                draft.occasions.append(text)
            elif text not in _NOISE:
                draft.words.append(word)
        # The number of a night or visit that stands by itself belongs to it.
        _take_numbers_of_occasions(draft)


def _take_numbers_of_occasions(draft: _Draft) -> None:
    bare = re.compile(r"[a-z]{2,}")
    for before, word in pairwise(draft.kept):
        text = plain(before)
        if (
            word.isdigit()
            and _OCCASION.fullmatch(text)
            and bare.fullmatch(text)
            and word in draft.words
        ):
            draft.words.remove(word)
            draft.occasions.append(word)


def _without(words: Sequence[str], place: int | None) -> tuple[str, ...]:
    return tuple(plain(word) for at, word in enumerate(words) if at != place)


def _name_persons(drafts: list[_Draft], root: Path, known: list[str]) -> None:
    """Give each file its person: a known code, or what its name does not share with all."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for code in known:
        by_key[code_key(code)].append(code)
    open_ = [d for d in drafts if not d.person]
    for draft in open_:
        found = _known_code(draft, by_key)
        if found is not None:
            draft.person = found
            draft.reasons.append(f"person {found}: name, as in the tables")
    open_ = [d for d in open_ if not d.person]
    if not any(draft.words for draft in open_):
        _name_by_occasion_or_folder(open_, root)
        return
    count = Counter(key for d in open_ for key in {code_key(word) for word in d.core})
    shared = {key for key, times in count.items() if times == len(open_)}
    if all(code_key(word) in shared for d in open_ for word in d.core):
        shared = set()
    own_words = {
        d.name: [word for word in d.core if code_key(word) not in shared] or d.core for d in open_
    }
    _take_numbers_of_nights(open_, own_words)
    forms: dict[str, list[str]] = {}
    for draft in open_:
        own = own_words[draft.name]
        code = "-".join(filter(None, map(code_of, own))) or code_of(draft.path.parent.name) or "p"
        first = forms.setdefault(code_key(code), [code])
        if code not in first:
            first.append(code)
        draft.person = first[0]
        draft.reasons.append(f"person {draft.person}: name")
    for draft in open_:
        spelled = forms[code_key(draft.person)]
        if len({form.lower() for form in spelled}) > 1:
            draft.doubts.append(f"{' and '.join(spelled)} are taken for one person")


def _take_numbers_of_nights(drafts: list[_Draft], own_words: dict[str, list[str]]) -> None:
    """Take a last number for that of a night where it never parts two files of one night."""
    groups: dict[tuple[str, ...], list[_Draft]] = defaultdict(list)
    for draft in drafts:
        words = own_words[draft.name]
        if len(words) > 1 and words[-1].isdigit() and len(words[-1]) < 4:
            groups[tuple(map(code_key, words[:-1]))].append(draft)
    for files in groups.values():
        nights = Counter((d.leg, d.evening) for d in files)
        numbers = {own_words[d.name][-1] for d in files}
        if len(numbers) < 2 or max(nights.values()) > 1 or any(d.evening is None for d in files):
            continue
        for draft in files:
            *words, number = own_words[draft.name]
            own_words[draft.name] = words
            draft.doubts.append(f"the {number} in its name is taken for a night, not for a person")


def _name_by_occasion_or_folder(drafts: list[_Draft], root: Path) -> None:
    """Name persons where no word does: one person, unless two nights of a leg are at one time."""
    at_once = Counter((d.leg, d.evening) for d in drafts)
    if drafts and max(at_once.values()) == 1 and all(d.evening and d.leg for d in drafts):
        code = code_of(root.resolve().name) or "p01"
        for draft in drafts:
            draft.person = code
            draft.reasons.append(f"person {code}: the folder, since no name tells persons apart")
        return
    seen: dict[str, tuple[str, ...]] = {}
    for draft in drafts:
        words = tuple(map(code_of, draft.core))
        code = "-".join(filter(None, words)) or code_of(draft.path.parent.name) or "p"
        base, number = code, 1
        identity = words or (draft.name,)
        while seen.setdefault(code, identity) != identity:
            number += 1
            code = f"{base}-{number}"
        draft.person = code
        draft.reasons.append(f"person {code}: name or folder")
        draft.doubts.append("nothing but a night, a visit or a device in its name tells the person")


def _known_code(draft: _Draft, known: Mapping[str, list[str]]) -> str | None:
    """The one known code that a name holds, in one word or in several side by side."""
    found: set[str] = set()
    words = draft.kept
    for first in range(len(words)):
        for last in range(first + 1, min(first + 4, len(words)) + 1):
            key = code_key("".join(words[first:last]))
            codes = known.get(key, [])
            if len(codes) == 1:
                found.add(codes[0])
    if not found:
        # A prefix such as P or S before a number that the tables have bare.
        for word in words:
            digits = re.fullmatch(r"[a-z]{1,4}0*(\d+)", plain(word))
            if digits and len(codes := known.get(digits[1], [])) == 1:
                found.add(codes[0])
    return found.pop() if len(found) == 1 else None


def _join_legs(drafts: list[_Draft]) -> None:
    """Take for a leg's word what two files at the same time on both legs differ in alone."""
    groups: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        groups[draft.person].append(draft)
    single = {
        code: files
        for code, files in groups.items()
        if len({file.leg for file in files}) == 1 and files[0].leg and files[0].header.start_time
    }
    alike: dict[tuple[int, tuple[str, ...]], list[tuple[str, str]]] = defaultdict(list)
    for code in single:
        words = code.lower().split("-")
        for place, word in enumerate(words) if len(words) > 1 else ():
            alike[place, (*words[:place], *words[place + 1 :])].append((code, word))
    found: dict[str, list[tuple[str, tuple[str, str]]]] = defaultdict(list)
    for codes in alike.values():
        for one, left_word in codes:
            for two, right_word in codes:
                left, right = single[one], single[two]
                if left[0].leg != LEFT or right[0].leg != RIGHT:
                    continue
                if _at_the_same_time(left, right):
                    found[one].append((two, (left_word, right_word)))
                    found[two].append((one, (left_word, right_word)))
    pairs = {
        (one, others[0][0], others[0][1])
        for one, others in found.items()
        if len(others) == 1 and len(found[others[0][0]]) == 1 and single[one][0].leg == LEFT
    }
    often = Counter(differing for _, _, differing in pairs)
    for one, two, differing in pairs:
        shared = [w for w in one.split("-") if w.lower() != differing[0]]
        code = "-".join(shared) or one
        for draft in groups[one] + groups[two]:
            draft.person = code
            draft.reasons = [r for r in draft.reasons if not r.startswith("person ")]
            draft.reasons.append(
                f"person {code}: name, {' and '.join(differing)} being its legs at one time"
            )
            if often[differing] == 1:
                draft.doubts.append(f"{one} and {two} are taken for the two legs of one person")


def _at_the_same_time(left: list[_Draft], right: list[_Draft]) -> bool:
    def near(one: _Draft, others: list[_Draft]) -> bool:
        start = one.header.start_time
        return start is not None and any(
            other.header.start_time is not None
            and abs(other.header.start_time - start) <= _SAME_NIGHT
            for other in others
        )

    return all(near(d, right) for d in left) and all(near(d, left) for d in right)


def _take_subjects(drafts: list[_Draft], known: set[str]) -> None:
    """Let the person's code in the headers go first, where it tells persons apart as names do."""
    said = {d.name: code_of(d.header.subject) for d in drafts}
    usable = [d for d in drafts if said[d.name] and not re.search(r"\s", d.header.subject.strip())]
    codes = {said[d.name] for d in usable}
    if len(usable) < len(drafts) or (len(codes) == 1 and len({d.person for d in drafts}) > 1):
        return  # the same in all files, as where nobody changed it, or not in all
    codes_of: dict[str, set[str]] = defaultdict(set)
    for draft in usable:
        codes_of[draft.person].add(said[draft.name])
    for draft in usable:
        code, name = said[draft.name], draft.person
        if len(codes_of[name]) > 1:
            draft.doubts.append(f"its header says that it is of {code}, its name of {name}")
        elif code_key(name) not in known and code_key(code) != code_key(name):
            draft.person = code
            draft.reasons = [r for r in draft.reasons if not r.startswith("person ")]
            draft.reasons.append(f"person {code}: header")


def _find_doubles(drafts: list[_Draft]) -> None:
    """Doubt files of one leg of one person that begin in one night, and files of the same bytes."""
    same: dict[tuple[str, str | None, date | None], list[_Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.evening is not None and draft.leg is not None:
            same[draft.person, draft.leg, draft.evening].append(draft)
    for (person, leg, evening), files in same.items():
        for draft in files if len(files) > 1 else ():
            others = ", ".join(f.name for f in files if f is not draft)
            draft.doubts.append(f"{others} is of the {leg} leg of {person} on {evening} too")
    alike: dict[tuple[int, bytes], list[_Draft]] = defaultdict(list)
    for draft in drafts:
        if not draft.header.problem and (ends := _ends_of(draft.path)):
            alike[ends].append(draft)
    for files in alike.values():
        for draft in files if len(files) > 1 else ():
            others = ", ".join(f.name for f in files if f is not draft)
            draft.doubts.append(f"it begins and ends with the very bytes of {others}")


def _ends_of(path: Path, count: int = 1 << 16) -> tuple[int, bytes] | None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(count)
            file.seek(max(size - count, 0))
            return size, head + file.read(count)
    except OSError:
        return None


def _take_date(stem: str, start: datetime | None) -> tuple[str, date | None]:
    """Find the dates in a name; return the name without them, and the first."""
    told: list[date] = []

    def take(found: re.Match[str]) -> str:
        day = _date_of(found, start)
        if day is None:
            return found[0]
        told.append(day)
        return " "

    return _DATES.sub(take, stem), told[0] if told else None


def _date_of(found: re.Match[str], start: datetime | None) -> date | None:
    if found["y"]:
        orders = [(found["y"], found["m"], found["d"])]
    else:
        a, b, c = (found[name] or found[f"{name}8"] for name in "abc")
        orders = [(c, b, a), (c, a, b)]
        if len(c) == 2:
            orders.append((a, b, c))
    days = []
    for year, month, day in orders:
        try:
            days.append(date(int(year) + (2000 if int(year) < 100 else 0), int(month), int(day)))
        except ValueError:
            continue
    if start is not None:
        near = [day for day in days if abs((day - start.date()).days) <= 1]
        return near[0] if near else (days[0] if found["y"] and days else None)
    return days[0] if days else None


def _pattern_expression(pattern: str) -> re.Pattern[str]:
    """Make a regular expression of ``{person}``, ``{leg}``, ``{date}``, ``{}`` and ``*``."""
    parts = {
        "{person}": r"(?P<person>[^/]+?)",
        "{leg}": r"(?P<leg>[^/]+?)",
        "{date}": r"(?P<date>[^/]+?)",
        "{}": r"[^/]*?",
        "*": r"[^/]*?",
    }
    text, at = "", 0
    for found in re.finditer(r"\{[^{}]*\}|\*", pattern):
        if found[0] not in parts:
            raise SettingError(
                "--pattern", f"{found[0]} in {pattern!r}", expected="{person}, {leg}, {date}, {}"
            )
        text += re.escape(pattern[at : found.start()]) + parts[found[0]]
        parts[found[0]] = r"[^/]*?" if found[0] in ("{}", "*") else f"(?P={found[0][1:-1]})"
        at = found.end()
    if "(?P<person>" not in text:
        raise SettingError(
            "--pattern",
            f"{pattern!r}",
            expected="{person} in it, such as '{person}/{date}_{leg}'",
        )
    return re.compile(rf"{text}{re.escape(pattern[at:])}{_SUFFIX.pattern}", re.IGNORECASE)


def _read_by_pattern(draft: _Draft, expression: re.Pattern[str]) -> None:
    """Take what the pattern says of a name; a name that it does not fit is doubtful."""
    depth = expression.pattern.count("/")
    tail = "/".join(draft.name.split("/")[-depth - 1 :])
    found = expression.fullmatch(draft.name) or expression.fullmatch(tail)
    if found is None:
        draft.doubts.append("its name does not fit the pattern")
        return
    groups = found.groupdict()
    draft.person = code_of(groups["person"])
    draft.reasons.append(f"person {draft.person}: pattern")
    if groups.get("leg"):
        word = plain(groups["leg"])
        side = _LEG_WORDS.get(word) or _SHORT_LEG_WORDS.get(word)
        if side is None and draft.leg is None:
            draft.doubts.append(f"{groups['leg']!r} is no word for a leg")
        elif side is not None and draft.header.side in _OTHER and side != draft.header.side:
            if not any(doubt.startswith("its header says") for doubt in draft.doubts):
                draft.doubts.append(f"its header says {draft.header.side}, its name {side}")
        elif side is not None and draft.header.side not in _OTHER:
            draft.leg = side
            draft.reasons = [r for r in draft.reasons if not r.startswith("leg ")]
            draft.reasons.append(f"leg {side}: pattern ({groups['leg']})")
            draft.doubts = [d for d in draft.doubts if "both legs" not in d]
