"""One night from samples to indices, on simulated nights."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import EVENING, ArrayRecording, any_rotation, simulated, simulated_samples

from rlsmove.errors import SettingError
from rlsmove.events.event_lists import Events
from rlsmove.night.analysis import NO_LIGHTS, NightResult, analyse_night
from rlsmove.night.chosen_nights import choose_nights
from rlsmove.night.opened_leg import read_leg
from rlsmove.night.sleep_source import Lights
from rlsmove.records import LEG_MOVEMENT, SIDES, Intervals, Movements
from rlsmove.rules import AASM, WASM_2006

NIGHT = date(2026, 3, 1)
HOURS = 1.5
FS = 50.0

#: One onset is the other's where they lie closer than this. Movements lie seconds apart.
SAME_S = 0.25

#: Of the movements of one night, as many are found in a changed copy of it: one in twenty-five may
#: lie so close to a threshold that the noise of the samples taken decides.
NEARLY_ALL = 0.96


def samples() -> NDArray[np.float32]:
    return simulated_samples(hours=HOURS, fs=FS)


def analysed(
    values: NDArray[np.floating], *, lights: Lights = NO_LIGHTS, **how: object
) -> NightResult:
    how.setdefault("fs", FS)
    leg = read_leg(ArrayRecording(values, **how))  # type: ignore[arg-type]
    return analyse_night([leg], leg.nights[0].evening, lights=lights)


@lru_cache
def base() -> NightResult:
    return analysed(samples())


def movements(result: NightResult) -> Movements:
    return result.detected.legs[0].movements


def onset_errors_s(one: Movements, other: Movements, later_s: float = 0.0) -> NDArray[np.float64]:
    """Of each movement of one table, how far off the nearest of the same kind in the other is."""
    errors = []
    for onset_ms, kind in zip(one.onset_ms, one.kind, strict=True):
        same = other.onset_ms[other.kind == kind]
        apart = np.abs(same / 1000 - onset_ms / 1000 - later_s)
        errors.append(np.min(apart, initial=np.inf))
    return np.array(errors)


def assert_same_movements(one: Movements, other: Movements, later_s: float = 0.0) -> None:
    """Nearly all of each are in the other, nine of ten within two points of the clock."""
    for errors in (onset_errors_s(one, other, later_s), onset_errors_s(other, one, -later_s)):
        assert np.mean(errors < SAME_S) >= NEARLY_ALL
        assert np.quantile(errors, 0.9) < 0.081


def test_leg_movements_are_found_where_they_were_simulated() -> None:
    truth = simulated(hours=HOURS, fs=FS).truth
    true = truth.movements.take(truth.leg_movements & truth.detectable)
    found = movements(base()).take(movements(base()).kind == LEG_MOVEMENT)
    apart = np.abs(true.onset_ms[:, None] - found.onset_ms[None, :])
    assert len(true) > 50
    assert np.mean(apart.min(axis=1) <= 500) >= 0.9  # of the true ones
    assert np.mean(apart.min(axis=0) <= 500) >= 0.9  # of those found


def test_most_true_periodic_movements_are_scored_as_periodic() -> None:
    sleep = base().sleep
    assert sleep is not None
    in_bed = (base().scoring.onset_ms >= sleep.lights_off_ms) & (
        base().scoring.onset_ms < sleep.lights_on_ms
    )
    periodic = in_bed & (base().scoring.plm == 1)
    assert base().indices["plm_count"] == np.count_nonzero(periodic)
    assert base().indices["plm_count"] > 0.4 * base().indices["lm_count"] > 10


@pytest.mark.parametrize("cut", [1000, 4096, 77_777])
def test_block_size_changes_not_a_bit(cut: int) -> None:
    other = analysed(samples(), cut=cut)
    for name in ("onset_ms", "duration_ms", "kind", "peak_g", "tilt_deg", "snr"):
        np.testing.assert_array_equal(
            getattr(movements(base()), name), getattr(movements(other), name)
        )
    assert other.indices == base().indices


@pytest.mark.parametrize("seed", [1, 2])
def test_a_turned_device_gives_the_same_movements(seed: int) -> None:
    turned = samples() @ any_rotation(seed).T.astype(np.float32)
    assert_same_movements(movements(base()), movements(analysed(turned)))


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_a_scale_that_is_three_per_cent_off_gives_the_same_movements(factor: float) -> None:
    other = analysed(samples() * np.float32(factor))
    assert_same_movements(movements(base()), movements(other))


@pytest.mark.parametrize("fs", [25.0, 100.0])
def test_another_sample_rate_gives_the_same_movements(fs: float) -> None:
    other = analysed(simulated_samples(hours=HOURS, fs=fs), fs=fs)
    assert_same_movements(movements(base()), movements(other))
    assert other.indices["plm_count"] == pytest.approx(base().indices["plm_count"], abs=2)


def test_leading_rest_only_moves_the_clock() -> None:
    rest = np.concatenate([samples()[: 2 * int(FS)]] * 300)
    other = analysed(np.concatenate([rest, samples()]), start_time=EVENING - timedelta(minutes=10))
    assert_same_movements(movements(base()), movements(other), later_s=600.0)


def test_two_files_cut_at_a_rest_give_the_movements_of_the_whole() -> None:
    whole = movements(base())
    offset_ms = whole.onset_ms + whole.duration_ms
    middle = len(whole) // 2
    after = middle + int(np.argmax(whole.onset_ms[middle + 1 :] - offset_ms[middle:-1]))
    cut_s = round((offset_ms[after] + whole.onset_ms[after + 1]) / 2000)
    cut = round(cut_s * FS)
    first = movements(analysed(samples()[:cut]))
    second = movements(analysed(samples()[cut:], start_time=EVENING + timedelta(seconds=cut_s)))
    rejoined = Movements.concatenate(
        first, Movements(**{**vars(second), "onset_ms": second.onset_ms + 1000 * cut_s})
    )
    assert_same_movements(whole, rejoined)


@pytest.mark.parametrize(("gap_s", "ends"), [(1.5, False), (2.5, True)])
def test_a_gap_of_more_than_two_seconds_ends_a_series(gap_s: float, ends: bool) -> None:
    scoring = base().scoring
    # The widest rest within a series has room for the gap.
    inside = (scoring.series[1:] == scoring.series[:-1]) & (scoring.series[1:] > 0)
    rest_ms = scoring.onset_ms[1:] - (scoring.onset_ms + scoring.duration_ms)[:-1]
    row = int(np.argmax(np.where(inside, rest_ms, 0)))
    assert rest_ms[row] > 6000
    start = round((scoring.onset_ms[row + 1] - 1000 * gap_s - 2000) / 1000 * FS)
    values = samples().copy()
    values[start : start + round(gap_s * FS)] = np.nan
    other = analysed(values).scoring
    later = int(np.argmin(np.abs(other.onset_ms - scoring.onset_ms[row + 1])))
    assert abs(other.onset_ms[later] - scoring.onset_ms[row + 1]) < 1000 * SAME_S
    assert (other.imi_ms[later] == -1) == ends
    assert (other.series[later - 1] == other.series[later] > 0) == (not ends)


def test_time_in_a_gap_is_not_analyzable() -> None:
    values = samples().copy()
    values[round(1800 * FS) : round(2400 * FS)] = np.nan
    indices = analysed(values, lights=Lights("22:45", "23:45")).indices
    assert indices["analysable_hours"] == pytest.approx(HOURS - 600 / 3600, abs=0.001)
    assert indices["tib_hours"] == pytest.approx(50 / 60, abs=0.001)
    hours = indices["lm_count"] / indices["lm_per_hour_tib"]
    assert hours == pytest.approx(50 / 60, abs=0.001)


def events(sleep: object) -> Events:
    none = Intervals.empty()
    return Events(Movements.empty(), sleep, None, None, none, (0, 0), None, ())  # type: ignore[arg-type]


def test_hours_follow_the_hypnogram() -> None:
    sleep = simulated(hours=HOURS, fs=FS).sleep
    leg = read_leg(ArrayRecording(samples(), fs=FS))
    result = analyse_night([leg], NIGHT, events=events(sleep))
    length_h = (sleep.offset_ms - sleep.onset_ms) / 3_600_000
    assert sleep.lights_off_ms is not None
    assert sleep.lights_on_ms is not None
    in_bed_h = (sleep.lights_on_ms - sleep.lights_off_ms) / 3_600_000
    assert result.indices["tib_hours"] == pytest.approx(in_bed_h)
    assert result.indices["sleep_hours"] == pytest.approx(length_h[sleep.stage > 0].sum(), abs=1e-3)
    assert result.indices["wake_hours"] == pytest.approx(
        in_bed_h - result.indices["sleep_hours"], abs=1e-3
    )
    assert result.sleep is not None
    assert result.sleep.source == "hypnogram"
    assert "sleep_from_sensor" not in [notice.code for notice in result.notices]


def test_hours_follow_lights_off_and_on() -> None:
    result = analysed(samples(), lights=Lights("22:45", "23:45:30"))
    assert result.sleep is not None
    assert result.sleep.source == "lights"
    assert result.indices["tib_hours"] == pytest.approx(1 + 30 / 3600)
    asleep, awake = result.indices["sleep_hours"], result.indices["wake_hours"]
    assert asleep + awake == pytest.approx(1 + 30 / 3600, abs=1e-3)
    assert "sleep_from_sensor" in [notice.code for notice in result.notices]


def test_lights_go_before_those_of_the_event_list() -> None:
    leg = read_leg(ArrayRecording(samples(), fs=FS))
    scored = events(simulated(hours=HOURS, fs=FS).sleep)
    result = analyse_night([leg], NIGHT, events=scored, lights=Lights("22:50", "23:20"))
    assert result.indices["tib_hours"] == pytest.approx(0.5)
    assert result.sleep is not None
    assert result.sleep.source == "hypnogram"


def test_without_lights_the_sensor_says_when_the_body_rests() -> None:
    result = base()
    assert result.sleep is not None
    assert result.sleep.source == "sensor"
    assert 0.5 * HOURS < result.indices["tib_hours"] <= HOURS
    assert result.indices["sleep_hours"] <= result.indices["tib_hours"]


def test_without_any_rest_there_are_no_hours() -> None:
    rng = np.random.default_rng(0)
    steps = np.repeat(rng.standard_normal((720, 3)), round(5 * FS), axis=0)
    values = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    result = analysed(values + 0.002 * rng.standard_normal(values.shape))
    assert result.sleep is None
    assert "no_rest_found" in [notice.code for notice in result.notices]
    assert result.indices["tib_hours"] is None
    assert result.indices["plms_per_hour"] is None


@pytest.mark.parametrize(
    ("lights", "expected"),
    [
        (Lights("23:30", "22:40"), "lights off"),
        (Lights("bedtime", None), "'bedtime'"),
        (Lights("25:10", None), "'25:10'"),
        (Lights(None, "2026-13-01T10:00"), "--lights-on"),
    ],
)
def test_impossible_lights_are_refused(lights: Lights, expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        analysed(samples(), lights=lights)


def test_lights_may_carry_their_date() -> None:
    plain = analysed(samples(), lights=Lights("22:45", "23:45"))
    dated = analysed(samples(), lights=Lights("2026-03-01T22:45", "2026-03-01T23:45"))
    assert dated.indices == plain.indices


def test_a_short_recording_is_analyzed_with_a_warning() -> None:
    result = analysed(samples()[: round(1200 * FS)])
    (notice,) = [notice for notice in result.notices if notice.code == "short_recording"]
    assert "20.0 minutes" in notice.sentence
    assert len(movements(result)) > 0
    assert result.indices["lm_per_hour_tib"] is None
    lit = analysed(samples()[: round(1200 * FS)], lights=Lights("22:32", "22:48"))
    assert lit.indices["tib_hours"] == pytest.approx(16 / 60)
    assert lit.indices["lm_per_hour_tib"] is not None


@pytest.mark.parametrize("rules", [WASM_2006, AASM], ids=lambda rules: rules.name)
def test_other_standards_score_the_same_movements(rules: object) -> None:
    leg = read_leg(ArrayRecording(samples(), fs=FS))
    result = analyse_night([leg], NIGHT, rules=rules)  # type: ignore[arg-type]
    np.testing.assert_array_equal(movements(result).onset_ms, movements(base()).onset_ms)
    assert result.rules.name != base().rules.name
    assert result.indices != base().indices


@lru_cache
def many_nights() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Two evenings of over three hours, and the samples' times."""
    fs = 25.0
    nights = [simulated_samples(seed=seed, hours=3.2, fs=fs) for seed in (1, 2)]
    time_s = [np.arange(len(values)) / fs + 86_400 * day for day, values in enumerate(nights)]
    return np.concatenate(nights), np.concatenate(time_s)


