"""Assignments: counted, listed and drawn exactly, under numbers per block and a cap on runs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsmove.study.assignments import AssignmentSpace


def by_hand(stratum: list[int], counts: list[list[int]], max_run: int | None) -> set[tuple]:
    """All sequences over the arms, kept where numbers and runs fit."""
    kept = set()
    for arms in itertools.product(range(len(counts[0])), repeat=len(stratum)):
        numbers = np.zeros((len(counts), len(counts[0])), int)
        np.add.at(numbers, (stratum, list(arms)), 1)
        longest = max(len(list(run)) for _, run in itertools.groupby(arms))
        if (numbers == counts).all() and (max_run is None or longest <= max_run):
            kept.add(arms)
    return kept


@st.composite
def spaces(draw):
    n_arms = draw(st.integers(2, 3))
    arms = draw(st.lists(st.integers(0, n_arms - 1), min_size=1, max_size=7))
    stratum = [draw(st.integers(0, 2)) for _ in arms]
    names = sorted(set(stratum))
    stratum = [names.index(name) for name in stratum]
    counts = np.zeros((len(names), n_arms), int)
    np.add.at(counts, (stratum, arms), 1)
    return stratum, counts.tolist(), draw(st.none() | st.integers(1, 4))


@given(spaces())
@settings(max_examples=150, deadline=None)
def test_lists_exactly_the_sequences_that_fit(space):
    stratum, counts, max_run = space
    found = AssignmentSpace(tuple(stratum), tuple(map(tuple, counts)), max_run)
    expected = by_hand(stratum, counts, max_run)
    listed = [tuple(row) for row in found.every().tolist()]
    assert found.size == len(expected)
    assert len(listed) == len(set(listed))
    assert set(listed) == expected


def test_draws_are_uniform_over_the_capped_set():
    space = AssignmentSpace((0,) * 8, ((4, 4),), 2)
    drawn = space.draw(200_000, np.random.default_rng(5))
    rows, times = np.unique(drawn, axis=0, return_counts=True)
    expected = 200_000 / space.size
    assert len(rows) == space.size
    # A chi-square of `size` - 1 degrees of freedom: six standard deviations above its mean.
    square = float(((times - expected) ** 2 / expected).sum())
    freedom = space.size - 1
    assert square < freedom + 6 * (2 * freedom) ** 0.5


def test_a_rejecting_sampler_without_the_count_would_not_be_uniform():
    """Filling night by night with fair coins favors some sequences; the test above can fail."""
    rng = np.random.default_rng(1)
    times: dict[tuple, int] = {}
    while sum(times.values()) < 6_000:
        arms: list[int] = []
        for _ in range(8):
            allowed = [a for a in (0, 1) if arms.count(a) < 4 and arms[-2:] != [a, a]]
            if not allowed:
                break
            arms.append(int(rng.choice(allowed)))
        if len(arms) == 8:
            times[tuple(arms)] = times.get(tuple(arms), 0) + 1
    expected = 6_000 / len(times)
    square = sum((n - expected) ** 2 / expected for n in times.values())
    assert square > len(times) + 6 * (2 * len(times)) ** 0.5


def test_counts_beyond_what_could_be_listed():
    assert AssignmentSpace(tuple(i // 2 for i in range(200)), ((1, 1),) * 100).size == 2**100


def test_a_cap_that_leaves_nothing_has_size_zero():
    space = AssignmentSpace((0, 0, 0), ((3, 0),), 2)
    assert space.size == 0
    assert space.every().shape == (0, 3)


@pytest.mark.parametrize("max_run", [None, 2])
def test_three_arms_in_blocks(max_run):
    stratum = (0, 0, 0, 1, 1, 1)
    counts = ((1, 1, 1), (1, 1, 1))
    space = AssignmentSpace(stratum, counts, max_run)
    assert space.size == 36  # no run of three fits in blocks of three different arms
    assert (np.sort(space.every()[:, :3], axis=1) == [0, 1, 2]).all()
