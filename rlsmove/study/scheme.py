"""How arms are given to nights, and the draw of one person's nights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from rlsmove.errors import SettingError
from rlsmove.study.assignments import AssignmentSpace, assignment_space
from rlsmove.study.columns import RUN_IN
from rlsmove.study.schedule import Schedule

#: Nights of one person that a plan may have.
MOST_NIGHTS = 1000


@dataclass(frozen=True)
class Scheme:
    """How arms are given to nights.

    Attributes
    ----------
    kind : str
        ``pairs`` (blocks of one period of each arm), ``blocks`` or ``free`` (all nights one block).
    arms : tuple of str
        Each equally often in every block.
    nights : int
        Nights with an arm, for each person.
    block_nights : int
        Nights in a block.
    period_nights : int
        Nights in a row that share one arm: 1, or 2 to 3 where the effect may carry over.
    max_run : int or None
        Longest run of periods with one arm, across blocks.
    run_in_nights : int
        Nights before the first with an arm.
    """

    kind: str
    arms: tuple[str, ...]
    nights: int
    block_nights: int
    period_nights: int = 1
    max_run: int | None = None
    run_in_nights: int = 0

    def space(self) -> AssignmentSpace:
        """Return all sequences of arms that the scheme can give."""
        periods, each = self.nights // self.period_nights, self.block_nights // self.period_nights
        blocks = periods // each
        stratum = tuple(period // each for period in range(periods))
        counts = ((each // len(self.arms),) * len(self.arms),) * blocks
        return assignment_space(stratum, counts, self.max_run)

    def schedule(self, arm_of_period: np.ndarray) -> Schedule:
        """Return the schedule that a sequence of arms makes."""
        night = np.arange(self.nights)
        period = night // self.period_nights
        return Schedule(
            scheme=self.kind,
            block=night // self.block_nights,
            period=period,
            arm=arm_of_period.astype(np.int64)[period],
            n_arms=len(self.arms),
            max_run=self.max_run,
        )


def make_scheme(
    kind: str,
    arms: tuple[str, ...],
    nights: int,
    *,
    block_nights: int | None = None,
    period_nights: int = 1,
    max_run: int | None = None,
    run_in_nights: int = 0,
) -> Scheme:
    """Return a scheme whose numbers fit each other.

    Parameters
    ----------
    kind : str
        ``pairs``, ``blocks`` or ``free``.
    arms : tuple of str
    nights : int
    block_nights : int, optional
        For ``blocks`` only; two periods of each arm by default.
    period_nights, max_run, run_in_nights
        As in `Scheme`.

    Raises
    ------
    SettingError
        They do not fit, or the cap on runs leaves fewer than two sequences.
    """
    numbers = {"nights": nights, "nights in a period": period_nights, "arms": len(arms)}
    numbers |= {"the longest run": max_run} if max_run is not None else {}
    for name, number in numbers.items():
        if not 1 <= number <= MOST_NIGHTS:
            raise SettingError("", f"{name}: {number}", expected=f"1 to {MOST_NIGHTS}")
    share = len(arms) * period_nights
    if kind == "pairs":
        block = share
    elif kind == "blocks":
        block = 2 * share if block_nights is None else block_nights
    else:
        block = nights
    if block < share or block % share:
        raise SettingError(
            "",
            f"blocks of {block} nights",
            expected=f"a multiple of {share}: {len(arms)} arms, {period_nights} night(s) at a time",
        )
    if nights < block or nights % block:
        below = max(nights // block, 1) * block
        raise SettingError(
            "",
            f"{nights} nights",
            expected=f"a multiple of {block}, such as {below} or {below + block}",
        )
    scheme = Scheme(kind, arms, nights, block, period_nights, max_run, run_in_nights)
    if scheme.space().size < 2:
        raise SettingError(
            "",
            f"runs of at most {max_run} leave {scheme.space().size} sequence(s)",
            expected="a longer run, so that there is something to draw from",
        )
    return scheme


#: How a draw comes from its key: 1 by the seed and a number made of the participant's code, which
#: gave two studies with the same codes and the default seed the same orders; 2 by a key that the
#: study's name and the seed, from the system's entropy, make for each person.
DRAW_VERSIONS = (1, 2)


def person_key(study_id: str, participant_id: str, seed: int, version: int = 2) -> str:
    """Make the key of one person's draw.

    Parameters
    ----------
    study_id, participant_id : str
        Each person has a draw of their own, whoever else is in the study.
    seed : int
        The plan's seed.
    version : int
        One of `DRAW_VERSIONS`.

    Returns
    -------
    str
        In hexadecimal.
    """
    if version == 1:
        person = int.from_bytes(hashlib.sha256(participant_id.encode()).digest()[:8], "big")
        return f"{seed:x}:{person:x}"
    return hashlib.sha256(f"{study_id}\0{participant_id}\0{seed}".encode()).hexdigest()


def draw_schedule(scheme: Scheme, key: str) -> Schedule:
    """Draw one person's schedule, uniformly over all that the scheme can give.

    Parameters
    ----------
    scheme : Scheme
    key : str
        From `person_key`.

    Returns
    -------
    Schedule
    """
    rng = np.random.default_rng([int(part, 16) for part in key.split(":")])
    return scheme.schedule(scheme.space().draw(1, rng)[0])


def draw_nights(
    scheme: Scheme, key: str, first: date, *, after: tuple[int, int] = (0, 0), run_in: bool = True
) -> list[dict[str, Any]]:
    """Draw the nights of one person.

    Parameters
    ----------
    scheme : Scheme
    key : str
        From `person_key`.
    first : date
        Evening date of the first night, that of the run-in where there is one.
    after : tuple of int
        Blocks and periods that came before, for nights that are added.
    run_in : bool
        Whether the run-in comes first.

    Returns
    -------
    list of dict
        ``night``, ``arm``, ``block`` and ``period`` of each; block and period count from 1, and
        are 0 for run-in nights.
    """
    drawn = draw_schedule(scheme, key)
    waiting = scheme.run_in_nights if run_in else 0
    before = [{"arm": RUN_IN, "block": 0, "period": 0} for _ in range(waiting)]
    nights = [
        {
            "arm": scheme.arms[arm],
            "block": after[0] + int(block) + 1,
            "period": after[1] + int(period) + 1,
        }
        for arm, block, period in zip(drawn.arm, drawn.block, drawn.period, strict=True)
    ]
    return [
        {"night": (first + timedelta(days=day)).isoformat(), **night}
        for day, night in enumerate(before + nights)
    ]


def extended(scheme: Scheme, nights: int) -> Scheme:
    """Return the scheme by which nights are added to a plan: the same, over these nights.

    Raises
    ------
    SettingError
        The number does not fit the blocks, or runs are capped: a cap across the seam would make
        some sequences likelier than others.
    """
    if scheme.max_run is not None:
        raise SettingError(
            "--more-nights",
            f"the plan caps runs at {scheme.max_run}",
            expected="a plan without a cap on runs",
            advice="Nights added later would not be drawn with equal chances across the seam",
        )
    block = nights if scheme.kind == "free" else scheme.block_nights
    return make_scheme(
        scheme.kind,
        scheme.arms,
        nights,
        block_nights=block if scheme.kind == "blocks" else None,
        period_nights=scheme.period_nights,
    )
