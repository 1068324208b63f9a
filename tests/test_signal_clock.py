"""One reading of a recording, and its uniform clock, whatever the cutting, rate and gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import ArrayRecording, at_rest

from rlsmove.devices import Block
from rlsmove.errors import DamagedRecording
from rlsmove.signal.sample_ticks import samples_on_ticks
from rlsmove.signal.survey import Survey, longest_pause_s, survey_recording
from rlsmove.signal.uniform_clock import CLOCK_HZ, UniformReader, uniform_acceleration

RATES_HZ = (25.0, 30.0, 50.0, 85.7, 100.0)


def with_gap(minutes: float = 3.0, fs: float = 100.0) -> tuple[NDArray[np.float32], NDArray]:
    """Noise with a gap of 5.2 s and a pause of 0.05 s, and its times."""
    values = at_rest(minutes / 60, fs=fs)
    time_s = np.arange(len(values)) / fs
    time_s[len(values) // 3 :] += 5.2
    time_s[len(values) // 2 :] += 0.05
    return values, time_s


def uniform(recording: ArrayRecording, start_s: float = 0.0, end_s: float = np.inf) -> NDArray:
    chunks = list(uniform_acceleration(recording, start_s, end_s))
    return np.concatenate(chunks) if chunks else np.empty((0, 3), np.float32)


def assert_same_survey(one: Survey, other: Survey) -> None:
    for field in fields(Survey):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize("cut", [1, 7, 1000, 4096])
def test_survey_is_bitwise_the_same_for_any_cutting(cut: int) -> None:
    values, time_s = with_gap(1.0)
    whole = survey_recording(ArrayRecording(values, time_s))
    assert_same_survey(whole, survey_recording(ArrayRecording(values, time_s, cut=cut)))


@pytest.mark.parametrize("cut", [1, 13, 997, 5000])
def test_uniform_clock_is_bitwise_the_same_for_any_cutting(cut: int) -> None:
    values, time_s = with_gap(1.0)
    whole = uniform(ArrayRecording(values, time_s))
    np.testing.assert_array_equal(whole, uniform(ArrayRecording(values, time_s, cut=cut)))


def test_part_of_a_recording_has_the_same_points_as_the_whole() -> None:
    values, time_s = with_gap()
    whole = uniform(ArrayRecording(values, time_s))
    part = uniform(ArrayRecording(values, time_s), 60.03, 120.0)
    first = int(np.ceil(60.03 * CLOCK_HZ))
    np.testing.assert_array_equal(part, whole[first : first + len(part)])
    assert (first + len(part)) / CLOCK_HZ == 120.0


class CountedRecording(ArrayRecording):
    """Counts how often its samples were asked for."""

    readings = 0

    def blocks(self, start_s: float = 0.0, end_s: float = np.inf) -> Iterator[Block]:
        self.readings += 1
        yield from super().blocks(start_s, end_s)


@pytest.mark.parametrize("cut", [100, 1 << 16])
def test_stretch_after_stretch_is_read_in_one_go(cut: int) -> None:
    values, time_s = with_gap()
    whole = uniform(ArrayRecording(values, time_s))
    recording = CountedRecording(values, time_s, cut=cut)
    reader = UniformReader(recording)
    told: list[float] = []
    for first, length in ((0, 700), (700, 1), (1000, 2000), (3100, 5000)):
        found = np.concatenate(list(reader.read(first, length, told.append)))
        np.testing.assert_array_equal(found, whole[first : first + length])
    assert recording.readings == 1
    assert told[-1] <= 1.0
    back = np.concatenate(list(reader.read(50, 100)))
    np.testing.assert_array_equal(back, whole[50:150])
    assert recording.readings == 2


def test_survey_counts_samples_rate_and_gaps() -> None:
    values, time_s = with_gap()
    survey = survey_recording(ArrayRecording(values, time_s))
    assert survey.n_samples == len(values)
    assert survey.end_s == time_s[-1]
    np.testing.assert_allclose(survey.gap_s, [5.21])
    assert survey.gap_start_s[0] == time_s[len(values) // 3 - 1]
    # The pause of 0.05 s is no gap; its time counts as recorded.
    assert survey.true_rate_hz == pytest.approx(100.0, rel=5e-4)
    assert survey.mean_norm_g == pytest.approx(np.linalg.norm(values, axis=1).mean(), rel=1e-6)


def test_true_rate_follows_the_samples_times_not_the_settings() -> None:
    time_s = np.arange(20_000) / 98.87
    survey = survey_recording(ArrayRecording(at_rest(20_000 / 360_000), time_s, fs=100.0))
    assert survey.true_rate_hz == pytest.approx(98.87, rel=1e-9)


def test_step_of_the_scale_is_found() -> None:
    values = np.round(at_rest(0.05, noise_g=0.01) * 256) / 256
    assert survey_recording(ArrayRecording(values)).step_g == pytest.approx(1 / 256)


def test_recording_without_samples_is_refused() -> None:
    with pytest.raises(DamagedRecording, match="no samples"):
        survey_recording(ArrayRecording(np.empty((0, 3))))


def test_a_single_sample_can_be_surveyed() -> None:
    survey = survey_recording(ArrayRecording(np.ones((1, 3))))
    assert survey.n_samples == 1
    assert np.isnan(survey.true_rate_hz)


@pytest.mark.parametrize("fs", RATES_HZ)
@pytest.mark.parametrize("wave_hz", [0.5, 2.0])
def test_sine_waves_come_out_at_the_right_time_and_amplitude(fs: float, wave_hz: float) -> None:
    # From a start that is no multiple of anything, with the jitter of a device's clock.
    rng = np.random.default_rng(3)
    n = round(60 * fs)
    time_s = np.arange(n) / fs
    time_s[1:-1] += rng.uniform(-0.1, 0.1, n - 2) / fs
    wave = np.exp(2j * np.pi * wave_hz * time_s)
    values = np.stack([wave.real, wave.imag, np.ones(n)], axis=1)
    points = uniform(ArrayRecording(values, time_s, fs=fs))[25:-25].astype(float)
    moments = np.arange(25, 25 + len(points)) / CLOCK_HZ
    response = np.mean((points[:, 0] + 1j * points[:, 1]) * np.exp(-2j * np.pi * wave_hz * moments))
    assert abs(np.angle(response)) / (2 * np.pi * wave_hz) < 0.001  # s
    assert 0.9 < abs(response) < 1.01
    np.testing.assert_allclose(points[:, 2], 1.0, atol=1e-6)


def test_amplitude_of_a_movement_does_not_depend_on_the_rate() -> None:
    gains = []
    for fs in RATES_HZ:
        time_s = np.arange(round(60 * fs)) / fs
        values = np.stack([np.sin(2 * np.pi * 3.0 * time_s)] * 3, axis=1)
        gains.append(uniform(ArrayRecording(values, fs=fs))[25:-25, 0].std() * np.sqrt(2))
    np.testing.assert_allclose(gains, gains[-1], rtol=0.01)


def test_gaps_stay_gaps_and_pauses_are_bridged() -> None:
    values, time_s = with_gap()
    points = uniform(ArrayRecording(values, time_s))
    moments = np.arange(len(points)) / CLOCK_HZ
    before, after = time_s[len(values) // 3 - 1], time_s[len(values) // 3]
    missing = np.isnan(points[:, 0])
    np.testing.assert_array_equal(missing, (moments > before) & (moments < after))


def test_nothing_is_made_up_after_the_last_sample() -> None:
    values = at_rest(0.01)
    points = uniform(ArrayRecording(values))
    assert (len(points) - 1) / CLOCK_HZ <= (len(values) - 1) / 100.0 < len(points) / CLOCK_HZ


def test_longest_pause_is_three_samples_but_never_shorter_than_a_tenth_of_a_second() -> None:
    assert longest_pause_s(100.0) == 0.1
    assert longest_pause_s(20.0) == pytest.approx(0.15)


@pytest.mark.parametrize("cut", [1 << 16, 100])
def test_samples_on_ticks_are_the_recorded_ones_with_gaps_as_missing_rows(cut: int) -> None:
    values, time_s = with_gap()
    pieces = list(samples_on_ticks(ArrayRecording(values, time_s, cut=cut), 100.0))
    rows = np.concatenate(pieces)
    there = ~np.isnan(rows[:, 0])
    np.testing.assert_array_equal(rows[there], values)
    np.testing.assert_allclose(np.flatnonzero(there) / 100.0, time_s, atol=0.0076)


def test_gap_of_days_takes_pieces_of_bounded_size() -> None:
    values = at_rest(0.01)
    time_s = np.arange(len(values)) / 100.0
    time_s[100:] += 2 * 86_400.0
    pieces = list(samples_on_ticks(ArrayRecording(values, time_s), 100.0))
    assert max(map(len, pieces)) <= (1 << 16) + len(values)
    assert sum(map(len, pieces)) == len(values) + 2 * 86_400 * 100


def test_samples_without_a_tick_are_told() -> None:
    recording = ArrayRecording(at_rest(0.001), np.arange(360) / 102.0)
    rows = np.concatenate(list(samples_on_ticks(recording, 100.0)))
    assert len(rows) == 353
    (notice,) = recording.notices
    assert notice.code == "samples_left_out"
    assert "7 of 360" in notice.sentence
