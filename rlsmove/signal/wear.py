"""When the device was not on a leg."""

from __future__ import annotations

import numpy as np

from rlsmove.records import FloatArray
from rlsmove.signal.survey import WINDOW_S, Survey

#: A sleeper's ankle can lie still for an hour or more, so the 60-min rule for the wrist (van Hees
#: et al., PLoS ONE 2011;6:e22922) would take deep sleep for an empty strap. Three hours without
#: any trace of movement are taken for non-wear (our judgement; the warning below comes earlier).
NONWEAR_S = 3 * 3600.0
SUSPICIOUS_S = 1.5 * 3600.0

#: A window is motionless when no axis varies (SD) by more than 13 mg, the value of van Hees 2011,
#: and its mean is within 10 mg (about 0.6 degrees) of the window before.
MOTIONLESS_SD_G = 0.013
MOTIONLESS_STEP_G = 0.010


def motionless_stretches(survey: Survey, shortest_s: float) -> FloatArray:
    """Stretches in which nothing moved for at least a given time.

    Parameters
    ----------
    survey : Survey
        Window statistics of the whole recording.
    shortest_s : float
        Least length to be listed.

    Returns
    -------
    ndarray of float64, shape (k, 2)
        Start and end in seconds since the start of the recording. A gap longer than a window ends
        a stretch.
    """
    start_s = survey.window_start_s
    quiet = np.all(survey.sd_g < MOTIONLESS_SD_G, axis=1)
    step = np.zeros(len(quiet))
    step[1:] = np.max(np.abs(np.diff(survey.mean_g, axis=0)), axis=1)
    follows = np.zeros(len(quiet), bool)
    follows[1:] = (np.diff(start_s) < 1.5 * WINDOW_S) & (step[1:] < MOTIONLESS_STEP_G) & quiet[:-1]
    edges = np.diff(np.concatenate([[0], follows.astype(np.int8), [0]]))
    first = np.flatnonzero(edges == 1) - 1
    last = np.flatnonzero(edges == -1) - 1
    stretches = np.stack([start_s[first], start_s[last] + WINDOW_S], axis=1)
    return stretches[stretches[:, 1] - stretches[:, 0] >= shortest_s]


def nonwear_stretches(survey: Survey) -> FloatArray:
    """Stretches in which the device lay somewhere else, shape (k, 2), in seconds."""
    return motionless_stretches(survey, NONWEAR_S)
