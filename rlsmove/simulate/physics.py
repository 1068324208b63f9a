"""How legs, straps, beds and devices of one simulated night behave, beside how often legs move.

The defaults are the plain world: legs jerk and come back, straps are firm, mattresses still. Wider
worlds are drawn by `rlsmove.simulate.ranges`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Physics:
    """The physics of one night.

    Attributes
    ----------
    gestures : tuple of (str, float)
        How leg movements are made and how often each way, relative to the others: names of
        `rlsmove.simulate.gestures.GESTURES`, or ``jerked``, the plain way.
    shake_median_g, shake_ln_sd : float
        Log-normal height of the shaking of gestures that shake more than they turn.
    settle_share : float
        Share of the leg movements after which the leg lies elsewhere than before.
    settle_deg : tuple of float
        By how much, between these, in degrees of gravity at the sensor.
    creep_share : float
        Share of those that sink there slowly, over seconds after the movement has ended.
    into_posture_share, from_posture_share : float
        Share of leg movements that a change of posture follows at once, and that follow one.
    interval_memory : float
        Correlation of neighboring log intervals of a series.
    interval_trend : float
        Log change of the intervals of a series from its first to its last movement, at most.
    strap_hz, strap_damping : float
        Frequency and damping ratio at which the sensor swings on its strap; 0 Hz is firm.
    slips : int
        Times that the strap slips round the shank in the night.
    flips : int
        Times that the sensor turns over.
    off : int
        Times that the sensor is taken off for 4 to 40 minutes.
    breath_hz, heart_hz : tuple of float
        Bounds between which the rates wander.
    respiratory_per_hour : float
        Respiratory events per hour of sleep, with a leg movement at the end of many.
    mattress_hz, mattress_damping : float
        Frequency and damping ratio of the mattress that passes a partner's movements on; with
        0 Hz they come as plain damped swings.
    sway_deg : float
        By how much a partner's movement tilts the bed under the leg, at most.
    partner_interval_s, partner_interval_ln_sd : float
        Log-normal intervals of a partner who moves periodically.
    partner_shake_g : float
        Median height of what the mattress passes on, where it passes on most.
    step_g, range_g, noise_g : float or None
        Step, range and noise of the device; None is that of the named one.
    flicker_g : float
        SD of 1/f noise of each axis, over the band from 1/600 Hz up.
    filtered : bool
        Whether the device low-passes before it samples; otherwise what is too fast is aliased.
    """

    gestures: tuple[tuple[str, float], ...] = (("jerked", 1.0),)
    shake_median_g: float = 0.03
    shake_ln_sd: float = 0.6
    settle_share: float = 0.0
    settle_deg: tuple[float, float] = (0.0, 0.0)
    creep_share: float = 0.0
    into_posture_share: float = 0.0
    from_posture_share: float = 0.0
    interval_memory: float = 0.0
    interval_trend: float = 0.0
    strap_hz: float = 0.0
    strap_damping: float = 0.3
    slips: int = 0
    flips: int = 0
    off: int = 0
    breath_hz: tuple[float, float] = (0.2, 0.33)
    heart_hz: tuple[float, float] = (0.85, 1.15)
    respiratory_per_hour: float = 0.0
    mattress_hz: float = 0.0
    mattress_damping: float = 0.2
    sway_deg: float = 0.0
    partner_interval_s: float = 25.0
    partner_interval_ln_sd: float = 0.3
    partner_shake_g: float = 0.016
    step_g: float | None = None
    range_g: float | None = None
    noise_g: float | None = None
    flicker_g: float = 0.0
    filtered: bool = True


#: Legs jerk and come back, straps are firm, mattresses still.
PLAIN = Physics()