def test_each_night_of_a_recording_is_the_night_alone() -> None:
    values, time_s = many_nights()
    leg = read_leg(ArrayRecording(values, time_s, fs=25.0))
    assert choose_nights([leg]) == [NIGHT, NIGHT + timedelta(days=1)]
    for day in (0, 1):
        inside = (time_s >= 86_400 * day) & (time_s < 86_400 * (day + 1))
        alone = read_leg(ArrayRecording(values[inside], fs=25.0))
        one = analyse_night([leg], NIGHT + timedelta(days=day))
        other = analyse_night([alone], NIGHT)
        assert_same_movements(movements(other), movements(one), later_s=86_400 * day)
        assert one.indices["tib_hours"] == pytest.approx(other.indices["tib_hours"], abs=0.05)


def test_a_night_can_be_asked_for_by_its_date() -> None:
    values, time_s = many_nights()
    leg = read_leg(ArrayRecording(values, time_s, fs=25.0))
    assert choose_nights([leg], "2026-03-02") == [date(2026, 3, 2)]


@pytest.mark.parametrize("night", ["2026-03-05", "yesterday"])
def test_a_night_that_is_not_there_is_refused(night: str) -> None:
    leg = read_leg(ArrayRecording(samples(), fs=FS))
    with pytest.raises(SettingError, match=r"2026-03-01"):
        choose_nights([leg], night)


