"""The detector on short drawn nights of each kind: floors that a change must not fall below."""

from __future__ import annotations

import numpy as np
import pytest

from tests.drawn_nights import nights_of, tally_of

#: Least F1, most false finds per hour and most of the movements split, for each kind of night with
#: leg movements.
FLOORS = {
    "settling_all": (0.68, 8.0, 0.05),
    "weak": (0.66, 3.0, 0.05),
    "shaking": (0.76, 2.5, 0.04),
    "toes": (0.82, 4.5, 0.07),
    "long": (0.90, 2.0, 0.03),
    "coarse_step": (0.80, 5.5, 0.06),
    "partner": (0.77, 4.5, 0.05),
    "postures": (0.80, 4.5, 0.09),
}

#: Most false finds per hour where no leg moves periodically or alone.
MOST_FALSE = {"none": 1.5, "none_alone": 1.5}


@pytest.mark.parametrize("kind", FLOORS)
def test_leg_movements_are_found_as_well_as_before(kind):
    least_f1, most_false, most_split = FLOORS[kind]
    tally = tally_of(kind)
    assert tally.found + tally.missed > 35
    assert tally.f1 >= least_f1
    assert tally.false_per_hour <= most_false
    assert tally.split <= most_split * (tally.found + tally.missed)
    assert abs(np.median(tally.onset_error_s)) <= 0.08
    assert abs(np.median(tally.duration_error_s)) <= 0.4


@pytest.mark.parametrize("kind", MOST_FALSE)
def test_nights_without_leg_movements_have_hardly_a_find(kind):
    assert not any(night.truth.leg_movements.any() for night in nights_of(kind))
    assert tally_of(kind).false_per_hour <= MOST_FALSE[kind]
