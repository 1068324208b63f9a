"""What can go wrong, as one tree of exceptions.

::

    RlsmoveError
    ├── RecordingError        a recording cannot be used
    │   ├── UnknownFormat     the content is of no format that is read here
    │   ├── DamagedRecording  a known format, but nothing whole is left in it
    │   └── UnsuitableSignal  read well, but not raw acceleration that can be scored
    ├── EventListError        a list of scored events cannot be used
    ├── ResultError           a result of rlsmove cannot be read back
    ├── StudyError            a study folder or table cannot be used
    ├── SettingError          an option's value does not fit the data
    └── OutputError           a result cannot be written

Each error says the file, the place in it, what was found, what was expected, what to do, and the
options that would help, as far as each is known.
"""

from __future__ import annotations

from pathlib import Path


class RlsmoveError(Exception):
    """Base of all errors that rlsmove raises on purpose.

    Parameters
    ----------
    file : str or Path
        The file concerned; empty where there is none.
    found : str
        What was found, with its value.
    place : str, optional
        Where in the file: a row, a byte offset, a block, a dataset.
    expected : str, optional
        What should have been there.
    advice : str, optional
        What the reader can do about it.
    options : tuple of str, optional
        Options of the command line, each of which would help; the reader has to know which.
    """

    def __init__(
        self,
        file: str | Path,
        found: str,
        *,
        place: str = "",
        expected: str = "",
        advice: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        self.file = str(file)
        self.found = found
        self.place = place
        self.expected = expected
        self.advice = advice
        self.options = options
        super().__init__(self.file, found, place, expected, advice, options)

    def __str__(self) -> str:
        sentence = ": ".join(part for part in (self.file, self.place, self.found) if part)
        if self.expected:
            sentence += f"; expected {self.expected}"
        if self.advice:
            sentence += f". {self.advice}"
        if self.options:
            sentence = f"{sentence.removesuffix('.')}. Say which: {' or '.join(self.options)}"
        return sentence if sentence.endswith(".") else sentence + "."

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments do not pickle by themselves, and worker processes
        # send theirs home.
        return (_rebuild, (type(self), self.args))


def _rebuild(
    kind: type[RlsmoveError], args: tuple[str, str, str, str, str, tuple[str, ...]]
) -> RlsmoveError:
    file, found, place, expected, advice, options = args
    return kind(file, found, place=place, expected=expected, advice=advice, options=options)


class RecordingError(RlsmoveError):
    """A recording cannot be used."""


class UnknownFormat(RecordingError):
    """The content is of no format that is read here."""


class DamagedRecording(RecordingError):
    """The format is known, but nothing whole is left in the file."""


class UnsuitableSignal(RecordingError):
    """The file reads well but holds no raw acceleration that can be scored."""


class EventListError(RlsmoveError):
    """A list of scored events cannot be used."""


class ResultError(RlsmoveError):
    """A result of rlsmove cannot be read back."""


class StudyError(RlsmoveError):
    """A study folder or one of its tables cannot be used."""


class SettingError(RlsmoveError):
    """An option's value does not fit the data it is used on."""


class OutputError(RlsmoveError):
    """A result cannot be written."""
