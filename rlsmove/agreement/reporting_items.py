"""What a paper on validity must report, filled from a validation as far as it goes.

Items of GRRAS (Kottner J et al., J Clin Epidemiol 2011;64:96-106; reliability and agreement) and,
for sleep by a wearable against polysomnography, of Menghini L et al., Sleep 2021;44:zsaa170, in
short words of our own.
"""

from __future__ import annotations

from typing import Any

ITEMS = (
    ("GRRAS 1", "title or abstract says that agreement was studied", ""),
    ("GRRAS 2", "device and method described", "method"),
    ("GRRAS 3", "subjects of interest", ""),
    ("GRRAS 4", "who scores, and who will", ""),
    ("GRRAS 5", "what is known already and why this study", ""),
    ("GRRAS 6", "how the number of subjects and nights was chosen", ""),
    ("GRRAS 7", "how subjects and scorers were sampled", ""),
    ("GRRAS 8", "how the measuring was done: both at once, clocks, blinding", "clocks"),
    ("GRRAS 9", "whether the measurements were independent", ""),
    ("GRRAS 10", "statistical analysis", "analysis"),
    ("GRRAS 11", "numbers included, and left out with the reason", "numbers"),
    ("GRRAS 12", "subjects and scorers described", ""),
    ("GRRAS 13", "estimates with their uncertainty", "estimates"),
    ("GRRAS 14", "practical relevance", ""),
    ("GRRAS 15", "full results, where they are", "results"),
    ("Menghini 1", "epoch by epoch: table, sensitivity, specificity, kappa", "epochs"),
    (
        "Menghini 2",
        "discrepancies: bias, limits, whether they grow with the value",
        "discrepancies",
    ),
    ("Menghini 3", "each night's values, open to others", "shared"),
)


def reporting_items(record: dict[str, Any]) -> list[dict[str, str]]:
    """Fill the items that a validation answers; the others are for the authors.

    Parameters
    ----------
    record : dict
        From `laboratory_record`, with ``rules`` and ``provenance``.
    """
    sleep = record["sleep"]
    left_out = [night["name"] for night in record["nights"] if not night["counted"]]
    errors = [n["clock"]["error_s"] for n in record["nights"] if n["clock"]["error_s"] is not None]
    largest = f", standard error at most {max(errors):.3f} s" if errors else ""
    answers = {
        "method": f"rlsmove {record['provenance']['version']}, rules {record['rules']['name']}; "
        "acceleration at the ankle against the laboratory's scoring",
        "clocks": f"one clock from the movements of both{largest}; movements matched within "
        f"{record['tolerance_s']:g} s",
        "analysis": "matching one to one; Bland-Altman limits and ICC(2,1) with 95 % intervals; "
        "shares with intervals from drawing nights",
        "numbers": f"{record['nights_counted']} of {record['nights_given']} nights, "
        f"{record['hours']:.1f} hours seen by both"
        + (f"; not on one clock: {', '.join(left_out)}" if left_out else ""),
        "estimates": record["sentence"],
        "results": "validation.json, validation.csv",
        "epochs": "" if sleep is None else f"{sleep['epochs']} epochs of {sleep['nights']} nights",
        "discrepancies": "table of indices, on the laboratory's stages and on the sensor's own",
        "shared": "validation_shareable.json: each night without names, dates and clock times",
    }
    return [
        {"item": item, "topic": topic, "answer": answers.get(filled, "")}
        for item, topic, filled in ITEMS
    ]
