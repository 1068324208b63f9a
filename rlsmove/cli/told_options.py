"""Options that say of a recording what its file does not, for every command that names one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rlsmove.devices.told import Told

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Each option, what stands for its value, and what it says.
_OPTIONS = (
    ("time_zone", "ZONE", "Zone of the sleeper's clock, such as Europe/Berlin."),
    ("start", "TIME", "Wall time of the first sample, such as 2026-03-01T22:30."),
    ("columns", "TIME,X,Y,Z", "Columns of a table, by names or by numbers from 1."),
    ("unit", "UNIT", "g, mg, m/s2, or how many counts make 1 g."),
    ("date_order", "ORDER", "ymd, dmy or mdy."),
    ("where", "COLUMN=VALUE", "Rows of a table to read, where it holds several sources."),
)
_LEGS = ("left", "right")


class ToldOptions:
    """What was told on the command line, for either leg.

    Parameters
    ----------
    texts : dict
        By the names of the options.
    """

    def __init__(self, texts: dict[str, str | None]) -> None:
        self._texts = texts

    def of(self, side: str | None = None) -> Told:
        """What is told of a recording; what names its leg goes before what holds for both.

        Raises
        ------
        SettingError
            An option cannot be understood.
        """
        from rlsmove.devices.told import Told

        return Told.parse(
            **{
                name: self._texts.get(f"{side}_{name}") or self._texts.get(name)
                for name, _, _ in _OPTIONS
            }
        )


def told_options(*, legs: bool = False) -> Callable[[_Command], _Command]:
    """Give a command these options; it takes them as ``told``, a `ToldOptions`.

    Parameters
    ----------
    legs : bool
        Whether it takes them for either leg too, as ``--left-start`` and so on.
    """

    def decorate(command: _Command) -> _Command:
        names = [name for name, _, _ in _OPTIONS]
        names += [f"{side}_{name}" for side in _LEGS for name in names] if legs else []

        @functools.wraps(command)
        def with_told(**arguments: Any) -> Any:
            texts = {name: arguments.pop(name) for name in names}
            return command(told=ToldOptions(texts), **arguments)

        decorated: Callable[..., Any] = with_told
        for side in reversed(("", *_LEGS) if legs else ("",)):
            for name, metavar, text in reversed(_OPTIONS):
                option = "--" + (f"{side}-{name}" if side else name).replace("_", "-")
                of_leg = f"The same for the {side} leg alone." if side else text
                decorated = click.option(option, metavar=metavar, help=of_leg)(decorated)
        return decorated  # type: ignore[return-value]

    return decorate