def test_the_side_is_the_users_before_the_files() -> None:
    recording = ArrayRecording(samples(), fs=FS, side="left")
    assert analyse_night([read_leg(recording)], NIGHT).sides == ["left"]
    result = analyse_night([read_leg(recording, "right")], NIGHT)
    assert result.sides == ["right"]
    assert [n.code for n in result.notices].count("side_differs") == 1
    assert set(result.scoring.side.tolist()) == {SIDES.index("right")}


# Two legs.

TWO_HOURS = 2.0


@lru_cache
def both_legs() -> tuple[ArrayRecording, ArrayRecording]:
    left, right = (
        ArrayRecording(
            simulated_samples(side, legs="both", hours=TWO_HOURS, fs=FS),
            fs=FS,
            side=side,
            name=side,
        )
        for side in ("left", "right")
    )
    return left, right


def two_legs(left: ArrayRecording, right: ArrayRecording) -> NightResult:
    return analyse_night([read_leg(left), read_leg(right)], NIGHT)


@lru_cache
def two() -> NightResult:
    return two_legs(*both_legs())


def test_the_clocks_of_two_legs_are_found_and_the_legs_combined() -> None:
    true = simulated(legs="both", hours=TWO_HOURS, fs=FS).sensors["right"].clock
    clock = two().clock
    assert clock is not None
    assert clock.combined
    end_s = TWO_HOURS * 3600
    for moment_s in (0.0, end_s):
        found_s = clock.offset_s + 1e-6 * clock.drift_ppm * moment_s
        assert found_s == pytest.approx(true.offset_s + 1e-6 * true.drift_ppm * moment_s, abs=0.1)
    assert set(two().indices_by_leg) == {"left", "right"}
    assert SIDES.index("bilateral") in two().scoring.side


