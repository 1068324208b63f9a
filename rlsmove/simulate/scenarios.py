"""What a simulated night is made of: device, sleeper, movements, and named sets of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from rlsmove.errors import SettingError
from rlsmove.simulate.physics import PLAIN, Physics
from rlsmove.simulate.treatment import UNTREATED, Treatment, check_treatment


@dataclass(frozen=True)
class DeviceModel:
    """How a device turns acceleration into numbers.

    Attributes
    ----------
    name : str
        Maker and model imitated.
    range_g : float
        Largest acceleration shown.
    step_g : float
        Quantization step.
    noise_g : float
        SD of the white noise of each axis at 100 samples per second; it grows with the square
        root of the rate, because the devices sample their sensor's whole band.
    """

    name: str
    range_g: float
    step_g: float
    noise_g: float


#: Steps are the makers' own; noise is what lying-still parts of real recordings show, less the
#: quantization.
DEVICES = {
    "ax3": DeviceModel("Axivity AX3", 8.0, 1 / 256, 0.0030),
    "ax3_packed": DeviceModel("Axivity AX3 (10 bits)", 8.0, 1 / 64, 0.0040),
    "ax6": DeviceModel("Axivity AX6", 8.0, 1 / 2048, 0.0015),
    "geneactiv": DeviceModel("GENEActiv", 8.0, 1 / 256, 0.0060),
    "actigraph": DeviceModel("ActiGraph wGT3X-BT", 8.0, 1 / 256, 0.0030),
}


@dataclass(frozen=True)
class NightParameters:
    """Everything that shapes a simulated night, beside its seed.

    Attributes
    ----------
    hours : float
        Length of the recording, the evening before lights off included.
    fs : float
        Samples per second.
    legs : str
        ``left``, ``right`` or ``both``.
    device : str
        Name in `DEVICES`.
    start_time : datetime
        Wall time of the first sample, on each device's own clock.
    plm_per_hour : float
        Movements in periodic series per hour of sleep, averaged over the night.
    isolated_per_hour, clusters_per_hour : float
        Single movements, and clusters of 2 to 5 at intervals of 2 to 8 s, per hour of sleep.
    wake_per_hour : float
        Leg movements per hour of wake in bed.
    rate_ratio : float
        Factor on the rates of leg movements, such as the effect of a massage.
    decline : float
        Share of the rate lost between lights off and lights on.
    interval_median_s, interval_ln_sd : float
        Log-normal intervals within a series.
    duration_median_s, duration_ln_sd : float
        Log-normal durations of leg movements in sleep.
    tilt_median_deg, tilt_ln_sd : float
        Log-normal turn of gravity by a leg movement in sleep.
    held_share : float
        Share of movements that burst out, lie still for 1 to 8 s and burst back.
    jerks_share : float
        Share of movements made of several jerks.
    tremor_share : float
        Share of movements with a tremor of 5 to 12 Hz.
    silent_share : float
        Share of movements that contract a muscle and hardly move the sensor.
    bilateral_share : float
        Share of movements that both legs make.
    alternating_share : float
        Chance that the next movement of a series changes leg.
    posture_shifts_per_hour, gross_per_hour : float
        Changes of posture, and large movements of the whole body.
    walks : int
        Walks out of bed in the night.
    partner_per_hour : float
        Shakes transmitted from a bed partner; half of them come periodically.
    taps_per_hour : float
        Knocks on the device, of less than 0.1 s.
    breathing_g, heart_g : float
        Median amplitude of breathing and of the heart's beat at the ankle.
    drift_g : float
        Amplitude of the slow wandering of the offset, with the temperature of the skin.
    gain_error, offset_error_g : float
        Largest miscalibration of an axis.
    noise_ratio : float
        Factor on the device's noise.
    clock_offset_s, clock_drift_ppm : float
        Largest offset and drift of the right device's clock against the left one's.
    gaps : int
        Stretches of 3 to 600 s missing in each recording.
    physics : Physics
        How legs, straps, beds and devices behave.
    treatment : Treatment
        Massages and other doings before lights off, and machines in bed.
    """

    hours: float = 8.0
    fs: float = 100.0
    legs: str = "both"
    device: str = "ax3"
    start_time: datetime = datetime(2026, 3, 1, 22, 30)
    plm_per_hour: float = 30.0
    isolated_per_hour: float = 6.0
    clusters_per_hour: float = 1.5
    wake_per_hour: float = 40.0
    rate_ratio: float = 1.0
    decline: float = 0.5
    interval_median_s: float = 24.0
    interval_ln_sd: float = 0.3
    duration_median_s: float = 1.8
    duration_ln_sd: float = 0.5
    tilt_median_deg: float = 4.5
    tilt_ln_sd: float = 0.8
    held_share: float = 0.12
    jerks_share: float = 0.2
    tremor_share: float = 0.25
    silent_share: float = 0.0
    bilateral_share: float = 0.2
    alternating_share: float = 0.15
    posture_shifts_per_hour: float = 2.0
    gross_per_hour: float = 1.0
    walks: int = 1
    partner_per_hour: float = 0.0
    taps_per_hour: float = 1.0
    breathing_g: float = 0.0008
    heart_g: float = 0.0010
    drift_g: float = 0.004
    gain_error: float = 0.01
    offset_error_g: float = 0.01
    noise_ratio: float = 1.0
    clock_offset_s: float = 2.0
    clock_drift_ppm: float = 20.0
    gaps: int = 0
    physics: Physics = PLAIN
    treatment: Treatment = UNTREATED

    @property
    def model(self) -> DeviceModel:
        """The named device, changed as the night's physics has it."""
        own = DEVICES[self.device]
        drawn = {
            name: value
            for name in ("range_g", "step_g", "noise_g")
            if (value := getattr(self.physics, name)) is not None
        }
        return replace(own, name=f"{own.name}, changed", **drawn) if drawn else own


