"""How suddenly the limb turns or shakes, against the noise of the hour: edges of cycles stand out.

Kept apart from the detector's own signal, which gathers what lasts: an edge is a moment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rlsmove.signal import _kernels
from rlsmove.signal.activity import SECOND, local_noise

#: Spans over which the acceleration is averaged before and after each moment.
SPANS_S = (0.24, 0.48, 0.96)

#: A change stands out from this many times its own noise, and from this much.
OVER_NOISE = 2.8
LEAST_G = 0.002


def edge_strength(acceleration: NDArray[np.float32], step_g: float) -> NDArray[np.float32]:
    """Compute the largest change over the spans, each over its threshold, at each point.

    Parameters
    ----------
    acceleration : ndarray of float32, shape (n, 3), in g
        On the common clock, without NaN.
    step_g : float
        Step of the device's own scale, in g.

    Returns
    -------
    ndarray of float32, shape (n,)
        1 just stands out.
    """
    least_g = max(LEAST_G, 0.7 * step_g)
    n = len(acceleration)
    strength = np.zeros(n, np.float32)
    for span_s in SPANS_S:
        span = round(span_s * SECOND)
        change = np.zeros(n, np.float32)
        _kernels.distance_of_means(acceleration, span, span, change)
        starts = np.arange(0, n, SECOND)
        means = np.add.reduceat(change, starts, dtype=np.float64) / np.diff(starts, append=n)
        means[means == 0.0] = np.nan
        noise = np.maximum(*local_noise(means))
        threshold = np.maximum(OVER_NOISE * noise, least_g).astype(np.float32)
        np.maximum(strength, change / np.repeat(threshold, SECOND)[:n], out=strength)
    return strength