def test_both_legs_together_have_fewer_movements_than_their_sum() -> None:
    by_leg = two().indices_by_leg
    together = two().indices["clm_count"]
    assert together < by_leg["left"]["clm_count"] + by_leg["right"]["clm_count"]
    assert together >= max(by_leg[side]["clm_count"] for side in by_leg)


def test_swapped_legs_swap_sides_and_nothing_else() -> None:
    left, right = both_legs()
    swapped = analyse_night([read_leg(right, "left"), read_leg(left, "right")], NIGHT)
    assert [n.code for n in swapped.notices].count("side_differs") == 2
    for name in ("clm_count", "plm_count", "lm_count"):
        assert swapped.indices[name] == pytest.approx(two().indices[name], abs=2)
        assert (
            swapped.indices_by_leg["left"]["lm_count"] == two().indices_by_leg["right"]["lm_count"]
        )


def test_a_right_leg_that_starts_an_hour_later_is_put_in_its_place() -> None:
    left, _ = both_legs()
    hour = round(3600 * FS)
    values = simulated_samples("right", legs="both", hours=TWO_HOURS, fs=FS)[hour:]
    late = ArrayRecording(values, fs=FS, side="right", start_time=EVENING + timedelta(hours=1))
    result = two_legs(left, late)
    assert result.clock is not None
    assert result.clock.combined
    true = simulated(legs="both", hours=TWO_HOURS, fs=FS).sensors["right"].clock
    found_s = result.clock.offset_s + 1e-6 * result.clock.drift_ppm * 5400
    assert found_s == pytest.approx(true.offset_s + 1e-6 * true.drift_ppm * 5400, abs=0.1)
    whole = two().detected.legs[1].movements
    second_hour = whole.take(whole.onset_ms > 3_610_000)
    errors = onset_errors_s(second_hour, result.detected.legs[1].movements)
    assert np.mean(errors < SAME_S) >= NEARLY_ALL
    assert result.detected.legs[1].movements.onset_ms.min() > 3_590_000


