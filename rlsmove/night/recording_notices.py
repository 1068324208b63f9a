"""What a reader of a night should know of its recordings."""

from __future__ import annotations

from datetime import date

from rlsmove.night.opened_leg import Leg
from rlsmove.night.sleep_source import clocks_change
from rlsmove.records import SIDES, Notice
from rlsmove.signal.wear import NONWEAR_S, SUSPICIOUS_S, motionless_stretches

#: An index of a shorter time in bed says little: series alone take minutes to form.
SHORT_RECORDING_S = 3600.0

#: Parts of the body, as decoders name them, that do not move with the leg.
NOT_ON_A_LEG = ("wrist", "arm", "waist", "hip", "chest", "back")


def clock_notices(leg: Leg, evening: date, time_zone: str) -> list[Notice]:
    """Say so where wall clocks change in the night: the device's does not."""
    span = leg.span_of(evening)
    assert span is not None
    if not clocks_change(leg.recording.start_time, span.start_s, span.end_s, time_zone):
        return []
    return [
        Notice(
            "clock_change",
            f"clocks change in {time_zone} in the night of {evening}: the device's clock goes on, "
            "hours are elapsed time, and times of movements after the change are an hour off the "
            "clock on the wall",
        )
    ]


def leg_notices(leg: Leg, evening: date) -> list[Notice]:
    """What a reader of the night should know of one leg's recording."""
    name = leg.recording.path.name
    notices = list(leg.recording.notices)
    if leg.recording.side not in ("unknown", SIDES[leg.side]):
        notices.append(
            Notice(
                "side_differs",
                f"{name} says that it was worn on the {leg.recording.side} leg, but was given as "
                f"the {SIDES[leg.side]} one; it is taken for the {SIDES[leg.side]} one",
            )
        )
    if leg.recording.placement in NOT_ON_A_LEG:
        notices.append(
            Notice(
                "not_on_a_leg",
                f"{name} says that it was worn at the {leg.recording.placement}: what is counted "
                "are movements of that part of the body",
            )
        )
    span = leg.span_of(evening)
    if span is None:
        return [*notices, Notice("leg_missing", f"{name} holds nothing of the night of {evening}")]
    if span.recorded_s < SHORT_RECORDING_S:
        notices.append(
            Notice(
                "short_recording",
                f"{name} holds {span.recorded_s / 60:.1f} minutes of the night of {evening}; "
                "an index needs hours, and a series of movements takes minutes to form",
            )
        )
    if leg.calibration.status != "calibrated":
        notices.append(Notice("not_calibrated", f"{name}: {leg.calibration.sentence}"))
    for start_s, end_s in motionless_stretches(leg.survey, SUSPICIOUS_S).tolist():
        if start_s < span.end_s and end_s > span.start_s:
            worn = end_s - start_s < NONWEAR_S
            notices.append(
                Notice(
                    "motionless" if worn else "not_worn",
                    f"{name}: nothing moved for {(end_s - start_s) / 3600:.1f} hours from "
                    f"{start_s / 3600:.2f} h after its start: "
                    + ("was it worn?" if worn else "taken as not worn and left out of the hours"),
                )
            )
    notices += [
        Notice(
            "short_night_left_out",
            f"{name}: only {left.recorded_s / 3600:.1f} hours from noon of {left.evening} to the "
            "next; ask for that night by its date to see it all the same",
        )
        for left in leg.leftovers
    ]
    return notices
