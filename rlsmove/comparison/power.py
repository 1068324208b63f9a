"""What a scheme can show: the smallest p, the power, the nights needed, by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rlsmove.comparison.randomized_shift import ALPHA
from rlsmove.records import BoolArray, FloatArray
from rlsmove.study.plan import MOST_NIGHTS, Scheme

#: SD of a night's log rate within one person and condition, where nothing was measured.
NIGHT_SD = 0.5

#: SD of the true log ratio between persons, where nothing was measured.
PERSON_SD = 0.3

#: Power that `nights_needed` asks for.
POWER = 0.8

#: Simulated studies for each figure, and redrawn assignments for each test.
_STUDIES = 1000
_REDRAWN = 999

#: Standard normal quantiles of 1 - ALPHA / 2 and of POWER.
_Z = 1.959964 + 0.841621


@dataclass(frozen=True)
class Baseline:
    """How a person's nights vary when nothing is done.

    Attributes
    ----------
    night_sd : float
        SD of a night's log rate.
    correlation : float
        Lag-1 correlation from one night to the next.
    """

    night_sd: float = NIGHT_SD
    correlation: float = 0.0


def autocorrelated(
    shape: tuple[int, int], sd: float, correlation: float, rng: np.random.Generator
) -> FloatArray:
    """Draw stationary first-order series, one a row.

    Parameters
    ----------
    shape : (int, int)
        Series and nights.
    sd, correlation : float
        Of each night, and from one night to the next.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, of that shape
    """
    noise = rng.normal(0.0, sd, shape)
    fresh = math.sqrt(1.0 - correlation**2)
    for night in range(1, shape[1]):
        noise[:, night] = correlation * noise[:, night - 1] + fresh * noise[:, night]
    return noise


def smallest_p(scheme: Scheme, massage: BoolArray) -> float:
    """Return the smallest p that any result of one person could reach under the scheme.

    Parameters
    ----------
    scheme : Scheme
    massage : ndarray of bool, shape (arms,)
        Which arms count as massage.
    """
    size = scheme.space().size
    # An assignment and its mirror image are equally far from zero; with as many control as
    # massage arms the mirror is an assignment too.
    return (2 if 2 * int(massage.sum()) == len(massage) else 1) / size


def person_power(
    scheme: Scheme, massage: BoolArray, ratio: float, baseline: Baseline, seed: int
) -> float:
    """Return the share of simulated persons whose test reaches p <= 0.05.

    Parameters
    ----------
    scheme : Scheme
    massage : ndarray of bool, shape (arms,)
    ratio : float
        True rate with massage over that without.
    baseline : Baseline
    seed : int
    """
    rng = np.random.default_rng(seed)
    estimate, rows = _estimates(scheme, massage, ratio, baseline, rng)
    count = np.zeros(len(estimate.t), np.int64)
    for part in np.array_split(rows, max(1, rows.shape[0] * len(count) // 2**22)):
        count += (np.abs(estimate.y @ part.T) >= np.abs(estimate.t)[:, None] - 1e-9).sum(axis=1)
    p = count / len(rows) if estimate.exact else (1 + count) / (1 + len(rows))
    return float(np.mean(p <= ALPHA))


def cohort_power(
    scheme: Scheme,
    massage: BoolArray,
    ratio: float,
    baseline: Baseline,
    persons: int,
    seed: int,
    person_sd: float = PERSON_SD,
) -> float:
    """Return the share of simulated cohorts whose sign-flip test reaches p <= 0.05.

    Parameters
    ----------
    scheme, massage, ratio, baseline, seed
        As in `person_power`.
    persons : int
    person_sd : float
        SD of the true log ratio between persons.
    """
    rng = np.random.default_rng(seed)
    pool = _estimates(scheme, massage, ratio, baseline, rng)[0].shift
    values = rng.choice(pool, (_STUDIES, persons)) + rng.normal(0, person_sd, (_STUDIES, persons))
    exact = 2**persons <= _REDRAWN
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**persons)[:, None] >> np.arange(persons)) & 1)
    else:
        signs = 1.0 - 2.0 * rng.integers(0, 2, (_REDRAWN, persons))
    count = (np.abs(values @ signs.T) >= np.abs(values.sum(axis=1))[:, None] - 1e-9).sum(axis=1)
    p = count / len(signs) if exact else (1 + count) / (1 + len(signs))
    return float(np.mean(p <= ALPHA))


def nights_for_power(
    scheme: Scheme, massage: BoolArray, ratio: float, baseline: Baseline, seed: int
) -> int | None:
    """Return the fewest nights of one person with which the power reaches `POWER`.

    Returns
    -------
    int or None
        A multiple of the scheme's block; None beyond `MOST_NIGHTS` / 2.
    """
    step = len(scheme.arms) * scheme.period_nights if scheme.kind == "free" else scheme.block_nights

    def reaches(blocks: int) -> bool:
        nights = blocks * step
        longer = replace(
            scheme, nights=nights, block_nights=nights if scheme.kind == "free" else step
        )
        return person_power(longer, massage, ratio, baseline, seed) >= POWER

    blocks = _fewest(reaches, MOST_NIGHTS // 2 // step)
    return None if blocks is None else blocks * step


def nights_for_error(se: float, nights: int, ratio: float, step: int) -> int:
    """Return the nights that would tell a ratio from 1 with `POWER`, from an estimate's error.

    The squared error falls as one over the nights; the normal approximation is good enough for
    a number that is itself estimated, and was within two nights of simulation at 30 to 60.

    Parameters
    ----------
    se : float
        Standard error of the log ratio with the nights so far.
    nights : int
        Nights so far.
    ratio : float
        The ratio to tell from 1.
    step : int
        Nights are added in multiples of this.
    """
    needed = nights * (se * _Z / math.log(ratio)) ** 2
    return step * max(math.ceil(needed / step), nights // step + 1)


@dataclass(frozen=True)
class _Simulated:
    y: FloatArray  # what the test sees of each study, shape (studies, units)
    t: FloatArray  # its statistic
    shift: FloatArray  # its estimate
    exact: bool


def _estimates(
    scheme: Scheme,
    massage: BoolArray,
    ratio: float,
    baseline: Baseline,
    rng: np.random.Generator,
) -> tuple[_Simulated, FloatArray]:
    """Simulate persons; also return the rows of the test, scaled to unit length."""
    space = scheme.space()
    exact = space.size <= _REDRAWN
    x_all = massage[space.every() if exact else space.draw(_REDRAWN, rng)].astype(np.float64)
    x = massage[space.draw(_STUDIES, rng)].astype(np.float64)
    nights = autocorrelated((_STUDIES, scheme.nights), baseline.night_sd, baseline.correlation, rng)
    units = nights.reshape(_STUDIES, -1, scheme.period_nights).mean(axis=2)
    each = scheme.block_nights // scheme.period_nights
    y = _within_blocks(units + math.log(ratio) * x, each)
    rows, a = _within_blocks(x_all, each), _within_blocks(x, each)
    norm = float(np.sqrt((a[0] ** 2).sum()))  # the same for every assignment
    t = np.einsum("ij,ij->i", a, y) / norm
    return _Simulated(y, t, t / norm, exact), rows / norm


def _within_blocks(values: FloatArray, each: int) -> FloatArray:
    """Return what the means of blocks of `each` units leave, along the rows."""
    blocks = values.reshape(len(values), -1, each)
    return (blocks - blocks.mean(axis=2, keepdims=True)).reshape(values.shape)


def _fewest(reaches: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number from 1 to `most` that reaches, by doubling and halving."""
    above = 1
    while not reaches(above):
        if above >= most:
            return None
        above = min(2 * above, most)
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        if reaches(middle):
            above = middle
        else:
            below = middle
    return above