_TYPICAL = NightParameters()

#: Named nights. `restless` and `bilateral` shift the mix of movements, the others the difficulty.
SCENARIOS = {
    "typical": _TYPICAL,
    "mild": replace(_TYPICAL, plm_per_hour=8.0, isolated_per_hour=4.0, wake_per_hour=20.0),
    "severe": replace(
        _TYPICAL, plm_per_hour=75.0, isolated_per_hour=8.0, clusters_per_hour=4.0, wake_per_hour=80
    ),
    "none": replace(
        _TYPICAL,
        plm_per_hour=0.0,
        isolated_per_hour=0.0,
        clusters_per_hour=0.0,
        wake_per_hour=0.0,
        posture_shifts_per_hour=4.0,
        gross_per_hour=3.0,
        partner_per_hour=20.0,
        taps_per_hour=4.0,
    ),
    "low_snr": replace(
        _TYPICAL, tilt_median_deg=0.8, tilt_ln_sd=0.6, silent_share=0.1, breathing_g=0.0015
    ),
    "held": replace(_TYPICAL, held_share=0.7, jerks_share=0.05),
    "noisy_device": replace(_TYPICAL, device="geneactiv", noise_ratio=1.5),
    "partner": replace(_TYPICAL, partner_per_hour=60.0),
    "restless": replace(
        _TYPICAL,
        plm_per_hour=20.0,
        clusters_per_hour=10.0,
        wake_per_hour=120.0,
        posture_shifts_per_hour=8.0,
        gross_per_hour=6.0,
        walks=3,
    ),
    "bilateral": replace(_TYPICAL, bilateral_share=0.7, alternating_share=0.4),
    "drift": replace(_TYPICAL, clock_offset_s=60.0, clock_drift_ppm=50.0),
    "gaps": replace(_TYPICAL, gaps=6),
}


def check_parameters(parameters: NightParameters) -> None:
    """Refuse parameters that no night can have.

    Raises
    ------
    SettingError
        The first value that is out of its bounds, with those bounds.
    """
    bounds = {
        "hours": (0.1, 24.0),
        "fs": (20.0, 200.0),
        "plm_per_hour": (0.0, 150.0),
        "isolated_per_hour": (0.0, 200.0),
        "clusters_per_hour": (0.0, 60.0),
        "wake_per_hour": (0.0, 300.0),
        "rate_ratio": (0.0, 5.0),
        "partner_per_hour": (0.0, 300.0),
        "taps_per_hour": (0.0, 300.0),
        "posture_shifts_per_hour": (0.0, 60.0),
        "gross_per_hour": (0.0, 60.0),
        "noise_ratio": (0.0, 20.0),
        "clock_offset_s": (0.0, 60.0),
        "clock_drift_ppm": (0.0, 100.0),
        "gaps": (0, 100),
        "walks": (0, 10),
    }
    for name, (low, high) in bounds.items():
        value = getattr(parameters, name)
        if not low <= value <= high:
            raise SettingError("", f"{name} is {value:g}", expected=f"{low:g} to {high:g}")
    check_treatment(parameters.treatment)
    asleep_hours = parameters.hours - parameters.treatment.evening_min / 60
    if asleep_hours < bounds["hours"][0]:
        raise SettingError(
            "",
            f"evening_min of {parameters.treatment.evening_min:g} leaves {asleep_hours:g} hours",
            expected=f"{bounds['hours'][0]:g} or more",
        )
    if parameters.legs not in ("left", "right", "both"):
        raise SettingError("", f"legs is {parameters.legs!r}", expected="left, right or both")
    if parameters.device not in DEVICES:
        raise SettingError(
            "", f"device is {parameters.device!r}", expected="one of " + ", ".join(DEVICES)
        )


def named_scenario(name: str) -> NightParameters:
    """The parameters of a named scenario.

    Raises
    ------
    SettingError
        There is none of that name; the message lists those there are.
    """
    if name not in SCENARIOS:
        raise SettingError("", f"scenario {name!r}", expected="one of " + ", ".join(SCENARIOS))
    return SCENARIOS[name]
