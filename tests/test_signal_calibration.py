"""Calibration at rest: found where rest shows it, refused where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import ArrayRecording, any_rotation

from rlsmove.signal.calibration import Calibration, calibrate, still_windows
from rlsmove.signal.survey import survey_recording

GAIN = np.array([1.03, 0.97, 1.015])
OFFSET_G = np.array([0.03, -0.045, 0.02])


def postures(
    n: int, *, spread: float = 1.0, noise_g: float = 0.003, fs: float = 25.0, seed: int = 1
) -> NDArray[np.float64]:
    """A limb that lies for 30 s in each of n directions, true acceleration, shape (k, 3)."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((n, 3)) * spread + (1 - spread) * np.array([0, 0, 1])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rows = np.repeat(directions, round(30 * fs), axis=0)
    return rows + noise_g * rng.standard_normal(rows.shape)


def calibration_of(values: NDArray[np.floating], fs: float = 25.0) -> Calibration:
    return calibrate(survey_recording(ArrayRecording(values, fs=fs)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_gain_and_offset_are_recovered(seed: int) -> None:
    found = calibration_of(postures(60, seed=seed) / GAIN - OFFSET_G)
    assert found.status == "calibrated"
    # The mean of a 10-s window of 250 samples has noise of 0.2 mg; sixty postures do better.
    np.testing.assert_allclose(found.gain, GAIN, atol=0.001)
    np.testing.assert_allclose(found.offset_g, OFFSET_G, atol=0.001)
    assert found.error_before_g > 0.02
    assert found.error_after_g < 0.0005


def test_calibrated_rest_lies_at_one_g() -> None:
    raw = (postures(60) / GAIN - OFFSET_G).astype(np.float32)
    calibrated = calibration_of(raw).apply(raw)
    assert calibrated.dtype == np.float32
    np.testing.assert_allclose(
        np.linalg.norm(calibrated.reshape(-1, 250, 3).mean(axis=1), axis=1), 1.0, atol=0.001
    )


def test_a_good_device_is_left_about_as_it_is() -> None:
    found = calibration_of(postures(60))
    np.testing.assert_allclose(found.gain, 1.0, atol=0.001)
    np.testing.assert_allclose(found.offset_g, 0.0, atol=0.001)


def test_a_limb_that_lay_in_few_directions_is_not_calibrated() -> None:
    raw = (postures(60, spread=0.1) / GAIN - OFFSET_G).astype(np.float32)
    found = calibration_of(raw)
    assert found.status == "too_few_postures"
    assert "too few directions" in found.sentence
    np.testing.assert_array_equal(found.apply(raw), raw)


def test_too_little_rest_is_not_calibrated() -> None:
    found = calibration_of(postures(3))
    assert (found.status, found.n_windows) == ("too_little_rest", 9)
    assert "9 still windows" in found.sentence


def test_constant_motion_is_not_calibrated() -> None:
    found = calibration_of(postures(20, noise_g=0.1))
    assert (found.status, found.n_windows) == ("too_little_rest", 0)
    assert np.isnan(found.error_before_g)
    assert found.sentence


def test_an_absurd_fit_is_refused() -> None:
    found = calibration_of(postures(60) / np.array([1.0, 1.3, 1.0]))
    assert found.status == "no_better"
    np.testing.assert_array_equal(found.gain, 1.0)
    assert "not calibrated" in found.sentence


def test_half_empty_windows_are_left_out() -> None:
    values = postures(60)
    values[260:400] = np.nan  # more than half of the second window
    survey = survey_recording(ArrayRecording(values, fs=25.0))
    assert len(still_windows(survey)) == 179


def test_calibration_turns_with_the_device() -> None:
    values = postures(200)
    turn = any_rotation(4)
    error = calibration_of(values @ turn.T).error_after_g
    assert error == pytest.approx(calibration_of(values).error_after_g, abs=0.0002)