def test_a_leg_without_the_night_is_named_and_the_other_scored() -> None:
    left, _ = both_legs()
    values = simulated_samples("right", legs="both", hours=TWO_HOURS, fs=FS)
    other_night = ArrayRecording(
        values, fs=FS, side="right", start_time=EVENING + timedelta(days=3), name="right.cwa"
    )
    legs = [read_leg(left), read_leg(other_night)]
    assert choose_nights(legs) == [NIGHT, date(2026, 3, 4)]
    result = analyse_night(legs, NIGHT)
    assert result.sides == ["left"]
    (notice,) = [notice for notice in result.notices if notice.code == "leg_missing"]
    assert "right.cwa" in notice.sentence
    assert result.indices == analyse_night([read_leg(left)], NIGHT).indices


def test_legs_of_different_nights_are_not_combined() -> None:
    left, _ = both_legs()
    stranger = ArrayRecording(
        simulated_samples("right", seed=9, legs="both", hours=TWO_HOURS, fs=FS), fs=FS, side="right"
    )
    result = two_legs(left, stranger)
    assert result.clock is not None
    assert not result.clock.combined
    assert "legs_not_combined" in [notice.code for notice in result.notices]
    assert SIDES.index("bilateral") not in result.scoring.side
    assert result.indices in result.indices_by_leg.values()


def test_a_start_with_an_offset_counts_like_one_without() -> None:
    from datetime import timezone

    aware = EVENING.replace(tzinfo=timezone(timedelta(hours=1)))
    result = analysed(samples(), start_time=aware, lights=Lights("22:45", "23:45"))
    plain = analysed(samples(), lights=Lights("22:45", "23:45"))
    assert result.indices == plain.indices
    assert result.detected.start_time == datetime.fromisoformat("2026-03-01T22:30:00+01:00")
