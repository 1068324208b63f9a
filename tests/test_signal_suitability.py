"""What cannot be scored is refused with a sentence; what is doubtful is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import ArrayRecording, at_rest

from rlsmove.errors import UnsuitableSignal
from rlsmove.signal.calibration import calibrate
from rlsmove.signal.suitability import check_rate, check_scale, check_signal
from rlsmove.signal.survey import survey_recording


def check(values: NDArray[np.floating], **options: float) -> ArrayRecording:
    recording = ArrayRecording(values, **options)  # type: ignore[arg-type]
    check_signal(recording, survey_recording(recording))
    return recording


def test_a_good_recording_passes_without_a_word() -> None:
    assert check(at_rest(0.1)).notices == []


@pytest.mark.parametrize("fs", [10.0, 19.9])
def test_a_slow_recording_is_refused_with_the_reason(fs: float) -> None:
    with pytest.raises(UnsuitableSignal, match=rf"sampled at {fs:g} Hz; expected at least 20 Hz"):
        check_rate(ArrayRecording(at_rest(0.01, fs=fs), fs=fs))


def test_twenty_five_hertz_are_enough() -> None:
    check_rate(ArrayRecording(at_rest(0.01, fs=25.0), fs=25.0))


def test_all_zeros_are_refused() -> None:
    with pytest.raises(UnsuitableSignal, match="every one of 5000 samples is 0"):
        check(np.zeros((5000, 3)))


@pytest.mark.parametrize(("axis", "name"), [(0, "x"), (1, "y"), (2, "z")])
def test_a_constant_axis_is_refused_by_name(axis: int, name: str) -> None:
    values = at_rest(0.02)
    values[:, axis] = 0.25
    with pytest.raises(UnsuitableSignal, match=f"axis {name} is 0.25 g throughout"):
        check(values)


def test_meters_per_second_squared_are_told_by_gravity() -> None:
    with pytest.raises(UnsuitableSignal, match=r"look like m/s2: divide them by 9\.80665"):
        check(9.80665 * at_rest(0.02), range_g=np.nan)


def test_milligravity_is_told_by_gravity() -> None:
    with pytest.raises(UnsuitableSignal, match="look like mg: divide them by 1000"):
        check(1000 * at_rest(0.02), range_g=np.nan)


def test_filtered_acceleration_is_told_by_the_lack_of_gravity() -> None:
    with pytest.raises(UnsuitableSignal, match="Gravity seems to have been filtered out"):
        check(at_rest(0.02) - np.array([0.1, -0.2, 0.97]))


def test_counts_are_refused() -> None:
    counts = np.random.default_rng(0).integers(0, 400, (5000, 3))
    with pytest.raises(UnsuitableSignal, match="activity counts"):
        check(counts, range_g=np.nan)


def test_movement_above_rest_does_not_hide_gravity() -> None:
    values = at_rest(0.2)
    values[5000:-5000] += 2 * np.random.default_rng(0).standard_normal((len(values) - 10_000, 3))
    check(values)


def test_clipping_is_noticed() -> None:
    values = at_rest(0.2, noise_g=0.002)
    values[::500] = 8.0
    (notice,) = check(values).notices
    assert notice.code == "clipped"
    assert "100 %" in notice.sentence


def test_clipping_is_noticed_where_the_range_is_unknown() -> None:
    values = np.clip(
        at_rest(0.2) + 3 * np.random.default_rng(0).standard_normal((72_000, 3)), -2, 2
    )
    values[::1000] = at_rest(0.2)[::1000]
    values[:9000] = at_rest(0.2)[:9000]
    (notice,) = check(values, range_g=np.nan).notices
    assert notice.code == "clipped"
    assert "+-2 g" in notice.sentence


def test_a_rate_that_differs_from_the_settings_is_noticed() -> None:
    values = at_rest(0.02)
    recording = ArrayRecording(values, np.arange(len(values)) / 80.0, fs=100.0)
    check_signal(recording, survey_recording(recording))
    (notice,) = recording.notices
    assert notice.code == "rate_differs"
    assert "set to 100 Hz but recorded 80.00 Hz" in notice.sentence


@pytest.mark.parametrize(("scale", "doubted"), [(1.0, False), (0.96, False), (0.9, True)])
def test_a_scale_that_rest_contradicts_is_doubted(scale: float, doubted: bool) -> None:
    recording = ArrayRecording(at_rest(0.1) * scale)
    check_scale(recording, calibrate(survey_recording(recording)))
    assert [notice.code for notice in recording.notices] == ["scale_doubtful"] * doubted
