"""Nights with massage compared with nights without, for one person and for a cohort.

The data's way, a stage a line::

    study_nights, night_table     a study's results, or a plain table -> nights of each person
    randomized_shift, contrast    night values and schedule -> estimate, p and interval
    person, cohort, claims        contrasts -> what a comparison says
    comparison                    the above in order -> comparison.json
"""
